package match

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNoHardRuleIsEverBroken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := drawSnapshot(t), drawOptions(t)
		if maybe(t, "cheap to leave") {
			o.Unserved, o.AgeWeight, o.PriorityCost = 0, 0, 0
		}
		res := Solve(s, o)
		wantDecisions(t, s, res)
		taken := map[string]bool{}
		last := ""
		for _, a := range res.Assignments {
			if a.Courier <= last {
				t.Fatalf("courier %s after %s", a.Courier, last)
			}
			last = a.Courier
			if len(a.Orders) == 0 || len(a.Orders) > o.MaxBundle {
				t.Fatalf("a bundle of %d", len(a.Orders))
			}
			c := courierOf(t, s, a.Courier)
			for _, id := range a.Orders {
				if taken[id] {
					t.Fatalf("order %s is given twice", id)
				}
				taken[id] = true
				wantMayCarry(t, c, orderOf(t, s, id))
			}
			if o.OneTask && len(c.Stops) > 0 || c.ShiftStart.After(s.Now) {
				t.Fatalf("%s is told of work now: %d stops, on duty from %v", c.ID, len(c.Stops), c.ShiftStart)
			}
			wantGoodPlan(t, s, o, c, a)
		}
		for id, stops := range routesOf(t, s, res) {
			c := courierOf(t, s, id)
			wantPossible(t, s, o, c, stops)
			if c.ShiftStart.Sub(s.Now) > o.LookAhead {
				t.Fatalf("%s is planned for, on duty from %v", c.ID, c.ShiftStart)
			}
		}
		wantTrueReasons(t, s, res)
		wantNoneRefused(t, res)
	})
}

func orderOf(t rapid.TB, s Snapshot, id string) Order {
	i := slices.IndexFunc(s.Orders, func(o Order) bool { return o.ID == id })
	if i < 0 {
		t.Fatalf("order %s is not in the snapshot", id)
	}
	return s.Orders[i]
}

func wantMayCarry(t rapid.TB, c Courier, o Order) {
	switch {
	case c.Closed:
		t.Fatalf("%s is closed", c.ID)
	case o.Pinned != "" && o.Pinned != c.ID:
		t.Fatalf("%s is pinned to %s, not %s", o.ID, o.Pinned, c.ID)
	case slices.Contains(o.Refused, c.ID):
		t.Fatalf("%s was refused by %s", o.ID, c.ID)
	case len(o.Vehicles) > 0 && !slices.Contains(o.Vehicles, c.Vehicle):
		t.Fatalf("%s does not go on a %s", o.ID, c.Vehicle)
	}
	for _, skill := range o.Skills {
		if !slices.Contains(c.Skills, skill) {
			t.Fatalf("%s lacks %s", c.ID, skill)
		}
	}
}

// wantGoodPlan looks at what a courier is told.
func wantGoodPlan(t *rapid.T, s Snapshot, o Options, c Courier, a Assignment) {
	if len(a.Stops) != len(c.Stops)+2*len(a.Orders) {
		t.Fatalf("%d stops for %d committed ones and %d orders", len(a.Stops), len(c.Stops), len(a.Orders))
	}
	wantPossible(t, s, o, c, a.Stops)
	var drops []string
	for _, st := range a.Stops {
		if st.Kind == Dropoff && slices.Contains(a.Orders, st.Order) {
			drops = append(drops, st.Order)
		}
	}
	if !slices.Equal(drops, a.Orders) {
		t.Fatalf("orders %v, dropped off as %v", a.Orders, drops)
	}
	if again := Schedule(s.Now, c, a.Stops, o); !reflect.DeepEqual(again, a.Stops) {
		t.Fatalf("the plan's times are not its schedule")
	}
}

