package dispatch_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/internal/clock"
	"courier/internal/sqlstore"
	"courier/tracking"
)

var (
	noon     = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	market   = geo.Point{Lat: 52, Lng: 4}
	merchant = dispatch.Actor{Role: dispatch.RoleMerchant, ID: "m1"}
	ann      = dispatch.Actor{Role: dispatch.RoleDispatcher, ID: "ann"}
)

// world is a company on a real store, with a clock and positions that the
// test moves.
type world struct {
	testing.TB
	*dispatch.Service
	loop  *dispatch.Loop
	store *racyStore
	clock *clock.Manual
	where *places
	acts  int

	change func(*dispatch.Config)
	ids    atomic.Int64
}

// racyStore lets something happen just before the next transaction: between
// what a round saw and what it commits.
type racyStore struct {
	dispatch.Store
	mu     sync.Mutex
	before func()
}

func (s *racyStore) Update(ctx context.Context, fn func(dispatch.Tx) error) error {
	s.mu.Lock()
	before := s.before
	s.before = nil
	s.mu.Unlock()
	if before != nil {
		before()
	}
	return s.Store.Update(ctx, fn)
}

// meanwhile is done after the next round has looked and before it commits.
func (w *world) meanwhile(do func()) { w.store.before = do }

// places is a Locator that believes what it is told.
type places struct {
	mu    sync.Mutex
	fixes map[string]tracking.Fix
	away  error
	slow  func(context.Context) // called first
}

func (p *places) Last(ctx context.Context, couriers ...string) ([]tracking.Fix, error) {
	if p.slow != nil {
		p.slow(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away != nil {
		return nil, p.away
	}
	var fixes []tracking.Fix
	for _, c := range couriers {
		if f, ok := p.fixes[c]; ok {
			fixes = append(fixes, f)
		}
	}
	return fixes, nil
}

func (p *places) Near(_ context.Context, at geo.Point, radius float64, limit int) ([]tracking.Fix, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away != nil {
		return nil, p.away
	}
	var fixes []tracking.Fix
	for _, f := range p.fixes {
		if geo.Distance(at, f.Point) <= radius {
			fixes = append(fixes, f)
		}
	}
	slices.SortFunc(fixes, func(a, b tracking.Fix) int {
		return cmp.Or(cmp.Compare(geo.Distance(at, a.Point), geo.Distance(at, b.Point)), cmp.Compare(a.Courier, b.Courier))
	})
	return fixes[:min(limit, len(fixes))], nil
}

func newWorld(t testing.TB, change func(*dispatch.Config)) *world {
	t.Helper()
	w := &world{TB: t, clock: clock.NewManual(noon), where: &places{fixes: map[string]tracking.Fix{}}}
	store, err := sqlstore.Open(t.Context(), sqlstore.Config{Dir: t.TempDir(), Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w.store = &racyStore{Store: store}
	w.change = change
	w.Service, w.loop = w.node("node")
	return w
}

// node is another node of the same company.
func (w *world) node(name string, with ...func(*dispatch.Deps)) (*dispatch.Service, *dispatch.Loop) {
	w.Helper()
	config := dispatch.DefaultConfig()
	if w.change != nil {
		w.change(&config)
	}
	config.Node = name
	deps := dispatch.Deps{
		Store: w.store, Locator: w.where, Clock: w.clock, Log: slog.New(slog.DiscardHandler),
		NewID:  func() string { return fmt.Sprintf("id%06d", w.ids.Add(1)) },
		NewPIN: func() string { return "4711" },
	}
	for _, change := range with {
		change(&deps)
	}
	service, err := dispatch.New(config, deps)
	if err != nil {
		w.Fatal(err)
	}
	return service, dispatch.NewLoop(service, nil)
}

// courier is one on duty, so many metres east of the market.
func (w *world) courier(name string, east float64, change func(*dispatch.NewCourier)) string {
	w.Helper()
	n := dispatch.NewCourier{Name: name, Vehicle: geo.Bicycle, Capacity: 3}
	if change != nil {
		change(&n)
	}
	c, err := w.CreateCourier(w.Context(), ann, n)
	w.must(err)
	w.must(w.act(c.ID, dispatch.Action{Type: dispatch.ActSetDuty, Duty: dispatch.Available}))
	w.at(c.ID, east)
	return c.ID
}

// at is a fix of a courier now, so many metres east of the market.
func (w *world) at(courier string, east float64) {
	w.where.mu.Lock()
	defer w.where.mu.Unlock()
	now := w.clock.Now()
	w.where.fixes[courier] = tracking.Fix{Courier: courier, Time: now, Received: now, Point: market.Offset(east, 0), Accuracy: 5}
}

func (w *world) act(courier string, a dispatch.Action) error {
	w.acts++
	return w.Act(w.Context(), courier, w.epoch(courier), fmt.Sprintf("a%d", w.acts), a)
}

func (w *world) epoch(courier string) int64 {
	c, err := w.Store.Courier(w.Context(), courier)
	w.must(err)
	return c.Epoch
}

// place is an order from the market to 1 km east of it.
func (w *world) place(key string, change func(*dispatch.NewOrder)) string {
	w.Helper()
	n := newOrder()
	if change != nil {
		change(&n)
	}
	o, _, err := w.Place(w.Context(), merchant, n, key)
	w.must(err)
	return o.ID
}

func newOrder() dispatch.NewOrder {
	return dispatch.NewOrder{
		Merchant: "m1", Pickup: dispatch.Place{Point: market, Address: "Market 1"},
		Dropoff: dispatch.Place{Point: market.Offset(1000, 0), Address: "East 1"},
	}
}

func (w *world) order(id string) dispatch.Order {
	w.Helper()
	o, err := w.Order(w.Context(), dispatch.Scope{}, id)
	w.must(err)
	return o
}

// offered is the offer that a courier has; the test fails without one.
func (w *world) offered(courier string) dispatch.Offer {
	w.Helper()
	_, offer, err := w.CourierState(w.Context(), courier)
	w.must(err)
	if offer == nil {
		w.Fatalf("courier %s has no offer", courier)
	}
	return *offer
}

func (w *world) round() {
	w.Helper()
	w.must(w.loop.Round(w.Context()))
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) wantStatus(order string, want dispatch.Status) {
	w.Helper()
	if got := w.order(order).Status; got != want {
		w.Fatalf("order %s is %s, want %s", order, got, want)
	}
}

// wantHistory holds an order's events to a list of types, numbered 1, 2, 3 …
func (w *world) wantHistory(order string, want ...dispatch.EventType) {
	w.Helper()
	events, err := w.Events(w.Context(), dispatch.Scope{}, order, 0)
	w.must(err)
	var got []dispatch.EventType
	for i, e := range events {
		got = append(got, e.Type)
		if e.Version != int64(i)+1 {
			w.Fatalf("event %d has version %d", i+1, e.Version)
		}
	}
	if !slices.Equal(got, want) {
		w.Fatalf("history is\n%v, want\n%v", got, want)
	}
}

func wantIs(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}
