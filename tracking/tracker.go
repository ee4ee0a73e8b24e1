package tracking

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync/atomic"
	"time"

	"courier/internal/clock"
	"courier/internal/follow"
)

// shards is how many locks the couriers share: well over the cores.
const shards = 64

// Tracker takes fixes, checks and orders them, and tells index, feed and
// trail. Its methods may be called from any goroutine.
type Tracker struct {
	config Config
	index  Index
	feed   Feed
	store  TrailStore
	clock  clock.Clock
	log    *slog.Logger

	seed     maphash.Seed
	shards   [shards]shard
	counters counters
	running  atomic.Bool

	// updating is held by whoever takes fixes to the index or couriers out
	// of it, so that one who has left is not put back. A channel, since a
	// caller's wait must end with its context.
	updating chan struct{}
	batch    []Fix     // of the flush, under updating
	behind   time.Time // since when flushes have failed (real time), under updating

	lag         atomic.Int64 // Stats.Lag
	lookupAfter atomic.Int64 // no lookups before this real time (Unix ns): the index was down

	full      chan struct{} // wakes the trail writer
	writing   []written     // the trail writer's own
	buffered  atomic.Int64  // fixes in trails and unwritten chunks
	positions health
	sweeps    health
	trails    health
}

// New checks the configuration and reports every fault of it.
func New(c Config, index Index, feed Feed, store TrailStore, clk clock.Clock, log *slog.Logger) (*Tracker, error) {
	c = c.withDefaults()
	err := errors.Join(c.validate(),
		given("Index", index != nil),
		given("Feed", feed != nil),
		given("TrailStore", store != nil),
		given("Clock", clk != nil),
		given("Logger", log != nil))
	if err != nil {
		return nil, fmt.Errorf("tracker: %w", err)
	}
	t := &Tracker{
		config: c, index: index, feed: feed, store: store, clock: clk, log: log,
		seed:      maphash.MakeSeed(),
		updating:  make(chan struct{}, 1),
		full:      make(chan struct{}, 1),
		positions: health{what: "positions"},
		sweeps:    health{what: "sweeps"},
		trails:    health{what: "trails"},
	}
	for i := range t.shards {
		t.shards[i].couriers = make(map[string]*state)
	}
	return t, nil
}

// Ingest takes a batch of one courier's fixes, oldest first; times are cut
// to whole milliseconds. Each is either accepted or in Result.Rejected.
// fences are the places that the courier is headed for now: the newest fix
// of all enters them. What Speed and Heading point to must not change
// afterwards; the slices are not kept.
//
// Index and feed follow at the next flush of Run. An index that cannot be
// asked does not stop fixes: they are then ordered by what this process
// knows.
func (t *Tracker) Ingest(ctx context.Context, courier string, fixes []Fix, fences []Fence) (Result, error) {
	var result Result
	if courier == "" {
		return result, errors.New("ingest fixes: no courier")
	}
	now := t.clock.Now()
	sh := t.shard(courier)
	sh.mu.Lock()
	s := sh.couriers[courier]
	if s == nil || s.unsure || now.Sub(s.heard) > t.config.StaleAfter/2 {
		// A new one, or one that may have been with another node meanwhile.
		sh.mu.Unlock()
		held, ok := t.lookup(ctx, courier)
		sh.mu.Lock()
		s = sh.state(courier)
		s.unsure = !ok
		for _, last := range held {
			s.adopt(last)
		}
	}
	s.heard = now
	s.expect(fences)
	parent := follow.Parent(ctx)
	var dropped int
	for i := range fixes {
		f := fixes[i]
		f.Courier, f.Received, f.Trace = courier, now, parent
		f.Time = f.Time.UTC().Truncate(time.Millisecond)
		reason := t.config.check(&f, now)
		var v verdict
		if reason == "" {
			v, reason = s.judge(&t.config, &f)
		}
		switch v {
		case reject:
			result.Rejected = append(result.Rejected, Rejection{Index: i, Reason: reason})
			continue
		case toTrail:
			result.Late = append(result.Late, i)
			s.recent.add(f.Time)
		case toIndex:
			s.moveTo(f)
			if len(fences) > 0 {
				result.Entered = append(result.Entered, s.enter(&t.config, &f, fences)...)
			}
		}
		result.Accepted++
		if !t.keep(s, &f) {
			dropped++
		}
	}
	sh.mu.Unlock()
	t.counters.count(&result, dropped)
	return result, nil
}

