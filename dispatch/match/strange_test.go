package match

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"courier/geo"
)

// odd answers the same to the same question, and else what it likes: ways
// that are shorter by another place, longer back than there, of no time, of
// weeks, endless, and below zero.
type odd struct{ seed uint64 }

func (r odd) Travel(from, to geo.Point, by geo.Vehicle) time.Duration {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d %v %v %s", r.seed, from, to, by)
	return weird(h.Sum64(), steady{}.Travel(from, to, by))
}

func weird(dice uint64, sound time.Duration) time.Duration {
	switch (dice >> 8) % 24 {
	case 0:
		return math.MaxInt64
	case 1:
		return math.MinInt64
	case 2:
		return -1
	case 3, 4, 5:
		return 0
	case 6:
		return 20 * 24 * time.Hour
	case 7, 8, 9, 10:
		return 5 * sound
	case 11, 12, 13:
		return sound / 10
	}
	return sound
}

// fickle never answers the same twice.
type fickle struct{ asked *atomic.Uint64 }

func (r fickle) Travel(from, to geo.Point, by geo.Vehicle) time.Duration {
	dice := r.asked.Add(0x9e3779b97f4a7c15)
	dice = (dice ^ dice>>30) * 0xbf58476d1ce4e5b9
	return weird(dice^dice>>27, steady{}.Travel(from, to, by))
}

// With ways that obey no law, plans still keep every hard rule by those ways,
// and what cannot be planned waits with a reason.
func TestNoHardRuleIsBrokenOnOddWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := drawSnapshot(t), drawOptions(t)
		o.Router = odd{rapid.Uint64().Draw(t, "ways")}
		if maybe(t, "no service") {
			o.PickupService, o.DropoffService = 0, 0
		}
		res := Solve(s, o)
		wantDecisions(t, s, res)
		for _, a := range res.Assignments {
			wantGoodPlan(t, s, o, courierOf(t, s, a.Courier), a)
		}
		for id, stops := range routesOf(t, s, res) {
			wantPossible(t, s, o, courierOf(t, s, id), stops)
		}
		wantTrueReasons(t, s, res)
	})
}

// Times that come out differently whenever they are asked for hold of nothing,
// but what does not depend on them holds.
func TestAFickleRouterBreaksNothingButTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := drawSnapshot(t), drawOptions(t)
		var asked atomic.Uint64
		asked.Store(rapid.Uint64().Draw(t, "ways"))
		o.Router = fickle{&asked}
		res := Solve(s, o)
		wantDecisions(t, s, res)
		wantTrueReasons(t, s, res)
		for _, a := range res.Assignments {
			c := courierOf(t, s, a.Courier)
			for _, id := range a.Orders {
				wantMayCarry(t, c, orderOf(t, s, id))
			}
		}
		for id, stops := range routesOf(t, s, res) {
			if c := courierOf(t, s, id); len(stops) > o.MaxStops || PeakLoad(c.Onboard, stops) > c.Capacity {
				t.Fatalf("%s has room for %d: %v", id, c.Capacity, stops)
			}
		}
	})
}

// none of the ways to the east and back leads anywhere.
type river struct{}

func (river) Travel(from, to geo.Point, by geo.Vehicle) time.Duration {
	if (from.Lng > town.Lng+0.02) != (to.Lng > town.Lng+0.02) {
		return -1
	}
	return steady{}.Travel(from, to, by)
}

func TestNobodyIsSentWhereThereIsNoWay(t *testing.T) {
	for name, search := range map[string]func(*Options){
		"one-shot": func(*Options) {}, "searched": searching,
		"searched, where no way is too long": func(o *Options) { searching(o); o.WaitWeight, o.TravelWeight = 0, 0 },
	} {
		t.Run(name, func(t *testing.T) {
			o := options(search, func(o *Options) { o.Router = river{} })
			res := Solve(Snapshot{
				Now: noon, Orders: []Order{order("here", 0, 500), order("over", 0, 3000), order("there", 3000, 3500)},
				Couriers: []Courier{courier("a", 0), courier("b", 100)},
			}, o)
			if got := written(res, true); got != "a: +here -here" || len(res.Intents) > 0 {
				t.Errorf("%s, %s", got, intended(res))
			}
			for _, d := range res.Decisions[1:] {
				if d.Why != "all 2 couriers near have no way there" || whyNot(d, "a") != "there is no way for it" {
					t.Errorf("%s waits as %q, a is left out as %q", d.Order, d.Why, whyNot(d, "a"))
				}
			}
		})
	}
}

// bent has one way that is shorter by another place.
type bent struct{ from, to geo.Point }

func (r bent) Travel(from, to geo.Point, by geo.Vehicle) time.Duration {
	if from == r.from && to == r.to {
		return 2 * time.Hour
	}
	return steady{}.Travel(from, to, by)
}

// The search takes an order along with another one, and without that other one
// the way to its door is a long one: the first task by itself breaks a rule.
func TestWhatIsRefusedInTheEndSaysSo(t *testing.T) {
	first, second := order("o1", 0, 1000), order("o2", 1000, 1500)
	o := options(searching, func(o *Options) { o.Interleave, o.MaxBundle = false, 1 })
	c := courier("a", 0, func(c *Courier) {
		c.Stops = []Stop{{Order: "old", Kind: Dropoff, At: town.Offset(2000, 0), Size: 1, Due: in(25)}}
		c.Onboard = 1
	})
	o.Router = bent{first.Dropoff, c.Stops[0].At}
	s := Snapshot{Now: noon, Orders: []Order{first, second}, Couriers: []Courier{c}}
	s.Last = []Intent{{Courier: "a", Stops: []StopRef{{"o1", Pickup}, {"o1", Dropoff}, {"o2", Pickup}, {"o2", Dropoff}, {"old", Dropoff}}}}
	res := Solve(s, o)
	for _, d := range res.Decisions {
		if !strings.HasPrefix(d.Why, "courier a was found for it and cannot take it as planned: other orders would come too late") {
			t.Errorf("%s waits as %q; %s", d.Order, d.Why, written(res, true))
		}
	}
}

// Where stops take no time and lie at one place, a route from some stop on
// looks as if nothing came before, and is refused as a whole.
func TestStopsThatTakeNoTimeAreNoTrap(t *testing.T) {
	o := options(searching, func(o *Options) {
		o.PickupService, o.DropoffService, o.MaxBundle, o.BusyAhead = 0, 0, 1, 5*time.Minute
	})
	s := Snapshot{
		Now: noon, Orders: []Order{order("o1", 0, 0), order("o2", 0, 0)},
		Couriers: []Courier{courier("a", 0, func(c *Courier) { c.ShiftStart = in(10) })},
	}
	if got := intended(Solve(s, o)); got != "a: +o1 -o1" && got != "a: +o2 -o2" {
		t.Errorf("intended %q", got)
	}
	w := newRound(s, &o)
	se := newSearch(s, &o, w.awake, w.riders, nil, newLegs(o.Router, w.kinds), 0)
	se.fill()
	se.improve(20, 0, nil)
	kept := se.cost
	if se.recount(); se.cost != kept {
		t.Errorf("the cost is %d, not %d as kept", se.cost, kept)
	}
}
