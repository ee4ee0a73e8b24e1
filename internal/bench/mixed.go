package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// mixed has everyone at work at once, as in a city at noon: positions, orders
// and changes of status, each seen by its customer. Its figures are how much
// of the latency of each is left when it does not have the server alone.
func mixed(ctx context.Context, r *run) (err error) {
	t, err := r.server(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.leave(t)) }()
	couriers, customers := size(r, r.Couriers, 1000, 20), size(r, r.Customers, 3000, 60)
	w, err := r.newTown(ctx, t, couriers, customers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	rate := size(r, r.Rate, 3000, 100)
	window := newWindow(time.Now().Add(50*time.Millisecond), r.Warm, r.Measure)
	seen := newRecorder(window)
	w.positions.Store(seen)
	placed := r.orderLoad(w.target.address(), w.key, 64, rate/15)
	placed.window = window
	moved := newChanges(w.people, w.waiting[:min(len(w.waiting), couriers, 1000)], 32, rate/15, window, r)
	w.changes.Store(moved)
	g, loading := errgroup.WithContext(ctx)
	var l *ride
	g.Go(func() (err error) { l, err = w.ride(loading, rate, window); return err })
	g.Go(func() error { return placed.run(loading) })
	g.Go(func() error { return moved.run(loading) })
	if err := g.Wait(); err != nil {
		return err
	}
	quiet(ctx, func() int64 { return w.shown.Load() + moved.seen.Load() })
	return w.tellMixed(l, seen, placed, moved)
}

func (w *town) tellMixed(l *ride, seen *recorder, placed *callLoad, moved *changes) error {
	r := w.run
	with := fmt.Sprintf("with %.0f fixes, %.0f orders, %.0f changes/s at once", l.carriers.rate+l.others.rate, placed.rate, moved.rate)
	fix := r.result("courier's fix to customer's socket, p99, "+with, "ms", 0)
	l.tell(&fix)
	fix.Latency = seen.latency()
	fix.more("server_cores", (l.meter.after.server-l.meter.before.server).Seconds()/l.carriers.window.seconds())
	order := r.result("order placed, p99, "+with, "ms", 0)
	placed.tell(&order)
	status := r.result("status committed to customer's socket, p99, "+with, "ms", 0)
	moved.tell(&status)
	status.Latency = moved.sinceEvent.latency()
	status.Errors += moved.asked.Load() - moved.seen.Load()
	var err error
	for _, res := range []*Result{&fix, &order, &status} {
		if res.Latency != nil {
			res.Value = res.Latency.P99
		}
		err = errors.Join(err, r.emit(*res))
	}
	return err
}
