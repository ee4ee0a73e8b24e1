package ledger

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"courier/internal/sim/client"
)

func at(s int) time.Time { return time.Date(2026, 1, 1, 12, 0, s, 0, time.UTC) }

func events(order, courier string, types ...string) []client.Event {
	var out []client.Event
	for i, t := range types {
		e := client.Event{Order: order, Version: int64(i) + 1, Type: t, Status: t, Time: at(10 * i)}
		if t == "declined" || t == "unassigned" {
			e.Status = "searching"
		}
		e.Data.Courier = courier
		out = append(out, e)
	}
	return out
}

func whole() []string {
	return []string{"placed", "searching", "offered", "assigned", "at_pickup", "picked_up", "at_dropoff", "delivered"}
}

// kept is a world in which every promise was kept.
func kept() (*Ledger, Facts) {
	l := New()
	l.Placed("k1", "r1", "o1", at(0))
	history := []client.Seen{}
	for i, s := range whole() {
		history = append(history, client.Seen{Seq: int64(i) + 1, Status: public(s)})
	}
	l.Snapshot("o1", 4, history[:4])
	for _, s := range history[2:] { // a reconnect repeats two
		l.Shown("o1", s)
	}
	l.Ended("o1", "delivered")
	l.Position("o1", at(51), at(51))
	l.Position("o1", at(69), at(69))
	l.Acked("c1", client.Action{Type: "offer.accept"}, []string{"o1"})
	for _, kind := range []string{"pickup", "dropoff"} {
		l.Acked("c1", client.Action{Type: "stop.arrive", Order: "o1", Kind: kind}, nil)
		l.Acked("c1", client.Action{Type: "stop.complete", Order: "o1", Kind: kind}, nil)
	}
	l.Plan("c1", []string{"o1"}, at(30))
	l.Plan("c1", nil, at(70))
	l.Followed("o1")
	for s := range 8 {
		l.Fix("c1", at(10*s))
	}
	return l, Facts{
		Now: at(600),
		Orders: map[string]client.Order{"o1": {ID: "o1", Reference: "r1", Status: "delivered", Version: 8, Size: 1, Courier: "c1",
			Times: map[string]time.Time{"delivered": at(70)}}},
		Links:     map[string][]client.Link{"o1": {{CreatedAt: at(1), ExpiresAt: at(70).Add(time.Hour)}}},
		Events:    map[string][]client.Event{"o1": events("o1", "c1", whole()...)},
		Couriers:  map[string]client.Courier{"c1": {ID: "c1", Capacity: 1}, "c2": {ID: "c2", Capacity: 1}},
		Decisions: map[string]time.Time{}, Unlisted: map[string]bool{}, Known: l.refs,
	}
}

func scope() Scope {
	return Scope{Slack: 2 * time.Second, Stall: 5 * time.Minute, StaleAfter: time.Minute, LinkGrace: time.Hour}
}

// matched has an order's offer and assignment made by the matcher, under a
// lease.
func matched(f *Facts, order string, token int64) {
	for i, e := range f.Events[order] {
		if e.Type == "offered" || e.Type == "assigned" {
			e.Actor.Role, e.Data.Area, e.Data.Token = "matcher", "84196bfffffffff", token
			f.Events[order][i] = e
		}
	}
}

func TestKeptPromisesPass(t *testing.T) {
	l, f := kept()
	if v := l.Audit(f, scope()); len(v) != 0 {
		t.Error(v)
	}
}

func TestTheNextOrderMayBeAssignedBeforeThereIsRoom(t *testing.T) {
	l, f := kept()
	f.Events["o2"] = events("o2", "c1", whole()[:5]...)
	f.Orders["o2"] = client.Order{ID: "o2", Status: "at_pickup", Version: 5, Size: 1, Courier: "c1"}
	c := f.Couriers["c1"]
	c.Plan.Stops = []client.Stop{{Order: "o2"}}
	f.Couriers["c1"] = c
	for _, v := range l.Audit(f, scope()) {
		if v.Kind == Overload {
			t.Error(v)
		}
	}
}