func wantDecisions(t *rapid.T, s Snapshot, res Result) {
	if len(res.Decisions) != len(s.Orders) {
		t.Fatalf("%d decisions on %d orders", len(res.Decisions), len(s.Orders))
	}
	given := map[string]string{}
	for _, a := range res.Assignments {
		for _, id := range a.Orders {
			given[id] = a.Courier
		}
	}
	for i, d := range res.Decisions {
		if i > 0 && d.Order <= res.Decisions[i-1].Order {
			t.Fatalf("decisions are not by order")
		}
		if d.Why == "" || d.Candidates == nil {
			t.Fatalf("%s: no reason or a null list: %+v", d.Order, d)
		}
		if want := given[d.Order]; d.Courier != want || (d.Outcome == OutcomeAssigned) != (want != "") {
			t.Fatalf("%s: decided %s %q, given to %q", d.Order, d.Outcome, d.Courier, want)
		}
		for _, c := range d.Candidates {
			if c.Chosen != (c.Courier == d.Courier) || !c.Chosen && c.Why == "" {
				t.Fatalf("%s: candidate %+v of %q", d.Order, c, d.Courier)
			}
		}
	}
}

func TestOrderOfTheSnapshotDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := drawSnapshot(t), drawOptions(t)
		shuffled := s
		if len(s.Past) > 0 {
			shuffled.Past = rapid.Permutation(s.Past).Draw(t, "past")
		}
		if len(s.Last) > 0 {
			shuffled.Last = rapid.Permutation(s.Last).Draw(t, "last")
		}
		if len(s.Votes) > 0 {
			shuffled.Votes = rapid.Permutation(s.Votes).Draw(t, "votes")
		}
		if len(s.Orders) > 0 {
			shuffled.Orders = rapid.Permutation(s.Orders).Draw(t, "orders")
		}
		if len(s.Couriers) > 0 {
			shuffled.Couriers = rapid.Permutation(s.Couriers).Draw(t, "couriers")
		}
		if a, b := Solve(s, o), Solve(shuffled, o); !reflect.DeepEqual(a, b) {
			t.Fatalf("shuffled:\n%+v\nnot\n%+v", b, a)
		}
	})
}

func TestTheSameDayLaterGivesTheSamePlanLater(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := drawSnapshot(t), drawOptions(t)
		by := time.Duration(rapid.Int64Range(-1e16, 1e16).Draw(t, "shift"))
		a, b := Solve(s, o), Solve(moved(s, by), o)
		for i, d := range b.Decisions {
			b.Decisions[i].Round = d.Round.Add(-by)
		}
		for i := range b.Votes {
			move(-by, &b.Votes[i].At)
		}
		for i := range b.Assignments {
			b.Assignments[i].Stops = movedStops(b.Assignments[i].Stops, -by)
		}
		if x, y := fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", b); x != y {
			t.Fatalf("moved by %v:\n%s\nnot\n%s", by, y, x)
		}
	})
}

func moved(s Snapshot, by time.Duration) Snapshot {
	s.Now = s.Now.Add(by)
	s.Orders, s.Couriers = slices.Clone(s.Orders), slices.Clone(s.Couriers)
	for i := range s.Orders {
		o := &s.Orders[i]
		move(by, &o.Placed, &o.Ready, &o.From, &o.Due)
	}
	s.Votes = slices.Clone(s.Votes)
	for i := range s.Votes {
		move(by, &s.Votes[i].At)
	}
	s.Past = slices.Clone(s.Past)
	for i := range s.Past {
		move(by, &s.Past[i].Placed, &s.Past[i].Ready)
	}
	for i := range s.Couriers {
		move(by, &s.Couriers[i].ShiftEnd, &s.Couriers[i].ShiftStart, &s.Couriers[i].Leaves)
		s.Couriers[i].Stops = movedStops(s.Couriers[i].Stops, by)
	}
	return s
}

func movedStops(stops []Stop, by time.Duration) []Stop {
	stops = slices.Clone(stops)
	for i := range stops {
		move(by, &stops[i].Ready, &stops[i].From, &stops[i].Due, &stops[i].Arrive, &stops[i].Depart)
	}
	return stops
}

func move(by time.Duration, times ...*time.Time) {
	for _, t := range times {
		if !t.IsZero() {
			*t = t.Add(by)
		}
	}
}
