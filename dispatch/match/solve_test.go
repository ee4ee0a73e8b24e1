package match

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"courier/geo"
)

func TestSolve(t *testing.T) {
	for name, tt := range map[string]struct {
		orders   []Order
		couriers []Courier
		options  func(*Options)
		want     string            // assignments: "courier: order order; …"
		why      map[string]string // by order
		not      map[string]string // by courier: why it was not taken for the first order
	}{
		"the nearest courier gets the order": {
			orders:   []Order{order("o1", 0, 1000)},
			couriers: []Courier{courier("far", 2000), courier("near", 500)},
			want:     "near: o1",
			why:      map[string]string{"o1": "cheapest of 2 candidates"},
			not:      map[string]string{"far": "costs 345 s more"},
		},
		"what is best for both orders counts, not who is first": {
			orders:   []Order{order("o1", 0, -1000), order("o2", 900, 3000)},
			couriers: []Courier{courier("middle", 300), courier("west", -900)},
			options:  func(o *Options) { o.MaxBundle = 1 },
			want:     "middle: o2; west: o1",
			why:      map[string]string{"o1": "cheapest for all orders together; 1 of 2 candidates cost less but are given to others"},
			not:      map[string]string{"middle": "given to order o2, which saves more"},
		},
		"with one courier the higher priority goes first": {
			orders:   []Order{order("o1", 100, 1000), order("o2", 900, 3000, func(o *Order) { o.Priority = 5 })},
			couriers: []Courier{courier("only", 0)},
			want:     "only: o2",
			why:      map[string]string{"o1": "the only courier who can take it is given to another order"},
		},
		"with one courier the order that waits longer goes first": {
			orders:   []Order{order("o1", 100, 1000), order("o2", 150, 1000, func(o *Order) { o.Ready = in(-20) })},
			couriers: []Courier{courier("only", 0)},
			want:     "only: o2",
		},
		"two orders of one kitchen make a bundle when couriers are few": {
			orders:   []Order{order("o1", 0, 1500), order("o2", 10, 1000)},
			couriers: []Courier{courier("only", 100)},
			want:     "only: o2 o1",
		},
		"no bundle when there is a courier for each": {
			orders:   []Order{order("o1", 0, 1500), order("o2", 10, -1000)},
			couriers: []Courier{courier("a", 100), courier("b", -100)},
			want:     "a: o2; b: o1",
		},
		"no bundle that delays an order too long": {
			orders:   []Order{order("o1", 0, 1500), order("o2", 10, 1000, func(o *Order) { o.Ready = in(20) })},
			couriers: []Courier{courier("only", 100)},
			want:     "only: o1",
		},
		"no bundle beyond the bag": {
			orders:   []Order{order("o1", 0, 1500), order("o2", 10, 1000, func(o *Order) { o.Size = 3 })},
			couriers: []Courier{courier("only", 100)},
			want:     "only: o1",
		},
		"a courier on the way to the same kitchen takes it along": {
			orders:   []Order{order("o1", 1000, 2500)},
			couriers: []Courier{courier("busy", 0, fetching("old", 1000, 2000)), courier("free", -3000)},
			want:     "busy: +old +o1 -old -o1",
		},
		"nothing is put before the stop where the courier stands": {
			orders: []Order{order("o1", -50, -500)},
			couriers: []Courier{courier("busy", 0, fetching("old", 0, 500), func(c *Courier) {
				c.Stops[0].Arrived = true
			})},
			options: func(o *Options) { o.CommitAhead = o.BusyAhead },
			want:    "busy: +old -old +o1 -o1",
		},
		"an order for later waits": {
			orders:   []Order{order("o1", 0, 1000, func(o *Order) { o.Ready = in(45) })},
			couriers: []Courier{courier("a", 0)},
			why:      map[string]string{"o1": "ready in 45 min: waiting costs nothing"},
		},
		"an order with a late window waits although it is ready": {
			orders:   []Order{order("o1", 0, 3000, func(o *Order) { o.From = in(120) })},
			couriers: []Courier{courier("a", 0)},
			why:      map[string]string{"o1": "to be picked up in 108 min: waiting costs nothing"},
		},
		"a courier is not sent to stand and wait": {
			orders:   []Order{order("o1", 0, 1000, func(o *Order) { o.Ready = in(25) })},
			couriers: []Courier{courier("a", 0)},
			why:      map[string]string{"o1": "ready in 25 min: waiting costs nothing"},
			not:      map[string]string{"a": "best so far, need not set out yet"},
		},
		"a courier who is busy for a while gets it when that is over": {
			orders:   []Order{order("o1", 0, 1000)},
			couriers: []Courier{courier("a", 0, carrying("old", 1500))},
			options:  func(o *Options) { o.AppendOnly = true },
			why:      map[string]string{"o1": "its best courier sets out for it in 7 min: waiting costs nothing"},
		},
		"nobody is near": {
			orders:   []Order{order("o1", 0, 1000)},
			couriers: []Courier{courier("far", 8000)},
			why:      map[string]string{"o1": "no courier on duty within 6 km"},
		},
		"nobody is on duty": {
			orders: []Order{order("o1", 0, 1000)},
			why:    map[string]string{"o1": "no courier on duty within 6 km"},
		},
		"everyone near is full": {
			orders:   []Order{order("o1", 0, 1000, func(o *Order) { o.Size = 5 })},
			couriers: []Courier{courier("a", 0), courier("b", 100)},
			why:      map[string]string{"o1": "all 2 couriers near are full"},
			not:      map[string]string{"a": "no room for 5 more units", "b": "no room for 5 more units"},
		},
		"each for another reason": {
			orders: []Order{order("o1", 0, 1000, func(o *Order) {
				o.Skills, o.Refused, o.Vehicles = []string{"cold"}, []string{"b"}, []geo.Vehicle{geo.Bicycle}
			})},
			couriers: []Courier{
				courier("a", 0), courier("b", 0), courier("c", 0, func(c *Courier) { c.Vehicle = geo.Foot }),
				courier("d", 0, closed, func(c *Courier) { c.Skills = []string{"cold"} }),
			},
			why: map[string]string{"o1": "none of the 4 couriers near can take it: 1 declined lately, 1 has an open offer, 1 has the wrong vehicle, 1 lacks skill cold"},
			not: map[string]string{"a": "needs skill cold", "b": "declined lately", "c": "wrong vehicle", "d": "busy with an open offer"},
		},
		"the shift ends before the pickup": {
			orders:   []Order{order("o1", 0, 1000)},
			couriers: []Courier{courier("a", 3000, func(c *Courier) { c.ShiftEnd = in(10) })},
			why:      map[string]string{"o1": "the only courier near ends its shift before the pickup"},
			not:      map[string]string{"a": "shift ends before the pickup"},
		},
		"a pinned order goes to its courier from any distance": {
			orders:   []Order{order("o1", 0, 1000, func(o *Order) { o.Pinned = "far" })},
			couriers: []Courier{courier("far", 9000), courier("near", 0)},
			want:     "far: o1",
			why:      map[string]string{"o1": "the only candidate"},
		},
		"a pinned order waits for its courier": {
			orders:   []Order{order("o1", 0, 1000, func(o *Order) { o.Pinned = "gone" })},
			couriers: []Courier{courier("near", 0)},
			why:      map[string]string{"o1": "pinned to a courier who is not on duty"},
		},
		"a pinned order waits while its courier has an offer": {
			orders:   []Order{order("o1", 0, 1000, func(o *Order) { o.Pinned = "a" })},
			couriers: []Courier{courier("a", 0, closed), courier("b", 0)},
			why:      map[string]string{"o1": "the courier it is pinned to cannot take it: busy with an open offer"},
		},
		"an impossible place is said, not matched": {
			orders:   []Order{{ID: "o1", Pickup: geo.Point{Lat: 91}}},
			couriers: []Courier{courier("a", 0)},
			why:      map[string]string{"o1": "its pickup or drop-off is no place on Earth"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			if tt.options != nil {
				tt.options(&o)
			}
			res := Solve(Snapshot{Now: noon, Orders: tt.orders, Couriers: tt.couriers}, o)
			if got := written(res, strings.Contains(tt.want, "+")); got != tt.want {
				t.Errorf("assigned %q, want %q", got, tt.want)
			}
			for _, d := range res.Decisions {
				if want, ok := tt.why[d.Order]; ok && d.Why != want {
					t.Errorf("%s: why %q, want %q", d.Order, d.Why, want)
				}
			}
			for id, want := range tt.not {
				if got := whyNot(res.Decisions[0], id); got != want {
					t.Errorf("%s not taken: %q, want %q", id, got, want)
				}
			}
		})
	}
}

