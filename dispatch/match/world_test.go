package match

import (
	"fmt"
	"math/rand/v2"
	"time"

	"pgregory.net/rapid"

	"courier/geo"
)

// The town of the tests lies around this point; its clock shows noon.
var (
	town = geo.Point{Lat: 52.37, Lng: 4.89}
	noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
)

// in is a time some minutes from noon.
func in(minutes float64) time.Time { return noon.Add(time.Duration(minutes * float64(time.Minute))) }

// steady rides at 300 m a minute in a straight line, whatever the vehicle.
type steady struct{}

func (steady) Travel(from, to geo.Point, _ geo.Vehicle) time.Duration {
	return time.Duration(geo.Distance(from, to) / 300 * float64(time.Minute)).Round(time.Second)
}

func options(change ...func(*Options)) Options {
	o := DefaultOptions()
	o.Router, o.Search = steady{}, Search{}
	for _, f := range change {
		f(&o)
	}
	return o
}

// order is ready at noon, from a place in metres east of the town's middle to
// another.
func order(id string, from, to float64, change ...func(*Order)) Order {
	o := Order{ID: id, Pickup: town.Offset(from, 0), Dropoff: town.Offset(to, 0), Placed: noon, Ready: noon, Size: 1}
	for _, f := range change {
		f(&o)
	}
	return o
}

func courier(id string, at float64, change ...func(*Courier)) Courier {
	c := Courier{ID: id, At: town.Offset(at, 0), Vehicle: geo.Bicycle, Capacity: 3}
	for _, f := range change {
		f(&c)
	}
	return c
}

// carrying gives the courier an order to bring to a place, with the goods in
// the bag.
func carrying(id string, to float64) func(*Courier) {
	return func(c *Courier) {
		c.Onboard++
		c.Stops = append(c.Stops, Stop{Order: id, Kind: Dropoff, At: town.Offset(to, 0), Size: 1})
	}
}

// fetching gives the courier an order to get and to bring.
func fetching(id string, from, to float64) func(*Courier) {
	return func(c *Courier) {
		c.Stops = append(c.Stops,
			Stop{Order: id, Kind: Pickup, At: town.Offset(from, 0), Size: 1, Ready: noon},
			Stop{Order: id, Kind: Dropoff, At: town.Offset(to, 0), Size: 1})
	}
}

func closed(c *Courier) { c.Closed = true }

func maybe(t *rapid.T, label string) bool { return rapid.IntRange(0, 3).Draw(t, label) == 0 }

// drawSnapshot makes a crowded little world where every rule matters.
func drawSnapshot(t *rapid.T) Snapshot {
	place := rapid.Custom(func(t *rapid.T) geo.Point {
		step := rapid.IntRange(-4, 4)
		return town.Offset(400*float64(step.Draw(t, "east")), 400*float64(step.Draw(t, "north")))
	})
	minutes := func(lo, hi int, label string) time.Time { return in(float64(rapid.IntRange(lo, hi).Draw(t, label))) }
	maybe := func(label string) bool { return maybe(t, label) }
	vehicle := rapid.SampledFrom([]geo.Vehicle{geo.Foot, geo.Bicycle, geo.Car})
	s := Snapshot{Now: noon}
	for i := range rapid.IntRange(0, 6).Draw(t, "couriers") {
		c := Courier{ID: fmt.Sprintf("c%d", i), At: place.Draw(t, "at"), Vehicle: vehicle.Draw(t, "vehicle"), Capacity: rapid.IntRange(1, 4).Draw(t, "capacity")}
		if maybe("skilled") {
			c.Skills = []string{"cold"}
		}
		if maybe("ends") {
			c.ShiftEnd = minutes(-5, 60, "shift end")
		}
		if maybe("starts") {
			c.ShiftStart = minutes(-5, 40, "shift start")
		}
		if maybe("stays") {
			c.Leaves = minutes(-5, 5, "leaves")
		}
		c.Earned = float64(rapid.IntRange(0, 100).Draw(t, "earned"))
		c.Closed = maybe("closed")
		if maybe("declines") {
			c.Declines = 0.5
		}
		for k := range rapid.IntRange(0, 2).Draw(t, "committed") {
			id := fmt.Sprintf("old%d-%d", i, k)
			size := rapid.IntRange(1, c.Capacity).Draw(t, "committed size")
			drop := Stop{Order: id, Kind: Dropoff, At: place.Draw(t, "to"), Size: size}
			if maybe("due") {
				drop.Due = minutes(-10, 60, "committed due")
			}
			if k == 0 && rapid.Bool().Draw(t, "onboard") {
				c.Onboard = size
			} else {
				c.Stops = append(c.Stops, Stop{Order: id, Kind: Pickup, At: place.Draw(t, "from"), Size: size, Ready: minutes(-5, 15, "committed ready")})
			}
			c.Stops = append(c.Stops, drop)
		}
		if len(c.Stops) > 0 {
			c.Stops[0].Arrived = maybe("arrived")
		}
		s.Couriers = append(s.Couriers, c)
	}
	name := rapid.SampledFrom([]string{"c0", "c1", "c2", "nobody"})
	for i := range rapid.IntRange(0, 8).Draw(t, "orders") {
		o := Order{
			ID: fmt.Sprintf("o%d", i), Pickup: place.Draw(t, "pickup"), Dropoff: place.Draw(t, "dropoff"),
			Placed: minutes(-30, 0, "placed"), Ready: minutes(-30, 45, "ready"),
			Size: rapid.IntRange(1, 3).Draw(t, "size"), Priority: rapid.IntRange(0, 9).Draw(t, "priority"),
		}
		if maybe("from") {
			o.From = minutes(0, 60, "window from")
		}
		if maybe("due") {
			o.Due = minutes(-10, 60, "due")
		}
		if maybe("choosy") {
			o.Vehicles = []geo.Vehicle{vehicle.Draw(t, "needs")}
		}
		if maybe("cold") {
			o.Skills = []string{"cold"}
		}
		if maybe("pinned") {
			o.Pinned = name.Draw(t, "pin")
		}
		if maybe("refused") {
			o.Refused = []string{name.Draw(t, "refuser")}
		}
		s.Orders = append(s.Orders, o)
	}
	s.Seed = rapid.Uint64().Draw(t, "seed")
	for range rapid.IntRange(0, 6).Draw(t, "past") {
		placed := rapid.IntRange(-60, 0).Draw(t, "past placed")
		s.Past = append(s.Past, Demand{
			Placed: in(float64(placed)), Ready: in(float64(placed + rapid.IntRange(0, 20).Draw(t, "past lead"))),
			Pickup: place.Draw(t, "past pickup"), Dropoff: place.Draw(t, "past dropoff"), Size: 1,
		})
	}
	s.Last = drawIntents(t, s)
	for _, o := range s.Orders {
		if maybe("voted on") {
			start := rapid.IntRange(0, 8).Draw(t, "for starting")
			s.Votes = append(s.Votes, Vote{Order: o.ID, At: minutes(-2, 0, "voted"), Start: float64(start), All: 8})
		}
	}
	return s
}

