package ws

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"courier/dispatch"
	"courier/geo"
	"courier/tracking"
)

// fleet is the dispatchers' picture, held once a node while anyone looks.
// Each thing in it carries the seq at which it last changed, so that what a
// dispatcher lacks is what is over its cursor.
type fleet struct {
	hub     *Hub
	wake    chan struct{} // the first viewer has come, or all is to be read anew
	loading sync.Mutex    // one reading at a time; taken before mu

	mu       sync.Mutex // never held while calling out
	viewers  map[*fleetSession]struct{}
	loaded   bool
	stale    bool  // read all anew at the next tick
	since    int64 // seq from which on everything that went is known
	seq      int64 // of the last tick, milliseconds of the hub's clock
	orders   map[string]*fleetOrder
	couriers map[string]*fleetCourier
	alerts   map[string]*alertEntry
	removed  map[string]int64 // couriers that are gone → seq
	stats    dispatch.Stats
	watched  map[geo.Cell]struct{} // regions of the feed
	turned   bool                  // viewers or their maps are not those that watched is of

	dirtyOrders   map[string]int64 // → version heard of
	dirtyCouriers map[string]struct{}
}

type fleetOrder struct {
	raw     jsontext.Value
	version int64
	seq     int64
	waiting bool
	pickup  geo.Point
}

type fleetCourier struct {
	dispatch.FleetCourier
	raw   jsontext.Value // nil: to be encoded
	seq   int64          // of the last change but of place
	moved int64          // of the last change of place
}

type alertEntry struct {
	dispatch.Alert
	seq int64
}

func newFleet(h *Hub) *fleet {
	f := &fleet{hub: h, wake: make(chan struct{}, 1), viewers: map[*fleetSession]struct{}{}}
	f.clear()
	return f
}

func (f *fleet) clear() {
	f.loaded, f.stale = false, false
	f.orders, f.couriers = map[string]*fleetOrder{}, map[string]*fleetCourier{}
	f.alerts, f.removed = map[string]*alertEntry{}, map[string]int64{}
	f.dirtyOrders, f.dirtyCouriers = map[string]int64{}, map[string]struct{}{}
}

func (f *fleet) len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.viewers)
}

// orderChanged, courierChanged and moved note what the next tick is to read.
// They are cheap where nobody looks.
func (f *fleet) orderChanged(id string, version int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.viewers) == 0 {
		return
	}
	if known := f.orders[id]; known == nil || known.version < version {
		f.dirtyOrders[id] = max(version, f.dirtyOrders[id])
	}
}

func (f *fleet) courierChanged(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.viewers) > 0 {
		f.dirtyCouriers[id] = struct{}{}
	}
}

func (f *fleet) moved(fixes []tracking.Fix) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.loaded {
		return
	}
	for i := range fixes {
		c := f.couriers[fixes[i].Courier]
		if c == nil {
			f.dirtyCouriers[fixes[i].Courier] = struct{}{}
			continue
		}
		if c.Fix != nil && !fixes[i].Time.After(c.Fix.Time) {
			continue
		}
		if c.State == dispatch.StaleSignal || c.State == dispatch.Offline {
			f.dirtyCouriers[c.ID] = struct{}{} // it is back
		}
		fix := fixes[i]
		c.Fix, c.raw, c.moved = &fix, nil, f.seq+1
	}
}

// reload has everything read anew: messages were lost.
func (f *fleet) reload() {
	f.mu.Lock()
	f.stale = f.loaded
	f.mu.Unlock()
	f.poke()
}

func (f *fleet) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// next is the seq of a tick: the clock's milliseconds, always growing.
func (f *fleet) nextLocked() int64 {
	f.seq = max(f.seq+1, f.hub.Clock.Now().UnixMilli())
	return f.seq
}

// load reads the whole fleet. Whoever calls it first does the work.
func (f *fleet) load(ctx context.Context, anew bool) error {
	f.loading.Lock()
	defer f.loading.Unlock()
	f.mu.Lock()
	done := f.loaded && !anew
	f.stale = false
	f.mu.Unlock()
	if done {
		return nil
	}
	orders, couriers, err := f.hub.Service.Fleet(ctx)
	if err != nil {
		return fmt.Errorf("read fleet: %w", err)
	}
	watched, err := f.hub.Service.Watch(ctx)
	if err != nil {
		return fmt.Errorf("read alerts and stats: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.loaded {
		f.since = f.nextLocked()
	}
	at := f.seq + 1
	var errs []error
	seen := make(map[string]bool, len(orders)+len(couriers))
	for _, o := range orders {
		seen[o.ID] = true
		errs = append(errs, f.putOrderLocked(o, at))
	}
	maps.DeleteFunc(f.orders, func(id string, _ *fleetOrder) bool { return !seen[id] })
	for _, c := range couriers {
		seen[c.ID] = true
		f.putCourierLocked(c.Fleet(), at)
	}
	for id := range f.couriers {
		if !seen[id] {
			delete(f.couriers, id)
			f.removed[id] = at
		}
	}
	f.putAlertsLocked(watched.Alerts, at)
	f.stats, f.loaded = watched.Stats, true
	if !anew {
		f.seq = at
	}
	return errors.Join(errs...)
}

func (f *fleet) putOrderLocked(o dispatch.Order, at int64) error {
	if known := f.orders[o.ID]; known != nil && known.version >= o.Version {
		return nil // ETA alone may differ; the next reading shows it
	}
	raw, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("encode order %s: %w", o.ID, err)
	}
	f.orders[o.ID] = &fleetOrder{
		raw: raw, version: o.Version, seq: at, pickup: o.Pickup.Point,
		waiting: o.Status == dispatch.Searching || o.Status == dispatch.Offered,
	}
	return nil
}

