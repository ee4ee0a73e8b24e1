package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"courier/internal/sim/client"
)

// Audit compares what was promised with what is. It only reads.
func (l *Ledger) Audit(f Facts, s Scope) []Violation {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := audit{l: l, f: f, s: s, out: slices.Clone(l.violations), lives: map[string]life{}}
	if a.s.OpenFrom == "" {
		a.s.OpenFrom = "picked_up"
	}
	for id, events := range f.Events {
		a.lives[id] = a.replay(id, events)
	}
	a.orders()
	a.customers()
	a.acts()
	a.hands()
	a.capacity()
	a.silent()
	a.leases()
	a.awake()
	a.links()
	slices.SortStableFunc(a.out, func(x, y Violation) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Order, y.Order), cmp.Compare(x.Detail, y.Detail))
	})
	return a.out
}

type audit struct {
	l     *Ledger
	f     Facts
	s     Scope
	out   []Violation
	lives map[string]life
}

func (a *audit) add(kind, order, courier, format string, args ...any) {
	a.out = append(a.out, Violation{kind, order, courier, fmt.Sprintf(format, args...)})
}

// stretch is the time one courier had an order, from assigned to its end.
type stretch struct {
	courier  string
	from, to time.Time // to is zero while it lasts
	events   map[string]int
}

// life is an order's history as its events tell it.
type life struct {
	events    []client.Event
	stretches []stretch
}

// mayFollow says which status may come after which; the same one may always
// (an offer declined while another is open, a pin), except where a step would
// be taken twice.
func mayFollow(from, to string) bool {
	next := map[string][]string{
		"":             {"placed"},
		"placed":       {"placed", "searching", "offered", "assigned", "cancelled", "unassignable"},
		"searching":    {"searching", "offered", "assigned", "cancelled", "unassignable"},
		"offered":      {"offered", "searching", "assigned", "cancelled", "unassignable"},
		"assigned":     {"assigned", "at_pickup", "picked_up", "searching", "cancelled", "failed"},
		"at_pickup":    {"assigned", "picked_up", "searching", "cancelled", "failed"},
		"picked_up":    {"at_dropoff", "delivered", "failed"},
		"at_dropoff":   {"delivered", "failed"},
		"failed":       {"returned"},
		"unassignable": {"unassignable", "searching", "offered", "assigned", "cancelled"},
	}
	return slices.Contains(next[from], to)
}

// replay checks the numbering and the order of the statuses, and finds who
// had the order when.
func (a *audit) replay(id string, events []client.Event) life {
	l := life{events: events}
	status := ""
	var now *stretch
	end := func(at time.Time) {
		if now != nil && now.to.IsZero() {
			now.to = at
		}
	}
	for i, e := range events {
		if e.Version != int64(i)+1 {
			a.add(BadEvents, id, "", "event %d has version %d", i+1, e.Version)
		}
		if !mayFollow(status, e.Status) && !(e.Type == "pinned" && e.Status == status) {
			a.add(BadEvents, id, "", "version %d: %s after %s", e.Version, e.Status, status)
		}
		status = e.Status
		switch e.Type {
		case "assigned":
			if staff := e.Actor.Role == "dispatcher" || e.Actor.Role == "admin"; now != nil && now.to.IsZero() && !staff {
				a.add(TwoHands, id, e.Data.Courier, "version %d: assigned while %s has it", e.Version, now.courier)
			}
			end(e.Time)
			l.stretches = append(l.stretches, stretch{courier: e.Data.Courier, from: e.Time, events: map[string]int{}})
			now = &l.stretches[len(l.stretches)-1]
		case "unassigned", "searching", "cancelled", "delivered", "returned", "failed":
			if now != nil {
				now.events[e.Type]++
			}
			end(e.Time)
			continue
		}
		if now != nil {
			now.events[e.Type]++
		}
	}
	if len(events) == 0 {
		a.add(BadEvents, id, "", "no events")
		return l
	}
	// What happened after the server had been asked for the order is no fault.
	o, n := a.f.Orders[id], int64(len(events))
	if o.Version > 0 && o.Version < n && events[o.Version].Time.After(a.f.Now.Add(-a.s.Slack)) {
		n, status = o.Version, events[o.Version-1].Status
	}
	if o.Version != n || o.Status != status {
		a.add(BadEvents, id, "", "the order is %s at version %d, its events end with %s at %d", o.Status, o.Version, status, n)
	}
	return l
}

