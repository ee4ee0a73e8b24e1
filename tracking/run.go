package tracking

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"courier/internal/follow"
)

// keepStates is how many times StaleAfter a silent courier's state is kept,
// so that one who returns is still ordered and checked for jumps.
const keepStates = 10

// sweepPage is how many couriers one step of a sweep takes out.
const sweepPage = 1000

// leastFlush is how often positions are taken on at most, unless presence
// wants more: what it costs is the node's.
const leastFlush = 20 * time.Millisecond

// Run takes fixes to index, feed and trail store until ctx ends, then takes
// what is left and returns: nil, or what it could not take. Stop the callers
// of Ingest first. A Tracker runs once.
func (t *Tracker) Run(ctx context.Context) error {
	if t.running.Swap(true) {
		return errors.New("tracker: already run")
	}
	var g errgroup.Group // one half's failure to drain must not stop the other's
	g.Go(func() error { return t.runPositions(ctx) })
	g.Go(func() error { return t.runTrails(ctx) })
	return g.Wait()
}

func (t *Tracker) runPositions(ctx context.Context) error {
	// With a fast clock positions are to be no older where they are looked up,
	// and presence must not run out between two flushes.
	lasts := func(d time.Duration) time.Duration { return time.Duration(float64(d) / t.clock.Rate()) }
	often := max(lasts(t.config.FlushEvery), leastFlush)
	flush := time.NewTicker(max(min(t.config.FlushEvery, often, lasts(t.config.StaleAfter/4)), time.Millisecond))
	defer flush.Stop()
	sweep := t.clock.Ticker(t.config.StaleAfter / 4)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			ctx, cancel := t.drain(ctx)
			defer cancel()
			return t.flush(ctx)
		case <-flush.C:
			t.report(ctx, &t.positions, t.flush(ctx))
		case <-sweep.C:
			t.report(ctx, &t.sweeps, t.sweep(ctx))
			t.evict()
		}
	}
}

func (t *Tracker) drain(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), t.config.DrainWithin)
}

// flush takes the newest fix of each courier that has moved to the index,
// then to the feed. What fails waits for the next flush, or for a newer fix.
func (t *Tracker) flush(ctx context.Context) error {
	select {
	case t.updating <- struct{}{}: // others hold it for one removal
		defer func() { <-t.updating }()
	case <-ctx.Done():
		return fmt.Errorf("flush positions: %w", ctx.Err())
	}
	batch := t.batch[:0]
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		for _, s := range sh.moved {
			if s.moved = false; !s.gone {
				batch = append(batch, s.last)
			}
		}
		clear(sh.moved)
		sh.moved = sh.moved[:0]
		sh.mu.Unlock()
	}
	t.batch = batch
	if len(batch) == 0 {
		return nil
	}
	spans := t.follow(ctx, batch)
	err := t.index.Move(ctx, batch)
	if err == nil {
		err = t.feed.Publish(ctx, batch)
	}
	follow.End(err, spans...)
	lag := t.oldest(batch)
	if err == nil {
		t.behind = time.Time{}
		t.lag.Store(int64(lag))
		return nil
	}
	// Newer fixes take the place of those that wait: how old they are does not
	// say for how long nothing has gone out.
	if t.behind.IsZero() {
		t.behind = time.Now().Add(-lag)
	}
	t.lag.Store(int64(max(lag, time.Since(t.behind))))
	for i := range batch {
		sh := t.shard(batch[i].Courier)
		sh.mu.Lock()
		if s := sh.couriers[batch[i].Courier]; s != nil {
			s.touch()
		}
		sh.mu.Unlock()
	}
	return fmt.Errorf("flush %d positions: %w", len(batch), err)
}

// follow begins the spans of those fixes of a batch that are followed, which
// are under way from here on.
func (t *Tracker) follow(ctx context.Context, batch []Fix) (spans []trace.Span) {
	if t.config.Follow == nil {
		return nil
	}
	for i := range batch {
		if batch[i].Trace == "" {
			continue
		}
		_, span := t.config.Follow.Continue(ctx, batch[i].Trace, "publish fix", trace.SpanKindProducer)
		batch[i].Trace = follow.ParentOf(span)
		spans = append(spans, span)
	}
	return spans
}

// oldest is how long ago, in real time, the first fix of a batch was received.
func (t *Tracker) oldest(batch []Fix) time.Duration {
	now, lag := t.clock.Now(), time.Duration(0)
	for i := range batch {
		lag = max(lag, now.Sub(batch[i].Received))
	}
	return time.Duration(float64(lag) / t.clock.Rate())
}

// sweep takes stale couriers out of the index and tells about them.
func (t *Tracker) sweep(ctx context.Context) error {
	for {
		before := t.clock.Now().Add(-t.config.StaleAfter)
		couriers, err := t.index.Stale(ctx, before, sweepPage)
		if err != nil {
			return fmt.Errorf("list stale couriers: %w", err)
		}
		page := len(couriers)
		stale := couriers[:0]
		for _, courier := range couriers {
			if !t.heardSince(courier, before) {
				stale = append(stale, courier)
			}
		}
		if len(stale) == 0 {
			return nil
		}
		if err := t.index.Remove(ctx, stale...); err != nil {
			return fmt.Errorf("remove %d stale couriers: %w", len(stale), err)
		}
		t.config.Stale(stale)
		if page < sweepPage {
			return nil
		}
	}
}

// heardSince says whether a courier has a newer fix here than in the index;
// if not, it counts as gone from there.
func (t *Tracker) heardSince(courier string, before time.Time) bool {
	sh := t.shard(courier)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s := sh.couriers[courier]
	if s == nil || !s.known {
		return false
	}
	if !s.gone && !s.last.Received.Before(before) {
		return true
	}
	s.gone = true
	return false
}

// evict forgets couriers long silent with nothing left to write.
func (t *Tracker) evict() {
	before := t.clock.Now().Add(-keepStates * t.config.StaleAfter)
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		for id, s := range sh.couriers {
			if s.heard.Before(before) && !s.moved && !s.trailing && !s.full && len(s.trail)+len(s.unwritten) == 0 {
				delete(sh.couriers, id)
			}
		}
		sh.mu.Unlock()
	}
}
