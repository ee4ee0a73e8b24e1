package dispatch_test

import (
	"context"
	"testing"
	"time"

	"courier/dispatch"
)

// With a price on other plans, what a round meant to do and told nobody is
// what later rounds do, though a better courier has come by.
func TestWhatARoundMeansToDoStays(t *testing.T) {
	for name, churn := range map[string]time.Duration{"for a price": 30 * time.Minute, "for none": 0} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *dispatch.Config) {
				c.Mode, c.Match.ChurnCost, c.Match.StandWeight = dispatch.ModeAssign, churn, 0
			})
			first := w.courier("First", 2000, nil)
			order := w.place("k1", func(n *dispatch.NewOrder) { n.ReadyAt = noon.Add(20 * time.Minute) })
			w.round()
			w.wantStatus(order, dispatch.Searching)
			nearer := w.courier("Nearer", 10, nil)
			for range 20 {
				w.clock.Advance(time.Minute)
				w.at(first, 2000)
				w.at(nearer, 10)
				w.round()
			}
			want := first
			if churn == 0 {
				want = nearer
			}
			if o := w.order(order); o.Courier != want {
				t.Errorf("%s with %q, want %s", o.Status, o.Courier, want)
			}
		})
	}
}

// pasts counts readings of what was ordered lately.
type pasts struct {
	dispatch.Store
	n int
}

func (s *pasts) Orders(ctx context.Context, q dispatch.OrderQuery) ([]dispatch.Order, string, error) {
	if !q.PlacedFrom.IsZero() {
		s.n++
	}
	return s.Store.Orders(ctx, q)
}

func TestThePastIsReadOnceAMinute(t *testing.T) {
	w := newWorld(t, func(c *dispatch.Config) { c.Mode, c.Match.Futures.Count = dispatch.ModeAssign, 2 })
	store := &pasts{Store: w.store.Store}
	w.store.Store = store
	w.place("k1", func(n *dispatch.NewOrder) { n.ReadyAt = noon.Add(40 * time.Minute) })
	for range 60 {
		w.round()
		w.clock.Advance(2 * time.Second)
	}
	if store.n != 2 {
		t.Errorf("read %d times in two minutes", store.n)
	}
}
