package tracking

import (
	"slices"
	"sync"
	"time"
)

// shard is a part of the couriers with a lock of its own.
type shard struct {
	mu       sync.Mutex
	couriers map[string]*state
	moved    []*state // newest fix not yet in index and feed
	trailing []*state // fixes not yet taken by the trail writer
	full     []*state // enough of them for a chunk
}

// state is what this process knows of one courier, guarded by its shard.
type state struct {
	courier string
	shard   *shard
	heard   time.Time // last Ingest, by the server's clock

	unsure bool // the index could not be asked for an earlier fix
	known  bool
	last   Fix  // the newest accepted, if known
	gone   bool // not in the index now: off duty or stale
	moved  bool // in shard.moved

	jump  Fix // the newest of the jumps in a row
	jumps int

	recent  recent
	entered []Fence // reported, of those in the last set

	trail     []sample
	trailing  bool    // in shard.trailing
	full      bool    // in shard.full
	unwritten []Chunk // taken by the trail writer, oldest first
}

// verdict on a fix that is well by itself.
type verdict int

const (
	reject  verdict = iota // for a Reason
	toTrail                // late
	toIndex                // the newest
)

// judge decides on a fix against those before it and remembers jumps, but
// nothing else.
func (s *state) judge(c *Config, f *Fix) (verdict, Reason) {
	if !s.known {
		return toIndex, ""
	}
	newer := f.Time.After(s.last.Time)
	switch {
	case !newer && (f.Time.Equal(s.last.Time) || s.recent.has(f.Time)):
		return reject, Duplicate
	case !c.reachable(&s.last, f):
		if newer && s.jumped(c, f) {
			return toIndex, ""
		}
		return reject, Jump
	case !newer:
		return toTrail, ""
	}
	return toIndex, ""
}

// jumped counts a jump and says whether there were enough that agree: then
// it is the fix before them that was wrong.
func (s *state) jumped(c *Config, f *Fix) bool {
	switch {
	case s.jumps > 0 && !f.Time.After(s.jump.Time):
		return false // sent again, or out of order: says nothing new
	case s.jumps > 0 && c.reachable(&s.jump, f):
		s.jumps++
	default:
		s.jumps = 1
	}
	s.jump = *f
	return s.jumps >= c.Jumps
}

// moveTo makes f the newest fix.
func (s *state) moveTo(f Fix) {
	s.known, s.last, s.gone, s.jumps = true, f, false, 0
	s.recent.add(f.Time)
	s.touch()
}

// touch has the newest fix sent to index and feed.
func (s *state) touch() {
	if !s.moved {
		s.moved = true
		s.shard.moved = append(s.shard.moved, s)
	}
}

// adopt learns a fix that another process, or an earlier one, took.
func (s *state) adopt(f Fix) {
	if !s.known || f.Time.After(s.last.Time) {
		s.known, s.last, s.gone, s.jumps = true, f, false, 0
		s.recent.add(f.Time)
	}
}

// enter returns the fences that f is the first to be inside of.
func (s *state) enter(c *Config, f *Fix, fences []Fence) (ids []string) {
	for i := range fences {
		if c.inside(f, &fences[i]) && !slices.Contains(s.entered, fences[i]) {
			s.entered = append(s.entered, fences[i])
			ids = append(ids, fences[i].ID)
		}
	}
	return ids
}

// expect forgets the entered fences that are no longer in the set: one that
// comes back is a new one.
func (s *state) expect(fences []Fence) {
	s.entered = slices.DeleteFunc(s.entered, func(f Fence) bool { return !slices.Contains(fences, f) })
}

// recent holds the times of the last accepted fixes, in whole milliseconds
// modulo 2^32: 49 days, far more than a fix may be old.
type recent struct {
	times []uint32
	next  int
}

// recentTimes is a whole frame of fixes sent again, and some.
const recentTimes = 256

func (r *recent) add(t time.Time) {
	ms := uint32(t.UnixMilli())
	if len(r.times) < recentTimes {
		r.times = append(r.times, ms)
		return
	}
	r.times[r.next] = ms
	r.next = (r.next + 1) % recentTimes
}

func (r *recent) has(t time.Time) bool { return slices.Contains(r.times, uint32(t.UnixMilli())) }
