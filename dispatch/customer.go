package dispatch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"courier/tracking"
)

// locatePatience is how long a customer's view waits for a position.
const locatePatience = time.Second

// View is what a customer may know of an order at this moment.
func (s *Service) View(ctx context.Context, id string) (View, error) {
	views, err := s.Views(ctx, []string{id})
	if err != nil {
		return View{}, err
	}
	v, ok := views[id]
	if !ok {
		return View{}, fmt.Errorf("read view: %w", ErrNotFound)
	}
	return v, nil
}

// Views are what customers may know of those orders that exist, by id, at
// this moment (I9 is decided here, and nowhere else). However many they are,
// it asks the store twice and the index once.
func (s *Service) Views(ctx context.Context, ids []string) (map[string]View, error) {
	asked := s.Clock.Now()
	orders, err := s.Store.OrdersByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	var carriers []string
	for _, o := range orders {
		if o.Courier != "" {
			carriers = append(carriers, o.Courier)
		}
	}
	couriers, err := s.carriers(ctx, carriers)
	if err != nil {
		return nil, err
	}
	// A status does not wait for an index that hangs; and while somebody waits
	// the order may end, so that what is late is not for the customer any more.
	patience, cancel := context.WithTimeout(ctx, locatePatience)
	defer cancel()
	last := s.positions(patience, s.Known, slices.Collect(maps.Keys(couriers))...)
	if s.Clock.Now().Sub(asked) > 2*locatePatience {
		last = nil
	}
	views := make(map[string]View, len(orders))
	for _, o := range orders {
		var courier *Courier
		var fix *tracking.Fix
		if c, ok := couriers[o.Courier]; ok {
			courier = &c
			if f, ok := last[c.ID]; ok {
				fix = &f
			}
		}
		views[o.ID] = s.viewOf(o, courier, fix)
	}
	return views, nil
}

// carriers are those couriers of a list that exist, by id.
func (s *Service) carriers(ctx context.Context, ids []string) (map[string]Courier, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	couriers, err := s.Store.CouriersByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read couriers: %w", err)
	}
	byID := make(map[string]Courier, len(couriers))
	for _, c := range couriers {
		byID[c.ID] = c
	}
	return byID, nil
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
	v.Courier = &ViewCourier{ID: c.ID, Name: firstName(c.Name), Vehicle: c.Vehicle}
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
