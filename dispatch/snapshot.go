package dispatch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"courier/dispatch/match"
	"courier/geo"
	"courier/tracking"
)

// snapshot is what a round decides on, and what it stakes: versions, and the
// tokens of the areas' leases.
type snapshot struct {
	match.Snapshot
	areas    map[string]int64
	orders   map[string]Order
	couriers map[string]Courier
	pickups  *geo.CellIndex
	fixes    map[string]tracking.Fix
}

// snapshot gathers the areas' orders that are due for a courier and the
// couriers that may get them: on duty, heard of lately (I10), and near or
// about to be.
func (l *Loop) snapshot(ctx context.Context, areas map[string]int64, now time.Time) (snapshot, error) {
	s := snapshot{
		Snapshot: match.Snapshot{Now: now}, areas: areas, orders: map[string]Order{},
		couriers: map[string]Courier{}, fixes: map[string]tracking.Fix{}, pickups: geo.NewCellIndex(),
	}
	waiting, err := l.allOrders(ctx, OrderQuery{Statuses: []Status{Placed, Searching}, Areas: slices.Collect(maps.Keys(areas)), ReadyBy: now.Add(l.Lead)})
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
	far, err := l.nearby(ctx, &s)
	if err != nil {
		return s, err
	}
	couriers, err := l.Store.CouriersByID(ctx, slices.Collect(maps.Keys(s.fixes)))
	if err != nil {
		return s, fmt.Errorf("read couriers: %w", err)
	}
	for _, c := range couriers {
		if c.Duty != Available || far[c.ID] && len(c.Plan.Stops) == 0 {
			continue
		}
		s.couriers[c.ID] = c
		m := matchCourier(c, s.fixes[c.ID])
		if l.Mode == ModeOffer {
			m.Declines = c.Declines
		}
		s.Couriers = append(s.Couriers, m)
	}
	return s, nil
}

// idle is how many couriers have no stop to make.
func (s snapshot) idle() (n int) {
	for _, c := range s.couriers {
		if len(c.Plan.Stops) == 0 {
			n++
		}
	}
	return n
}

// near says whether a place is within radius metres of a pickup; it is good to
// a percent.
func (s snapshot) near(p geo.Point, radius float64) bool {
	return len(s.pickups.Near(p, 1.02*radius, 1, nil)) > 0
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

// leases are the areas of an assignment's orders, sorted.
func (s snapshot) leases(a match.Assignment) []string {
	var areas []string
	for _, id := range a.Orders {
		areas = append(areas, s.orders[id].Area())
	}
	slices.Sort(areas)
	return slices.Compact(areas)
}

// where is a courier's newest fix, by the snapshot or what the loop's own
// locator has heard since.
func (l *Loop) where(ctx context.Context, snap snapshot, courier string) tracking.Fix {
	fix := snap.fixes[courier]
	for _, f := range l.positions(ctx, l.locator(), courier) {
		if f.Time.After(fix.Time) {
			fix = f
		}
	}
	return fix
}

// give commits one assignment, or makes the offer for it, if this node still
// holds the areas of its orders (I5), and the courier and every order are
// still as the snapshot had them (I3, I4, I10).
func (l *Loop) give(ctx context.Context, snap snapshot, a match.Assignment) error {
	fix := l.where(ctx, snap, a.Courier)
	return l.updateAt(ctx, map[string]tracking.Fix{a.Courier: fix}, func(w *work) error {
		for _, area := range snap.leases(a) {
			if err := w.tx.CheckLease(area, snap.areas[area]); err != nil {
				l.holding.doubt()
				return err
			}
		}
		c, err := w.courier(a.Courier)
		if err != nil {
			return err
		}
		if c.seen != snap.couriers[a.Courier].Version || c.value.Duty != Available || !l.fresh(fix, w.now) {
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
			area := o.value.Area()
			command := Command{Type: EventAssigned, By: Actor{Role: RoleMatcher}, Courier: a.Courier, Area: area, Token: snap.areas[area]}
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
