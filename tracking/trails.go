package tracking

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// trailBatch is how many chunks one call of the store gets at most.
const trailBatch = 1000

// written is a chunk on its way to the store.
type written struct {
	state *state
	chunk Chunk
}

// keep buffers a fix for the trail, under its shard's lock. It returns false
// if there is no room.
func (t *Tracker) keep(s *state, f *Fix) bool {
	if t.buffered.Load() >= int64(t.config.TrailBuffer) {
		return false
	}
	t.buffered.Add(1)
	s.trail = append(s.trail, sampleOf(f))
	if !s.trailing {
		s.trailing = true
		s.shard.trailing = append(s.shard.trailing, s)
	}
	if !s.full && len(s.trail) >= t.config.TrailChunk {
		s.full = true
		s.shard.full = append(s.shard.full, s)
		select {
		case t.full <- struct{}{}:
		default:
		}
	}
	return true
}

func (t *Tracker) runTrails(ctx context.Context) error {
	tick := time.NewTicker(t.config.TrailEvery)
	defer tick.Stop()
	for {
		all := true
		select {
		case <-ctx.Done():
			ctx, cancel := t.drain(ctx)
			defer cancel()
			return t.writeTrails(ctx, true)
		case <-tick.C:
		case <-t.full:
			if t.trails.failed {
				continue // the store gets a rest until the next tick
			}
			all = false
		}
		t.report(ctx, &t.trails, t.writeTrails(ctx, all))
	}
}

// writeTrails writes the buffered fixes of all couriers, or only of those
// with a full chunk, and what an earlier call could not write. The store may
// get a chunk twice; readers drop the doubles.
func (t *Tracker) writeTrails(ctx context.Context, all bool) error {
	for i := range t.shards {
		t.cut(&t.shards[i], all)
	}
	chunks := make([]Chunk, 0, min(len(t.writing), trailBatch))
	for len(t.writing) > 0 {
		batch := t.writing[:min(len(t.writing), trailBatch)]
		chunks = chunks[:0]
		for _, w := range batch {
			chunks = append(chunks, w.chunk)
		}
		if err := t.store.AppendTrail(ctx, chunks); err != nil {
			return fmt.Errorf("write %d trail chunks: %w", len(chunks), err)
		}
		for _, w := range batch {
			w.state.shard.mu.Lock()
			w.state.unwritten = w.state.unwritten[1:] // chunks of a courier are written in order
			w.state.shard.mu.Unlock()
			t.buffered.Add(-int64(w.chunk.Count))
		}
		clear(batch)
		t.writing = t.writing[len(batch):]
	}
	t.writing = nil
	return nil
}

// cut turns buffered fixes into chunks to write.
func (t *Tracker) cut(sh *shard, all bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	list := sh.full
	if all {
		list = sh.trailing
	}
	for _, s := range list {
		if len(s.trail) > 0 {
			chunk := encode(s.courier, s.trail)
			s.trail = s.trail[:0]
			s.unwritten = append(s.unwritten, chunk)
			t.writing = append(t.writing, written{s, chunk})
		}
	}
	for _, s := range sh.full {
		s.full = false
	}
	clear(sh.full)
	sh.full = sh.full[:0]
	if all {
		for _, s := range sh.trailing {
			s.trailing = false
		}
		clear(sh.trailing)
		sh.trailing = sh.trailing[:0]
	}
}

// Trails reads where couriers have been.
type Trails struct {
	store   TrailStore
	tracker *Tracker
}

// NewTrails reads from a store and from what a tracker of this process has
// not yet written to it; tracker may be nil.
func NewTrails(store TrailStore, tracker *Tracker) *Trails { return &Trails{store, tracker} }

// Between returns a courier's accepted fixes in [from, to), oldest first,
// one for each moment. What other nodes took in the last seconds may be
// missing.
func (r *Trails) Between(ctx context.Context, courier string, from, to time.Time) ([]Fix, error) {
	// The buffer first: what leaves it meanwhile is then in the store.
	var fixes []Fix
	var chunks []Chunk
	if r.tracker != nil {
		fixes, chunks = r.tracker.buffer(courier)
	}
	stored, err := r.store.Trail(ctx, courier, from, to)
	if err != nil {
		return nil, fmt.Errorf("trail of courier %s: %w", courier, err)
	}
	for _, c := range append(stored, chunks...) {
		c.Courier = courier
		some, err := DecodeChunk(c)
		if err != nil {
			return nil, fmt.Errorf("trail of courier %s from %s: %w", courier, c.From, err)
		}
		fixes = append(fixes, some...)
	}
	fixes = slices.DeleteFunc(fixes, func(f Fix) bool { return f.Time.Before(from) || !f.Time.Before(to) })
	slices.SortStableFunc(fixes, func(a, b Fix) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Lat, b.Lat), cmp.Compare(a.Lng, b.Lng))
	})
	return slices.CompactFunc(fixes, func(a, b Fix) bool { return a.Time.Equal(b.Time) }), nil
}

// buffer is a copy of what of a courier is not in the store.
func (t *Tracker) buffer(courier string) ([]Fix, []Chunk) {
	sh := t.shard(courier)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s := sh.couriers[courier]
	if s == nil {
		return nil, nil
	}
	fixes := make([]Fix, len(s.trail))
	for i, one := range s.trail {
		fixes[i] = one.fix(courier)
	}
	return fixes, slices.Clone(s.unwritten)
}
