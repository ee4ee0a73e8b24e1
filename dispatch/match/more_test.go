package match

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"courier/geo"
)

// priceOf works out by the checker's clock what a result's whole plan costs, in
// weighted seconds, and how many orders it leaves without a courier.
func priceOf(t rapid.TB, s Snapshot, o Options, res Result) (cost float64, left int) {
	served := map[string]bool{}
	for id, stops := range routesOf(t, s, res) {
		c := courierOf(t, s, id)
		before, now := lived(s, o, c, c.Stops), lived(s, o, c, stops)
		cost += ridden(s, o, c, stops, now) - ridden(s, o, c, c.Stops, before)
		committed := 0
		for i, st := range stops {
			order, fresh := orderIn(s, st.Order)
			if !fresh {
				if st.Kind != Pickup {
					cost += o.WaitWeight * max(0, now[i].hand-before[committed].hand).Seconds()
				}
				committed++
			} else if st.Kind == Dropoff {
				served[order.ID] = true
				urgent := 1 + o.PriorityWeight*float64(order.Priority)
				best := soonest(s, o, order)
				cost += urgent * o.WaitWeight * (now[i].hand - best).Seconds()
				if late := now[i].hand - max(order.Due.Sub(s.Now), best); !order.Due.IsZero() && late > 0 {
					cost += urgent * o.LateWeight * late.Seconds()
				}
			}
		}
	}
	for _, order := range s.Orders {
		if !served[order.ID] {
			left++
			cost += o.Unserved.Seconds() + o.AgeWeight*max(0, s.Now.Sub(order.Ready)).Seconds() + float64(order.Priority)*o.PriorityCost.Seconds()
		}
	}
	return cost, left
}

// soonest is the earliest thinkable hand-over, where all vehicles are as fast.
func soonest(s Snapshot, o Options, order Order) time.Duration {
	after := o.PickupService/2 + ride(o, order.Pickup, order.Dropoff, "") + o.DropoffService/2
	best := max(0, order.Ready.Sub(s.Now)) + after
	if !order.From.IsZero() {
		best = max(best, order.From.Sub(s.Now))
	}
	return best
}

// ridden is what the courier's time costs along the stops.
func ridden(s Snapshot, o Options, c Courier, stops []Stop, times []visited) float64 {
	cost, at := 0., c.At
	for i, st := range stops {
		if times[i].visit != i {
			at = st.At
			continue
		}
		service := o.DropoffService
		if st.Kind == Pickup {
			service = o.PickupService
		}
		cost += o.StandWeight * (times[i].hand - times[i].came - service/2).Seconds()
		if !st.Arrived {
			cost += o.TravelWeight * ride(o, at, st.At, c.Vehicle).Seconds()
		}
		at = st.At
	}
	return cost
}

// Whoever comes in addition, the plan gets no worse where the search begins
// with the plan without that courier; a hundredth of a second is for sums of
// floats. Only where orders are left may it be otherwise: what that costs, the
// search reckons from the dearest courier there is, who may be the new one. Of
// 13,740 worlds one was worse by that, by 12 s; the bound is 15 min an order.
func TestOneCourierMoreNeverMakesThePlanWorse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := drawSnapshot(t), drawOptions(t)
		if len(s.Couriers) == 0 {
			return
		}
		s.Last, s.Past, o.Futures.Count = nil, nil, 0
		// What counts these is not the plan as a whole, and all candidates
		// are to be asked.
		o.FairWeight, o.ChurnCost, o.MaxCandidates = 0, 0, 24
		o.DeclineTime, o.Kinds = 0, nil
		o.Search.Base += 10
		fewer := s
		fewer.Couriers = s.Couriers[:len(s.Couriers)-1]
		before := Solve(fewer, o)
		s.Last = intentsOf(s, routesOf(t, fewer, before))
		was, missed := priceOf(t, fewer, o, before)
		slack := 0.01 + float64(missed)*15*60
		if got, left := priceOf(t, s, o, Solve(s, o)); got > was+slack || left > missed {
			t.Fatalf("with %s it costs %v, not %v, and leaves %d orders, not %d", s.Couriers[len(s.Couriers)-1].ID, got, was, left, missed)
		}
	})
}

// intentsOf makes the whole of some routes the last round's intents.
func intentsOf(s Snapshot, routes map[string][]Stop) []Intent {
	var out []Intent
	for id, stops := range routes {
		in := Intent{Courier: id}
		for _, st := range stops {
			if orderIs(s, st.Order) || len(in.Stops) > 0 {
				in.Stops = append(in.Stops, StopRef{st.Order, st.Kind})
			}
		}
		out = append(out, in)
	}
	return out
}

// Where it begins anew, chance decides where the search ends, and the plan may
// be worse by that. Measured over 60 worlds of each size with the default
// budget: in 0, 2, 8 and 10 of 60 (12 orders and 6 couriers, 20 and 8, 30 and
// 12, 30 and 20) the plan with one courier more cost more, by at most 3.3 %,
// and it never left more orders; in 8,251 worlds of drawSnapshot it was never
// worse. So the bounds are 5 %, and a quarter of the worlds; on the whole the
// courier has to pay.
func TestACourierMorePaysForASearchThatBeginsAnew(t *testing.T) {
	for _, size := range []struct{ orders, couriers int }{{20, 8}, {30, 12}, {30, 20}} {
		t.Run(fmt.Sprintf("orders=%d/couriers=%d", size.orders, size.couriers), func(t *testing.T) {
			const worlds = 12
			worse, sum := 0, 0.
			for seed := range uint64(worlds) {
				s, o := kitchens(size.orders, size.couriers, seed), options()
				o.Search = DefaultOptions().Search
				fewer := s
				fewer.Couriers = s.Couriers[1:]
				was, missed := priceOf(t, fewer, o, Solve(fewer, o))
				got, left := priceOf(t, s, o, Solve(s, o))
				if got > 1.05*was || left > missed {
					t.Errorf("seed %d: with one more it costs %v, not %v, and leaves %d, not %d", seed, got, was, left, missed)
				}
				if sum += got - was; got > was+0.01 {
					worse++
				}
			}
			if worse > worlds/4 || sum >= 0 {
				t.Errorf("worse in %d of %d worlds, by %v s in all", worse, worlds, sum)
			}
		})
	}
}

// kitchens is a town 5 km across with six of them.
func kitchens(orders, couriers int, seed uint64) Snapshot {
	rnd := rand.New(rand.NewPCG(seed, 9))
	anywhere := func() geo.Point { return town.Offset(rnd.Float64()*5000-2500, rnd.Float64()*5000-2500) }
	s := Snapshot{Now: noon, Seed: seed}
	for i := range couriers {
		c := Courier{ID: fmt.Sprintf("c%03d", i), At: anywhere(), Vehicle: geo.Bicycle, Capacity: 2 + rnd.IntN(3)}
		if i%3 == 0 {
			c.Onboard = 1
			c.Stops = []Stop{{Order: fmt.Sprintf("old%d", i), Kind: Dropoff, At: anywhere(), Size: 1}}
		}
		s.Couriers = append(s.Couriers, c)
	}
	from := []geo.Point{anywhere(), anywhere(), anywhere(), anywhere(), anywhere(), anywhere()}
	for i := range orders {
		s.Orders = append(s.Orders, Order{
			ID: fmt.Sprintf("o%03d", i), Pickup: from[rnd.IntN(len(from))], Dropoff: anywhere(), Placed: in(-10),
			Ready: in(float64(rnd.IntN(30) - 10)), Size: 1 + rnd.IntN(8)/7,
		})
	}
	return s
}
