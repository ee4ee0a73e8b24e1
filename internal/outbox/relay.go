package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"courier/internal/bus"
	"courier/internal/follow"
)

// Config sets the relay up; a zero field takes its default.
type Config struct {
	Batch      int              // rows in one publish; default 500
	Sweep      time.Duration    // how often to look without a signal, and to adopt; default 1 s
	Beat       time.Duration    // how often to say that this node lives; default 3 s
	Life       time.Duration    // how long a beat holds; default 10 s
	BackoffMin time.Duration    // first wait after a failure; default 50 ms
	BackoffMax time.Duration    // longest wait; default 5 s
	Timeout    time.Duration    // of one read, publish or mark; default 10 s
	Drain      time.Duration    // how long Run may go on once it is told to end; default 5 s
	Follow     *follow.Follower // nil: nothing is followed
}

func (c Config) withDefaults() (Config, error) {
	var errs []error
	for name, d := range map[string]struct {
		value    *time.Duration
		standard time.Duration
	}{
		"Sweep":      {&c.Sweep, time.Second},
		"Beat":       {&c.Beat, 3 * time.Second},
		"Life":       {&c.Life, 10 * time.Second},
		"BackoffMin": {&c.BackoffMin, 50 * time.Millisecond},
		"BackoffMax": {&c.BackoffMax, 5 * time.Second},
		"Timeout":    {&c.Timeout, 10 * time.Second},
		"Drain":      {&c.Drain, 5 * time.Second},
	} {
		switch {
		case *d.value < 0:
			errs = append(errs, fmt.Errorf("%s: %s is negative", name, *d.value))
		case *d.value == 0:
			*d.value = d.standard
		}
	}
	switch {
	case c.Batch < 0:
		errs = append(errs, fmt.Errorf("Batch: %d is negative", c.Batch))
	case c.Batch == 0:
		c.Batch = 500
	}
	if c.BackoffMin > c.BackoffMax {
		errs = append(errs, fmt.Errorf("BackoffMin: %s is over BackoffMax, %s", c.BackoffMin, c.BackoffMax))
	}
	if c.Beat >= c.Life {
		errs = append(errs, fmt.Errorf("Beat: %s is not under Life, %s", c.Beat, c.Life))
	}
	return c, errors.Join(errs...)
}

// Relay publishes what waits in the outbox. Rows go in the order in which
// the source gives them and a batch that failed goes again before anything
// younger, so that what this node wrote of a key keeps its order; a crash
// between publishing and marking sends rows twice, never not at all.
type Relay struct {
	Config
	source Source
	bus    bus.Bus
	log    *slog.Logger

	published, failures, adopted atomic.Uint64
}

// New checks the configuration and reports every fault.
func New(c Config, source Source, b bus.Bus, log *slog.Logger) (*Relay, error) {
	c, err := c.withDefaults()
	if source == nil || b == nil || log == nil {
		err = errors.Join(err, errors.New("source, bus and log are all needed"))
	}
	if err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	return &Relay{Config: c, source: source, bus: b, log: log}, nil
}

// Counters are what the relay has done since its start.
type Counters struct {
	Published uint64 // rows taken by the bus
	Failures  uint64 // batches that had to be tried again
	Adopted   uint64 // rows that nodes left behind which do not live any more
}

// Counters is safe to call at any time.
func (r *Relay) Counters() Counters {
	return Counters{Published: r.published.Load(), Failures: r.failures.Load(), Adopted: r.adopted.Load()}
}

// Run relays until ctx ends, and then for at most Drain what still waits. It
// returns an error only when rows were left behind: they stay in the outbox.
func (r *Relay) Run(ctx context.Context) error {
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var beats errgroup.Group
	beats.Go(func() error { r.beat(beating); return nil })
	r.relay(ctx)
	err := r.drain(ctx)
	stop()
	_ = beats.Wait() // it has none
	return err
}

