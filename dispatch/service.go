package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"courier/geo"
	"courier/internal/clock"
	"courier/internal/follow"
	"courier/tracking"
)

// Positions say where couriers are.
type Positions interface {
	// Last returns the newest fixes of those couriers that have one.
	Last(ctx context.Context, couriers ...string) ([]tracking.Fix, error)
}

// Locator finds couriers.
type Locator interface {
	Positions
	// Near returns at most limit fixes within radius metres, nearest first.
	Near(ctx context.Context, at geo.Point, radius float64, limit int) ([]tracking.Fix, error)
}

// Mirror is a Locator in this process that holds what it is told to.
type Mirror interface {
	Locator
	// Cover replaces the regions (cells of geo.RegionResolution, the zero
	// cell for all) that it holds. After an error it holds them as far as it
	// can.
	Cover(ctx context.Context, regions ...geo.Cell) error
	// Blind says that for long it could not read what it mirrors.
	Blind() bool
}

// Deps are what a Service stands on.
type Deps struct {
	Store   Store
	Locator Locator   // who is where and fresh: decides who gets work
	Mirror  Mirror    // what of Locator the loop needs, without a round trip; nil: Locator itself has none
	Known   Positions // who was last where: for people to see; nil: Locator
	Clock   clock.Clock
	NewID   func() string // unique, sortable by time
	NewPIN  func() string // 4 digits, unguessable
	Log     *slog.Logger
	Follow  *follow.Follower // nil: no order is followed
	// WakeNode hints at another node that there is something to match. It
	// does not wait, and the hint may be lost; nil: there is no other.
	WakeNode func(node string)
	// FeedLag is how late positions are, in real time; nil: not known.
	FeedLag func() time.Duration
	// Delivered hears of every order whose delivery is committed here; nil:
	// nobody listens.
	Delivered func(o Order)
}

// Service is what the outside may ask of dispatch. It is safe for concurrent
// use. Its errors wrap ErrNotFound, ErrConflict and the like, or are
// *Invalid.
type Service struct {
	Config
	Deps
	zones     zoneCache
	stats     statsCache
	delivered cached[int] // in the last day
	nodes     nodes
	wake      chan struct{}
	reporting chan struct{} // holds one while a report is made
	// hinted says that another node has asked for a round.
	hinted atomic.Bool
}

// New checks the configuration and reports every fault.
func New(c Config, d Deps) (*Service, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("dispatch: %w", err)
	}
	if d.Known == nil {
		d.Known = d.Locator
	}
	return &Service{Config: c, Deps: d, wake: make(chan struct{}, 1), reporting: make(chan struct{}, 1)}, nil
}

// Wake asks this node's loop for a round now.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Woken takes another node's hint, see Deps.WakeNode.
func (s *Service) Woken() {
	s.hinted.Store(true)
	s.Wake()
}

// Order is one order within the scope.
func (s *Service) Order(ctx context.Context, scope Scope, id string) (Order, error) {
	o, err := s.Store.Order(ctx, id)
	if err != nil {
		return Order{}, fmt.Errorf("read order: %w", err)
	}
	if !scope.Allows(o) {
		return Order{}, fmt.Errorf("read order: %w", ErrNotFound)
	}
	page := []Order{o}
	err = s.fillETA(ctx, page)
	return page[0], err
}

// Orders lists within the scope.
func (s *Service) Orders(ctx context.Context, scope Scope, q OrderQuery) ([]Order, string, error) {
	if scope.Merchant != "" {
		if q.Merchant != "" && q.Merchant != scope.Merchant {
			return nil, "", nil
		}
		q.Merchant = scope.Merchant
	}
	page, next, err := s.Store.Orders(ctx, q)
	if err != nil {
		return nil, "", fmt.Errorf("list orders: %w", err)
	}
	return page, next, s.fillETA(ctx, page)
}

