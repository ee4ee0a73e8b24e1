package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// town is a server with couriers who each carry a customer's order, a few who
// carry none, and other customers whose orders wait.
type town struct {
	*people
	run     *run
	idle    int // of the couriers, the last
	carried []parcel
	waiting []parcel

	positions atomic.Pointer[recorder] // of what customers of carried orders see
	shown     atomic.Int64
	changes   atomic.Pointer[changes]

	deafCustomers, deafDispatchers int // who never read
}

func (r *run) newTown(ctx context.Context, t *Target, couriers, customers int) (w *town, err error) {
	p, err := newPeople(ctx, t)
	if err != nil {
		return nil, err
	}
	w = &town{people: p, run: r, idle: max(couriers/10, 10)}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	r.Told("%s: %d couriers and %d customers come", r.scenario, couriers, customers)
	if err := p.hire(ctx, couriers+w.idle); err != nil {
		return nil, err
	}
	parcels, err := p.parcels(ctx, max(customers, couriers))
	if err != nil {
		return nil, err
	}
	w.carried, w.waiting = parcels[:couriers], parcels[couriers:]
	if err := p.carry(ctx, w.carried); err != nil {
		return nil, err
	}
	p.senders() // who answer pings from now on: on a slow machine customers take a minute to come
	if err := p.watch(ctx, w.carried, w.position); err != nil {
		return nil, err
	}
	return w, p.watch(ctx, w.waiting, func(i int, raw []byte, at time.Time) {
		if l := w.changes.Load(); l != nil {
			l.see(i, raw, at)
		}
	})
}

// position counts from the time of the fix, which is that at which it was
// due, to the millisecond.
func (w *town) position(i int, raw []byte, at time.Time) {
	if !bytes.HasPrefix(raw, []byte(`{"type":"position"`)) {
		return
	}
	if r := w.positions.Load(); r != nil {
		if due, ok := jsonTime(raw, "time"); ok {
			r.record(i, due, at)
			w.shown.Add(1)
		}
	}
}

// latency measures S4 and S5.
func latency(ctx context.Context, r *run) (err error) {
	couriers, customers := size(r, r.Couriers, 2000, 20), size(r, r.Customers, 10_000, 60)
	changed := min(customers-couriers, couriers, 1000) // of the orders
	if changed <= 0 {
		return errors.New("no customers beside the couriers': give more --customers")
	}
	changes := size(r, r.Rate, 1000, 50)
	bare, err := r.bareChanges(ctx, changed, changes) // before there is anybody else
	if err != nil {
		return err
	}
	t, err := r.server(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.leave(t)) }()
	w, err := r.newTown(ctx, t, couriers, customers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	res, err := w.fixToCustomer(ctx, size(r, r.Rate, 5000, 100))
	if err != nil {
		return err
	}
	if err := r.emit(res); err != nil {
		return err
	}
	both, err := w.statusToCustomer(ctx, w.waiting[:changed], changes, bare)
	for _, one := range both {
		err = errors.Join(err, r.emit(one))
	}
	return err
}

// showEvery is how often a carrying courier says where it is. A customer is
// shown one position a second at most: more often, and what is measured is
// how old the newest is.
const showEvery = 2 * time.Second

func (w *town) fixToCustomer(ctx context.Context, rate float64) (Result, error) {
	r := w.run
	window := newWindow(time.Now().Add(50*time.Millisecond), r.Warm, r.Measure)
	seen := newRecorder(window)
	w.positions.Store(seen)
	l, err := w.ride(ctx, rate, window)
	if err != nil {
		return Result{}, err
	}
	quiet(ctx, w.shown.Load)
	customers := len(w.carried) + len(w.waiting)
	res := r.result(fmt.Sprintf("courier's fix to customer's socket, p99 at %.0f fixes/s, %d customers, %d of them with a courier",
		rate, customers, len(w.carried)), "ms", 0)
	l.tell(&res)
	if res.Latency = seen.latency(); res.Latency != nil {
		res.Value = res.Latency.P99
	}
	res.more("positions_due", l.carriers.answered.total())
	res.more("positions_shown", seen.total())
	bare, err := r.bareRelay(ctx, rate, len(w.carried))
	if err != nil {
		return Result{}, err
	}
	res.against(bare)
	res.atMost("S4", 250, "250 ms")
	return res, nil
}

