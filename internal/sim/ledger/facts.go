package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"courier/internal/sim/client"
)

// API is what the check asks the server.
type API interface {
	Orders(ctx context.Context, credential string, f client.Filter) ([]client.Order, error)
	Order(ctx context.Context, credential, id string) (client.Order, error)
	Events(ctx context.Context, credential, order string) ([]client.Event, error)
	Decisions(ctx context.Context, credential, order string) ([]client.Decision, error)
	Links(ctx context.Context, credential, order string) ([]client.Link, error)
	Couriers(ctx context.Context, credential string) ([]client.Courier, error)
	Alerts(ctx context.Context, credential string) ([]client.Alert, error)
}

// Scope says whose orders are checked, and how strictly.
type Scope struct {
	Credential string // of staff
	Merchant   string
	Now        func() time.Time // the server's time
	Slack      time.Duration    // of the server's time: how long a frame may be on its way
	Stall      time.Duration    // an order to which nothing has happened for so long is silent
	OpenFrom   string           // status from which the courier's place is shown; default picked_up
	Late       time.Duration    // a status that a page was not shown after so long is missing; default Slack
	StaleAfter time.Duration    // a courier silent for so long gets no work; 0: not checked
	LinkGrace  time.Duration    // after its end an order's links live on for so long; 0: not checked
	Others     []string         // more credentials of staff, to ask with in turn
}

// Facts are what the server says.
type Facts struct {
	Now       time.Time
	Orders    map[string]client.Order
	Unlisted  map[string]bool // there, but left out of the list
	Events    map[string][]client.Event
	Couriers  map[string]client.Courier
	Alerts    []client.Alert
	Decisions map[string]time.Time // of open orders: the latest
	Links     map[string][]client.Link
	Known     map[string]string // order → reference, of those acknowledged before the server was asked
	partly    bool              // not all orders have their events
}

// How many questions are asked at a time.
const abreast = 6

// Gather asks the server for all that Audit needs.
func (l *Ledger) Gather(ctx context.Context, api API, s Scope) (Facts, error) {
	f, err := l.list(ctx, api, s, client.Filter{Merchant: s.Merchant})
	if err != nil {
		return f, err
	}
	if err := f.histories(ctx, api, s, func(client.Order) bool { return true }); err != nil {
		return f, err
	}
	couriers, err := api.Couriers(ctx, s.Credential)
	if err != nil {
		return f, fmt.Errorf("list couriers: %w", err)
	}
	for _, c := range couriers {
		f.Couriers[c.ID] = c
	}
	if f.Alerts, err = api.Alerts(ctx, s.Credential); err != nil {
		return f, fmt.Errorf("list alerts: %w", err)
	}
	return f, nil
}

// list asks for the orders of a filter, and one by one for those that were
// acknowledged in its time and are not among them.
func (l *Ledger) list(ctx context.Context, api API, s Scope, filter client.Filter) (Facts, error) {
	f := Facts{
		Now: s.Now(), Orders: map[string]client.Order{}, Unlisted: map[string]bool{}, Events: map[string][]client.Event{},
		Couriers: map[string]client.Courier{}, Decisions: map[string]time.Time{}, Known: map[string]string{},
		Links: map[string][]client.Link{},
	}
	l.mu.Lock()
	for id, ref := range l.refs {
		if !l.at[id].Before(filter.PlacedFrom) {
			f.Known[id] = ref
		}
	}
	l.mu.Unlock()
	if !filter.PlacedFrom.IsZero() {
		filter.PlacedFrom = filter.PlacedFrom.Add(-s.Slack - time.Minute) // acknowledged later than placed
	}
	list, err := api.Orders(ctx, s.Credential, filter)
	if err != nil {
		return f, fmt.Errorf("list orders: %w", err)
	}
	for _, o := range list {
		f.Orders[o.ID] = o
	}
	for id := range f.Known {
		if _, listed := f.Orders[id]; listed {
			continue
		}
		o, err := api.Order(ctx, s.Credential, id)
		var p *client.Problem
		switch {
		case errors.As(err, &p) && p.Status == http.StatusNotFound:
		case err != nil:
			return f, fmt.Errorf("look for %s: %w", id, err)
		default:
			f.Orders[id], f.Unlisted[id] = o, !o.Times["placed"].Before(filter.PlacedFrom)
		}
	}
	return f, nil
}

// histories asks for the events of orders, and for the last decision on those
// that are open.
func (f *Facts) histories(ctx context.Context, api API, s Scope, want func(client.Order) bool) error {
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(abreast)
	credentials := append([]string{s.Credential}, s.Others...)
	turn := 0
	for id, o := range f.Orders {
		if !want(o) {
			continue
		}
		credential := credentials[turn%len(credentials)]
		turn++
		g.Go(func() error {
			events, err := api.Events(ctx, credential, id)
			if err != nil {
				return fmt.Errorf("events of %s: %w", id, err)
			}
			var latest time.Time
			if !o.Over() {
				decisions, err := api.Decisions(ctx, credential, id)
				if err != nil {
					return fmt.Errorf("decisions on %s: %w", id, err)
				}
				if len(decisions) > 0 {
					latest = decisions[0].Time
				}
			}
			var links []client.Link
			if s.LinkGrace > 0 && !f.partly && o.Over() {
				if links, err = api.Links(ctx, credential, id); err != nil {
					return fmt.Errorf("links of %s: %w", id, err)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			f.Events[id], f.Decisions[id], f.Links[id] = events, latest, links
			return nil
		})
	}
	return g.Wait()
}

// Settle looks at the orders that are over and have not been looked at
// before, while the rest goes on, and returns the violations that are new.
// Orders that are lost are found whether they are over or not.
func (l *Ledger) Settle(ctx context.Context, api API, s Scope) ([]Violation, error) {
	now := s.Now()
	since := now
	l.mu.Lock()
	for id, at := range l.at {
		if !l.settled[id] && at.Before(since) {
			since = at
		}
	}
	l.mu.Unlock()
	f, err := l.list(ctx, api, s, client.Filter{Merchant: s.Merchant, PlacedFrom: since})
	if err != nil {
		return nil, err
	}
	f.partly = true
	// What has failed may still be returned while the server is asked.
	quiet := func(o client.Order) bool {
		return o.Over() && o.Status != "failed" && f.Now.Sub(o.Times[o.Status]) > s.late()
	}
	if err := f.histories(ctx, api, s, func(o client.Order) bool { return quiet(o) && !l.isSettled(o.ID) }); err != nil {
		return nil, err
	}
	found := l.Audit(f, s)
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range f.Events {
		l.settled[id] = true
	}
	return l.freshLocked(found), nil
}

// Fresh leaves out what was returned before, whatever the details.
func (l *Ledger) Fresh(found []Violation) []Violation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.freshLocked(found)
}

func (l *Ledger) freshLocked(found []Violation) []Violation {
	var fresh []Violation
	for _, v := range found {
		key := Violation{Kind: v.Kind, Order: v.Order, Courier: v.Courier}
		if !l.told[key] {
			l.told[key] = true
			fresh = append(fresh, v)
		}
	}
	return fresh
}

func (l *Ledger) isSettled(order string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.settled[order]
}

func (s Scope) late() time.Duration {
	if s.Late == 0 {
		return s.Slack
	}
	return s.Late
}

// Check asks the server and returns what it has broken.
func (l *Ledger) Check(ctx context.Context, api API, s Scope) (Facts, []Violation, error) {
	f, err := l.Gather(ctx, api, s)
	if err != nil {
		return f, nil, err
	}
	return f, l.Audit(f, s), nil
}