func TestPlantedViolationsAreFound(t *testing.T) {
	set := func(f *Facts, change func(o *client.Order)) {
		o := f.Orders["o1"]
		change(&o)
		f.Orders["o1"] = o
	}
	open := func(f *Facts, types ...string) {
		f.Events["o2"] = events("o2", "c1", types...)
		last := f.Events["o2"][len(types)-1]
		f.Orders["o2"] = client.Order{ID: "o2", Status: last.Status, Version: last.Version, Size: 1, Courier: "c1"}
	}
	for name, tt := range map[string]struct {
		plant func(l *Ledger, f *Facts)
		want  string
	}{
		"acknowledged order not there":  {func(l *Ledger, _ *Facts) { l.Placed("k2", "r2", "o2", at(0)) }, Missing},
		"acknowledged order not listed": {func(_ *Ledger, f *Facts) { f.Unlisted["o1"] = true }, Missing},
		"one key, two answers":          {func(l *Ledger, _ *Facts) { l.Placed("k1", "r1", "o3", at(0)); delete(l.refs, "o3") }, Doubled},
		"one key, two orders": {func(_ *Ledger, f *Facts) {
			open(f, "placed", "cancelled")
			o := f.Orders["o2"]
			o.Reference = "r1"
			f.Orders["o2"] = o
		}, Doubled},
		"a gap in the events":         {func(_ *Ledger, f *Facts) { f.Events["o1"][3].Version = 5 }, BadEvents},
		"an illegal step":             {func(_ *Ledger, f *Facts) { open(f, "placed", "searching", "delivered") }, BadEvents},
		"a step back":                 {func(_ *Ledger, f *Facts) { open(f, "placed", "searching", "assigned", "picked_up", "searching") }, BadEvents},
		"the order behind its events": {func(_ *Ledger, f *Facts) { set(f, func(o *client.Order) { o.Version, o.Status = 7, "at_dropoff" }) }, BadEvents},
		"events behind the order":     {func(_ *Ledger, f *Facts) { set(f, func(o *client.Order) { o.Version = 9 }) }, BadEvents},
		"a gap in a stream":           {func(l *Ledger, _ *Facts) { l.Shown("o1", client.Seen{Seq: 10, Status: "delivered"}) }, BadStream},
		"a history with a hole":       {func(l *Ledger, _ *Facts) { l.Snapshot("o1", 8, []client.Seen{{Seq: 1, Status: "placed"}}) }, BadStream},
		"a stream that says other":    {func(l *Ledger, _ *Facts) { l.streams["o1"].seen[4].Status = "picked_up" }, BadStream},
		"a stream that changes":       {func(l *Ledger, _ *Facts) { l.Shown("o1", client.Seen{Seq: 2, Status: "assigned"}) }, BadStream},
		"an end that was not shown":   {func(l *Ledger, _ *Facts) { l.Ended("o1", "cancelled") }, BadStream},
		"a position before pickup":    {func(l *Ledger, _ *Facts) { l.Position("o1", at(45), at(45)) }, Exposed},
		"a position after delivery":   {func(l *Ledger, _ *Facts) { l.Position("o1", at(80), at(80)) }, Exposed},
		"a position never picked up":  {func(l *Ledger, f *Facts) { open(f, "placed", "cancelled"); l.Position("o2", at(5), at(5)) }, Exposed},
		"an acked action lost": {func(l *Ledger, _ *Facts) {
			l.Acked("c2", client.Action{Type: "stop.complete", Order: "o1", Kind: "pickup"}, nil)
		}, LostAct},
		"an acked failure lost": {func(l *Ledger, _ *Facts) {
			l.Acked("c1", client.Action{Type: "stop.fail", Order: "o1", Kind: "dropoff", Reason: "no_answer"}, nil)
		}, LostAct},
		"an acceptance lost": {func(l *Ledger, _ *Facts) {
			l.Acked("c2", client.Action{Type: "offer.accept"}, []string{"o1"})
		}, LostAct},
		"an action done twice": {func(_ *Ledger, f *Facts) {
			f.Events["o1"] = events("o1", "c1", "placed", "searching", "assigned", "at_pickup", "picked_up", "picked_up", "at_dropoff", "delivered")
		}, DoubleAct},
		"two plans in the end": {func(_ *Ledger, f *Facts) {
			open(f, "placed", "searching", "assigned")
			for _, id := range []string{"c1", "c2"} {
				c := f.Couriers[id]
				c.Plan.Stops = []client.Stop{{Order: "o2", Kind: "pickup"}}
				f.Couriers[id] = c
			}
		}, TwoHands},
		"two plans for a while": {func(l *Ledger, _ *Facts) {
			l.Plan("c2", []string{"o1"}, at(40))
			l.Plan("c2", nil, at(50))
		}, TwoHands},
		"over capacity": {func(_ *Ledger, f *Facts) {
			f.Events["o2"] = events("o2", "c1", whole()[:6]...)
			f.Orders["o2"] = client.Order{ID: "o2", Status: "picked_up", Version: 6, Size: 1, Courier: "c1"}
			c := f.Couriers["c1"]
			c.Plan.Stops = []client.Stop{{Order: "o2"}}
			f.Couriers["c1"] = c
		}, Overload},
		"over capacity by its own word": {func(l *Ledger, _ *Facts) { l.Load("c1", 2, 1) }, Overload},
		"a silent search":               {func(_ *Ledger, f *Facts) { open(f, "placed", "searching") }, Silent},
		"a placed order forgotten":      {func(_ *Ledger, f *Facts) { open(f, "placed") }, Silent},
		"an assigned order in no plan":  {func(_ *Ledger, f *Facts) { open(f, "placed", "searching", "assigned") }, Silent},
		"assigned while another has it": {func(_ *Ledger, f *Facts) {
			open(f, "placed", "searching", "assigned", "assigned")
			f.Events["o2"][3].Data.Courier = "c2"
		}, TwoHands},
		"a page behind at the end": {func(l *Ledger, f *Facts) {
			f.Events["o1"] = append(f.Events["o1"], client.Event{Order: "o1", Version: 9, Type: "pinned", Status: "delivered", Time: at(80)})
			set(f, func(o *client.Order) { o.Version = 9 })
			l.Followed("o1")
		}, BadStream},
		"a page that was shown nothing": {func(l *Ledger, f *Facts) {
			open(f, "placed", "cancelled")
			l.Followed("o2")
		}, BadStream},
		"a page behind when it was left": {func(l *Ledger, f *Facts) {
			open(f, "placed", "cancelled")
			l.Followed("o2")
			l.Left("o2", at(5))
		}, BadStream},
		"a page closed on its customer":  {func(l *Ledger, _ *Facts) { l.Refused("o1", "credential refused") }, BadStream},
		"a used key with another order":  {func(l *Ledger, _ *Facts) { l.Reused("k1", "o9", "201") }, KeyReused},
		"seen by a stranger":             {func(l *Ledger, _ *Facts) { l.Peeked("o1", "another merchant", "200") }, Leaked},
		"a link that outlives its order": {func(_ *Ledger, f *Facts) { f.Links["o1"][0].ExpiresAt = at(90).Add(time.Hour) }, LinkOpen},
		"an older holder of a lease": {func(_ *Ledger, f *Facts) {
			open(f, "placed", "searching", "offered")
			matched(f, "o1", 7)
			matched(f, "o2", 6) // at the same times, and o1's assignment is later
			f.Events["o2"][2].Time = at(25)
		}, TokenBack},
		"work for who never said a word": {func(_ *Ledger, f *Facts) { matched(f, "o1", 1); f.Events["o1"][2].Data.Courier = "c9" }, StaleWork},
		"work for who is silent": {func(l *Ledger, f *Facts) {
			matched(f, "o1", 1)
			f.Events["o1"][2].Time = at(200)
		}, StaleWork},
		"work for who was silent then": {func(l *Ledger, f *Facts) {
			matched(f, "o1", 1)
			l.Fix("c1", at(300))
			f.Events["o1"][2].Time = at(250)
		}, StaleWork},
	} {
		t.Run(name, func(t *testing.T) {
			l, f := kept()
			tt.plant(l, &f)
			got := l.Audit(f, scope())
			if !slices.ContainsFunc(got, func(v Violation) bool { return v.Kind == tt.want }) {
				t.Errorf("no %s in %v", tt.want, got)
			}
		})
	}
}