// ride is the load of all couriers: those who carry something, and the rest
// of the rate by the others.
type ride struct {
	carriers, others *fixLoad
	meter            *meter
}

func (w *town) ride(ctx context.Context, rate float64, window window) (*ride, error) {
	all, carrying := w.senders(), len(w.carried)
	often := min(float64(carrying)/showEvery.Seconds(), rate/2)
	l := &ride{meter: &meter{target: w.target}}
	l.carriers = &fixLoad{senders: all[:carrying], batch: 1, rate: often, window: window, told: w.run.Told}
	l.others = &fixLoad{senders: all[carrying:], batch: 1, rate: rate - often, window: window, told: w.run.Told}
	w.run.Told("%s: %.0f fixes/s, %.0f of them for customers, for %s", w.run.scenario, rate, often, window.until.Sub(window.start))
	g, loading := errgroup.WithContext(ctx)
	g.Go(func() error { return l.carriers.run(loading) })
	g.Go(func() error { return l.others.run(loading) })
	g.Go(func() error { return l.meter.watch(loading, window) })
	return l, g.Wait()
}

// tell makes a result of both.
func (l *ride) tell(r *Result) {
	l.carriers.tell(r)
	var others Result
	l.others.tell(&others)
	r.Asked, r.Reached, r.Count, r.Errors = r.Asked+others.Asked, r.Reached+others.Reached, r.Count+others.Count, r.Errors+others.Errors
	r.Lag = max(r.Lag, others.Lag)
	l.meter.tell(r, l.carriers.counted.Load()+l.others.counted.Load())
}

// changeClients are how many change orders at once.
const changeClients = 64

// statusToCustomer changes orders of waiting customers; the couriers go on
// saying where they are now and then.
func (w *town) statusToCustomer(ctx context.Context, orders []parcel, rate float64, bare Floor) ([]Result, error) {
	r := w.run
	window := newWindow(time.Now().Add(50*time.Millisecond), r.Warm, r.Measure)
	l := newChanges(w.people, orders, changeClients, rate, window, r)
	w.changes.Store(l)
	alive := &fixLoad{senders: w.senders(), batch: 1, rate: max(float64(len(w.couriers))/10, 10), window: window, told: r.Told}
	m := &meter{target: w.target}
	r.Told("%s: %.0f status changes/s to customers' sockets for %s", r.scenario, rate, r.Warm+r.Measure)
	g, loading := errgroup.WithContext(ctx)
	g.Go(func() error { return l.run(loading) })
	g.Go(func() error { return alive.run(loading) })
	g.Go(func() error { return m.watch(loading, window) })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	quiet(ctx, l.seen.Load)
	var both []Result
	for _, way := range []struct {
		what string
		seen *recorder
	}{
		{"status committed to customer's socket, p99 at %.0f/s, %d customers", l.sinceEvent},
		{"the same from when its request was due, p99 at %.0f/s, %d customers", l.sinceDue},
	} {
		res := r.result(fmt.Sprintf(way.what, rate, len(w.carried)+len(w.waiting)), "ms", 0)
		l.tell(&res)
		m.tell(&res, l.counted.Load())
		if res.Latency = way.seen.latency(); res.Latency != nil {
			res.Value = res.Latency.P99
		}
		res.Errors += l.asked.Load() - l.seen.Load()
		res.more("answered_p99_ms", p99(l.answered))
		both = append(both, res)
	}
	both[0].against(bare)
	if r.Engines == "embedded" {
		both[0].atMost("S5", 50, "50 ms")
	} else {
		both[0].atMost("S5", 100, "100 ms")
	}
	return both, nil
}

func p99(r *recorder) float64 {
	if l := r.latency(); l != nil {
		return l.P99
	}
	return 0
}

// quiet waits until a count has not grown for a while, since what is still
// under way belongs to the figures.
func quiet(ctx context.Context, count func() int64) {
	last, still := count(), 0
	for until := time.Now().Add(drainWithin); still < 10 && time.Now().Before(until); {
		if !sleep(ctx, time.Now().Add(50*time.Millisecond)) {
			return
		}
		if now := count(); now == last {
			still++
		} else {
			last, still = now, 0
		}
	}
}
