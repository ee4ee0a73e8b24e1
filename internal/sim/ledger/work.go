package ledger

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"courier/internal/sim/client"
)

// acts: what couriers were told is done is in the events, once.
func (a *audit) acts() {
	type key struct{ order, courier, event string }
	told := map[key]bool{}
	for _, act := range a.l.acts {
		events := map[string][]string{
			"accept": {"assigned"}, "arrive pickup": {"at_pickup"}, "arrive dropoff": {"at_dropoff"},
			"complete pickup": {"picked_up"}, "complete dropoff": {"delivered"}, "complete return": {"returned"},
			"fail pickup": {"failed"}, "fail dropoff": {"failed"},
		}[act.name()]
		if act.name() == "fail pickup" && act.reason == "courier_problem" {
			events = []string{"unassigned", "searching"}
		}
		if len(events) == 0 {
			continue
		}
		k := key{act.order, act.courier, events[0]}
		if told[k] {
			continue // the same again: an offer taken twice after a reassignment, say
		}
		told[k] = true
		if _, there := a.f.Events[act.order]; !there && a.f.partly {
			continue
		}
		if len(a.lives[act.order].events) == 0 {
			if a.l.refs[act.order] != "" {
				a.add(LostAct, act.order, act.courier, "%s was acknowledged; the order has no events", act.name())
			}
			continue // someone else's order
		}
		found, doubled := false, false
		for _, s := range a.lives[act.order].stretches {
			if s.courier != act.courier {
				continue
			}
			for _, e := range events {
				found = found || s.events[e] > 0
				doubled = doubled || s.events[e] > 1
			}
		}
		switch {
		case !found:
			a.add(LostAct, act.order, act.courier, "%s was acknowledged; no %s by this courier in the events", act.name(), events[0])
		case doubled:
			a.add(DoubleAct, act.order, act.courier, "%s is in the events twice", act.name())
		}
	}
}

func (a act) name() string {
	if a.stop == "" {
		return a.kind
	}
	return a.kind + " " + a.stop
}

// hands: no order is in two couriers' plans at once, neither in the end nor
// for longer than a frame needs to arrive.
func (a *audit) hands() {
	last := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(a.f.Couriers)) {
		seen := map[string]bool{}
		for _, s := range a.f.Couriers[id].Plan.Stops {
			if other := last[s.Order]; other != "" && !seen[s.Order] {
				a.add(TwoHands, s.Order, id, "also in the plan of %s", other)
			}
			if !seen[s.Order] {
				last[s.Order] = id
			}
			seen[s.Order] = true
			if o, ok := a.f.Orders[s.Order]; ok && s.Kind != "return" && o.Courier != "" && o.Courier != id {
				a.add(TwoHands, s.Order, id, "in this plan, while the order says %s", o.Courier)
			}
		}
	}
	for order, closed := range a.l.held {
		spans := slices.Clone(closed)
		for courier, open := range a.l.open {
			if since, ok := open[order]; ok {
				spans = append(spans, span{courier, since, a.f.Now})
			}
		}
		slices.SortFunc(spans, func(x, y span) int { return x.from.Compare(y.from) })
		for i, x := range spans {
			for _, y := range spans[i+1:] {
				// A phone that cannot be told keeps what it has.
				until := minTime(x.to, y.to)
				both := min(a.l.hears(x.courier, y.from, until, a.s.Slack), a.l.hears(y.courier, y.from, until, a.s.Slack))
				if x.courier != y.courier && both > a.s.Slack {
					a.add(TwoHands, order, y.courier, "in this plan and that of %s for %v from %s on", x.courier, both, y.from.Format(time.RFC3339Nano))
				}
			}
		}
	}
}

func minTime(x, y time.Time) time.Time {
	if x.Before(y) {
		return x
	}
	return y
}

func maxTime(x, y time.Time) time.Time {
	if x.After(y) {
		return x
	}
	return y
}

// capacity: replaying all events, no courier ever carries more than fits:
// from the pickup until it is delivered or brought back. An event's time may
// be read a moment before it is committed, so what is taken counts from a
// little later.
func (a *audit) capacity() {
	type change struct {
		at    time.Time
		delta int
		order string
	}
	changes := map[string][]change{}
	for id, l := range a.lives {
		size, with := max(1, a.f.Orders[id].Size), ""
		var taken time.Time
		for _, e := range l.events {
			switch e.Type {
			case "assigned":
				with = e.Data.Courier
			case "picked_up":
				taken = e.Time.Add(a.s.Slack)
				changes[with] = append(changes[with], change{taken, size, id})
			case "delivered", "returned":
				changes[with] = append(changes[with], change{maxTime(e.Time, taken), -size, id})
			}
		}
	}
	for courier, list := range changes {
		fits, known := a.f.Couriers[courier]
		if !known {
			continue
		}
		slices.SortFunc(list, func(x, y change) int {
			return cmp.Or(x.at.Compare(y.at), cmp.Compare(x.delta, y.delta), cmp.Compare(x.order, y.order))
		})
		load := 0
		for _, c := range list {
			if load += c.delta; load > fits.Capacity && c.delta > 0 {
				a.add(Overload, c.order, courier, "load %d of %d at %s", load, fits.Capacity, c.at.Format(time.RFC3339))
				break
			}
		}
	}
	for courier, detail := range a.l.overloads {
		a.add(Overload, "", courier, "the server itself said %s", detail)
	}
	for id, c := range a.f.Couriers {
		if c.Load > c.Capacity {
			a.add(Overload, "", id, "load %d of %d in the end", c.Load, c.Capacity)
		}
	}
}