func TestWhatIsNoViolation(t *testing.T) {
	waiting := func(f *Facts) {
		f.Events["o2"] = events("o2", "", "placed", "searching")
		f.Orders["o2"] = client.Order{ID: "o2", Status: "searching", Version: 2}
	}
	for name, plant := range map[string]func(l *Ledger, f *Facts){
		"a link made afterwards": func(_ *Ledger, f *Facts) {
			f.Links["o1"][0] = client.Link{CreatedAt: at(71), ExpiresAt: at(70).Add(2 * time.Hour)}
		},
		"a link soon after the end": func(_ *Ledger, f *Facts) { f.Links["o1"][0].ExpiresAt = at(90).Add(time.Hour); f.Now = at(75) },
		"a position on its way":     func(l *Ledger, _ *Facts) { l.Position("o1", at(71), at(71)) },
		"a position long under way": func(l *Ledger, _ *Facts) { l.Position("o1", at(90), at(69)) },
		"a plan on its way":         func(l *Ledger, _ *Facts) { l.Plan("c2", []string{"o1"}, at(69)); l.Plan("c2", nil, at(80)) },
		"a phone cut off": func(l *Ledger, _ *Facts) {
			l.Heard("c1", at(39))
			l.Heard("c1", at(139))
			l.Plan("c2", []string{"o1"}, at(40))
		},
		"queued and thought of":  func(_ *Ledger, f *Facts) { waiting(f); f.Decisions["o2"] = at(590) },
		"waiting under an alarm": func(_ *Ledger, f *Facts) { waiting(f); f.Alerts = []client.Alert{{Order: "o2", Kind: "at_risk"}} },
		"someone else's delivery": func(l *Ledger, _ *Facts) {
			l.Acked("c1", client.Action{Type: "stop.arrive", Order: "x", Kind: "pickup"}, nil)
		},
		"a page left in time": func(l *Ledger, f *Facts) {
			f.Events["o2"] = events("o2", "", "placed", "cancelled")
			f.Orders["o2"] = client.Order{ID: "o2", Status: "cancelled", Version: 2}
			l.Shown("o2", client.Seen{Seq: 1, Status: "placed"})
			l.Followed("o2")
			l.Left("o2", at(11))
		},
		"an order that moved on while the server was asked": func(_ *Ledger, f *Facts) {
			o := f.Orders["o1"]
			o.Version, o.Status = 7, "at_dropoff"
			f.Orders["o1"], f.Now = o, at(65)
		},
		"a lease that changes hands": func(_ *Ledger, f *Facts) {
			matched(f, "o1", 7)
			f.Events["o1"][3].Data.Token = 8
		},
		"two areas with tokens of their own": func(_ *Ledger, f *Facts) {
			matched(f, "o1", 7)
			f.Events["o1"][3].Data.Token, f.Events["o1"][3].Data.Area = 1, "841969dffffffff"
		},
		"a dispatcher gives it to another": func(l *Ledger, f *Facts) {
			f.Events["o2"] = events("o2", "c2", "placed", "searching", "assigned", "assigned", "cancelled")
			f.Events["o2"][2].Data.Courier, f.Events["o2"][3].Actor.Role = "c1", "dispatcher"
			f.Orders["o2"] = client.Order{ID: "o2", Status: "cancelled", Version: 5}
		},
		"work from a dispatcher for who is silent": func(_ *Ledger, f *Facts) {
			f.Events["o1"][3].Actor.Role, f.Events["o1"][3].Time = "dispatcher", at(45)
		},
		"given back, then again": func(l *Ledger, f *Facts) {
			f.Events["o1"] = events("o1", "c1", "placed", "searching", "assigned", "unassigned", "assigned", "at_pickup", "picked_up", "at_dropoff", "delivered")
			f.Orders["o1"] = client.Order{ID: "o1", Reference: "r1", Status: "delivered", Version: 9}
			delete(l.streams, "o1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, f := kept()
			plant(l, &f)
			if v := l.Audit(f, scope()); len(v) != 0 {
				t.Error(v)
			}
		})
	}
}

