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
}

// How many questions are asked at a time.
const abreast = 6

// Gather asks the server for all that Audit needs.
func (l *Ledger) Gather(ctx context.Context, api API, s Scope) (Facts, error) {
	f := Facts{
		Orders: map[string]client.Order{}, Unlisted: map[string]bool{}, Events: map[string][]client.Event{},
		Couriers: map[string]client.Courier{}, Decisions: map[string]time.Time{},
	}
	list, err := api.Orders(ctx, s.Credential, client.Filter{Merchant: s.Merchant})
	if err != nil {
		return f, fmt.Errorf("list orders: %w", err)
	}
	for _, o := range list {
		f.Orders[o.ID] = o
	}
	if err := l.unlisted(ctx, api, s, &f); err != nil {
		return f, err
	}
	var mu sync.Mutex
	g, ctx2 := errgroup.WithContext(ctx)
	g.SetLimit(abreast)
	for id, o := range f.Orders {
		g.Go(func() error {
			events, err := api.Events(ctx2, s.Credential, id)
			if err != nil {
				return fmt.Errorf("events of %s: %w", id, err)
			}
			var latest time.Time
			if !o.Over() {
				decisions, err := api.Decisions(ctx2, s.Credential, id)
				if err != nil {
					return fmt.Errorf("decisions on %s: %w", id, err)
				}
				if len(decisions) > 0 {
					latest = decisions[0].Time
				}
			}
			mu.Lock()
			defer mu.Unlock()
			f.Events[id], f.Decisions[id] = events, latest
			return nil
		})
	}
	if err := g.Wait(); err != nil {
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
	f.Now = s.Now()
	return f, nil
}

// unlisted asks one by one for acknowledged orders that the list left out.
func (l *Ledger) unlisted(ctx context.Context, api API, s Scope, f *Facts) error {
	l.mu.Lock()
	var absent []string
	for id := range l.refs {
		if _, ok := f.Orders[id]; !ok {
			absent = append(absent, id)
		}
	}
	l.mu.Unlock()
	for _, id := range absent {
		o, err := api.Order(ctx, s.Credential, id)
		var p *client.Problem
		switch {
		case errors.As(err, &p) && p.Status == http.StatusNotFound:
		case err != nil:
			return fmt.Errorf("look for %s: %w", id, err)
		default:
			f.Orders[id], f.Unlisted[id] = o, true
		}
	}
	return nil
}

// Check asks the server and returns what it has broken.
func (l *Ledger) Check(ctx context.Context, api API, s Scope) (Facts, []Violation, error) {
	f, err := l.Gather(ctx, api, s)
	if err != nil {
		return f, nil, err
	}
	return f, l.Audit(f, s), nil
}
