package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"courier/dispatch/match"
)

// scale measures S9: what a fix, an order and a match cost with a small fleet
// and a large one, at the same rates. A socket for each of 100,000 couriers
// is more than one machine has ports: over the wire the large fleet is ten
// times the small one, the matcher's a hundred times.
func scale(ctx context.Context, r *run) error {
	small := size(r, 0, 1000, 20)
	large := size(r, r.Couriers, 10_000, 60)
	few, err := r.costs(ctx, small)
	if err != nil {
		return err
	}
	many, err := r.costs(ctx, large)
	if err != nil {
		return err
	}
	for i := range many {
		many[i].against(Floor{What: fmt.Sprintf("the same with %d couriers", small), Value: few[i].Value})
		many[i].ratioAtMost("S9", 1.5, "1.5 × the small fleet")
		if err := r.emit(many[i]); err != nil {
			return err
		}
	}
	res, err := r.scaleMatch(ctx, size(r, 0, 200, 10), small)
	if err != nil {
		return err
	}
	return r.emit(res)
}

// costs are the server's processor time of a fix and of an order.
func (r *run) costs(ctx context.Context, couriers int) (both []Result, err error) {
	t, err := r.server(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.leave(t)) }()
	p, err := newPeople(ctx, t)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	r.Told("%s: %d couriers sign in", r.scenario, couriers)
	if err := p.hire(ctx, couriers); err != nil {
		return nil, err
	}
	rate := size(r, r.Rate, 10_000, 500)
	fix, err := r.loadFixes(ctx, t, &fixLoad{senders: p.senders(), batch: 1, rate: rate}, "a fix a frame")
	if err != nil {
		return nil, err
	}
	order, err := r.placeAt(ctx, p, 64, rate/20)
	if err != nil {
		return nil, err
	}
	fix.What, order.What = fmt.Sprintf("server CPU a fix, %d couriers", couriers), fmt.Sprintf("server CPU an order, %d couriers", couriers)
	fix.Unit, order.Unit, fix.Value, order.Value = "µs", "µs", fix.ServerCPU, order.ServerCPU
	return []Result{fix, order}, nil
}

// scaleMatch compares rounds with a fleet and with a hundred times as many,
// who are spread over a land as much larger.
func (r *run) scaleMatch(ctx context.Context, orders, couriers int) (Result, error) {
	const times = 8
	options := match.DefaultOptions()
	options.MaxCandidates = 20
	r.Told("%s: %d rounds with %d and %d couriers", r.scenario, times, couriers, 100*couriers)
	few, many := newRecorder(window{}), newRecorder(window{})
	for i := range times {
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		s := snapshot(orders, couriers, uint64(i))
		began := time.Now()
		match.Solve(s, options)
		few.add(0, time.Since(began))
		s.Couriers = append(s.Couriers, around(99*couriers, uint64(i))...)
		began = time.Now()
		match.Solve(s, options)
		many.add(0, time.Since(began))
	}
	l := many.latency()
	res := r.result(fmt.Sprintf("a round of %d orders with %d couriers, median", orders, 100*couriers), "ms", l.P50)
	res.Latency, res.Count = l, times
	res.against(Floor{What: fmt.Sprintf("the same with %d couriers", couriers), Value: few.latency().P50})
	res.ratioAtMost("S9", 1.5, "1.5 × the small fleet")
	return res, nil
}

// around are couriers as close to each other as those of a snapshot, around
// its town.
func around(n int, seed uint64) []match.Courier {
	s := snapshot(0, n, seed+1000)
	for i := range s.Couriers {
		c := &s.Couriers[i]
		c.ID = "r" + c.ID
		north, east := (c.At.Lat-middle.Lat)*111_000*10, (c.At.Lng-middle.Lng)*68_000*10
		if max(north, -north) < 7000 && max(east, -east) < 7000 {
			north += 14_000 // not in the town
		}
		c.At, c.Stops, c.Onboard = middle.Offset(north, east), nil, 0
	}
	return s.Couriers
}
