package dispatch_test

import (
	"context"
	"fmt"
	"testing"

	"courier/dispatch"
)

// asked counts questions about couriers and orders, each of which may be a way
// over the network.
type asked struct {
	dispatch.Store
	n int
}

func (s *asked) Courier(ctx context.Context, id string) (dispatch.Courier, error) {
	s.n++
	return s.Store.Courier(ctx, id)
}

func (s *asked) Order(ctx context.Context, id string) (dispatch.Order, error) {
	s.n++
	return s.Store.Order(ctx, id)
}

func (s *asked) OrdersByID(ctx context.Context, ids []string) ([]dispatch.Order, error) {
	s.n++
	return s.Store.OrdersByID(ctx, ids)
}

func (s *asked) CouriersByID(ctx context.Context, ids []string) ([]dispatch.Courier, error) {
	s.n++
	return s.Store.CouriersByID(ctx, ids)
}

// A dispatcher's page looks at every open order, every few seconds: what that
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
		if _, err := w.Watch(t.Context()); err != nil {
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

// A node tells hundreds of customers a second where their couriers are.
func TestManyCustomersViewsAreTwoQuestions(t *testing.T) {
	w := newWorld(t, func(c *dispatch.Config) { c.Mode = dispatch.ModeAssign })
	store := &asked{Store: w.store.Store}
	w.store.Store = store
	ids := []string{"nobody's"}
	for i := range 10 {
		c := w.courier(fmt.Sprint(i), float64(10*i), nil)
		ids = append(ids, w.place(fmt.Sprint(i), nil))
		w.round()
		w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: ids[i+1], Kind: dispatch.Pickup}))
	}
	store.n = 0
	views, err := w.Views(t.Context(), ids)
	w.must(err)
	if store.n != 2 {
		t.Errorf("%d questions", store.n)
	}
	for _, id := range ids[1:] {
		one, err := w.View(t.Context(), id)
		w.must(err)
		if v := views[id]; v.Fix == nil || v.ETA == nil || v.Version != one.Version || v.Fix.Point != one.Fix.Point {
			t.Errorf("%s: %+v, alone %+v", id, v, one)
		}
	}
	if len(views) != 10 {
		t.Errorf("%d views", len(views))
	}
}
