package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// outcome is a kept answer to a courier's action.
type outcome struct {
	Refused  string       `json:"refused,omitempty"`
	Invalid  []FieldError `json:"invalid,omitempty"`
	NotFound bool         `json:"not_found,omitempty"`
}

func (o outcome) err() error {
	switch {
	case o.Refused != "":
		return &Refused{o.Refused}
	case len(o.Invalid) > 0:
		return &Invalid{o.Invalid}
	case o.NotFound:
		return ErrNotFound
	}
	return nil
}

// outcomeOf is what to keep of an action's error; false where the fault is
// not the action's, so that it may be tried again.
func outcomeOf(err error) (outcome, bool) {
	var refused *Refused
	var invalid *Invalid
	switch {
	case err == nil:
		return outcome{}, true
	case errors.As(err, &refused):
		return outcome{Refused: refused.Why}, true
	case errors.As(err, &invalid):
		return outcome{Invalid: invalid.Fields}, true
	case errors.Is(err, ErrNotFound):
		return outcome{NotFound: true}, true
	}
	return outcome{}, false
}

// Act does what a courier asks, once for each id of that courier: the same
// id again gets the same answer and changes nothing. A refusal is an answer
// too. ErrStaleSession: the courier has signed in elsewhere since epoch.
func (s *Service) Act(ctx context.Context, courier string, epoch int64, id string, a Action) error {
	hash, err := hashOf(a)
	if err != nil {
		return err
	}
	answer := outcome{}
	err = s.change(ctx, []string{courier}, func(w *work) error {
		answer = outcome{}
		c, err := w.courier(courier)
		if err != nil {
			return err
		}
		if c.value.Epoch != epoch {
			return ErrStaleSession
		}
		scope := "courier/" + courier
		kept, err := w.tx.Answer(scope, id)
		if err == nil {
			if !bytes.Equal(kept.Hash, hash) {
				return ErrKeyReused
			}
			return json.Unmarshal(kept.Body, &answer)
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		fault := w.act(c, a)
		kind, keep := outcomeOf(fault)
		if !keep {
			return fault
		}
		if answer = kind; fault != nil {
			// What the action had begun stays undone; only the answer is kept.
			w.couriers, w.orders, w.offers, w.duties = nil, nil, nil, nil
		}
		body, err := json.Marshal(answer)
		if err != nil {
			return fmt.Errorf("encode answer: %w", err)
		}
		return w.tx.SaveAnswer(Answer{Scope: scope, Key: id, Hash: hash, Body: body, At: w.now})
	})
	if err != nil {
		return fmt.Errorf("%s: %w", a.Type, err)
	}
	return answer.err()
}

// GeofenceArrive marks a stop that the courier has come to. One that is
// marked already, or gone, is no error.
func (s *Service) GeofenceArrive(ctx context.Context, courier, order string, kind StopKind) error {
	err := s.update(ctx, []string{courier}, func(w *work) error {
		c, err := w.courier(courier)
		if err != nil {
			return err
		}
		return w.arrive(c, Actor{Role: RoleGeofence, ID: courier}, order, kind)
	})
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("mark arrival: %w", err)
	}
	return nil
}

func (w *work) act(c *held[Courier], a Action) error {
	w.at = a.At
	by := Actor{Role: RoleCourier, ID: c.value.ID}
	switch a.Type {
	case ActSetDuty:
		return w.setDuty(c, by, a.Duty)
	case ActAccept:
		return w.accept(c, by, a.Offer)
	case ActDecline:
		return w.decline(c, by, a)
	case ActArrive:
		return w.arrive(c, by, a.Order, a.Kind)
	case ActComplete:
		return w.complete(c, by, a)
	case ActFail:
		return w.fail(c, by, a)
	}
	return &Invalid{[]FieldError{{"type", "is no action"}}}
}

func (w *work) setDuty(c *held[Courier], by Actor, d Duty) error {
	if !d.Valid() {
		return &Invalid{[]FieldError{{"duty", "must be off, available or break"}}}
	}
	if n := len(c.value.Plan.Stops); d == Off && n > 0 {
		return refuse("%d stops are still to do", n)
	}
	if c.value.Duty == d {
		return nil
	}
	c.value.Duty, c.changed = d, true
	w.duties = append(w.duties, c)
	if d != Available && c.value.Offer != "" {
		_, err := w.closeOffer(c, OfferWithdrawn, by, string(d))
		return err
	}
	return nil
}