func (f *fleet) putCourierLocked(c dispatch.FleetCourier, at int64) {
	known := f.couriers[c.ID]
	if known == nil {
		f.couriers[c.ID] = &fleetCourier{FleetCourier: c, seq: at, moved: at}
		delete(f.removed, c.ID)
		return
	}
	if known.Version > c.Version {
		return
	}
	if known.Fix != nil && (c.Fix == nil || known.Fix.Time.After(c.Fix.Time)) && c.State != dispatch.Offline {
		c.Fix = known.Fix // the feed was faster
	}
	place := known.Fix == nil || c.Fix == nil || !known.Fix.Time.Equal(c.Fix.Time)
	a, b := known.FleetCourier, c
	a.Fix, b.Fix = nil, nil
	if a == b && (!place || known.Fix == c.Fix) {
		return
	}
	if a != b {
		known.seq = at
	}
	if place {
		known.moved = at
	}
	known.FleetCourier, known.raw = c, nil
}

// putAlertsLocked notes what is new, changed or over.
func (f *fleet) putAlertsLocked(alerts []dispatch.Alert, at int64) {
	active := make(map[string]bool, len(alerts))
	for _, a := range alerts {
		active[a.ID] = true
		if known := f.alerts[a.ID]; known == nil || known.Alert != a {
			f.alerts[a.ID] = &alertEntry{a, at}
		}
	}
	for id, known := range f.alerts {
		if !active[id] && known.Active {
			known.Active, known.seq = false, at
		}
	}
	forget := at - keepGone.Milliseconds()
	maps.DeleteFunc(f.alerts, func(_ string, a *alertEntry) bool { return !a.Active && a.seq < forget })
	maps.DeleteFunc(f.removed, func(_ string, seq int64) bool { return seq < forget })
	f.since = max(f.since, forget)
}

// keepGone is how long it is known what has gone, for dispatchers who
// resume. Older cursors get everything.
const keepGone = 10 * time.Minute

// refresh reads what has changed since the last tick.
func (f *fleet) refresh(ctx context.Context) error {
	f.mu.Lock()
	orders, couriers := slices.Collect(maps.Keys(f.dirtyOrders)), slices.Collect(maps.Keys(f.dirtyCouriers))
	clear(f.dirtyOrders)
	clear(f.dirtyCouriers)
	f.mu.Unlock()
	if len(orders)+len(couriers) == 0 {
		return nil
	}
	var read []dispatch.Order
	g, gctx := errgroup.WithContext(ctx)
	if len(orders) > 0 {
		g.Go(func() (err error) {
			read, err = f.hub.Service.FleetOrders(gctx, orders...)
			return err
		})
	}
	var views []dispatch.CourierView
	if len(couriers) > 0 {
		g.Go(func() (err error) {
			views, err = f.hub.Service.FleetCouriers(gctx, couriers...)
			return err
		})
	}
	err := g.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil { // the next tick tries again
		for _, id := range orders {
			f.dirtyOrders[id] = max(1, f.dirtyOrders[id])
		}
		for _, id := range couriers {
			f.dirtyCouriers[id] = struct{}{}
		}
		return fmt.Errorf("read changes: %w", err)
	}
	at := f.seq + 1
	for _, o := range read {
		err = errors.Join(err, f.putOrderLocked(o, at))
	}
	for _, c := range views {
		f.putCourierLocked(c.Fleet(), at)
	}
	return err
}

// figures reads alerts and stats.
func (f *fleet) figures(ctx context.Context) error {
	watched, err := f.hub.Service.Watch(ctx)
	if err != nil {
		return fmt.Errorf("read alerts and stats: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.putAlertsLocked(watched.Alerts, f.seq+1)
	f.stats = watched.Stats
	for _, id := range watched.Silent {
		if c := f.couriers[id]; c != nil && c.State != dispatch.StaleSignal {
			f.dirtyCouriers[id] = struct{}{}
		}
	}
	return nil
}

func (f *fleet) warn(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		f.hub.Log.LogAttrs(ctx, slog.LevelWarn, "fleet not refreshed", slog.Any("err", err))
	}
}
