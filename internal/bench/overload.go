package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// overload finds what goes, and then brings five times that.
func overload(ctx context.Context, r *run) error {
	defer r.halve()()
	return errors.Join(r.overloadOrders(ctx), r.overloadFixes(ctx))
}

// times is how much more comes than goes.
const times = 5

// slots is how many orders and reads an own server works on at once.
const slots = "64"

// halve gives this process one half of the processors, and own servers the
// other, so that five times what goes can be made at all.
func (r *run) halve() (restore func()) {
	half := max(runtime.NumCPU()/2, 1)
	serve, before := r.Serve, runtime.GOMAXPROCS(half)
	r.Serve = func(flags ...string) *exec.Cmd {
		cmd := serve(flags...)
		cmd.Env = append(cmd.Env, "GOMAXPROCS="+strconv.Itoa(half))
		return cmd
	}
	return func() { r.Serve = serve; runtime.GOMAXPROCS(before) }
}

// overloadOrders brings orders, beside positions and decisions of couriers.
func (r *run) overloadOrders(ctx context.Context) (err error) {
	t, err := r.server(ctx, "--limit-work", slots)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.leave(t)) }()
	p, err := newPeople(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	couriers := size(r, r.Couriers, 200, 20)
	if err := p.hire(ctx, 2*couriers); err != nil {
		return err
	}
	// The first half decides, the others drive: answers come in the order of
	// what they answer only for one of both.
	deciders, drivers := p.couriers[:couriers], p.couriers[couriers:]
	p.couriers = drivers

	most := r.orderLoad(p, 64, 0)
	r.Told("%s: orders, as many as go", r.scenario)
	most.window = newWindow(time.Now(), r.Warm, r.Measure)
	if err := most.run(ctx); err != nil {
		return err
	}
	capacity := float64(most.counted.Load()) / most.window.seconds()
	usual := most.answered.latency()
	if capacity == 0 || usual == nil {
		return errors.New("no order was taken")
	}
	quiet, err := r.counters(ctx, t)
	if err != nil {
		return err
	}

	o := &overloaded{run: r, people: p, shed: &shedLoad{}}
	rate := times * capacity
	r.Told("%s: orders, %.0f/s for %s", r.scenario, rate, r.Warm+r.Measure)
	window := newWindow(time.Now().Add(50*time.Millisecond), r.Warm, r.Measure)
	placing := o.orders(size(r, 0, 1024, 256), rate, window)
	driving := &fixLoad{senders: p.senders(), batch: 1, rate: float64(couriers), polite: true, told: r.Told, window: window}
	m := &meter{target: t}
	g, loading := errgroup.WithContext(ctx)
	g.Go(func() error { return placing.run(loading) })
	g.Go(func() error { return driving.run(loading) })
	g.Go(func() error { return o.decide(loading, deciders, window) })
	g.Go(func() error { return m.watch(loading, window) })
	if err := g.Wait(); err != nil {
		return err
	}
	recovered, err := o.recovery(ctx, window.until)
	if err != nil {
		return err
	}
	after, err := r.counters(ctx, t)
	if err != nil {
		return err
	}
	acknowledged := len(o.taken)
	lost, err := o.lost(ctx)
	if err != nil {
		return err
	}

	res := r.result(fmt.Sprintf("order taken while %d × what goes comes, p99", times), "ms", 0)
	placing.tell(&res)
	m.tell(&res, placing.counted.Load())
	res.Errors = o.shed.failed.Load()
	if res.Latency = o.shed.taken.latency(); res.Latency != nil {
		res.Value = res.Latency.P99
	}
	res.Floor, res.Ratio = &Floor{What: "p99 of as many as go, 64 clients", Value: usual.P99, More: map[string]float64{"rate": capacity}}, res.Value/usual.P99
	res.ratioAtMost("overload", 2, "2 × what it is at capacity")
	offered := float64(o.shed.turned.Load() + placing.done.Load())
	res.more("orders_shed_percent", 100*float64(o.shed.turned.Load())/max(offered, 1))
	for _, class := range []string{"position", "read", "order"} {
		name := fmt.Sprintf("courier_shed_total{class=%q}", class)
		res.more("shed_"+class, after[name]-quiet[name])
	}
	res.more("fixes_frames_held", float64(driving.held.Load()))
	res.more("fixes_refused", float64(driving.refused.Load()))
	res.more("decisions", float64(o.decided.Load()))
	res.more("decisions_refused", float64(o.undecided.Load()))
	if l := o.deciding.latency(); l != nil {
		res.more("decision_p99_ms", l.P99)
	}
	res.more("never_sent", float64(o.shed.unsent.Load()))
	res.more("sent_p99_ms", o.shed.sent.latency().P99)
	res.more("recovered_after_ms", float64(recovered.Milliseconds()))
	res.more("acknowledged", float64(acknowledged))
	res.more("acknowledged_and_lost", float64(lost))
	return r.emit(res)
}

