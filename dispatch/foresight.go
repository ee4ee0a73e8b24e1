package dispatch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"courier/dispatch/match"
)

// foresight is what a loop tells the matcher besides the present: what the
// last round meant to do later, and what has been ordered lately. It is
// nothing to lose: a node that takes areas over plans anew.
type foresight struct {
	intents []match.Intent
	areas   []string // that the orders are of
	read    time.Time
	past    []match.Demand
}

const (
	pastEvery = time.Minute // between readings of what was ordered
	pastMost  = 1000        // orders: enough to draw from
)

// add fills in the snapshot's part about other times. The dice fall by the
// round's time, so that a simulated clock decides them.
func (f *foresight) add(ctx context.Context, l *Loop, s *snapshot) error {
	s.Seed = uint64(s.Now.UnixNano()) //nolint:gosec // any number will do
	s.Last = f.intents
	window := l.Match.Futures.Window
	if l.Match.Futures.Count == 0 || window == 0 {
		return nil
	}
	areas := slices.Sorted(maps.Keys(s.areas))
	if age := s.Now.Sub(f.read); age < 0 || age >= pastEvery || !slices.Equal(areas, f.areas) {
		orders, _, err := l.Store.Orders(ctx, OrderQuery{Areas: areas, PlacedFrom: s.Now.Add(-window), Limit: pastMost})
		if err != nil {
			return fmt.Errorf("read what was ordered lately: %w", err)
		}
		f.areas, f.read, f.past = areas, s.Now, demandOf(orders)
	}
	s.Past = f.past
	return nil
}

func demandOf(orders []Order) []match.Demand {
	past := make([]match.Demand, len(orders))
	for i, o := range orders {
		past[i] = match.Demand{Placed: o.Times[Placed], Ready: o.ReadyAt, Pickup: o.Pickup.Point, Dropoff: o.Dropoff.Point, Size: o.Size}
	}
	return past
}
