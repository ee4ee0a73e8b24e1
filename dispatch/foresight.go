package dispatch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"courier/dispatch/match"
	"courier/tracking"
)

// foresight is what a loop tells the matcher besides the present: what the
// last round meant to do later, what has been ordered lately and who is about
// to come on duty. It is nothing to lose: a node that takes areas over plans
// anew.
type foresight struct {
	intents []match.Intent
	votes   []match.Vote
	areas   []string // that the orders are of
	read    time.Time
	past    []match.Demand
	asked   time.Time
	coming  []Courier
}

const (
	pastEvery = time.Minute // between readings of what was ordered
	pastMost  = 1000        // orders: enough to draw from

	comingEvery = 30 * time.Second // between readings of who is about to start
	comingMost  = 5000             // couriers
	comingLate  = 2 * time.Minute  // by how much someone may be who is still counted on
	comingSoon  = 30 * time.Second // when such a one is expected, again and again
)

// add fills in the snapshot's part about other times. The dice fall by the
// round's time, so that a simulated clock decides them.
func (f *foresight) add(ctx context.Context, l *Loop, s *snapshot) error {
	s.Seed = uint64(s.Now.UnixNano()) //nolint:gosec // any number will do
	s.Last, s.Votes = f.intents, f.votes
	if err := f.start(ctx, l, s); err != nil {
		return err
	}
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

// start adds the couriers whose shift is about to begin near an order. Work
// is planned for them and not given to them. Nobody is on duty to the second:
// what was planned for someone who is a little late is not given to others.
func (f *foresight) start(ctx context.Context, l *Loop, s *snapshot) error {
	if age := s.Now.Sub(f.asked); age < 0 || age >= comingEvery {
		coming, err := l.Store.Starting(ctx, s.Now.Add(-comingLate), s.Now.Add(l.Match.LookAhead), comingMost)
		if err != nil {
			return fmt.Errorf("read who is about to start: %w", err)
		}
		begun, err := f.begun(ctx, l, s.Now, coming)
		if err != nil {
			return fmt.Errorf("read who has started: %w", err)
		}
		f.asked, f.coming = s.Now, slices.Concat(coming, begun)
	}
	for _, c := range f.coming {
		_, here := s.couriers[c.ID]
		if here || c.Shift.From.Before(s.Now.Add(-comingLate)) || !s.near(*c.Start, l.Match.MaxRadius) {
			continue
		}
		m := matchCourier(c, tracking.Fix{Point: *c.Start})
		m.ShiftStart, m.Closed = c.Shift.From, c.Offer != ""
		if !m.ShiftStart.After(s.Now) {
			m.ShiftStart = s.Now.Add(comingSoon)
		}
		s.Couriers = append(s.Couriers, m)
	}
	return nil
}

// begun are those who were about to start and are on duty by now, but have not
// said where they are: they are expected until they do.
func (f *foresight) begun(ctx context.Context, l *Loop, now time.Time, coming []Courier) ([]Courier, error) {
	off := make(map[string]bool, len(coming))
	for _, c := range coming {
		off[c.ID] = true
	}
	var ids []string
	for _, c := range f.coming {
		if !off[c.ID] && c.Shift.From.After(now.Add(-comingLate)) {
			ids = append(ids, c.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	couriers, err := l.Store.CouriersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, askIndex)
	defer cancel()
	located := l.positions(within, l.Locator, ids...)
	return slices.DeleteFunc(couriers, func(c Courier) bool {
		fix, known := located[c.ID]
		return c.Duty != Available || c.Shift == nil || c.Start == nil || known && l.fresh(fix, now)
	}), nil
}

func demandOf(orders []Order) []match.Demand {
	past := make([]match.Demand, len(orders))
	for i, o := range orders {
		past[i] = match.Demand{Placed: o.Times[Placed], Ready: o.ReadyAt, Pickup: o.Pickup.Point, Dropoff: o.Dropoff.Point, Size: o.Size}
	}
	return past
}