// Events are an order's events after a version.
func (s *Service) Events(ctx context.Context, scope Scope, id string, after int64) ([]Event, error) {
	events, err := s.Store.Events(ctx, id, after)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	if scope == (Scope{}) && len(events) > 0 {
		return events, nil // the order is there, and theirs to see
	}
	o, err := s.Store.Order(ctx, id)
	if err == nil && !scope.Allows(o) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return events, nil
}

// Decisions are the matcher's newest decisions on an order.
func (s *Service) Decisions(ctx context.Context, id string) ([]Decision, error) {
	if _, err := s.Store.Order(ctx, id); err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	return s.Store.Decisions(ctx, id, 50)
}

// fillETA works out the ETAs of a page from the couriers' plans.
func (s *Service) fillETA(ctx context.Context, page []Order) error {
	var carriers []string
	for _, o := range page {
		if o.Courier != "" && !o.Terminal() {
			carriers = append(carriers, o.Courier)
		}
	}
	if len(carriers) == 0 {
		return nil
	}
	couriers, err := s.Store.CouriersByID(ctx, carriers)
	if err != nil {
		return fmt.Errorf("read plans: %w", err)
	}
	carriers = carriers[:0]
	for _, c := range couriers {
		carriers = append(carriers, c.ID)
	}
	last := s.positions(ctx, s.Known, carriers...)
	plans := make(map[string]Plan, len(couriers))
	for _, c := range couriers {
		var fix *tracking.Fix
		if f, ok := last[c.ID]; ok {
			fix = &f
		}
		plans[c.ID] = s.planNow(c, fix)
	}
	setETA(page, plans)
	return nil
}

// planNow is a courier's plan with its times from where it is.
func (s *Service) planNow(c Courier, fix *tracking.Fix) Plan {
	if fix == nil || len(c.Plan.Stops) == 0 {
		return c.Plan
	}
	return s.timed(c, *fix, s.Clock.Now()).Plan
}

// setETA takes the orders' ETAs from the plans, by courier.
func setETA(page []Order, plans map[string]Plan) {
	for i, o := range page {
		if o.Courier != "" && !o.Terminal() {
			page[i].ETA = plans[o.Courier].eta(o.ID)
		}
	}
}

// positions are where couriers were last. An index that is away costs times
// and markers, nothing else: statuses and actions go on without.
func (s *Service) positions(ctx context.Context, from Positions, couriers ...string) map[string]tracking.Fix {
	fixes := make(map[string]tracking.Fix, len(couriers))
	if len(couriers) == 0 {
		return fixes
	}
	last, err := from.Last(ctx, couriers...)
	if err != nil {
		s.Log.LogAttrs(ctx, slog.LevelWarn, "couriers not located", slog.Int("couriers", len(couriers)), slog.Any("err", err))
	}
	for _, f := range last {
		fixes[f.Courier] = f
	}
	return fixes
}

// phoneSlow is how far a phone's clock may be behind the server's.
const phoneSlow = time.Minute

// fresh says whether a fix is new enough for its courier to get work (I10):
// when it was received counts, since phones' clocks are not the server's. But
// one that says itself that it is old may have waited in a socket of a node
// that was paused, or on a phone without a network.
func (s *Service) fresh(f tracking.Fix, now time.Time) bool {
	return now.Sub(f.Received) <= s.StaleAfter && now.Sub(f.Time) <= s.StaleAfter+phoneSlow
}

// cached values are worked out again when older than their age.
type cached[T any] struct {
	mu    sync.Mutex
	at    time.Time
	value T
}

func (c *cached[T]) get(now time.Time, age time.Duration, load func() (T, error)) (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() && now.Sub(c.at) < age && !now.Before(c.at) {
		return c.value, nil
	}
	value, err := load()
	if err != nil {
		return value, err
	}
	c.value, c.at = value, now
	return value, nil
}

func (c *cached[T]) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = time.Time{}
}