// server answers from Facts.
type server struct{ f Facts }

func (s server) Orders(context.Context, string, client.Filter) ([]client.Order, error) {
	var out []client.Order
	for _, o := range s.f.Orders {
		out = append(out, o)
	}
	return out, nil
}

func (s server) Order(_ context.Context, _, id string) (client.Order, error) {
	return client.Order{}, fmt.Errorf("get %s: %w", id, &client.Problem{Status: 404, Code: "not_found"})
}

func (s server) Events(_ context.Context, _, id string) ([]client.Event, error) {
	return s.f.Events[id], nil
}

func (s server) Decisions(context.Context, string, string) ([]client.Decision, error) {
	return nil, nil
}

func (s server) Links(_ context.Context, _, id string) ([]client.Link, error) {
	return s.f.Links[id], nil
}

func (s server) Couriers(context.Context, string) ([]client.Courier, error) { return nil, nil }
func (s server) Alerts(context.Context, string) ([]client.Alert, error)     { return nil, nil }

func TestCheckAsksTheServer(t *testing.T) {
	l, f := kept()
	s := scope()
	s.Now = func() time.Time { return at(600) }
	if _, v, err := l.Check(t.Context(), server{f}, s); err != nil || len(v) != 0 {
		t.Error(v, err)
	}
	l.Placed("k9", "r9", "o9", at(0))
	if _, v, err := l.Check(t.Context(), server{f}, s); err != nil || len(v) != 1 || v[0].Kind != Missing {
		t.Error(v, err)
	}
}

