package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"courier/tracking"
)

// CreateCourier enrols a courier, off duty.
func (s *Service) CreateCourier(ctx context.Context, by Actor, n NewCourier) (CourierView, error) {
	c := Courier{
		ID: s.NewID(), Name: n.Name, Phone: n.Phone, Vehicle: n.Vehicle, Capacity: n.Capacity,
		Skills: n.Skills, Shift: n.Shift, Start: n.Start, Duty: Off, Version: 1, Epoch: 1, Plan: Plan{Version: 1, Stops: []Stop{}},
	}
	if err := c.validate(); err != nil {
		return CourierView{}, err
	}
	if err := s.Store.Update(ctx, func(tx Tx) error { return tx.SaveCourier(c, 0) }); err != nil {
		return CourierView{}, fmt.Errorf("create courier: %w", err)
	}
	s.Log.LogAttrs(ctx, slog.LevelInfo, "courier created", slog.String("courier_id", c.ID), slog.String("by", by.ID))
	return s.view(c, nil, s.Clock.Now()), nil
}

// Courier is one courier with where it is.
func (s *Service) Courier(ctx context.Context, id string) (CourierView, error) {
	c, err := s.Store.Courier(ctx, id)
	if err != nil {
		return CourierView{}, fmt.Errorf("read courier: %w", err)
	}
	return s.views(ctx, []Courier{c})[0], nil
}

// Couriers lists couriers with where they are.
func (s *Service) Couriers(ctx context.Context, q CourierQuery) ([]CourierView, string, error) {
	page, next, err := s.Store.Couriers(ctx, q)
	if err != nil {
		return nil, "", fmt.Errorf("list couriers: %w", err)
	}
	return s.views(ctx, page), next, nil
}

// UpdateCourier changes what the patch holds; seen is the version it was
// made for, 0 for any.
func (s *Service) UpdateCourier(ctx context.Context, by Actor, id string, seen int64, p CourierPatch) (CourierView, error) {
	err := s.change(ctx, []string{id}, func(w *work) error {
		c, err := w.courier(id)
		if err != nil {
			return err
		}
		if seen != 0 && seen != c.seen {
			return refuse("the courier has changed since version %d: it is at %d now", seen, c.seen)
		}
		p.apply(&c.value)
		c.changed = true
		if err := c.value.validate(); err != nil {
			return err
		}
		if c.value.Capacity < c.value.Plan.load() {
			return refuse("the plan needs room for %d units", c.value.Plan.load())
		}
		if p.Duty != nil {
			duty := *p.Duty
			return w.setDuty(c, by, duty)
		}
		return nil
	})
	if err != nil {
		return CourierView{}, fmt.Errorf("update courier: %w", err)
	}
	return s.Courier(ctx, id)
}

func (p CourierPatch) apply(c *Courier) {
	set(&c.Name, p.Name)
	set(&c.Phone, p.Phone)
	set(&c.Vehicle, p.Vehicle)
	set(&c.Capacity, p.Capacity)
	set(&c.Skills, p.Skills)
	set(&c.Shift, p.Shift)
	set(&c.Start, p.Start)
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// StartSession makes a new session the only one of a courier.
func (s *Service) StartSession(ctx context.Context, id string) (Courier, error) {
	return s.session(ctx, id, false)
}

func (s *Service) session(ctx context.Context, id string, revoked bool) (Courier, error) {
	var saved Courier
	err := s.update(ctx, []string{id}, func(w *work) error {
		c, err := w.courier(id)
		if err != nil {
			return err
		}
		c.value.Epoch++
		c.value.Revoked, c.changed = revoked, true
		saved = c.value
		return nil
	})
	if err != nil {
		return Courier{}, fmt.Errorf("start session: %w", err)
	}
	saved.Version++
	return saved, nil
}

// EndSessions voids a courier's tokens.
func (s *Service) EndSessions(ctx context.Context, by Actor, id string) (CourierView, error) {
	if _, err := s.session(ctx, id, true); err != nil {
		return CourierView{}, err
	}
	s.Log.LogAttrs(ctx, slog.LevelInfo, "courier's sessions ended", slog.String("courier_id", id), slog.String("by", by.ID))
	return s.Courier(ctx, id)
}

// CourierState is a courier's own view: itself, and its open offer if any.
func (s *Service) CourierState(ctx context.Context, id string) (Courier, *Offer, error) {
	c, err := s.Store.Courier(ctx, id)
	if err != nil {
		return Courier{}, nil, fmt.Errorf("read courier: %w", err)
	}
	if c.Offer == "" {
		return c, nil, nil
	}
	offer, err := s.Offer(ctx, c.Offer)
	if err != nil {
		return Courier{}, nil, err
	}
	return c, &offer, nil
}

// Offer is one offer, open or not.
func (s *Service) Offer(ctx context.Context, id string) (Offer, error) {
	offer, err := s.Store.Offer(ctx, id)
	if err != nil {
		return Offer{}, fmt.Errorf("read offer: %w", err)
	}
	return offer, nil
}

// FleetCouriers are those couriers of a list that exist.
func (s *Service) FleetCouriers(ctx context.Context, ids ...string) ([]CourierView, error) {
	page, err := s.Store.CouriersByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read couriers: %w", err)
	}
	return s.views(ctx, page), nil
}

func (s *Service) views(ctx context.Context, page []Courier) []CourierView {
	ids := make([]string, 0, len(page))
	for _, c := range page {
		if c.Duty != Off { // where someone is off duty is nobody's business
			ids = append(ids, c.ID)
		}
	}
	last := s.positions(ctx, s.Known, ids...)
	now, views := s.Clock.Now(), make([]CourierView, len(page))
	for i, c := range page {
		var fix *tracking.Fix
		if f, ok := last[c.ID]; ok {
			fix = &f
		}
		views[i] = s.view(c, fix, now)
	}
	return views
}

func (s *Service) view(c Courier, fix *tracking.Fix, now time.Time) CourierView {
	v := CourierView{Courier: c, State: Free, Fix: fix}
	if fix != nil {
		v.LastSeen = &fix.Received
	}
	switch {
	case c.Duty == Off:
		v.State = Offline
	case fix == nil || !s.fresh(*fix, now):
		v.State = StaleSignal
	case len(c.Plan.Stops) > 0:
		v.State = Busy
	case c.Offer != "":
		v.State = HasOffer
	case c.Duty == Break:
		v.State = OnBreak
	}
	return v
}
