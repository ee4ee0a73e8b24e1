package dispatch

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"courier/dispatch/match"
	"courier/geo"
)

func orderAt(id string, size int, lat float64) Order {
	return Order{
		ID: id, Size: size, Pickup: Place{Point: geo.Point{Lat: lat, Lng: 4}}, Dropoff: Place{Point: geo.Point{Lat: lat + 0.01, Lng: 4}},
	}
}

func TestMergeRefusesASchedule(t *testing.T) {
	have := Plan{}.with(stopsFor(orderAt("a", 1, 52)))
	b := orderAt("b", 1, 53)
	a, more := matchStops(have.Stops), matchStops(stopsFor(b))
	for name, schedule := range map[string][]match.Stop{
		"that drops a stop":                  {a[0], more[0], more[1]},
		"that holds a stop of another order": {a[0], a[1], more[0], {Order: "c", Kind: Dropoff}},
		"that drops off before it picks up":  {a[0], a[1], more[1], more[0]},
		"that visits a stop twice":           {a[0], a[0], more[0], more[1]},
		"with no stop":                       {},
		"with more stops than there are":     {a[0], a[1], more[0], more[1], more[1]},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := have.Merge(schedule, b); !errors.Is(err, ErrConflict) || got.Version != have.Version {
				t.Fatalf("got %v, %v", got, err)
			}
		})
	}
	if got, err := have.Merge([]match.Stop{a[0], more[0], more[1], a[1]}, b); err != nil || len(got.Stops) != 4 || got.Version != have.Version+1 {
		t.Fatalf("a good schedule: %v, %v", got, err)
	}
}

func TestStopsBefore(t *testing.T) {
	a, b, c := orderAt("a", 1, 52), orderAt("b", 1, 52), orderAt("c", 1, 54)
	plan := Plan{}.with(slices.Concat(stopsFor(a)[:1], stopsFor(b)[:1], stopsFor(c)[1:], stopsFor(a)[1:], stopsFor(b)[1:]))
	for order, want := range map[string]int{"c": 1, "a": 1, "b": 1} {
		if got := plan.stopsBefore(order); got != want {
			t.Errorf("%s: %d other stops first, want %d", order, got, want)
		}
	}
}

// The units on board follow from what is still to do, whatever is done in
// whatever order.
func TestOnboardFollowsTheStops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var plan Plan
		bag, sizes := 0, map[string]int{}
		for i := range rapid.IntRange(1, 5).Draw(t, "orders") {
			o := orderAt(string(rune('a'+i)), rapid.IntRange(1, 4).Draw(t, "size"), 52)
			plan, sizes[o.ID] = plan.with(append(plan.Stops, stopsFor(o)...)), o.Size
		}
		for len(plan.Stops) > 0 {
			s := plan.Stops[rapid.IntRange(0, len(plan.Stops)-1).Draw(t, "stop")]
			if s.Kind == Dropoff && plan.find(s.Order, Pickup) >= 0 {
				continue
			}
			plan = plan.Done(s.Order, s.Kind)
			if s.Kind == Pickup {
				bag += sizes[s.Order]
			} else {
				bag -= sizes[s.Order]
			}
			if got := plan.onboard(); got != bag {
				t.Fatalf("%d units on board by the plan, %d in the bag", got, bag)
			}
			if plan.load() < bag {
				t.Fatalf("the most at once is %d, under the %d on board", plan.load(), bag)
			}
		}
	})
}

func TestArrivingElsewhereFirstMovesTheStopAhead(t *testing.T) {
	a, b := orderAt("a", 1, 52), orderAt("b", 1, 53)
	plan := Plan{}.with(slices.Concat(stopsFor(a), stopsFor(b)))
	marked, ok := plan.Arrived("b", Pickup, noon)
	if !ok {
		t.Fatal("not marked")
	}
	if got := marked.first("b", Pickup).Stops[0]; got.Order != "b" || got.ArrivedAt == nil {
		t.Fatalf("first is %+v", got)
	}
	if plan.Stops[2].ArrivedAt != nil {
		t.Fatal("the plan that was passed in has changed")
	}
	if _, again := marked.Arrived("b", Pickup, noon.Add(time.Minute)); again {
		t.Fatal("marked twice")
	}
}