// written shows the assignments by their orders, or by their stops: + for a
// pickup, - for a drop-off.
func written(res Result, stops bool) string {
	var out []string
	for _, a := range res.Assignments {
		words := a.Orders
		if stops {
			words = nil
			for _, s := range a.Stops {
				sign := "-"
				if s.Kind == Pickup {
					sign = "+"
				}
				words = append(words, sign+s.Order)
			}
		}
		out = append(out, a.Courier+": "+strings.Join(words, " "))
	}
	return strings.Join(out, "; ")
}

func whyNot(d Decision, courier string) string {
	for _, c := range d.Candidates {
		if c.Courier == courier {
			return c.Why
		}
	}
	return "not looked at"
}

func TestDecisionsAreBounded(t *testing.T) {
	var couriers []Courier
	for i := range 40 {
		couriers = append(couriers, courier(fmt.Sprintf("c%02d", i), float64(10*i), func(c *Courier) {
			if i%3 == 0 {
				c.Vehicle = geo.Foot
			}
		}))
	}
	o := order("o1", 0, 1000, func(o *Order) { o.Vehicles = []geo.Vehicle{geo.Bicycle} })
	d := Solve(Snapshot{Now: noon, Orders: []Order{o}, Couriers: couriers}, options()).Decisions[0]
	if len(d.Candidates) != 12 {
		t.Errorf("%d candidates are told of, want 12", len(d.Candidates))
	}
	if c := d.Candidates[0]; !c.Chosen || c.Cost != d.Cost || !reflect.DeepEqual(c.Parts, d.Parts) {
		t.Errorf("the first is %+v, not the chosen one of %+v", c, d)
	}
}

