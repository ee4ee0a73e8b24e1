package dispatch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"courier/dispatch/match"
	"courier/geo"
	"courier/tracking"
)

// snapshot is what a round decides on, and the versions it stakes.
type snapshot struct {
	match.Snapshot
	orders   map[string]Order
	couriers map[string]Courier
	fixes    map[string]tracking.Fix
}

// snapshot gathers the orders that are due for a courier and the couriers
// that may get work: on duty, and heard of lately (I10).
func (l *Loop) snapshot(ctx context.Context, now time.Time) (snapshot, error) {
	s := snapshot{
		Snapshot: match.Snapshot{Now: now}, orders: map[string]Order{},
		couriers: map[string]Courier{}, fixes: map[string]tracking.Fix{},
	}
	waiting, err := l.allOrders(ctx, OrderQuery{Statuses: []Status{Placed, Searching}})
	if err != nil {
		return s, err
	}
	for _, o := range waiting {
		if o.ReadyAt.After(now.Add(l.Lead)) {
			continue
		}
		s.orders[o.ID] = o
		s.Orders = append(s.Orders, matchOrder(o, now))
	}
	if len(s.orders) == 0 {
		return s, nil
	}
	available, err := l.allCouriers(ctx, CourierQuery{Duty: []Duty{Available}})
	if err != nil {
		return s, err
	}
	ids := make([]string, len(available))
	for i, c := range available {
		s.couriers[c.ID], ids[i] = c, c.ID
	}
	fixes, err := l.Locator.Last(ctx, ids...)
	if err != nil {
		return s, fmt.Errorf("locate couriers: %w", err)
	}
	for _, f := range fixes {
		if l.fresh(f, now) {
			s.fixes[f.Courier] = f
			s.Couriers = append(s.Couriers, matchCourier(s.couriers[f.Courier], f))
		}
	}
	return s, nil
}

func matchOrder(o Order, now time.Time) match.Order {
	m := match.Order{
		ID: o.ID, Pickup: o.Pickup.Point, Dropoff: o.Dropoff.Point, Placed: o.Times[Placed], Ready: o.ReadyAt,
		Due: o.Due(), Size: o.Size, Vehicles: o.Requirements.Vehicles, Skills: o.Requirements.Skills,
		Priority: o.Priority, Pinned: o.Pinned,
	}
	if o.Window != nil {
		m.From = o.Window.From
	}
	for courier, until := range o.Refusals {
		if now.Before(until) && courier != o.Pinned {
			m.Refused = append(m.Refused, courier)
		}
	}
	slices.Sort(m.Refused)
	return m
}

// give commits one assignment, or makes the offer for it, if the courier and
// every order are still as the snapshot had them (I3, I4, I10).
func (l *Loop) give(ctx context.Context, snap snapshot, a match.Assignment) error {
	return l.update(ctx, []string{a.Courier}, func(w *work) error {
		if err := w.tx.CheckLease(leaseArea, l.token); err != nil {
			return err
		}
		c, err := w.courier(a.Courier)
		if err != nil {
			return err
		}
		fix, seen := w.fixes[a.Courier]
		if c.seen != snap.couriers[a.Courier].Version || c.value.Duty != Available || !seen || !l.fresh(fix, w.now) {
			return refuse("the courier has moved on")
		}
		var orders []Order
		offer := l.NewID()
		for _, id := range a.Orders {
			o, err := w.order(id)
			if err != nil {
				return err
			}
			if o.seen != snap.orders[id].Version {
				return refuse("the order has moved on")
			}
			command := Command{Type: EventAssigned, By: Actor{Role: RoleMatcher}, Courier: a.Courier, Area: leaseArea, Token: l.token}
			if l.Mode == ModeOffer {
				command.Type, command.Offer = EventOffered, offer
			}
			if err := w.apply(o, command); err != nil {
				return err
			}
			orders = append(orders, o.value)
		}
		next, err := c.value.Plan.Merge(a.Stops, orders...)
		if err != nil {
			return err
		}
		if l.Mode == ModeAssign {
			w.plan(c, next)
			return nil
		}
		w.offers = append(w.offers, l.offer(offer, a, next, fix, w.now))
		c.value.Offer, c.changed = offer, true
		return nil
	})
}

func (l *Loop) offer(id string, a match.Assignment, plan Plan, from tracking.Fix, now time.Time) Offer {
	o := Offer{
		ID: id, Courier: a.Courier, Orders: a.Orders, Schedule: a.Stops, State: OfferOpen,
		MadeAt: now, Deadline: now.Add(l.OfferTimeout),
	}
	for _, s := range plan.Stops {
		if slices.Contains(a.Orders, s.Order) {
			if len(o.Stops) > 0 {
				o.Distance += geo.Distance(o.Stops[len(o.Stops)-1].Point, s.Point)
			} else {
				o.ToPickup = geo.Distance(from.Point, s.Point)
			}
			o.Stops = append(o.Stops, s)
		}
	}
	return o
}
