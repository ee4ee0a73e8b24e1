package replay

import (
	"context"
	"fmt"
	"slices"
	"time"

	"courier/dispatch"
	"courier/dispatch/match"
	"courier/geo"
	"courier/internal/clock"
)

// world is a period lived again: couriers who travel as the options' router
// says and stand as long as its services, never decline and never fail.
type world struct {
	h       *History
	o       match.Options
	lead    time.Duration
	seed    uint64
	solve   func(match.Snapshot, match.Options) match.Result
	now     time.Time
	known   int // orders placed so far
	parcels []parcel
	byID    map[string]*parcel
	actors  []*actor
	last    []match.Intent
	votes   []match.Vote
}

type parcel struct {
	match.Order
	cancelled          time.Time // zero: never
	placed, had        bool      // had: somebody has it
	picked, done, gone time.Time
	stood              time.Duration // at its pickup, until it was ready
}

// actor is a courier of the replay. Its plan's times count from base.
type actor struct {
	Worker
	at      geo.Point // where it was at since: it goes on from there
	since   time.Time
	plan    []match.Stop
	onboard int
	span    int // of its duty, the one that is on or comes next
	began   bool
	path    float64 // metres travelled
	work    []span  // when it had a plan
}

func newWorld(h *History, workers []Worker, o match.Options, lead time.Duration, seed uint64) *world {
	w := &world{h: h, o: o, lead: lead, seed: seed, solve: match.Solve, byID: map[string]*parcel{}}
	for _, order := range h.Orders {
		p := parcel{Order: match.Order{
			ID: order.ID, Pickup: order.Pickup.Point, Dropoff: order.Dropoff.Point, Placed: order.Times[dispatch.Placed],
			Ready: order.ReadyAt, Due: order.Due(), Size: order.Size, Vehicles: order.Requirements.Vehicles,
			Skills: order.Requirements.Skills, Priority: order.Priority,
		}}
		if order.Window != nil {
			p.From = order.Window.From
		}
		if order.Status == dispatch.Cancelled {
			p.cancelled = order.Times[dispatch.Cancelled]
		}
		w.parcels = append(w.parcels, p)
	}
	for i := range w.parcels {
		w.byID[w.parcels[i].ID] = &w.parcels[i]
	}
	for _, worker := range workers {
		w.actors = append(w.actors, &actor{Worker: worker, at: worker.Spans[0].At, since: worker.Spans[0].From})
	}
	return w
}

// run lives the period, a round every so often, and then on until nobody is
// on duty any more or all is given out.
func (w *world) run(ctx context.Context, every time.Duration) error {
	for w.now = w.h.From; w.now.Before(w.h.end()); w.now = w.now.Add(every) {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.pass()
		s := w.snapshot()
		if len(s.Orders) == 0 {
			if w.now.After(w.h.To) && w.settled() {
				break
			}
			continue
		}
		result := w.solve(s, w.o)
		for _, a := range result.Assignments {
			if err := w.give(a); err != nil {
				return fmt.Errorf("replay at %v: %w", w.now, err)
			}
		}
		w.last, w.votes = result.Intents, result.Votes
	}
	w.now = w.h.end().Add(24 * time.Hour) // what is in a plan is carried out
	w.pass()
	return nil
}

// settled says that every order has got a courier, or is gone.
func (w *world) settled() bool {
	return !slices.ContainsFunc(w.parcels, func(p parcel) bool { return !p.had && p.gone.IsZero() })
}

// pass lets happen what has happened by now.
func (w *world) pass() {
	for ; w.known < len(w.parcels) && !w.parcels[w.known].Placed.After(w.now); w.known++ {
		w.parcels[w.known].placed = true
	}
	for _, a := range w.actors {
		w.move(a)
	}
	for i := range w.parcels[:w.known] {
		p := &w.parcels[i]
		if p.cancelled.IsZero() || p.cancelled.After(w.now) || !p.gone.IsZero() || !p.picked.IsZero() {
			continue
		}
		p.gone = p.cancelled
		for _, a := range w.actors {
			if slices.ContainsFunc(a.plan, func(s match.Stop) bool { return s.Order == p.ID }) {
				stops := slices.DeleteFunc(slices.Clone(a.plan), func(s match.Stop) bool { return s.Order == p.ID })
				w.replan(a, stops)
			}
		}
	}
}

