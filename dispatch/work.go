package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"courier/dispatch/match"
	"courier/geo"
	"courier/tracking"
)

// work is one transaction's changes: what is read once is changed in memory
// and written once, couriers before orders.
type work struct {
	s        *Service
	tx       Tx
	now      time.Time
	at       time.Time               // when it was done, by a phone that may have been offline
	fixes    map[string]tracking.Fix // where the couriers concerned were last
	couriers []*held[Courier]
	orders   []*held[Order]
	offers   []Offer
	duties   []*held[Courier] // whose duty has changed
	spans    []trace.Span     // of the orders that are followed
}

type held[T any] struct {
	value   T
	seen    int64
	changed bool
	events  []Event
}

// retries is how often a change is tried again that lost a race which its
// caller has not staked a version on.
const retries = 5

// update runs fn as one transaction. The fixes of the named couriers are at
// hand in it, since it may not wait for anything.
func (s *Service) update(ctx context.Context, couriers []string, fn func(w *work) error) error {
	return s.updateAt(ctx, s.positions(ctx, s.Locator, couriers...), fn)
}

// updateAt is update with the fixes that the caller has.
func (s *Service) updateAt(ctx context.Context, fixes map[string]tracking.Fix, fn func(w *work) error) error {
	var last *work
	err := s.Store.Update(ctx, func(tx Tx) error {
		last.followed(errAgain)
		w := &work{s: s, tx: tx, now: s.Clock.Now(), fixes: fixes}
		last = w
		if err := fn(w); err != nil {
			return err
		}
		return w.save(ctx)
	})
	last.followed(err)
	if err == nil {
		last.tellDelivered()
	}
	return err
}

// tellDelivered tells of the orders that a committed transaction delivered.
func (w *work) tellDelivered() {
	if w.s.Delivered == nil {
		return
	}
	for _, o := range w.orders {
		if slices.ContainsFunc(o.events, func(e Event) bool { return e.Type == EventDelivered }) {
			w.s.Delivered(o.value)
		}
	}
}

// change is update, and asks those who match for a round where it leads to
// something to match.
func (s *Service) change(ctx context.Context, couriers []string, fn func(w *work) error) error {
	var done *work
	err := s.update(ctx, couriers, func(w *work) error {
		done = w
		return fn(w)
	})
	if err == nil {
		s.look(done.areas()...)
	}
	return err
}

// areas are those where the changes matter to the matcher: of orders that
// wait, and where couriers are who may take some.
func (w *work) areas() []string {
	var areas []string
	for _, o := range w.orders {
		if o.changed && (o.value.Status == Searching || o.value.Status == Placed) {
			areas = append(areas, o.value.Area())
		}
	}
	for _, c := range w.couriers {
		fix, seen := w.fixes[c.value.ID]
		if !seen || !c.changed || c.value.Duty != Available {
			continue
		}
		if cell, err := geo.CellOf(fix.Point, geo.AreaResolution); err == nil {
			areas = append(areas, cell.String())
		}
	}
	slices.Sort(areas)
	return slices.Compact(areas)
}

// errMoved says that an order got to another courier between a peek and its
// lock.
var errMoved = fmt.Errorf("the order has moved: %w", ErrConflict)

// onOrder runs fn with an order and, locked before it, the courier that it
// is with or offered to (nil when there is none).
func (s *Service) onOrder(ctx context.Context, id string, also []string, fn func(w *work, o *held[Order], c *held[Courier]) error) error {
	return s.onScoped(ctx, Scope{}, id, also, fn)
}

