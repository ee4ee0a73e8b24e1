package dispatch_test

import (
	"context"
	"fmt"
	"testing"

	"courier/dispatch"
)

// asked counts questions about couriers, each of which may be a way over the
// network.
type asked struct {
	dispatch.Store
	n int
}

func (s *asked) Courier(ctx context.Context, id string) (dispatch.Courier, error) {
	s.n++
	return s.Store.Courier(ctx, id)
}

func (s *asked) CouriersByID(ctx context.Context, ids []string) ([]dispatch.Courier, error) {
	s.n++
	return s.Store.CouriersByID(ctx, ids)
}

// A dispatcher's page looks at every open order, every two seconds: what that
// costs must not grow by a question with each of them.
func TestTheWholeFleetIsReadInAFewQuestions(t *testing.T) {
	w := newWorld(t, func(c *dispatch.Config) { c.Mode = dispatch.ModeAssign })
	store := &asked{Store: w.store.Store}
	w.store.Store = store
	cost := func(open int) int {
		for i := range open {
			w.courier(fmt.Sprintf("%d of %d", i, open), float64(10*i), nil)
			w.place(fmt.Sprintf("%d of %d", i, open), nil)
		}
		w.round()
		store.n = 0
		orders, _, err := w.Fleet(t.Context())
		w.must(err)
		if _, err := w.Alerts(t.Context()); err != nil {
			t.Fatal(err)
		}
		with := 0
		for _, o := range orders {
			if o.ETA != nil {
				with++
			}
		}
		if with < open {
			t.Errorf("%d of %d orders have an ETA", with, len(orders))
		}
		return store.n
	}
	few, more := cost(2), cost(10)
	if few != more {
		t.Errorf("%d questions with 2 orders, %d with 12", few, more)
	}
}
