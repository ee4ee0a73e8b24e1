package dispatch

import (
	"slices"
	"time"

	"courier/dispatch/match"
	"courier/geo"
)

// stopsFor are the stops that an order adds to a plan.
func stopsFor(o Order) []Stop {
	pickup := Stop{
		Order: o.ID, Reference: o.Reference, Kind: Pickup, Point: o.Pickup.Point, Address: o.Pickup.Address, Contact: o.Pickup.Contact,
		Note: o.Pickup.Note, Items: o.Items, Size: o.Size, ReadyAt: o.ReadyAt,
	}
	dropoff := Stop{
		Order: o.ID, Reference: o.Reference, Kind: Dropoff, Point: o.Dropoff.Point, Address: o.Dropoff.Address, Contact: o.Dropoff.Contact,
		Note: o.Dropoff.Note, Items: o.Items, Size: o.Size, PINRequired: o.PINRequired, PhotoRequired: o.PhotoRequired, SignatureRequired: o.SignatureRequired,
		Pay: o.Pay, Due: o.Due(),
	}
	if o.Window != nil {
		dropoff.From = o.Window.From
	}
	return []Stop{pickup, dropoff}
}

func returnStop(o Order) Stop {
	s := stopsFor(o)[0]
	s.Kind, s.ReadyAt, s.Note = Return, time.Time{}, ""
	return s
}

// find is the index of a stop, or -1.
func (p Plan) find(order string, kind StopKind) int {
	return slices.IndexFunc(p.Stops, func(s Stop) bool { return s.Order == order && s.Kind == kind })
}

// Has says whether the plan holds any stop of the order.
func (p Plan) Has(order string) bool {
	return slices.ContainsFunc(p.Stops, func(s Stop) bool { return s.Order == order })
}

// with is the plan with other stops, as a new version that shares nothing.
func (p Plan) with(stops []Stop) Plan {
	return Plan{Version: p.Version + 1, Stops: slices.Clone(stops)}
}

// Without is the plan less every stop of an order.
func (p Plan) Without(order string) Plan {
	return p.with(slices.DeleteFunc(slices.Clone(p.Stops), func(s Stop) bool { return s.Order == order }))
}

// bringBack is the plan with failed goods returned at its end, or before
// everything else if the bag would be too full on the way.
func (p Plan) bringBack(o Order, capacity int) Plan {
	back := returnStop(o)
	last := p.with(append(slices.Clone(p.Stops), back))
	if last.load() <= capacity {
		return last
	}
	return p.with(slices.Insert(slices.Clone(p.Stops), 0, back))
}

// Done is the plan after a stop was dealt with.
func (p Plan) Done(order string, kind StopKind) Plan {
	return p.with(slices.DeleteFunc(slices.Clone(p.Stops), func(s Stop) bool { return s.Order == order && s.Kind == kind }))
}

// Arrived is the plan with a stop marked; false if it is not there or is
// marked already.
func (p Plan) Arrived(order string, kind StopKind, at time.Time) (Plan, bool) {
	i := p.find(order, kind)
	if i < 0 || p.Stops[i].ArrivedAt != nil {
		return p, false
	}
	next := p.with(p.Stops)
	next.Stops[i].ArrivedAt = &at
	return next, true
}

// Merge is the plan in the order of a schedule that the matcher made, with
// the new orders' stops in their places. It refuses a schedule that drops a
// stop of the plan, holds one that is in neither, or sets a drop-off before
// its pickup.
func (p Plan) Merge(schedule []match.Stop, added ...Order) (Plan, error) {
	known := slices.Clone(p.Stops)
	for _, o := range added {
		if !p.Has(o.ID) {
			known = append(known, stopsFor(o)...)
		}
	}
	if len(schedule) != len(known) {
		return p, refuse("the plan has moved on")
	}
	next := p.with(nil)
	dropped := map[string]bool{}
	for _, m := range schedule {
		i := slices.IndexFunc(known, func(s Stop) bool { return s.Order == m.Order && s.Kind == m.Kind })
		if i < 0 || (m.Kind == Pickup && dropped[m.Order]) {
			return p, refuse("the plan has moved on")
		}
		dropped[m.Order] = dropped[m.Order] || m.Kind == Dropoff
		s := known[i]
		s.Arrive, s.Depart = m.Arrive, m.Depart
		next.Stops = append(next.Stops, s)
		known = slices.Delete(known, i, i+1)
	}
	return next, nil
}

// onboard is how many units a plan says are in the bag now: those whose
// pickup is no longer ahead.
func (p Plan) onboard() int {
	units := 0
	for _, s := range p.Stops {
		if s.Kind == Pickup {
			units -= s.Size
		} else {
			units += s.Size
		}
	}
	return units
}

// load is the most units at once along the plan.
func (p Plan) load() int { return match.PeakLoad(p.onboard(), matchStops(p.Stops)) }

// stopsBefore counts the places that the courier visits for others before an
// order's drop-off; what it does for them at the order's own places is on
// the way.
func (p Plan) stopsBefore(order string) int {
	drop := p.find(order, Dropoff)
	if drop < 0 {
		return 0
	}
	own := map[geo.Point]bool{}
	for _, s := range p.Stops {
		if s.Order == order {
			own[s.Point] = true
		}
	}
	count := 0
	var last geo.Point
	for i, s := range p.Stops[:drop] {
		if !own[s.Point] && (i == 0 || s.Point != last) {
			count++
		}
		last = s.Point
	}
	return count
}

// eta of an order's ends by the plan's times; nil without any.
func (p Plan) eta(order string) *ETA {
	var e ETA
	for _, s := range p.Stops {
		if s.Order != order {
			continue
		}
		switch s.Kind {
		case Pickup:
			e.Pickup = s.Arrive
		case Dropoff:
			e.Dropoff = s.Arrive
		}
	}
	if e == (ETA{}) {
		return nil
	}
	return &e
}

func matchStops(stops []Stop) []match.Stop {
	out := make([]match.Stop, len(stops))
	for i, s := range stops {
		out[i] = match.Stop{
			Order: s.Order, Kind: s.Kind, At: s.Point, Size: s.Size, Ready: s.ReadyAt, From: s.From, Due: s.Due,
			Arrived: s.ArrivedAt != nil, Arrive: s.Arrive, Depart: s.Depart,
		}
		if s.ArrivedAt != nil {
			out[i].Since = *s.ArrivedAt
		}
	}
	return out
}

// rebase is a schedule made some time ago in terms of the plan as it is now:
// less what was done or taken away since, and with what came to the plan in
// between at its end.
func rebase(schedule []match.Stop, now Plan, added []string) []match.Stop {
	var out []match.Stop
	for _, m := range schedule {
		if slices.Contains(added, m.Order) || now.find(m.Order, m.Kind) >= 0 {
			out = append(out, m)
		}
	}
	for _, s := range matchStops(now.Stops) {
		if !slices.ContainsFunc(out, func(m match.Stop) bool { return m.Order == s.Order && m.Kind == s.Kind }) {
			out = append(out, s)
		}
	}
	return out
}
