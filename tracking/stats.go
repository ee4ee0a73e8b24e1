package tracking

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// Stats counts since the start of the process.
type Stats struct {
	Accepted uint64            // late ones too
	Late     uint64            // of those accepted
	Rejected map[Reason]uint64 // every reason that a Tracker gives, also at 0

	Couriers     int    // known to this process now
	TrailWaiting int    // fixes not yet in the trail store, now
	TrailDropped uint64 // accepted fixes that the trail had no room for
	Failures     uint64 // of index, feed and trail store

	Lag time.Duration // from a fix's receipt to index and feed at the last flush, in real time; while flushes fail, since the last that did not
}

// reasons are those that a Tracker gives.
var reasons = [...]Reason{OutOfRange, NullIsland, Inaccurate, Future, Old, Duplicate, Jump}

type counters struct {
	accepted, late, dropped, failures atomic.Uint64
	rejected                          [len(reasons)]atomic.Uint64
}

func (c *counters) count(r *Result, dropped int) {
	if r.Accepted > 0 {
		c.accepted.Add(uint64(r.Accepted))
	}
	if len(r.Late) > 0 {
		c.late.Add(uint64(len(r.Late)))
	}
	if dropped > 0 {
		c.dropped.Add(uint64(dropped))
	}
	for _, rejection := range r.Rejected {
		for i, reason := range reasons {
			if reason == rejection.Reason {
				c.rejected[i].Add(1)
			}
		}
	}
}

// Stats is a snapshot; its figures are not of one instant.
func (t *Tracker) Stats() Stats {
	s := Stats{
		Accepted:     t.counters.accepted.Load(),
		Late:         t.counters.late.Load(),
		Rejected:     make(map[Reason]uint64, len(reasons)),
		TrailWaiting: int(t.buffered.Load()),
		TrailDropped: t.counters.dropped.Load(),
		Failures:     t.counters.failures.Load(),
		Lag:          time.Duration(t.lag.Load()),
	}
	for i, reason := range reasons {
		s.Rejected[reason] = t.counters.rejected[i].Load()
	}
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		s.Couriers += len(sh.couriers)
		sh.mu.Unlock()
	}
	return s
}

// health logs when something starts to fail and when it works again, not
// each time between. One goroutine uses it.
type health struct {
	what   string
	failed bool
}

func (t *Tracker) report(ctx context.Context, h *health, err error) {
	switch {
	case ctx.Err() != nil:
		return // shutting down: the drain tries again
	case err != nil:
		t.counters.failures.Add(1)
		if !h.failed {
			t.log.LogAttrs(ctx, slog.LevelWarn, "tracking fails, trying on",
				slog.String("what", h.what), slog.Any("err", err))
		}
	case h.failed:
		t.log.LogAttrs(ctx, slog.LevelInfo, "tracking works again", slog.String("what", h.what))
	}
	h.failed = err != nil
}
