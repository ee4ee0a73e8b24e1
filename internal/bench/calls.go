package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// callLoad has many clients make requests, each on a connection of its own:
// by a schedule, or each after the answer to its last.
type callLoad struct {
	address string
	clients int
	rate    float64 // a second; 0: as many as go
	window  window
	// one makes a request and says whether it was answered as it should be;
	// n counts from 0. An error ends the load.
	one func(c *caller, n int64, due time.Time) (ok bool, err error)
	// began is told of the window before the first; may be nil.
	began func(window)

	answered *recorder
	lag      *recorder
	done     atomic.Int64 // answered well, warming up included
	good     atomic.Int64 // answered well, due in the measured time
	counted  atomic.Int64 // answered well within the measured time
	failed   atomic.Int64
}

type job struct {
	n   int64
	due time.Time
}

func (l *callLoad) run(ctx context.Context) error {
	l.answered, l.lag = newRecorder(l.window), newRecorder(l.window)
	if l.began != nil {
		l.began(l.window)
	}
	g, ctx := errgroup.WithContext(ctx)
	jobs := make(chan job, 1<<16) // a server that stalls leaves work here, with the time it was due
	g.Go(func() error {
		defer close(jobs)
		if l.rate == 0 {
			return nil
		}
		s := Schedule{Start: l.window.start, Rate: l.rate}
		return s.Run(ctx, l.window.until, func(n int64, due time.Time) error {
			l.lag.record(0, due, time.Now())
			select {
			case jobs <- job{n, due}:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	var next atomic.Int64
	for i := range l.clients {
		g.Go(func() error { return l.client(ctx, i, jobs, &next) })
	}
	return g.Wait()
}

func (l *callLoad) client(ctx context.Context, i int, jobs <-chan job, next *atomic.Int64) error {
	c, err := newCaller(ctx, l.address)
	if err != nil {
		return err
	}
	defer c.close()
	stop := context.AfterFunc(ctx, c.close)
	defer stop()
	if l.rate > 0 {
		for j := range jobs {
			if err := l.make(c, i, j); err != nil {
				return err
			}
		}
		return nil
	}
	for ctx.Err() == nil {
		now := time.Now()
		if !now.Before(l.window.until) {
			return nil
		}
		if err := l.make(c, i, job{next.Add(1) - 1, now}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (l *callLoad) make(c *caller, i int, j job) error {
	ok, err := l.one(c, j.n, j.due)
	if err != nil {
		return fmt.Errorf("request %d: %w", j.n, err)
	}
	now := time.Now()
	l.answered.record(i, j.due, now)
	if !ok {
		l.failed.Add(1)
		return nil
	}
	l.done.Add(1)
	if l.window.counts(j.due) {
		l.good.Add(1)
	}
	if l.window.counts(now) {
		l.counted.Add(1)
	}
	return nil
}

// tell makes a result of it.
func (l *callLoad) tell(r *Result) {
	r.Asked, r.Reached = l.rate, float64(l.counted.Load())/l.window.seconds()
	r.Count, r.Errors = l.good.Load(), l.failed.Load()
	if l.rate > 0 {
		r.Latency = l.answered.latency()
		if lag := l.lag.latency(); lag != nil {
			r.Lag = lag.P99
		}
	}
}

// refusals tells of the first, so that a person can see what is wrong.
type refusals struct {
	once sync.Once
	told func(format string, args ...any)
}

func (r *refusals) tell(status int, answer []byte) {
	r.once.Do(func() { r.told("first refusal: %d %s", status, answer) })
}