func (w *work) accept(c *held[Courier], by Actor, id string) error {
	if id == "" || c.value.Offer != id {
		return w.notOpen(c, id)
	}
	open, err := w.tx.Offer(id)
	if err != nil {
		return err
	}
	if !w.now.Before(open.Deadline) {
		// Left for the loop to close, since a refusal changes nothing.
		return refuse("the offer has expired")
	}
	offer, err := w.closeOffer(c, OfferAccepted, by, "")
	if err != nil {
		return err
	}
	var orders []Order
	for _, id := range offer.Orders {
		o, err := w.order(id)
		if err != nil {
			return err
		}
		if err := w.apply(o, Command{Type: EventAssigned, By: by, Courier: c.value.ID}); err != nil {
			return err
		}
		orders = append(orders, o.value)
	}
	next, err := c.value.Plan.Merge(rebase(offer.Schedule, c.value.Plan, offer.Orders), orders...)
	if err != nil {
		return err
	}
	w.plan(c, next)
	return nil
}

// notOpen says why an offer cannot be answered, to its own courier only.
func (w *work) notOpen(c *held[Courier], id string) error {
	offer, err := w.tx.Offer(id)
	if err != nil {
		return err
	}
	if offer.Courier != c.value.ID {
		return ErrNotFound
	}
	return refuse("the offer was %s", offer.State)
}

func (w *work) decline(c *held[Courier], by Actor, a Action) error {
	if a.Offer == "" || c.value.Offer != a.Offer {
		return w.notOpen(c, a.Offer)
	}
	_, err := w.closeOffer(c, OfferDeclined, by, a.Reason)
	return err
}

// stop finds the courier's stop and its order.
func (w *work) stop(c *held[Courier], order string, kind StopKind) (*held[Order], error) {
	if c.value.Plan.find(order, kind) < 0 {
		return nil, ErrNotFound
	}
	if kind == Dropoff && c.value.Plan.find(order, Pickup) >= 0 {
		return nil, refuse("the order is not picked up yet")
	}
	return w.order(order)
}

func (w *work) arrive(c *held[Courier], by Actor, order string, kind StopKind) error {
	o, err := w.stop(c, order, kind)
	if err != nil {
		return err
	}
	next, moved := c.value.Plan.Arrived(order, kind, w.now)
	if !moved {
		return nil
	}
	switch kind {
	case Pickup:
		err = w.apply(o, Command{Type: EventAtPickup, By: by})
	case Dropoff:
		err = w.apply(o, Command{Type: EventAtDropoff, By: by})
	}
	if err != nil {
		return err
	}
	w.plan(c, next.first(order, kind))
	return nil
}

func (w *work) complete(c *held[Courier], by Actor, a Action) error {
	o, err := w.stop(c, a.Order, a.Kind)
	if err != nil {
		return err
	}
	t := map[StopKind]EventType{Pickup: EventPickedUp, Dropoff: EventDelivered, Return: EventReturned}[a.Kind]
	if err := w.pictures(c.value.ID, a); err != nil {
		return err
	}
	if err := w.apply(o, Command{Type: t, By: by, PIN: a.PIN, Note: a.Note, Photo: a.Photo, Sign: a.Signature}); err != nil {
		return err
	}
	// Half of the service comes after the hand-over.
	service := w.s.Match.DropoffService
	if a.Kind == Pickup {
		service = w.s.Match.PickupService
	}
	c.value.Leaves = w.when().Add(service - service/2)
	w.plan(c, c.value.Plan.Done(a.Order, a.Kind))
	return nil
}

func (w *work) fail(c *held[Courier], by Actor, a Action) error {
	o, err := w.stop(c, a.Order, a.Kind)
	if err != nil {
		return err
	}
	next := c.value.Plan.Without(a.Order)
	switch {
	case a.Kind == Return:
		return refuse("a return cannot fail; call the dispatcher")
	case a.Kind == Pickup && a.Reason == "courier_problem":
		err = w.apply(o, Command{Type: EventUnassigned, By: by, Reason: a.Reason, Note: a.Note, Until: w.now.Add(w.s.CoolDown)})
	case a.Kind == Pickup:
		err = w.apply(o, Command{Type: EventFailed, By: by, Reason: a.Reason, Note: a.Note})
	default:
		err = w.apply(o, Command{Type: EventFailed, By: by, Reason: a.Reason, Note: a.Note})
		next = next.bringBack(o.value, c.value.Capacity)
	}
	if err != nil {
		return err
	}
	w.plan(c, next)
	return nil
}

// first is the plan with a stop moved ahead: the courier stands there.
func (p Plan) first(order string, kind StopKind) Plan {
	i := p.find(order, kind)
	s := p.Stops[i]
	j := slices.IndexFunc(p.Stops, func(s Stop) bool { return s.ArrivedAt == nil })
	if j >= 0 && j < i {
		p.Stops = slices.Insert(slices.Delete(slices.Clone(p.Stops), i, i+1), j, s)
	}
	return p
}