// overloadFixes brings positions alone, from couriers who hold back what the
// server asks them to.
func (r *run) overloadFixes(ctx context.Context) (err error) {
	t, err := r.server(ctx, "--limit-work", slots)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.leave(t)) }()
	p, err := newPeople(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := p.hire(ctx, size(r, r.Couriers, 1000, 50)); err != nil {
		return err
	}
	paced := func(rate float64) (*fixLoad, Result, error) {
		l := &fixLoad{senders: p.senders(), batch: 1, rate: rate, polite: true}
		res, err := r.loadFixes(ctx, t, l, "a fix a frame")
		return l, res, err
	}
	// What goes is found without a gate, which would close at that.
	found, err := r.fixesAt(ctx, len(p.couriers), 1, 0)
	if err != nil {
		return err
	}
	_, usual, err := paced(0.8 * found.Reached)
	if err != nil {
		return err
	}
	l, res, err := paced(times * found.Reached)
	if err != nil {
		return err
	}
	if usual.Latency == nil || res.Latency == nil {
		return errors.New("no position was taken")
	}
	res.What, res.Unit, res.Value = fmt.Sprintf("position taken while %d × what goes comes, p99", times), "ms", res.Latency.P99
	res.Floor, res.Ratio = &Floor{What: "p99 at 0.8 of what goes", Value: usual.Latency.P99, More: map[string]float64{"rate": usual.Asked, "goes": found.Reached}}, res.Value/usual.Latency.P99
	res.ratioAtMost("overload", 2, "2 × what it is at capacity")
	res.more("frames_held", float64(l.held.Load()))
	return r.emit(res)
}

// overloaded is a server under more than it can do.
type overloaded struct {
	run    *run
	people *people
	shed   *shedLoad
	prefix string

	mu    sync.Mutex
	taken map[string]bool // references of orders that were acknowledged

	deciding           *recorder
	decided, undecided atomic.Int64
}

// shedLoad tells what was taken apart from what was turned away.
type shedLoad struct {
	taken  *recorder // from when it was due
	sent   *recorder // the same, from when it was sent
	unsent atomic.Int64
	turned atomic.Int64 // 503
	failed atomic.Int64 // anything else
}

func (o *overloaded) orders(clients int, rate float64, w window) *callLoad {
	l := o.run.orderLoad(o.people, clients, rate)
	l.window, o.taken, o.prefix = w, map[string]bool{}, "over-"+strconv.FormatInt(time.Now().UnixNano(), 36)+"-"
	o.shed.taken, o.shed.sent = newRecorder(w), newRecorder(w)
	ready := time.Now().Add(2 * time.Hour).UTC().Format(time.RFC3339)
	l.one = func(c *caller, n int64, due time.Time) (bool, error) {
		reference, start := o.prefix+strconv.FormatInt(n, 10), time.Now()
		if start.After(w.until) {
			o.shed.unsent.Add(1) // this process had no time for it
			return false, nil
		}
		status, _, err := c.call(http.MethodPost, "/v1/orders", o.people.key, reference, orderBody(reference, ready, n))
		now := time.Now()
		switch {
		case err != nil:
			return false, err
		case status == http.StatusServiceUnavailable:
			o.shed.turned.Add(1)
			return false, nil
		case status != http.StatusCreated:
			o.shed.failed.Add(1)
			return false, nil
		}
		o.shed.taken.record(int(n), due, now)
		if w.counts(due) {
			o.shed.sent.add(int(n), now.Sub(start))
		}
		o.mu.Lock()
		o.taken[reference] = true
		o.mu.Unlock()
		return true, nil
	}
	return l
}

