package dispatch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// maxFleet bounds what one dispatcher's picture may hold.
const maxFleet = 20_000

// Fleet is the dispatcher's picture: every order that is open or ended in
// the last hour, and every courier.
func (s *Service) Fleet(ctx context.Context) ([]Order, []CourierView, error) {
	open, err := s.allOrders(ctx, OrderQuery{Open: true})
	if err != nil {
		return nil, nil, err
	}
	ended, err := s.allOrders(ctx, OrderQuery{
		Statuses:    []Status{Delivered, Returned, Cancelled, Failed},
		ChangedFrom: s.Clock.Now().Add(-time.Hour),
	})
	if err != nil {
		return nil, nil, err
	}
	orders := slices.SortedFunc(slices.Values(append(open, ended...)), func(a, b Order) int { return cmp.Compare(a.ID, b.ID) })
	orders = slices.CompactFunc(orders, func(a, b Order) bool { return a.ID == b.ID })
	if err := s.fillETA(ctx, orders); err != nil {
		return nil, nil, err
	}
	couriers, err := s.allCouriers(ctx, CourierQuery{})
	if err != nil {
		return nil, nil, err
	}
	return orders, s.views(ctx, couriers), nil
}

// FleetOrders are those orders of a list that exist, as Fleet has them.
func (s *Service) FleetOrders(ctx context.Context, ids ...string) ([]Order, error) {
	orders, err := s.Store.OrdersByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	return orders, s.fillETA(ctx, orders)
}

func (s *Service) allOrders(ctx context.Context, q OrderQuery) ([]Order, error) {
	q.Limit = 1000
	var all []Order
	for len(all) < maxFleet {
		page, next, err := s.Store.Orders(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("list orders: %w", err)
		}
		all = append(all, page...)
		if next == "" {
			break
		}
		q.Cursor = next
	}
	return all, nil
}

func (s *Service) allCouriers(ctx context.Context, q CourierQuery) ([]Courier, error) {
	q.Limit = 1000
	var all []Courier
	for len(all) < maxFleet {
		page, next, err := s.Store.Couriers(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("list couriers: %w", err)
		}
		all = append(all, page...)
		if next == "" {
			break
		}
		q.Cursor = next
	}
	return all, nil
}

// OrderVersions are the versions of those orders of a list that exist.
func (s *Service) OrderVersions(ctx context.Context, ids []string) (map[string]int64, error) {
	return s.Store.Versions(ctx, ids)
}

// CourierVersions are the versions of those couriers of a list that exist.
func (s *Service) CourierVersions(ctx context.Context, ids []string) (map[string]int64, error) {
	page, err := s.Store.CouriersByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read couriers: %w", err)
	}
	versions := make(map[string]int64, len(page))
	for _, c := range page {
		versions[c.ID] = c.Version
	}
	return versions, nil
}

// blind is a lag of the feed from which on a courier's silence says nothing.
const blind = 10 * time.Second

// scene is what alerts and figures are worked out from: the open orders with
// their ETAs, who is on duty, and their plans as they look from where they are.
type scene struct {
	open  []Order
	on    []CourierView
	plans map[string]Plan
}

func (s *Service) scene(ctx context.Context) (scene, error) {
	open, err := s.allOrders(ctx, OrderQuery{Open: true})
	if err != nil {
		return scene{}, err
	}
	on, err := s.onDuty(ctx)
	if err != nil {
		return scene{}, err
	}
	plans := make(map[string]Plan, len(on))
	for _, v := range on {
		plans[v.ID] = s.planNow(v.Courier, v.Fix)
	}
	setETA(open, plans)
	return scene{open, on, plans}, nil
}

func (s *Service) onDuty(ctx context.Context) ([]CourierView, error) {
	couriers, err := s.allCouriers(ctx, CourierQuery{Duty: []Duty{Available, Break}})
	if err != nil {
		return nil, err
	}
	return s.views(ctx, couriers), nil
}

// Watched is what changes for dispatchers without anybody doing anything.
type Watched struct {
	Alerts []Alert // by id
	Stats  Stats
	Silent []string // couriers on duty who have not been heard of lately
}

// Watch is what a dispatcher should look at now, from one reading of orders
// and couriers.
func (s *Service) Watch(ctx context.Context) (Watched, error) {
	sc, err := s.scene(ctx)
	if err != nil {
		return Watched{}, err
	}
	w := Watched{Alerts: s.alerts(sc)}
	for _, v := range sc.on {
		if v.State == StaleSignal {
			w.Silent = append(w.Silent, v.ID)
		}
	}
	w.Stats, err = s.figures(ctx, sc)
	return w, err
}

// strayed says that a courier comes far later to its next stop than was
// planned when it last did something, and when that was to be: it goes
// another way, or stands somewhere.
func (s *Service) strayed(v CourierView, now Plan) (planned time.Time, ok bool) {
	if len(v.Plan.Stops) == 0 || v.State == StaleSignal {
		return planned, false
	}
	next := v.Plan.Stops[0]
	if next.ArrivedAt != nil || next.Arrive.IsZero() {
		return planned, false
	}
	return next.Arrive, now.Stops[0].Arrive.Sub(next.Arrive) > s.Deviation
}

// alerts are by id.
func (s *Service) alerts(sc scene) []Alert {
	views := sc.on
	if s.FeedLag != nil && s.FeedLag() > blind {
		views = nil // nobody is heard of: that is no news of each of them
	}
	now := s.Clock.Now()
	var alerts []Alert
	add := func(kind AlertKind, order, courier string, at time.Time, format string, args ...any) {
		alerts = append(alerts, Alert{
			ID: string(kind) + ":" + cmp.Or(order, courier), Kind: kind, Order: order, Courier: courier,
			Time: at, Text: fmt.Sprintf(format, args...), Active: true,
		})
	}
	for _, o := range sc.open {
		switch due := o.Due(); {
		case o.Status == Unassignable:
			add(AlertUnassignable, o.ID, "", o.Times[Unassignable], "No courier found: %s", cmp.Or(o.Reference, o.Dropoff.Address, o.ID))
		case due.IsZero():
		case o.ETA != nil && o.ETA.Dropoff.Add(s.AtRisk).After(due), o.ETA == nil && now.Add(s.AtRisk).After(due):
			add(AlertAtRisk, o.ID, o.Courier, due, "Likely late: %s", cmp.Or(o.Reference, o.Dropoff.Address, o.ID))
		}
	}
	for _, v := range views {
		if v.State == StaleSignal && v.Plan.onboard() > 0 {
			at := now
			if v.LastSeen != nil {
				at = *v.LastSeen
			}
			add(AlertStale, "", v.ID, at, "%s has goods and has not been heard of", v.Name)
		}
		if planned, ok := s.strayed(v, sc.plans[v.ID]); ok {
			add(AlertDeviation, "", v.ID, planned, "%s is far behind its plan", v.Name)
		}
	}
	slices.SortFunc(alerts, func(a, b Alert) int { return cmp.Compare(a.ID, b.ID) })
	return alerts
}