// silent: whatever is open is queued, on its way, or has raised an alarm.
func (a *audit) silent() {
	alarmed := map[string]bool{}
	for _, alert := range a.f.Alerts {
		alarmed[alert.Order] = true
		alarmed[alert.Courier] = true
	}
	delete(alarmed, "")
	for id, o := range a.f.Orders {
		events := a.lives[id].events
		if o.Over() || alarmed[id] || o.Status == "unassignable" || len(events) == 0 {
			continue
		}
		latest := events[len(events)-1].Time
		if d := a.f.Decisions[id]; d.After(latest) {
			latest = d
		}
		if a.f.Now.Sub(latest) < a.s.Stall {
			continue
		}
		switch o.Status {
		case "placed":
			if a.f.Now.Sub(o.ReadyAt) > a.s.Stall {
				a.add(Silent, id, "", "still placed %v after it was ready", a.f.Now.Sub(o.ReadyAt))
			}
		case "searching", "offered":
			a.add(Silent, id, "", "%s, and nothing for %v", o.Status, a.f.Now.Sub(latest))
		default:
			c := a.f.Couriers[o.Courier]
			planned := slices.ContainsFunc(c.Plan.Stops, func(s client.Stop) bool { return s.Order == id })
			gone := c.State == "stale" || c.State == "offline"
			if !planned || gone && !alarmed[o.Courier] {
				a.add(Silent, id, o.Courier, "%s, in the plan: %t, courier %s, and nothing for %v", o.Status, planned, c.State, a.f.Now.Sub(latest))
			}
		}
	}
}

// leases: of one area's assignments and offers, in the order in which they
// were made, the token of the lease under which they were made never goes
// back (I5): a node that had been paused would show here.
func (a *audit) leases() {
	byArea := map[string][]client.Event{}
	for _, l := range a.lives {
		for _, e := range l.events {
			if e.Data.Token > 0 && (e.Type == "offered" || e.Type == "assigned") {
				byArea[e.Data.Area] = append(byArea[e.Data.Area], e)
			}
		}
	}
	for area, events := range byArea {
		slices.SortFunc(events, func(x, y client.Event) int {
			return cmp.Or(x.Time.Compare(y.Time), cmp.Compare(x.Data.Token, y.Data.Token), cmp.Compare(x.Order, y.Order))
		})
		for i := 1; i < len(events); i++ {
			if x, y := events[i-1], events[i]; y.Data.Token < x.Data.Token {
				a.add(TokenBack, y.Order, y.Data.Courier, "%s at %s in area %s under token %d, after token %d at %s",
					y.Type, y.Time.Format(time.RFC3339Nano), area, y.Data.Token, x.Data.Token, x.Time.Format(time.RFC3339Nano))
			}
		}
	}
}

// awake: the matcher gives nothing to a courier that has long been silent
// (I10). A courier's word may be under way, which is what the slack is for.
func (a *audit) awake() {
	if a.s.StaleAfter == 0 {
		return
	}
	for id, l := range a.lives {
		for _, e := range l.events {
			if e.Actor.Role != "matcher" || e.Type != "offered" && e.Type != "assigned" {
				continue
			}
			if silent := a.l.silence(e.Data.Courier, e.Time); silent > a.s.StaleAfter+a.s.Slack {
				a.add(StaleWork, id, e.Data.Courier, "%s as version %d, silent for %v", e.Type, e.Version, silent)
			}
		}
	}
}

// links: closing an order's links is work that is given to one of all nodes,
// and done at least once (I8). It is tried for a while if it fails.
func (a *audit) links() {
	for id, links := range a.f.Links {
		o := a.f.Orders[id]
		ended := o.Times[o.Status]
		if o.Status == "failed" || a.f.Now.Sub(ended) < 3*a.s.late() {
			continue // to be returned; or the work may be under way
		}
		for _, link := range links {
			if lives := link.ExpiresAt.Sub(ended); link.CreatedAt.Before(ended.Add(-a.s.Slack)) && lives > a.s.LinkGrace+a.s.Slack {
				a.add(LinkOpen, id, "", "it was %s at %s, its link lives for %v after that", o.Status, ended.Format(time.RFC3339Nano), lives)
			}
		}
	}
}
