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
	return r.overloadOrders(ctx)
}

// flood does so with positions. Of each courier's a frame in 2 s is taken at
// least, so it measures for longer than that.
func flood(ctx context.Context, r *run) error {
	defer r.halve()()
	r.Measure = max(r.Measure, 3*time.Second)
	return r.overloadFixes(ctx)
}

// times is how much more comes than goes.
const times = 5

// refusedFor is how long a client that brings as much as goes waits once it has
// been refused.
const refusedFor = 50 * time.Millisecond

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

	// What goes is found beside the same decisions and positions as come with
	// five times that.
	o := &overloaded{run: r, people: p}
	most := o.orders(64, 0)
	r.Told("%s: orders, as many as go", r.scenario)
	usually, err := r.amid(ctx, p, deciders, most)
	if err != nil {
		return err
	}
	capacity := float64(most.counted.Load()) / most.window.seconds()
	usual := o.shed.taken.latency()
	if capacity == 0 || usual == nil {
		return errors.New("no order was taken")
	}
	quiet, err := r.counters(ctx, t)
	if err != nil {
		return err
	}

	rate := times * capacity
	r.Told("%s: orders, %.0f/s for %s", r.scenario, rate, r.Warm+r.Measure)
	placing := o.orders(size(r, 0, 1024, 256), rate)
	side, err := r.amid(ctx, p, deciders, placing)
	if err != nil {
		return err
	}
	recovered, err := o.recovery(ctx, placing.window.until)
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
	side.meter.tell(&res, placing.counted.Load())
	res.Errors = o.shed.failed.Load()
	if res.Latency = o.shed.taken.latency(); res.Latency != nil {
		res.Value = res.Latency.P99
	}
	res.against(Floor{What: "p99 of as many as go, 64 clients", Value: usual.P99, More: map[string]float64{"rate": capacity}})
	res.ratioAtMost("overload", 2, "2 × what it is at capacity")
	offered := float64(o.shed.turned.Load() + placing.done.Load())
	res.more("orders_shed_percent", 100*float64(o.shed.turned.Load())/max(offered, 1))
	for _, class := range []string{"position", "read", "order"} {
		name := fmt.Sprintf("courier_shed_total{class=%q}", class)
		res.more("shed_"+class, after[name]-quiet[name])
	}
	res.more("fixes_frames_held", float64(side.driving.held.Load()))
	res.more("fixes_refused", float64(side.driving.refused.Load()))
	res.more("never_sent", float64(o.shed.unsent.Load()))
	res.more("sent_p99_ms", o.shed.sent.latency().P99)
	res.more("recovered_after_ms", float64(recovered.Milliseconds()))
	res.more("acknowledged", float64(acknowledged))
	res.more("acknowledged_and_lost", float64(lost))
	return errors.Join(r.emit(res), r.emit(side.decisions(r, usually)))
}

// decisions tells of those that were made while too much came, beside those
// while as many orders came as go.
func (s *besides) decisions(r *run, usually *besides) Result {
	res := r.result(fmt.Sprintf("a courier's decision while %d × the orders come that go, p99", times), "ms", p99(s.deciding))
	res.Latency, res.Count, res.Errors = s.deciding.latency(), s.decided.Load(), s.undecided.Load()
	res.against(Floor{What: "p99 while as many come as go", Value: p99(usually.deciding)})
	res.ratioAtMost("overload", 2, "2 × what it is at capacity")
	return res
}

// besides is what else comes while orders are placed.
type besides struct {
	driving            *fixLoad
	meter              *meter
	deciding           *recorder
	decided, undecided atomic.Int64
}

// amid places orders while couriers drive, and others decide.
func (r *run) amid(ctx context.Context, p *people, deciders []*courier, placing *callLoad) (*besides, error) {
	w := newWindow(time.Now().Add(50*time.Millisecond), r.Warm, r.Measure)
	placing.window = w
	s := &besides{meter: &meter{target: p.target}}
	s.driving = &fixLoad{senders: p.senders(), batch: 1, rate: float64(len(p.couriers)), polite: true, told: r.Told, window: w}
	g, loading := errgroup.WithContext(ctx)
	g.Go(func() error { return placing.run(loading) })
	g.Go(func() error { return s.driving.run(loading) })
	g.Go(func() error { return s.decide(loading, r, deciders, w) })
	g.Go(func() error { return s.meter.watch(loading, w) })
	return s, g.Wait()
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
}

// shedLoad tells what was taken apart from what was turned away.
type shedLoad struct {
	taken  *recorder // from when it was due
	sent   *recorder // the same, from when it was sent
	unsent atomic.Int64
	turned atomic.Int64 // 503
	failed atomic.Int64 // anything else
}

func (o *overloaded) orders(clients int, rate float64) *callLoad {
	l := o.run.orderLoad(o.people.target.address(), o.people.key, clients, rate)
	o.shed, o.taken, o.prefix = &shedLoad{}, map[string]bool{}, "over-"+strconv.FormatInt(time.Now().UnixNano(), 36)+"-"
	l.began = func(w window) { o.shed.taken, o.shed.sent = newRecorder(w), newRecorder(w) }
	ready := time.Now().Add(2 * time.Hour).UTC().Format(time.RFC3339)
	l.one = func(c *caller, n int64, due time.Time) (bool, error) {
		reference, start := o.prefix+strconv.FormatInt(n, 10), time.Now()
		if start.After(l.window.until) {
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
			if rate == 0 { // who asks again at once finds out how many refusals go
				time.Sleep(refusedFor)
			}
			return false, nil
		case status != http.StatusCreated:
			o.shed.failed.Add(1)
			return false, nil
		}
		o.shed.taken.record(int(n), due, now)
		if l.window.counts(due) {
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
func (s *besides) decide(ctx context.Context, r *run, who []*courier, w window) error {
	s.deciding = newRecorder(w)
	g, ctx := errgroup.WithContext(ctx)
	for i, c := range who {
		g.Go(func() error {
			due := Schedule{Start: w.start.Add(time.Duration(i) * time.Second / time.Duration(len(who))), Rate: 1}
			return due.Run(ctx, w.until, func(n int64, due time.Time) error {
				duty, id := [...]string{"break", "available"}[n%2], "d"+strconv.FormatInt(n, 10)
				if err := c.ask(fmt.Sprintf(`{"type":"duty","id":%q,"duty":%q}`, id, duty), id); err != nil {
					s.undecided.Add(1)
					r.Told("a decision was refused: %v", err)
					return nil
				}
				s.decided.Add(1)
				s.deciding.record(i, due, time.Now())
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
