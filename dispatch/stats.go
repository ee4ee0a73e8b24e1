package dispatch

import (
	"context"
	"slices"
	"time"
)

const (
	statsAge = time.Second // real: how long the figures are shared
	// sampled is how many of the last hour's orders the quality is judged by:
	// a busy company has thousands, and reads them all at each look.
	sampled = 500
)

type statsCache = cached[Stats]

// Stats are the figures of the moment, at most a second old.
func (s *Service) Stats(ctx context.Context) (Stats, error) {
	age := time.Duration(float64(statsAge) * max(1, s.Clock.Rate()))
	return s.stats.get(s.Clock.Now(), age, func() (Stats, error) { return s.count(ctx) })
}

func (s *Service) count(ctx context.Context) (Stats, error) {
	var st Stats
	now := s.Clock.Now()
	for _, figure := range []struct {
		into *int
		of   OrderQuery
	}{
		{&st.Waiting, OrderQuery{Statuses: []Status{Placed, Searching, Offered}}},
		{&st.Active, OrderQuery{Statuses: []Status{Assigned, AtPickup, PickedUp, AtDropoff}}},
		{&st.Unassignable, OrderQuery{Statuses: []Status{Unassignable}}},
		{&st.DeliveredToday, OrderQuery{Statuses: []Status{Delivered}, ChangedFrom: now.Add(-24 * time.Hour)}},
	} {
		n, err := s.Store.CountOrders(ctx, figure.of)
		if err != nil {
			return Stats{}, err
		}
		*figure.into = n
	}
	on, err := s.allCouriers(ctx, CourierQuery{Duty: []Duty{Available, Break}})
	if err != nil {
		return Stats{}, err
	}
	views := s.views(ctx, on)
	st.CouriersOnDuty = len(views)
	for _, v := range views {
		if v.State == Free {
			st.CouriersFree++
		}
	}
	done, _, err := s.Store.Orders(ctx, OrderQuery{Statuses: []Status{Delivered}, ChangedFrom: now.Add(-time.Hour), Limit: sampled})
	if err != nil {
		return Stats{}, err
	}
	st.MedianAssignSeconds, st.LatePercent = service(done)
	if s.FeedLag != nil {
		st.FeedLagSeconds = s.FeedLag().Seconds()
	}
	return st, nil
}

// service is the median time to assign in seconds and the share of promises
// broken in percent, of delivered orders.
func service(done []Order) (median, late float64) {
	var waits []float64
	promised, broken := 0, 0
	for _, o := range done {
		if at, ok := o.Times[Assigned]; ok {
			waits = append(waits, at.Sub(o.Times[Placed]).Seconds())
		}
		if due := o.Due(); !due.IsZero() {
			promised++
			if o.Times[Delivered].After(due) {
				broken++
			}
		}
	}
	if len(waits) > 0 {
		slices.Sort(waits)
		median = waits[len(waits)/2]
	}
	if promised > 0 {
		late = 100 * float64(broken) / float64(promised)
	}
	return median, late
}