// drain publishes what still waits.
func (r *Relay) drain(ctx context.Context) error {
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.Drain)
	defer cancel()
	for backoff := r.BackoffMin; ; backoff = min(2*backoff, r.BackoffMax) {
		n, err := r.batch(bound)
		switch {
		case err == nil && n == 0:
			return nil
		case err == nil:
			backoff = r.BackoffMin
		case !sleep(bound, jitter(backoff)):
			return fmt.Errorf("outbox not drained: %w", err)
		}
	}
}

// relay is Run's normal life: batch after batch while there are full ones,
// else wait for a commit or the sweep.
func (r *Relay) relay(ctx context.Context) {
	sweep := time.NewTicker(r.Sweep)
	defer sweep.Stop()
	backoff := r.BackoffMin
	r.adopt(ctx)
	for ctx.Err() == nil {
		select {
		case <-sweep.C:
			r.adopt(ctx)
		default:
		}
		n, err := r.batch(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.failures.Add(1)
			r.log.LogAttrs(ctx, slog.LevelWarn, "outbox batch failed, trying again",
				slog.Duration("wait", backoff), slog.Any("err", err))
			sleep(ctx, jitter(backoff))
			backoff = min(2*backoff, r.BackoffMax)
			continue
		}
		backoff = r.BackoffMin
		if n == r.Batch {
			continue
		}
		select {
		case <-ctx.Done():
		case <-sweep.C:
			r.adopt(ctx)
		case <-r.source.Committed():
		}
	}
}

// adopt takes over what dead nodes left.
func (r *Relay) adopt(ctx context.Context) {
	bound, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	n, err := r.source.Adopt(bound)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		r.log.LogAttrs(ctx, slog.LevelWarn, "outbox rows of dead nodes not adopted", slog.Any("err", err))
	case n > 0:
		r.adopted.Add(uint64(n)) //nolint:gosec // not negative
		r.log.LogAttrs(ctx, slog.LevelInfo, "outbox rows of dead nodes adopted", slog.Int("rows", n))
	}
}

// beat says that this node lives, until ctx ends; then that it does no more,
// so that others need not wait before they adopt what it left.
func (r *Relay) beat(ctx context.Context) {
	tick := time.NewTicker(r.Beat)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := r.live(ctx, r.Life); err != nil && ctx.Err() == nil {
			r.log.LogAttrs(ctx, slog.LevelWarn, "sign of life not given", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	if err := r.live(context.WithoutCancel(ctx), 0); err != nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "departure not told", slog.Any("err", err))
	}
}

// live is bounded by a beat: a late one is worth no wait.
func (r *Relay) live(ctx context.Context, ttl time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, r.Beat)
	defer cancel()
	return r.source.Live(ctx, ttl)
}

// batch moves at most Batch rows and returns how many there were.
func (r *Relay) batch(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	rows, err := r.source.Pending(ctx, r.Batch)
	if err != nil {
		return 0, fmt.Errorf("read outbox: %w", err)
	}
	if len(rows) == 0 {
		return 0, nil
	}
	ids, messages := make([]int64, len(rows)), make([]bus.Message, len(rows))
	for i, row := range rows {
		ids[i], messages[i] = row.ID, row.Message
	}
	spans := r.follow(ctx, messages)
	err = r.bus.Publish(ctx, messages)
	follow.End(err, spans...)
	if err != nil {
		return 0, fmt.Errorf("publish %d messages: %w", len(messages), err)
	}
	r.published.Add(uint64(len(messages)))
	// Published is published: mark it even when ctx has just ended.
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), r.Timeout)
	defer cancel()
	if err := r.source.Done(ctx, ids); err != nil {
		return 0, fmt.Errorf("mark %d rows as published: %w", len(ids), err)
	}
	return len(rows), nil
}

// jitter spreads retries of many nodes: half to whole of d.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1) //nolint:gosec // no secret
}

// sleep returns false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
