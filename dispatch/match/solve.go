package match

import (
	"cmp"
	"slices"

	"courier/geo"
)

// Solve works out one round: who carries which of the waiting orders, and
// why. It is pure and deterministic; the order of the snapshot's slices does
// not matter. Options must pass Validate.
//
// Committed stops keep their order and none is dropped; new ones come after
// the stop where the courier stands. A courier gets at most one bundle a
// round, an order at most one courier.
func Solve(s Snapshot, o Options) Result {
	orders, couriers := slices.Clone(s.Orders), slices.Clone(s.Couriers)
	slices.SortFunc(orders, func(a, b Order) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(couriers, func(a, b Courier) int { return cmp.Compare(a.ID, b.ID) })

	riders, byID := make([]*rider, len(couriers)), make(map[string]int32, len(couriers))
	var vehicles []geo.Vehicle
	for i := range couriers {
		kind := slices.Index(vehicles, couriers[i].Vehicle)
		if kind < 0 {
			kind = len(vehicles)
			vehicles = append(vehicles, couriers[i].Vehicle)
		}
		riders[i] = newRider(&couriers[i], kind, s.Now, &o)
		byID[couriers[i].ID] = int32(i)
	}
	f, p := newField(riders), newPricer(&o)
	jobs, awake := make([]*job, len(orders)), make([]*job, 0, len(orders))
	for i := range orders {
		j := newJob(&orders[i], s.Now, vehicles, &o)
		if jobs[i] = j; j.nowhere || j.asleep {
			continue
		}
		j.search(f, byID, p)
		awake = append(awake, j)
	}

	pl := newPool(awake, riders, p)
	a := pl.solve()
	t := newTelling(s.Now, &o, riders, pl.bundles, a)
	var out Result
	for r, i := range a.row {
		if i == none {
			continue
		}
		b := pl.bundles[i]
		if chosen := t.choice(b); chosen.setOut <= o.CommitAhead {
			out.Assignments = append(out.Assignments, pl.assignment(riders[r], b, s))
		}
	}
	for _, j := range jobs {
		out.Decisions = append(out.Decisions, t.decision(j))
	}
	return out
}

// assignment writes the rider's new plan out.
func (pl *pool) assignment(r *rider, b *bundle, s Snapshot) Assignment {
	if _, no := pl.p.price(r, b.jobs); no.why != fine {
		panic("match: a bundle that was priced before is refused: " + no.String())
	}
	n := len(r.nodes)
	stops, orders := make([]Stop, 0, len(pl.p.best)), []string(nil)
	for _, k := range pl.p.best {
		if k < n {
			stops = append(stops, r.Stops[k])
			continue
		}
		j := b.jobs[(k-n)/2]
		pickup, dropoff := j.stops()
		if (k-n)%2 == 0 {
			stops = append(stops, pickup)
		} else {
			stops = append(stops, dropoff)
			orders = append(orders, j.ID)
		}
	}
	return Assignment{Courier: r.ID, Orders: orders, Stops: Schedule(s.Now, *r.Courier, stops, *pl.o)}
}