// Forget takes a courier who goes off duty out of the index at once. The
// order of fixes is remembered for a return.
func (t *Tracker) Forget(ctx context.Context, courier string) error {
	sh := t.shard(courier)
	sh.mu.Lock()
	if s := sh.couriers[courier]; s != nil {
		s.gone, s.jumps, s.entered = true, 0, nil
	}
	sh.mu.Unlock()

	select {
	case t.updating <- struct{}{}:
		defer func() { <-t.updating }()
	case <-ctx.Done():
		return fmt.Errorf("forget courier %s: %w", courier, context.Cause(ctx))
	}
	if err := t.index.Remove(ctx, courier); err != nil {
		return fmt.Errorf("forget courier %s: %w", courier, err)
	}
	sh.mu.Lock()
	if s := sh.couriers[courier]; s != nil && !s.gone {
		s.touch() // back meanwhile, and maybe flushed before the removal
	}
	sh.mu.Unlock()
	return nil
}

// Presence is a courier's last known position and how old the news is.
type Presence struct {
	Fix
	Age   time.Duration // since the server received it, by the server's clock
	Stale bool          // Age is over Config.StaleAfter
}

// Last returns what is known of those couriers who are on the map, stale or
// not, by id.
func (t *Tracker) Last(ctx context.Context, couriers ...string) (map[string]Presence, error) {
	held, err := t.index.Last(ctx, couriers...)
	if err != nil {
		return nil, fmt.Errorf("last fixes of %d couriers: %w", len(couriers), err)
	}
	out := make(map[string]Presence, len(couriers))
	now := t.clock.Now()
	put := func(f Fix) {
		age := now.Sub(f.Received)
		out[f.Courier] = Presence{Fix: f, Age: age, Stale: age > t.config.StaleAfter}
	}
	for _, f := range held {
		put(f)
	}
	for _, courier := range couriers { // newer by up to a flush
		sh := t.shard(courier)
		sh.mu.Lock()
		s := sh.couriers[courier]
		if s != nil && s.known {
			p, there := out[courier]
			if s.gone && there && !p.Time.After(s.last.Time) {
				delete(out, courier) // being removed
			} else if !s.gone && (!there || s.last.Time.After(p.Time)) {
				put(s.last)
			}
		}
		sh.mu.Unlock()
	}
	return out, nil
}

// Fresh is Last without the couriers that are stale.
func (t *Tracker) Fresh(ctx context.Context, couriers ...string) (map[string]Presence, error) {
	out, err := t.Last(ctx, couriers...)
	for id, p := range out {
		if p.Stale {
			delete(out, id)
		}
	}
	return out, err
}

// lookup asks the index for a courier's last fix and says whether it
// answered. After a failure it asks no more for a second, so that an index
// that hangs does not hold up every frame.
func (t *Tracker) lookup(ctx context.Context, courier string) ([]Fix, bool) {
	if time.Now().UnixNano() < t.lookupAfter.Load() {
		return nil, false
	}
	within, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	held, err := t.index.Last(within, courier)
	if err == nil {
		return held, true
	}
	if ctx.Err() == nil { // else it is the caller who left
		t.lookupAfter.Store(time.Now().Add(time.Second).UnixNano())
		t.log.LogAttrs(ctx, slog.LevelWarn, "last fix not looked up, ordering by what this process knows",
			slog.String("courier_id", courier), slog.Any("err", err))
	}
	return nil, false
}

func (t *Tracker) shard(courier string) *shard {
	return &t.shards[maphash.String(t.seed, courier)%shards]
}

// state finds or makes a courier's state, under mu.
func (sh *shard) state(courier string) *state {
	s := sh.couriers[courier]
	if s == nil {
		s = &state{courier: courier, shard: sh}
		sh.couriers[courier] = s
	}
	return s
}