// drawIntents makes intents of which many cannot be, as the world has changed.
func drawIntents(t *rapid.T, s Snapshot) []Intent {
	var out []Intent
	for i := range rapid.IntRange(0, 3).Draw(t, "intents") {
		in := Intent{Courier: fmt.Sprintf("c%d", i)}
		for range rapid.IntRange(0, 5).Draw(t, "intended stops") {
			id := fmt.Sprintf("o%d", rapid.IntRange(0, 8).Draw(t, "intended"))
			if maybe(t, "committed between") {
				id = fmt.Sprintf("old%d-0", i)
			}
			in.Stops = append(in.Stops, StopRef{id, rapid.SampledFrom([]StopKind{Pickup, Dropoff}).Draw(t, "intended kind")})
			if maybe(t, "both") {
				in.Stops = append(in.Stops, StopRef{id, Pickup}, StopRef{id, Dropoff})
			}
		}
		out = append(out, in)
	}
	return out
}

func drawOptions(t *rapid.T) Options {
	return options(func(o *Options) {
		o.MaxBundle = rapid.IntRange(1, 4).Draw(t, "max bundle")
		o.MaxStops = rapid.IntRange(2, 10).Draw(t, "max stops")
		o.MaxCandidates = rapid.IntRange(1, 6).Draw(t, "max candidates")
		o.AppendOnly = rapid.Bool().Draw(t, "append only")
		o.CommitAhead = time.Duration(rapid.IntRange(0, 60).Draw(t, "commit ahead")) * time.Minute
		o.LookAhead = time.Duration(rapid.IntRange(0, 60).Draw(t, "look ahead")) * time.Minute
		o.BusyAhead = time.Duration(rapid.IntRange(0, 60).Draw(t, "busy ahead")) * time.Minute
		o.OneTask = maybe(t, "one task")
		o.Interleave = rapid.Bool().Draw(t, "interleave")
		o.Search = Search{Base: rapid.IntRange(0, 40).Draw(t, "rounds")}
		o.Futures.Count = rapid.IntRange(0, 3).Draw(t, "futures")
		o.Futures.Search = Search{Base: 10}
		o.ChurnCost = time.Duration(rapid.IntRange(0, 2).Draw(t, "churn")) * time.Minute
		o.FairWeight = float64(rapid.IntRange(0, 2).Draw(t, "fair"))
		o.DeclineTime = time.Duration(rapid.IntRange(0, 2).Draw(t, "decline")) * time.Minute
		if maybe(t, "dear cars") {
			o.Kinds = map[geo.Vehicle]Kind{geo.Car: {Travel: 2, Order: 2 * time.Minute}}
		}
		o.AnswerTime = time.Duration(rapid.IntRange(0, 2).Draw(t, "answer")) * time.Minute
	})
}

// city makes a fixed snapshot of a town 14 km across: half of the couriers
// carry an order, three orders come from each kitchen.
func city(orders, couriers int) Snapshot {
	rnd := rand.New(rand.NewPCG(7, 7))
	anywhere := func() geo.Point { return town.Offset(rnd.Float64()*14_000-7000, rnd.Float64()*14_000-7000) }
	s := Snapshot{Now: noon}
	for i := range couriers {
		c := Courier{ID: fmt.Sprintf("c%05d", i), At: anywhere(), Vehicle: geo.Bicycle, Capacity: 4}
		if i%2 == 0 {
			c.Onboard = 1
			c.Stops = []Stop{{Order: "old", Kind: Dropoff, At: c.At.Offset(rnd.Float64()*2000, 500), Size: 1}}
		}
		s.Couriers = append(s.Couriers, c)
	}
	kitchens := make([]geo.Point, max(1, orders/3))
	for i := range kitchens {
		kitchens[i] = anywhere()
	}
	for i := range orders {
		from := kitchens[rnd.IntN(len(kitchens))]
		to := from.Offset(rnd.Float64()*4000-2000, rnd.Float64()*4000-2000)
		ready := in(float64(rnd.IntN(20) - 5))
		s.Orders = append(s.Orders, Order{ID: fmt.Sprintf("o%05d", i), Pickup: from, Dropoff: to, Placed: in(-10), Ready: ready, Size: 1})
	}
	return s
}
