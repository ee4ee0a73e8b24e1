package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"courier/dispatch/match"
	"courier/geo"
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

// scaleMatch compares rounds of orders in the middle of a town among its
// couriers and among a hundred times as many, the rest around the town. As
// in the server's loop a round begins with the index of who is near.
func (r *run) scaleMatch(ctx context.Context, orders, couriers int) (Result, error) {
	const times = 8
	r.Told("%s: %d rounds with %d and %d couriers", r.scenario, times, couriers, 100*couriers)
	few, many := newRecorder(window{}), newRecorder(window{})
	for i := range times {
		s := snapshot(orders, couriers, uint64(i))
		for k := range s.Orders {
			o := &s.Orders[k]
			o.Pickup = middle.Offset(float64(k%20)*100-1000, float64(k/20%20)*100-1000)
		}
		for _, size := range []*recorder{few, many} {
			if size == many {
				s.Couriers = append(s.Couriers, around(99*couriers, uint64(i))...)
			}
			took, err := round(ctx, s)
			if err != nil {
				return Result{}, err
			}
			size.add(0, took)
		}
	}
	l := many.latency()
	res := r.result(fmt.Sprintf("a round of %d orders with %d couriers, median", orders, 100*couriers), "ms", l.P50)
	res.Latency, res.Count = l, times
	res.against(Floor{What: fmt.Sprintf("the same with %d couriers", couriers), Value: few.latency().P50})
	res.ratioAtMost("S9", 1.5, "1.5 × the small fleet")
	return res, nil
}

// round is how long it takes to find who is near and to solve.
func round(ctx context.Context, s match.Snapshot) (time.Duration, error) {
	options := match.DefaultOptions()
	options.MaxCandidates = 20
	index, all := geo.NewCellIndex(), map[string]match.Courier{}
	for _, c := range s.Couriers {
		all[c.ID] = c
		if err := index.Set(c.ID, c.At); err != nil {
			return 0, fmt.Errorf("index couriers: %w", err)
		}
	}
	began := time.Now()
	s.Couriers = nil
	near := map[string]bool{}
	for _, o := range s.Orders {
		for _, n := range index.Near(o.Pickup, options.MaxRadius, 500, nil) {
			if !near[n.ID] {
				near[n.ID] = true
				s.Couriers = append(s.Couriers, all[n.ID])
			}
		}
	}
	match.Solve(s, options)
	return time.Since(began), ctx.Err()
}

// around are couriers as close to each other as those of a snapshot, around
// its town.
func around(n int, seed uint64) []match.Courier {
	dice := rand.New(rand.NewPCG(seed, 9))
	half := 7000 * math.Sqrt(float64(n)/1000+1)
	all := make([]match.Courier, 0, n)
	for len(all) < n {
		north, east := (dice.Float64()*2-1)*half, (dice.Float64()*2-1)*half
		if max(math.Abs(north), math.Abs(east)) > 7000 {
			all = append(all, match.Courier{ID: fmt.Sprintf("r%06d", len(all)), At: middle.Offset(north, east), Vehicle: geo.Bicycle, Capacity: 4})
		}
	}
	return all
}