// orders: every acknowledged order is there, once.
func (a *audit) orders() {
	byRef := map[string][]string{}
	for id, o := range a.f.Orders {
		if o.Reference != "" {
			byRef[o.Reference] = append(byRef[o.Reference], id)
		}
	}
	for id, ref := range a.f.Known {
		switch {
		case a.f.Orders[id].ID == "":
			a.add(Missing, id, "", "acknowledged as %s, and not found", ref)
		case a.f.Unlisted[id]:
			a.add(Missing, id, "", "acknowledged as %s, and left out of the list", ref)
		}
	}
	for ref, ids := range byRef {
		if len(ids) > 1 {
			slices.Sort(ids)
			a.add(Doubled, ids[1], "", "%s was placed as %v", ref, ids)
		}
	}
}

// customers: what they were shown is what happened, and no position was
// shown out of hours.
func (a *audit) customers() {
	for id, st := range a.l.streams {
		events := a.lives[id].events
		if len(events) == 0 {
			continue // said already
		}
		for _, s := range st.seen {
			if s.Status == "" {
				continue // a gap, said already
			}
			if s.Seq > int64(len(events)) {
				a.add(BadStream, id, "", "shown %s as %d; there are %d events", s.Status, s.Seq, len(events))
				break
			}
			if want := public(events[s.Seq-1].Status); want != s.Status {
				a.add(BadStream, id, "", "shown %s as %d; the event is %s", s.Status, s.Seq, want)
			}
		}
		if n := len(st.seen); slices.Contains([]string{"delivered", "returned", "cancelled"}, st.ended) &&
			(n == 0 || st.seen[n-1].Status != st.ended) {
			a.add(BadStream, id, "", "told it ended as %s without being shown it", st.ended)
		}
		if st.shown {
			a.exposed(id, st, events)
		}
		a.complete(id, st, events)
	}
}

// complete: a page that is open has been shown whatever happened a while ago,
// and one that was closed what had happened a while before.
func (a *audit) complete(id string, st *stream, events []client.Event) {
	if !st.followed {
		return
	}
	until := a.f.Now
	if !st.left.IsZero() {
		until = minTime(until, st.left)
	}
	for _, e := range events[min(len(st.seen), len(events)):] {
		if late := until.Sub(e.Time); late > a.s.late() {
			a.add(BadStream, id, "", "%s (%d) was not shown within %v; the page is at %d", e.Status, e.Version, late, len(st.seen))
			return
		}
	}
}

// public is how a status is shown to a customer.
func public(status string) string {
	if status == "offered" {
		return "searching"
	}
	return status
}

func (a *audit) exposed(id string, st *stream, events []client.Event) {
	var from, to time.Time
	for _, e := range events {
		switch e.Status {
		case a.s.OpenFrom, "picked_up":
			if from.IsZero() {
				from = e.Time
			}
		case "delivered", "failed", "returned", "cancelled":
			if to.IsZero() {
				to = e.Time
			}
		}
	}
	switch {
	case from.IsZero():
		a.add(Exposed, id, "", "a position was shown; it was never %s", a.s.OpenFrom)
	case st.first.Before(from.Add(-a.s.Slack)):
		a.add(Exposed, id, "", "a position was shown %v before %s", from.Sub(st.first), a.s.OpenFrom)
	case !to.IsZero() && st.last.After(to.Add(a.s.Slack)):
		a.add(Exposed, id, "", "a position of %v after its end was shown", st.last.Sub(to))
	}
}
