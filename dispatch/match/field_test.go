package match

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"courier/geo"
)

// Wherever a place is in its cell, and whichever way a courier is from it, it
// is found as long as it is near enough.
func TestASearchMissesNobody(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	o := options()
	many := make([]*rider, fewRiders)
	for i := range many {
		many[i] = &rider{Courier: &Courier{}} // who is nowhere
	}
	for round := range 40_000 {
		p := geo.Point{Lat: dice.Float64()*150 - 75, Lng: dice.Float64()*360 - 180}
		cell, err := geo.CellOf(p, geo.SearchResolution)
		if err != nil {
			t.Fatal(err)
		}
		radius, way := 100*math.Pow(500, dice.Float64()), dice.Float64()*2*math.Pi
		c := courier("c", 0)
		c.At = p.Offset(radius*0.98*math.Sin(way), radius*0.98*math.Cos(way))
		if c.At.Validate() != nil {
			continue
		}
		f := newField(slices.Concat(many[:round%2*fewRiders], []*rider{newRider(&c, 0, noon, &o)}), radius).seeker()
		if len(f.around(p, cell, radius)) != 1 {
			t.Fatalf("a courier %.0f m from %v is not found within %.0f m", geo.Distance(p, c.At), p, radius)
		}
	}
}

// Orders from one place have the couriers that each would have by itself,
// however far each has to look, among few couriers as among many.
func TestOrdersFromOnePlaceDoNotMixUp(t *testing.T) {
	for _, elsewhere := range []int{0, fewRiders} {
		s := Snapshot{Now: noon}
		for i := range 30 + elsewhere {
			s.Couriers = append(s.Couriers, courier(fmt.Sprintf("c%03d", i), float64(200*i), func(c *Courier) {
				if i%3 != 0 {
					c.Vehicle = geo.Foot
				}
				if i >= 30 {
					c.At.Lng += 90
				}
			}))
		}
		for i := range 12 {
			s.Orders = append(s.Orders, order(fmt.Sprintf("o%02d", i), float64(i/6*2000), 1000, func(o *Order) {
				if i%2 == 0 { // has to look farther
					o.Vehicles = []geo.Vehicle{geo.Bicycle}
				}
			}))
		}
		o := options(func(o *Options) { o.MaxCandidates = 5 })
		for i, j := range newRound(s, &o).jobs {
			alone := newRound(Snapshot{Now: noon, Orders: s.Orders[i : i+1], Couriers: s.Couriers}, &o).jobs[0]
			if len(j.able) != 5 || fmt.Sprint(j.able, j.refused) != fmt.Sprint(alone.able, alone.refused) {
				t.Errorf("%s has %v, by itself %v", j.ID, j.able, alone.able)
			}
		}
	}
}

// A courier of whom nobody knows where it is gets nothing, wherever it is to
// stop, among few couriers as among many.
func TestWhoIsNowhereIsNotAsked(t *testing.T) {
	for _, elsewhere := range []int{0, fewRiders} {
		for _, nowhere := range []geo.Point{{Lat: 91}, {Lat: math.NaN()}} {
			s := Snapshot{Now: noon, Orders: []Order{order("o", 0, 1000)}}
			s.Couriers = append(s.Couriers, courier("c", 0, func(c *Courier) {
				c.At, c.Onboard = nowhere, 1
				c.Stops = []Stop{{Order: "mine", Kind: Dropoff, At: s.Orders[0].Pickup, Size: 1}}
			}))
			for i := range elsewhere {
				s.Couriers = append(s.Couriers, courier(fmt.Sprintf("far%03d", i), 0, func(c *Courier) { c.At.Lng += 90 }))
			}
			o := options()
			if able := newRound(s, &o).jobs[0].able; len(able) != 0 {
				t.Errorf("at %v, among %d others: asked %v", nowhere, elsewhere, able)
			}
		}
	}
}

// broken panics, as a router may that others have written.
type broken struct{}

func (broken) Travel(from, to geo.Point, by geo.Vehicle) time.Duration { panic("no map") }

// Whoever calls Solve can recover from what goes wrong in it, on whatever
// core it does.
func TestAPanicComesOutWhereSolveWasCalled(t *testing.T) {
	defer func() {
		if fault := recover(); fault != "no map" {
			t.Errorf("recovered %v", fault)
		}
	}()
	o := options(func(o *Options) { o.Router = broken{} })
	Solve(city(500, 500), o)
}
