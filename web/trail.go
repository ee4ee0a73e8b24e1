package web

import (
	"context"
	"time"

	"courier/dispatch"
	"courier/tracking"
)

type trailBody struct {
	Fixes []tracking.Fix `json:"fixes"`
}

// courierTrail is where a courier was on one day (UTC), today unless named.
func (s *Server) courierTrail(c *call) (answer, error) {
	q, err := newQuery(c.Request, "day")
	if err != nil {
		return answer{}, err
	}
	day := s.deps.Clock.Now().Truncate(24 * time.Hour)
	if q.values.Has("day") {
		if day, err = time.Parse(time.DateOnly, q.values.Get("day")); err != nil {
			q.fault("day", "must be a day such as 2026-11-23")
		}
	}
	if err := q.err(); err != nil {
		return answer{}, err
	}
	courier, err := s.deps.Dispatch.Courier(c.Context(), c.id())
	if err != nil {
		return answer{}, err
	}
	fixes, err := s.deps.Trails.Between(c.Context(), courier.ID, day, day.AddDate(0, 0, 1))
	return answer{body: trailBody{fixes}}, err
}

// orderTrail is where those who carried an order were while they did.
func (s *Server) orderTrail(c *call) (answer, error) {
	events, err := s.deps.Dispatch.Events(c.Context(), c.scope(), c.id(), 0)
	if err != nil {
		return answer{}, err
	}
	fixes, err := s.along(c.Context(), spans(events, s.deps.Clock.Now()))
	return answer{body: trailBody{fixes}}, err
}

func (s *Server) along(ctx context.Context, carried []span) ([]tracking.Fix, error) {
	var all []tracking.Fix
	for _, sp := range carried {
		fixes, err := s.deps.Trails.Between(ctx, sp.courier, sp.from, sp.to)
		if err != nil {
			return nil, err
		}
		all = append(all, fixes...)
	}
	return all, nil
}

// span is a time during which one courier had an order.
type span struct {
	courier  string
	from, to time.Time
}

// spans reads from an order's events who had it when. A failed order whose
// goods were picked up stays with its courier until they are back.
func spans(events []dispatch.Event, now time.Time) []span {
	var out []span
	var open *span
	loaded := false
	end := func(at time.Time) {
		if open != nil {
			open.to = at
			out = append(out, *open)
			open = nil
		}
	}
	for _, e := range events {
		loaded = loaded || e.Status == dispatch.PickedUp
		switch {
		case e.Type == dispatch.EventAssigned:
			end(e.Time)
			open = &span{courier: e.Data.Courier, from: e.Time}
		case !withCourier(e.Status, loaded):
			end(e.Time)
		}
	}
	end(now)
	return out
}

func withCourier(s dispatch.Status, loaded bool) bool {
	switch s {
	case dispatch.Assigned, dispatch.AtPickup, dispatch.PickedUp, dispatch.AtDropoff:
		return true
	case dispatch.Failed:
		return loaded
	}
	return false
}
