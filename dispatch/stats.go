package dispatch

import (
	"context"
	"slices"
	"time"
)

const (
	// In real time: how long the figures are shared, and the one that is
	// counted over a whole day's orders.
	statsAge     = time.Second
	deliveredAge = 20 * time.Second
	// sampled is how many of the last hour's orders the quality is judged by:
	// a busy company has thousands, and reads them all at each look.
	sampled = 500
)

type statsCache = cached[Stats]

// Stats are the figures of the moment, at most a second old.
func (s *Service) Stats(ctx context.Context) (Stats, error) {
	return s.stats.get(s.Clock.Now(), s.lived(statsAge), func() (Stats, error) {
		sc, err := s.scene(ctx)
		if err != nil {
			return Stats{}, err
		}
		return s.figures(ctx, sc)
	})
}

// lived is how much of the clock's time passes in so much real time, at least
// as much.
func (s *Service) lived(real time.Duration) time.Duration {
	return time.Duration(float64(real) * max(1, s.Clock.Rate()))
}

// Orders that wait for a courier, and orders that have one.
var (
	waitingStatuses = []Status{Placed, Searching, Offered}
	activeStatuses  = []Status{Assigned, AtPickup, PickedUp, AtDropoff}
)

// present are the figures that a scene has by itself.
func (sc scene) present() (st Stats) {
	for _, o := range sc.open {
		switch {
		case slices.Contains(waitingStatuses, o.Status):
			st.Waiting++
		case slices.Contains(activeStatuses, o.Status):
			st.Active++
		case o.Status == Unassignable:
			st.Unassignable++
		}
	}
	st.CouriersOnDuty = len(sc.on)
	for _, v := range sc.on {
		if v.State == Free {
			st.CouriersFree++
		}
	}
	return st
}

// figures are those of a scene, and of the orders delivered lately.
func (s *Service) figures(ctx context.Context, sc scene) (Stats, error) {
	st, now := sc.present(), s.Clock.Now()
	var err error
	st.DeliveredToday, err = s.delivered.get(now, s.lived(deliveredAge), func() (int, error) {
		return s.Store.CountOrders(ctx, OrderQuery{Statuses: []Status{Delivered}, ChangedFrom: now.Add(-24 * time.Hour)})
	})
	if err != nil {
		return Stats{}, err
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
func service(done []Order) (assign, late float64) {
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
	if promised > 0 {
		late = 100 * float64(broken) / float64(promised)
	}
	return median(waits), late
}
