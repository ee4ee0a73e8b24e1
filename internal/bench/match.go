package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"courier/dispatch/match"
	"courier/geo"
)

// matching measures S8 and the match of S9, in this process: a round has no
// protocol.
func matching(ctx context.Context, r *run) error {
	for _, round := range []struct {
		orders, couriers, times int
		line, is                string
		limit                   float64 // ms
	}{
		{200, 1000, 60, "S8", "50 ms", 50},
		{10_000, 10_000, 3, "S8", "1 s", 1000},
	} {
		if r.Short {
			round.orders, round.couriers, round.times = round.orders/50, round.couriers/50, 3
		}
		res, err := r.rounds(ctx, round.orders, round.couriers, round.times)
		if err != nil {
			return err
		}
		res.atMost(round.line, round.limit, round.is)
		if err := r.emit(res); err != nil {
			return err
		}
	}
	return nil
}

// rounds solves the same day so many times, with other people in each, and
// the assignment alone, without a search after it, as the floor.
func (r *run) rounds(ctx context.Context, orders, couriers, times int) (Result, error) {
	options := match.DefaultOptions()
	options.MaxCandidates = 20
	alone := options
	alone.Search = match.Search{}
	whole, bare := newRecorder(window{}), newRecorder(window{})
	given := 0
	r.Told("%s: %d rounds of %d orders and %d couriers", r.scenario, times, orders, couriers)
	before := ownCPU()
	for i := range times + 1 {
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		s := snapshot(orders, couriers, uint64(i))
		start := time.Now()
		solved := match.Solve(s, options)
		took := time.Since(start)
		start = time.Now()
		match.Solve(s, alone)
		if i == 0 {
			continue // warms up
		}
		whole.add(0, took)
		bare.add(0, time.Since(start))
		given += len(solved.Assignments)
	}
	l := whole.latency()
	res := r.result(fmt.Sprintf("a matching round, %d orders and %d couriers, 20 candidates each, p99", orders, couriers), "ms", l.P99)
	res.Latency, res.Count = l, int64(times)
	res.OwnCPU = micros(ownCPU()-before) / float64(times)
	res.more("assignments", float64(given)/float64(times))
	res.against(Floor{What: "the cheapest assignment, without a search after it", Value: p99(bare)})
	return res, nil
}

// snapshot is a made town, 14 km wide, half of whose couriers are under way
// with an order; a third as many kitchens as orders.
func snapshot(orders, couriers int, seed uint64) match.Snapshot {
	dice := rand.New(rand.NewPCG(seed, 14))
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	anywhere := func() geo.Point { return middle.Offset(dice.Float64()*14_000-7000, dice.Float64()*14_000-7000) }
	s := match.Snapshot{Now: now, Seed: seed}
	for i := range couriers {
		c := match.Courier{ID: fmt.Sprintf("c%06d", i), At: anywhere(), Vehicle: geo.Bicycle, Capacity: 4}
		if i%2 == 0 {
			c.Onboard = 1
			c.Stops = []match.Stop{{Order: fmt.Sprintf("under-way-%d", i), Kind: match.Dropoff, At: c.At.Offset(dice.Float64()*2000, 500), Size: 1}}
		}
		s.Couriers = append(s.Couriers, c)
	}
	kitchens := make([]geo.Point, max(1, orders/3))
	for i := range kitchens {
		kitchens[i] = anywhere()
	}
	for i := range orders {
		from := kitchens[dice.IntN(len(kitchens))]
		s.Orders = append(s.Orders, match.Order{
			ID: fmt.Sprintf("o%06d", i), Pickup: from, Dropoff: from.Offset(dice.Float64()*4000-2000, dice.Float64()*4000-2000),
			Placed: now.Add(-10 * time.Minute), Ready: now.Add(time.Duration(dice.IntN(20)-5) * time.Minute), Size: 1,
		})
	}
	return s
}