// onScoped is onOrder for an order that may be out of the asker's sight.
func (s *Service) onScoped(ctx context.Context, scope Scope, id string, also []string, fn func(w *work, o *held[Order], c *held[Courier]) error) error {
	for try := 0; ; try++ {
		peek, err := s.Store.Order(ctx, id)
		if err == nil && !scope.Allows(peek) {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		with := peek.Courier
		if peek.Offer != "" {
			offer, err := s.Store.Offer(ctx, peek.Offer)
			if err != nil {
				return err
			}
			with = offer.Courier
		}
		names := slices.Clone(also)
		if with != "" {
			names = append(names, with)
		}
		slices.Sort(names)
		err = s.update(ctx, names, func(w *work) error {
			var c *held[Courier]
			for _, name := range slices.Compact(names) {
				got, err := w.courier(name)
				if err != nil {
					return err
				}
				if name == with {
					c = got
				}
			}
			o, err := w.order(id)
			if err != nil {
				return err
			}
			if o.value.Offer != peek.Offer || o.value.Courier != peek.Courier {
				return errMoved
			}
			return fn(w, o, c)
		})
		if !errors.Is(err, errMoved) || try == retries {
			return err
		}
	}
}

func (w *work) courier(id string) (*held[Courier], error) {
	for _, h := range w.couriers {
		if h.value.ID == id {
			return h, nil
		}
	}
	c, err := w.tx.Courier(id)
	if err != nil {
		return nil, err
	}
	h := &held[Courier]{value: c, seen: c.Version}
	w.couriers = append(w.couriers, h)
	return h, nil
}

func (w *work) order(id string) (*held[Order], error) {
	for _, h := range w.orders {
		if h.value.ID == id {
			return h, nil
		}
	}
	o, err := w.tx.Order(id)
	if err != nil {
		return nil, err
	}
	h := &held[Order]{value: o, seen: o.Version}
	w.orders = append(w.orders, h)
	return h, nil
}

// when is the time of what is done: the phone's own, if that is past.
func (w *work) when() time.Time {
	if w.at.IsZero() || w.at.After(w.now) {
		return w.now
	}
	return w.at
}

// apply takes one step of an order's life.
func (w *work) apply(o *held[Order], c Command) error {
	if at := w.when(); at.Before(w.now) {
		c.At = at
	}
	next, events, err := o.value.Apply(c, w.now)
	if err != nil {
		return err
	}
	o.value, o.changed = next, true
	o.events = append(o.events, events...)
	return nil
}

// plan gives a courier another plan, timed from where it is.
func (w *work) plan(c *held[Courier], p Plan) {
	c.value.Plan, c.changed = p, true
	if fix, ok := w.fixes[c.value.ID]; ok {
		c.value = w.s.timed(c.value, fix, w.now)
	}
}

// timed is the courier with arrival and departure times worked out anew.
func (s *Service) timed(c Courier, at tracking.Fix, now time.Time) Courier {
	stops := match.Schedule(now, matchCourier(c, at), matchStops(c.Plan.Stops), s.Match)
	c.Plan.Stops = slices.Clone(c.Plan.Stops)
	for i := range stops {
		c.Plan.Stops[i].Arrive, c.Plan.Stops[i].Depart = stops[i].Arrive, stops[i].Depart
	}
	return c
}

// errAgain is what becomes of a transaction that is run once more.
var errAgain = errors.New("run again")

func (w *work) save(ctx context.Context) error {
	for _, c := range w.couriers {
		if !c.changed {
			continue
		}
		c.value.Load = c.value.Plan.load()
		c.value.Version++
		if err := w.tx.SaveCourier(c.value, c.seen); err != nil {
			return fmt.Errorf("save courier: %w", err)
		}
	}
	for _, c := range w.duties {
		change := DutyChange{Courier: c.value.ID, Version: c.value.Version, Duty: c.value.Duty, At: w.now}
		if err := w.tx.SaveDuty(change); err != nil {
			return fmt.Errorf("save duty: %w", err)
		}
	}
	for _, offer := range w.offers {
		if err := w.tx.SaveOffer(offer); err != nil {
			return fmt.Errorf("save offer: %w", err)
		}
	}
	for _, o := range w.orders {
		if !o.changed {
			continue
		}
		w.follow(ctx, o)
		if err := w.tx.SaveOrder(o.value, o.seen, o.events); err != nil {
			return fmt.Errorf("save order: %w", err)
		}
	}
	return nil
}

// declinesOver is how many offers a courier's Declines is a mean over, newer
// ones weighing more.
const declinesOver = 10

// closeOffer ends a courier's open offer, and sends its orders back to the
// matcher unless they were accepted.
func (w *work) closeOffer(c *held[Courier], state OfferState, by Actor, reason string) (Offer, error) {
	offer, err := w.tx.Offer(c.value.Offer)
	if err != nil {
		return Offer{}, err
	}
	offer.State, offer.Reason, offer.ClosedAt = state, reason, w.now
	w.offers = append(w.offers, offer)
	c.value.Offer, c.changed = "", true
	switch state {
	case OfferAccepted:
		c.value.Declines -= c.value.Declines / declinesOver
	case OfferDeclined, OfferExpired:
		c.value.Declines += (1 - c.value.Declines) / declinesOver
	}
	if state == OfferAccepted {
		return offer, nil
	}
	command := Command{By: by, Courier: c.value.ID, Reason: reason}
	switch state {
	case OfferDeclined:
		command.Type, command.Until = EventDeclined, w.now.Add(w.s.CoolDown)
	case OfferExpired:
		command.Type, command.Until = EventExpired, w.now.Add(w.s.CoolDown)
	default:
		command.Type = EventWithdrawn
	}
	for _, id := range offer.Orders {
		o, err := w.order(id)
		if err != nil {
			return offer, err
		}
		if o.value.Offer != offer.ID {
			continue
		}
		if err := w.apply(o, command); err != nil {
			return offer, err
		}
	}
	return offer, nil
}

func matchCourier(c Courier, at tracking.Fix) match.Courier {
	m := match.Courier{
		ID: c.ID, At: at.Point, Vehicle: c.Vehicle, Capacity: c.Capacity, Onboard: c.Plan.onboard(),
		Skills: c.Skills, Leaves: c.Leaves, Closed: c.Offer != "" || c.Duty != Available, Stops: matchStops(c.Plan.Stops),
	}
	if c.Shift != nil {
		m.ShiftEnd = c.Shift.To
	}
	return m
}
