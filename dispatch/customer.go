package dispatch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"courier/tracking"
)

// locatePatience is how long a customer's view waits for a position.
const locatePatience = time.Second

// View is what a customer may know of an order at this moment (I9 is decided
// here, and nowhere else).
func (s *Service) View(ctx context.Context, id string) (View, error) {
	asked := s.Clock.Now()
	o, err := s.Store.Order(ctx, id)
	if err != nil {
		return View{}, fmt.Errorf("read view: %w", err)
	}
	if o.Courier == "" {
		return s.viewOf(o, nil, nil), nil
	}
	c, err := s.Store.Courier(ctx, o.Courier)
	if errors.Is(err, ErrNotFound) {
		return s.viewOf(o, nil, nil), nil
	}
	if err != nil {
		return View{}, fmt.Errorf("read view: %w", err)
	}
	// A status does not wait for an index that hangs; and while somebody waits
	// the order may end, so that what is late is not for the customer any more.
	patience, cancel := context.WithTimeout(ctx, locatePatience)
	defer cancel()
	var fix *tracking.Fix
	if last, ok := s.positions(patience, s.Known, c.ID)[c.ID]; ok && s.Clock.Now().Sub(asked) <= 2*locatePatience {
		fix = &last
	}
	return s.viewOf(o, &c, fix), nil
}

func (s *Service) viewOf(o Order, c *Courier, fix *tracking.Fix) View {
	v := View{
		Reference: o.Reference, Status: PublicStatus(o.Status), Version: o.Version, Steps: maps.Clone(o.Times),
		Pickup:  ViewPlace{Address: o.Pickup.Address, Point: o.Pickup.Point},
		Dropoff: ViewPlace{Address: o.Dropoff.Address, Point: o.Dropoff.Point, Note: o.Dropoff.Note},
		Items:   o.Items, ReadyAt: o.ReadyAt, Reason: o.Reason, Proof: o.Proof,
	}
	delete(v.Steps, Offered)
	if !o.Terminal() {
		v.PIN = o.PIN
	}
	if due := o.Due(); !due.IsZero() {
		v.Promise = &due
	}
	if c == nil || !carried(o.Status) {
		return v
	}
	v.Courier = &ViewCourier{Name: firstName(c.Name), Vehicle: c.Vehicle}
	if s.CourierPhone {
		v.Courier.Phone = c.Phone
	}
	now := s.Clock.Now()
	timed := *c
	if fix != nil {
		timed = s.timed(*c, *fix, now)
	}
	v.StopsBefore = timed.Plan.stopsBefore(o.ID)
	if eta := timed.Plan.eta(o.ID); eta != nil && !eta.Dropoff.IsZero() {
		v.ETA = etaRange(eta.Dropoff, now)
		v.Late = v.Promise != nil && v.ETA.From.After(*v.Promise)
	}
	if fix != nil && s.shows(o.Status, v.StopsBefore) {
		v.Fix = fix
	}
	return v
}

// shows is I9: from picked_up to delivered, and only the last leg, unless
// set otherwise.
func (s *Service) shows(status Status, stopsBefore int) bool {
	if stopsBefore > 0 && !s.AllStops {
		return false
	}
	switch status {
	case PickedUp, AtDropoff:
		return true
	case Assigned, AtPickup:
		return s.EarlyPosition
	}
	return false
}

func carried(status Status) bool {
	switch status {
	case Assigned, AtPickup, PickedUp, AtDropoff, Delivered:
		return true
	}
	return false
}

// PublicStatus is a status as customers see it: whom the matcher asks is not
// their business.
func PublicStatus(status Status) Status {
	if status == Offered {
		return Searching
	}
	return status
}

// etaRange widens an estimate by how far off it is: couriers come later than
// planned more often than sooner.
func etaRange(at, now time.Time) *Window {
	left := max(at.Sub(now), 0)
	from, to := now.Add(left-left/10), now.Add(left+left/4+2*time.Minute)
	return &Window{From: from.Truncate(time.Second), To: to.Truncate(time.Second)}
}

func firstName(name string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(name), " ")
	return first
}