func TestOptionsReportEveryFault(t *testing.T) {
	if err := DefaultOptions().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	o := DefaultOptions()
	o.DeclineTime, o.Kinds = -1, map[geo.Vehicle]Kind{"sledge": {Travel: -1, Order: -1}}
	o.Futures.Count, o.Futures.Window = 1, 0
	o.Router, o.PickupService, o.MaxRadius, o.MaxBundle, o.LateWeight = nil, -1, 1, 9, -1
	err := o.Validate()
	for _, field := range []string{"Router", "PickupService", "MaxRadius", "MaxBundle", "LateWeight", "DeclineTime", "Futures.Window", "Kinds", "sledge: Travel", "sledge: Order"} {
		if err == nil || !strings.Contains(err.Error(), field+":") {
			t.Errorf("%s is not reported: %v", field, err)
		}
	}
}

func BenchmarkSolve(b *testing.B) {
	for _, size := range []struct{ orders, couriers int }{{60, 100}, {100, 250}, {200, 1000}, {1000, 1000}, {10000, 10000}} {
		for name, search := range map[string]Search{"off": {}, "default": DefaultOptions().Search} {
			s, o := city(size.orders, size.couriers), DefaultOptions()
			o.Search = search
			b.Run(fmt.Sprintf("orders=%d/couriers=%d/search=%s", size.orders, size.couriers, name), func(b *testing.B) {
				for b.Loop() {
					Solve(s, o)
				}
			})
		}
	}
}

func TestARushAtOneKitchenFillsEveryCourier(t *testing.T) {
	var s Snapshot
	s.Now = noon
	for i := range 40 {
		s.Orders = append(s.Orders, order(fmt.Sprintf("o%02d", i), 0, float64(50*i-1000)))
	}
	for i := range 5 {
		s.Couriers = append(s.Couriers, courier(fmt.Sprintf("c%d", i), float64(100*i)))
	}
	res := Solve(s, options())
	given := 0
	for _, a := range res.Assignments {
		given += len(a.Orders)
	}
	if len(res.Assignments) != 5 || given != 15 {
		t.Errorf("%d couriers carry %d orders, want 5 with 3 each", len(res.Assignments), given)
	}
}
