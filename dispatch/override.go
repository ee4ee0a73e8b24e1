package dispatch

import (
	"context"
	"errors"
	"fmt"

	"courier/dispatch/match"
)

// override runs a person's decision on an order: within the scope, against
// the version seen, with a reason.
func (s *Service) override(ctx context.Context, id string, ov Override, also []string, fn func(w *work, o *held[Order], c *held[Courier]) error) (Order, error) {
	var f faults
	f.needed("reason", ov.Reason, maxText)
	if err := f.err(); err != nil {
		return Order{}, err
	}
	var saved Order
	var done *work
	err := s.onScoped(ctx, ov.Scope, id, also, func(w *work, o *held[Order], c *held[Courier]) error {
		done = w
		if ov.Version != 0 && ov.Version != o.seen {
			return refuse("the order has changed since version %d: it is at %d now", ov.Version, o.seen)
		}
		if err := fn(w, o, c); err != nil {
			return err
		}
		saved = o.value
		return nil
	})
	if err != nil {
		return Order{}, fmt.Errorf("override: %w", err)
	}
	s.look(done.areas()...)
	page := []Order{saved}
	err = s.fillETA(ctx, page)
	return page[0], err
}

// Cancel ends an order that is not picked up yet.
func (s *Service) Cancel(ctx context.Context, id string, ov Override) (Order, error) {
	return s.override(ctx, id, ov, nil, func(w *work, o *held[Order], c *held[Courier]) error {
		if err := w.apply(o, Command{Type: EventCancelled, By: ov.By, Reason: ov.Reason}); err != nil {
			return err
		}
		return w.release(o, c, ov)
	})
}

// release takes an order out of its courier's plan, or withdraws the offer
// that it is part of.
func (w *work) release(o *held[Order], c *held[Courier], ov Override) error {
	switch {
	case c == nil:
		return nil
	case c.value.Offer != "" && !c.value.Plan.Has(o.value.ID):
		_, err := w.closeOffer(c, OfferWithdrawn, ov.By, ov.Reason)
		return err
	case c.value.Plan.Has(o.value.ID):
		w.plan(c, c.value.Plan.Without(o.value.ID))
	}
	return nil
}

// Assign gives an order to a courier, whoever has it now. Capacity and
// presence hold for people too; vehicle and skills are theirs to judge.
func (s *Service) Assign(ctx context.Context, id, courier string, ov Override) (Order, error) {
	if courier == "" {
		return Order{}, &Invalid{[]FieldError{{"courier", "is missing"}}}
	}
	return s.override(ctx, id, ov, []string{courier}, func(w *work, o *held[Order], c *held[Courier]) error {
		to, err := w.courier(courier)
		switch {
		case errors.Is(err, ErrNotFound):
			return &Invalid{[]FieldError{{"courier", "does not exist"}}}
		case err != nil:
			return err
		}
		if o.value.Courier == courier && o.value.Status != Searching {
			return refuse("the order is with that courier already")
		}
		if err := w.takeBack(o, c, ov); err != nil {
			return err
		}
		return w.give(o, to, ov)
	})
}

// takeBack makes an order searching again, whoever has or is offered it.
func (w *work) takeBack(o *held[Order], c *held[Courier], ov Override) error {
	switch o.value.Status {
	case Offered:
		return w.release(o, c, ov)
	case Assigned, AtPickup:
		if err := w.apply(o, Command{Type: EventUnassigned, By: ov.By, Reason: ov.Reason, Until: w.now.Add(w.s.CoolDown)}); err != nil {
			return err
		}
		return w.release(o, c, ov)
	}
	return nil
}

func (w *work) give(o *held[Order], to *held[Courier], ov Override) error {
	fix, seen := w.fixes[to.value.ID]
	switch {
	case to.value.Duty != Available:
		return refuse("%s is not available", to.value.Name)
	case !seen || !w.s.fresh(fix, w.now):
		return refuse("%s has not been heard of lately", to.value.Name)
	}
	if err := w.apply(o, Command{Type: EventAssigned, By: ov.By, Courier: to.value.ID, Reason: ov.Reason}); err != nil {
		return err
	}
	m := matchCourier(to.value, fix)
	stops, fits := match.Insert(w.now, m, matchOrder(o.value, w.now), w.s.Match)
	if !fits {
		return refuse("%s has no room for %d more units", to.value.Name, o.value.Size)
	}
	next, err := to.value.Plan.Merge(stops, o.value)
	if err != nil {
		return err
	}
	w.plan(to, next)
	return nil
}

// Unassign gives an order back to the matcher.
func (s *Service) Unassign(ctx context.Context, id string, ov Override) (Order, error) {
	return s.override(ctx, id, ov, nil, func(w *work, o *held[Order], c *held[Courier]) error {
		if o.value.Status != Offered && o.value.Status != Assigned && o.value.Status != AtPickup {
			return refuse("an order that is %s is with nobody it could be taken from", o.value.Status)
		}
		return w.takeBack(o, c, ov)
	})
}

// Pin keeps the matcher to one courier for an order; an empty courier frees
// it again. Who has the order keeps it.
func (s *Service) Pin(ctx context.Context, id, courier string, ov Override) (Order, error) {
	var also []string
	if courier != "" {
		_, err := s.Store.Courier(ctx, courier)
		switch {
		case errors.Is(err, ErrNotFound):
			return Order{}, &Invalid{[]FieldError{{"courier", "does not exist"}}}
		case err != nil:
			return Order{}, fmt.Errorf("pin to courier %s: %w", courier, err)
		}
	}
	return s.override(ctx, id, ov, also, func(w *work, o *held[Order], c *held[Courier]) error {
		if o.value.Status == Offered && courier != "" && c != nil && c.value.ID != courier {
			if err := w.release(o, c, ov); err != nil {
				return err
			}
		}
		return w.apply(o, Command{Type: EventPinned, By: ov.By, Courier: courier, Reason: ov.Reason})
	})
}

// Retry gives an unassignable order back to the matcher.
func (s *Service) Retry(ctx context.Context, id string, ov Override) (Order, error) {
	return s.override(ctx, id, ov, nil, func(w *work, o *held[Order], _ *held[Courier]) error {
		return w.apply(o, Command{Type: EventSearching, By: ov.By, Reason: ov.Reason})
	})
}

// Return says that a failed order's goods are back.
func (s *Service) Return(ctx context.Context, id string, ov Override) (Order, error) {
	return s.override(ctx, id, ov, nil, func(w *work, o *held[Order], c *held[Courier]) error {
		if err := w.apply(o, Command{Type: EventReturned, By: ov.By, Reason: ov.Reason}); err != nil {
			return err
		}
		return w.release(o, c, ov)
	})
}
