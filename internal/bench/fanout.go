package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// crowd is many sockets that all wait for the same message.
type crowd struct {
	size int

	mu     sync.Mutex
	cond   *sync.Cond
	wanted int64 // version of the order that is waited for; 0: any message
	left   int
	bytes  int // of a message
	last   time.Time
}

func newCrowd(n int) *crowd {
	c := &crowd{size: n}
	c.cond = sync.NewCond(&c.mu)
	return c
}

// expect begins a round.
func (c *crowd) expect(version int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted, c.left = version, c.size
}

func (c *crowd) saw(raw []byte, version int64, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version != c.wanted {
		return
	}
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

// audience is who hears of an event.
type audience struct {
	who   string
	size  int
	frame string // that tells of it
	field string // of the frame, the order's version
	come  func(ctx context.Context, p *people, one parcel, seen func(i int, raw []byte, at time.Time)) error
}

// fanout measures S7: one event to all who look at an order. Beside it, to
// all dispatchers, who hear of every order.
func fanout(ctx context.Context, r *run) error {
	sockets, staff := size(r, r.Customers, 10_000, 200), size(r, 0, 500, 50)
	customers := audience{"customers", sockets, `{"type":"status"`, "seq",
		func(ctx context.Context, p *people, one parcel, seen func(i int, raw []byte, at time.Time)) error {
			return p.watch(ctx, slices.Repeat([]parcel{one}, sockets), seen)
		}}
	dispatchers := audience{"dispatchers", staff, `{"type":"orders"`, "version",
		func(ctx context.Context, p *people, _ parcel, seen func(i int, raw []byte, at time.Time)) error {
			return p.oversee(ctx, staff, seen)
		}}
	cpu, last, err := r.fanBoth(ctx, customers)
	if err != nil {
		return err
	}
	cpu.ratioAtMost("S7", 1.2, "1.2 × floor")
	last.ratioAtMost("S7", 1.2, "1.2 × floor")
	if err := errors.Join(r.emit(cpu), r.emit(last)); err != nil {
		return err
	}
	if _, last, err = r.fanBoth(ctx, dispatchers); err != nil {
		return err
	}
	return r.emit(last)
}

// fanBoth has one event after another reach an audience, from a server and
// from a floor.
func (r *run) fanBoth(ctx context.Context, a audience) (cpu, last Result, err error) {
	rate := size(r, r.Rate, 1, 5)
	served, length, err := r.fanFromServer(ctx, a, rate)
	if err != nil {
		return cpu, last, err
	}
	bare, err := r.fanFromFloor(ctx, a.size, rate, length)
	if err != nil {
		return cpu, last, err
	}
	const loop = "gorilla/websocket, a write to each"
	cpu = served
	cpu.What, cpu.Unit, cpu.Value = fmt.Sprintf("server CPU a message, one event to %d %s", a.size, a.who), "µs", served.ServerCPU
	cpu.against(Floor{What: loop, Value: bare.ServerCPU})
	last = served
	last.What, last.Unit = fmt.Sprintf("one event, until the last of %d %s has it, median", a.size, a.who), "ms"
	if last.Latency != nil && bare.Latency != nil {
		last.Value = last.Latency.P50
		last.against(Floor{What: loop, Value: bare.Latency.P50})
	}
	return cpu, last, nil
}

func (r *run) fanFromServer(ctx context.Context, a audience, rate float64) (res Result, length int, err error) {
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
	r.Told("%s: %d %s come", r.scenario, a.size, a.who)
	toggle, err := r.oneOrder(ctx, p, rate)
	if err != nil {
		return res, 0, err
	}
	c := newCrowd(a.size)
	err = a.come(ctx, p, toggle.all[0].parcel, func(_ int, raw []byte, at time.Time) {
		if bytes.HasPrefix(raw, []byte(a.frame)) {
			version, _ := jsonNumber(raw, a.field)
			c.saw(raw, version, at)
		}
	})
	if err != nil {
		return res, 0, err
	}
	caller, err := newCaller(ctx, t.address())
	if err != nil {
		return res, 0, err
	}
	defer caller.close()
	res, err = r.fan(ctx, t, c, rate, func(n int64, due time.Time) error {
		if err := p.stand(p.couriers[0]); err != nil {
			return err
		}
		c.expect(toggle.all[0].version + 1)
		ok, err := toggle.one(caller, n, due)
		if err == nil && !ok {
			err = errors.New("the server refused a change")
		}
		return err
	})
	return res, c.bytes, err
}

// oneOrder is with a courier, and is taken back and given again from then on.
func (r *run) oneOrder(ctx context.Context, p *people, rate float64) (*changes, error) {
	if err := p.hire(ctx, 1); err != nil {
		return nil, err
	}
	one, err := p.parcels(ctx, 1)
	if err != nil {
		return nil, err
	}
	if err := p.stand(p.couriers[0]); err != nil {
		return nil, err
	}
	if err := p.give(ctx, &one[0], p.couriers[0].id); err != nil {
		return nil, err
	}
	toggle := newChanges(p, one, 1, rate, window{}, r)
	toggle.all[0].given = true
	return toggle, nil
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
				c.saw(raw, 0, time.Now())
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
		c.expect(0)
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
