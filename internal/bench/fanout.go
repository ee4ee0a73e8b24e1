package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// crowd is many sockets that all wait for the same message.
type crowd struct {
	size int

	mu    sync.Mutex
	cond  *sync.Cond
	round int64 // the message that is waited for
	left  int
	bytes int // of a message
	last  time.Time
}

func newCrowd(n int) *crowd {
	c := &crowd{size: n}
	c.cond = sync.NewCond(&c.mu)
	return c
}

// expect begins a round.
func (c *crowd) expect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.round++
	c.left = c.size
}

func (c *crowd) saw(raw []byte, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes = len(raw)
	if c.left--; at.After(c.last) {
		c.last = at
	}
	if c.left == 0 {
		c.cond.Broadcast()
	}
}

// all waits for the last, and returns when it was; false: not within a while.
func (c *crowd) all() (time.Time, bool) {
	giveUp := time.AfterFunc(patience, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.cond.Broadcast()
	})
	defer giveUp.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for until := time.Now().Add(patience); c.left > 0; c.cond.Wait() {
		if time.Now().After(until) {
			return c.last, false
		}
	}
	return c.last, true
}

// fanout measures S7: one event to all who look at an order.
func fanout(ctx context.Context, r *run) error {
	sockets := size(r, r.Customers, 10_000, 200)
	rate := size(r, r.Rate, 1, 5)
	served, length, err := r.fanFromServer(ctx, sockets, rate)
	if err != nil {
		return err
	}
	bare, err := r.fanFromFloor(ctx, sockets, rate, length)
	if err != nil {
		return err
	}
	cpu := served
	cpu.What, cpu.Unit, cpu.Value = fmt.Sprintf("server CPU a message, one event to %d customers", sockets), "µs", served.ServerCPU
	cpu.against(Floor{What: "gorilla/websocket, a write to each", Value: bare.ServerCPU})
	cpu.ratioAtMost("S7", 1.2, "1.2 × floor")
	if err := r.emit(cpu); err != nil {
		return err
	}
	last := served
	last.What, last.Unit = fmt.Sprintf("one event, until the last of %d customers has it, median", sockets), "ms"
	if last.Latency != nil && bare.Latency != nil {
		last.Value = last.Latency.P50
		last.against(Floor{What: "gorilla/websocket, a write to each", Value: bare.Latency.P50})
	}
	last.ratioAtMost("S7", 1.2, "1.2 × floor")
	return r.emit(last)
}

func (r *run) fanFromServer(ctx context.Context, sockets int, rate float64) (res Result, length int, err error) {
	t, err := r.server(ctx)
	if err != nil {
		return res, 0, err
	}
	defer func() { err = errors.Join(err, r.leave(t)) }()
	p, err := newPeople(ctx, t)
	if err != nil {
		return res, 0, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	r.Told("%s: %d customers come", r.scenario, sockets)
	if err := p.hire(ctx, 1); err != nil {
		return res, 0, err
	}
	one, err := p.parcels(ctx, 1)
	if err != nil {
		return res, 0, err
	}
	if err := p.stand(p.couriers[0]); err != nil {
		return res, 0, err
	}
	if err := p.give(ctx, &one[0], p.couriers[0].id); err != nil {
		return res, 0, err
	}
	all := make([]parcel, sockets)
	for i := range all {
		all[i] = one[0]
	}
	c := newCrowd(sockets)
	err = p.watch(ctx, all, func(_ int, raw []byte, at time.Time) {
		if bytes.HasPrefix(raw, []byte(`{"type":"status"`)) {
			c.saw(raw, at)
		}
	})
	if err != nil {
		return res, 0, err
	}
	toggle := newChanges(p, one, 1, rate, window{}, r)
	toggle.all[0].given = true
	caller, err := newCaller(ctx, t.address())
	if err != nil {
		return res, 0, err
	}
	defer caller.close()
	res, err = r.fan(ctx, t, c, rate, func(n int64, due time.Time) error {
		if err := p.stand(p.couriers[0]); err != nil {
			return err
		}
		ok, err := toggle.one(caller, n, due)
		if err == nil && !ok {
			err = errors.New("the server refused a change")
		}
		return err
	})
	return res, c.bytes, err
}

func (r *run) fanFromFloor(ctx context.Context, sockets int, rate float64, length int) (res Result, err error) {
	f, err := r.floor(ctx)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, f.stop()) }()
	c := newCrowd(sockets)
	p := &people{}
	defer func() { p.hangUp() }()
	err = each(ctx, sockets, func(ctx context.Context, _ int) error {
		s, err := dial(ctx, f.address(), "/fan", "")
		if err != nil {
			return err
		}
		p.keep(s)
		p.listeners.Go(func() {
			for {
				raw, err := s.next()
				if err != nil {
					return
				}
				c.saw(raw, time.Now())
			}
		})
		return nil
	})
	if err != nil {
		return res, err
	}
	if err := f.open(ctx, sockets); err != nil {
		return res, err
	}
	caller, err := newCaller(ctx, f.address())
	if err != nil {
		return res, err
	}
	defer caller.close()
	message := bytes.Repeat([]byte("x"), length)
	return r.fan(ctx, f.Target, c, rate, func(int64, time.Time) error {
		status, _, err := caller.call(http.MethodPost, "/fan", "", "", message)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("the floor says %d", status)
		}
		return err
	})
}

// fan has one event after another reach the whole crowd.
func (r *run) fan(ctx context.Context, t *Target, c *crowd, rate float64, fire func(n int64, due time.Time) error) (Result, error) {
	w := newWindow(time.Now().Add(50*time.Millisecond), r.Warm, r.Measure)
	m, last := &meter{target: t}, newRecorder(w)
	events := int64(0)
	r.Told("%s: %.3g events/s to %d sockets for %s", r.scenario, rate, c.size, r.Warm+r.Measure)
	g, loading := errgroup.WithContext(ctx)
	g.Go(func() error {
		return Schedule{Start: w.start, Rate: rate}.Run(loading, w.until, func(n int64, due time.Time) error {
			c.expect()
			if err := fire(n, due); err != nil {
				return err
			}
			at, ok := c.all()
			if !ok {
				return fmt.Errorf("event %d has not reached everyone within %s", n, patience)
			}
			last.record(0, due, at)
			if w.counts(at) {
				events++
			}
			return nil
		})
	})
	g.Go(func() error { return m.watch(loading, w) })
	if err := g.Wait(); err != nil {
		return Result{}, err
	}
	res := r.result("", "", 0)
	res.Count, res.Asked, res.Reached = events*int64(c.size), rate*float64(c.size), float64(events*int64(c.size))/w.seconds()
	res.Latency = last.latency()
	m.tell(&res, res.Count)
	return res, nil
}