// decide has couriers go on a break and come back, each once a second.
func (o *overloaded) decide(ctx context.Context, who []*courier, w window) error {
	o.deciding = newRecorder(w)
	g, ctx := errgroup.WithContext(ctx)
	for i, c := range who {
		g.Go(func() error {
			s := Schedule{Start: w.start.Add(time.Duration(i) * time.Second / time.Duration(len(who))), Rate: 1}
			return s.Run(ctx, w.until, func(n int64, due time.Time) error {
				duty, id := [...]string{"break", "available"}[n%2], "d"+strconv.FormatInt(n, 10)
				if err := c.ask(fmt.Sprintf(`{"type":"duty","id":%q,"duty":%q}`, id, duty), id); err != nil {
					o.undecided.Add(1)
					o.run.Told("a decision was refused: %v", err)
					return nil
				}
				o.decided.Add(1)
				o.deciding.record(i, due, time.Now())
				return nil
			})
		})
	}
	return g.Wait()
}

// recovery is how long after the load has ended an order, and a read, is
// taken at once.
func (o *overloaded) recovery(ctx context.Context, ended time.Time) (time.Duration, error) {
	c, err := newCaller(ctx, o.people.target.address())
	if err != nil {
		return 0, err
	}
	defer c.close()
	ready := time.Now().Add(2 * time.Hour).UTC().Format(time.RFC3339)
	for n := int64(0); time.Since(ended) < time.Minute; n++ {
		reference := o.prefix + "after-" + strconv.FormatInt(n, 10)
		placed, _, err1 := c.call(http.MethodPost, "/v1/orders", o.people.key, reference, orderBody(reference, ready, n))
		read, _, err2 := c.call(http.MethodGet, "/v1/orders?limit=1", o.people.key, "", nil)
		if err := errors.Join(err1, err2); err != nil {
			return 0, err
		}
		if placed == http.StatusCreated && read == http.StatusOK {
			return time.Since(ended), nil
		}
		if !sleep(ctx, time.Now().Add(10*time.Millisecond)) {
			return 0, ctx.Err()
		}
	}
	return 0, errors.New("it has not recovered within a minute")
}

// lost is how many acknowledged orders the store does not have.
func (o *overloaded) lost(ctx context.Context) (int, error) {
	o.run.Told("%s: looks for %d acknowledged orders", o.run.scenario, len(o.taken))
	missing := o.taken
	c, err := newCaller(ctx, o.people.target.address())
	if err != nil {
		return 0, err
	}
	defer c.close()
	for cursor := ""; ctx.Err() == nil; {
		status, raw, err := c.call(http.MethodGet, "/v1/orders?limit=200"+cursor, o.people.key, "", nil)
		if err != nil || status != http.StatusOK {
			return 0, fmt.Errorf("list orders: %d, %w", status, err)
		}
		page, err := readPage(raw)
		if err != nil {
			return 0, err
		}
		seen := false
		for _, order := range page.Orders {
			if strings.HasPrefix(order.Reference, o.prefix) {
				seen = true
				delete(missing, order.Reference)
			}
		}
		if page.Next == "" || (!seen && len(missing) == 0) {
			break
		}
		cursor = "&cursor=" + page.Next
	}
	return len(missing), ctx.Err()
}