// move takes the courier along its plan, and through its duty.
func (w *world) move(a *actor) {
	for len(a.plan) > 0 && !a.plan[0].Depart.After(w.now) {
		s := a.plan[0]
		service := w.o.DropoffService
		if s.Kind == match.Pickup {
			service = w.o.PickupService
		}
		hand, p := s.Depart.Add(service/2-service), w.byID[s.Order]
		if s.Kind == match.Pickup {
			p.picked, a.onboard = hand, a.onboard+s.Size
			p.stood = s.Depart.Sub(s.Arrive) - service
		} else {
			p.done, a.onboard = hand, a.onboard-s.Size
		}
		a.path += geo.Distance(a.at, s.At)
		a.work = append(a.work, span{a.since, s.Depart})
		a.at, a.since, a.plan = s.At, s.Depart, a.plan[1:]
	}
	for a.span < len(a.Spans) && len(a.plan) == 0 {
		s := a.Spans[a.span]
		if !a.began && !s.From.After(w.now) {
			a.began, a.at, a.since = true, s.At, clock.Later(a.since, s.From)
		}
		if s.To.After(w.now) {
			return
		}
		a.span, a.began = a.span+1, false
	}
}

// stands says that the courier is at its next stop.
func (a *actor) stands(now time.Time) bool { return len(a.plan) > 0 && !a.plan[0].Arrive.After(now) }

// where is the courier's position: on the straight way to its next stop.
func (a *actor) where(now time.Time) geo.Point {
	switch {
	case len(a.plan) == 0:
		return a.at
	case a.stands(now):
		return a.plan[0].At
	}
	next := a.plan[0]
	way := next.Arrive.Sub(a.since)
	return geo.Lerp(a.at, next.At, float64(now.Sub(a.since))/float64(way))
}

// replan gives the courier other stops from now on.
func (w *world) replan(a *actor, stops []match.Stop) {
	begin := w.now
	at := a.where(w.now)
	if a.stands(w.now) && len(stops) > 0 && stops[0].At == a.plan[0].At && stops[0].Kind == a.plan[0].Kind {
		// It goes on with what it does there; what is new has yet to begin.
		begin = a.plan[0].Arrive
		for i := range stops {
			if stops[i].Kind == match.Pickup && !slices.ContainsFunc(a.plan, func(s match.Stop) bool { return s.Order == stops[i].Order }) {
				stops[i].Ready = clock.Later(stops[i].Ready, w.now)
			}
		}
	}
	if len(a.plan) > 0 {
		a.work = append(a.work, span{a.since, begin})
	}
	a.path += geo.Distance(a.at, at)
	a.at, a.since = at, begin
	for i := range stops {
		stops[i].Arrived = i == 0 && begin.Before(w.now)
	}
	a.plan = match.Schedule(begin, match.Courier{At: at, Vehicle: a.Vehicle}, stops, w.o)
}

// snapshot is what the loop would know now.
func (w *world) snapshot() match.Snapshot {
	s := match.Snapshot{Now: w.now, Seed: w.seed + uint64(w.now.Unix()), Last: w.last, Votes: w.votes}
	for i := range w.parcels[:w.known] {
		p := &w.parcels[i]
		if !p.had && p.gone.IsZero() && !p.Ready.After(w.now.Add(w.lead)) {
			s.Orders = append(s.Orders, p.Order)
		}
		if w.now.Sub(p.Placed) < time.Hour {
			s.Past = append(s.Past, match.Demand{Placed: p.Placed, Ready: p.Ready, Pickup: p.Pickup, Dropoff: p.Dropoff, Size: p.Size})
		}
	}
	for _, a := range w.actors {
		if a.span == len(a.Spans) {
			continue
		}
		// When a courier will go off duty is not known; its shift may be.
		on := a.Spans[a.span]
		if on.From.After(w.now) || !on.To.After(w.now) {
			continue
		}
		c := match.Courier{
			ID: a.ID, At: a.where(w.now), Vehicle: a.Vehicle, Capacity: a.Capacity, Onboard: a.onboard, Skills: a.Skills,
			Stops: slices.Clone(a.plan),
		}
		if a.Shift != nil {
			c.ShiftEnd = a.Shift.To
		}
		for i := range c.Stops {
			if c.Stops[i].Arrived = !c.Stops[i].Arrive.After(w.now); c.Stops[i].Arrived {
				c.Stops[i].Since = c.Stops[i].Arrive
			}
		}
		s.Couriers = append(s.Couriers, c)
	}
	return s
}

func (w *world) give(a match.Assignment) error {
	i := slices.IndexFunc(w.actors, func(b *actor) bool { return b.ID == a.Courier })
	if i < 0 {
		return fmt.Errorf("the matcher names an unknown courier %q", a.Courier)
	}
	for _, id := range a.Orders {
		p := w.byID[id]
		if p == nil || !p.placed || p.had {
			return fmt.Errorf("the matcher gives order %q, which does not wait", id)
		}
		p.had = true
	}
	w.replan(w.actors[i], slices.Clone(a.Stops))
	return nil
}