// While the server works, each order is looked at once, when it is over.
func TestSettleLooksAtEachOrderOnceItIsOver(t *testing.T) {
	l, f := kept()
	o := f.Orders["o1"]
	o.Times = map[string]time.Time{"delivered": at(70)}
	f.Orders["o1"] = o
	f.Events["o2"] = events("o2", "", "placed", "searching", "delivered") // impossible, but not over yet
	f.Orders["o2"] = client.Order{ID: "o2", Status: "searching", Version: 3}
	l.Placed("k2", "r2", "o2", at(20))
	s, now := scope(), at(60)
	s.Now = func() time.Time { return now }
	settle := func(want ...string) {
		t.Helper()
		found, err := l.Settle(t.Context(), server{f}, s)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, v := range found {
			kinds = append(kinds, v.Kind)
		}
		slices.Sort(kinds)
		if !slices.Equal(kinds, want) {
			t.Errorf("found %v, want %v", found, want)
		}
	}
	settle()
	now = at(100)
	f.Events["o1"][3].Version = 9 // it is over, and looked at now
	settle(BadEvents)
	settle() // said already
	l.Placed("k3", "r3", "o3", at(90))
	settle(Missing)
	settle()
	f.Orders["o2"] = client.Order{ID: "o2", Status: "delivered", Version: 3, Times: map[string]time.Time{"delivered": at(20)}}
	settle(BadEvents)
}
