package dispatch

import (
	"context"
	"fmt"
	"time"
)

// lookback is how long before a period the orders that were open in it may
// have been placed. What was open for longer is not part of a replay.
const lookback = 24 * time.Hour

// OrderHistory is an order and all that had happened to it by some time.
type OrderHistory struct {
	Order  Order
	Events []Event
}

// History lists the orders that were open at any time of [from, to), newest
// first, with their events before to. A page may have fewer orders than its
// limit, or none, and still have a next one.
func (s *Service) History(ctx context.Context, from, to time.Time, limit int, cursor string) (page []OrderHistory, next string, err error) {
	orders, next, err := s.Store.Orders(ctx, OrderQuery{PlacedFrom: from.Add(-lookback), PlacedTo: to, Limit: limit, Cursor: cursor})
	if err != nil {
		return nil, "", fmt.Errorf("list orders placed by %s: %w", to, err)
	}
	ids := make([]string, len(orders))
	for i, o := range orders {
		ids[i] = o.ID
	}
	events, err := s.Store.EventsByOrder(ctx, ids)
	if err != nil {
		return nil, "", fmt.Errorf("read events of %d orders: %w", len(ids), err)
	}
	of := make(map[string][]Event, len(orders))
	for _, e := range events {
		of[e.Order] = append(of[e.Order], e)
	}
	for _, o := range orders {
		if h := (OrderHistory{o, before(of[o.ID], to)}); h.openAfter(from) {
			page = append(page, h)
		}
	}
	return page, next, nil
}

// before are the events that had happened by a time.
func before(events []Event, to time.Time) []Event {
	for i, e := range events {
		if !e.Time.Before(to) {
			return events[:i]
		}
	}
	return events
}

// openAfter says whether the order was open at a time or later.
func (h OrderHistory) openAfter(from time.Time) bool {
	if len(h.Events) == 0 {
		return false
	}
	last := h.Events[len(h.Events)-1]
	return !last.Time.Before(from) || !h.Order.Terminal() || last.Version < h.Order.Version
}
