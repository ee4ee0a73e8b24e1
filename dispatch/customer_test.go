package dispatch_test

import (
	"context"
	"testing"
	"time"

	"courier/dispatch"
)

// onTheWay is an order with a courier that has picked it up and is shown.
func onTheWay(t *testing.T, w *world) (order, courier string) {
	t.Helper()
	courier, order = w.courier("Mia", 100, nil), w.place("k1", nil)
	w.round()
	w.must(w.act(courier, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Pickup}))
	if v, err := w.View(t.Context(), order); err != nil || v.Fix == nil {
		t.Fatalf("the courier is not shown (%v)", err)
	}
	return order, courier
}

// What the order was when it was read may be long past when an index answers
// that was away or slow, or when the node goes on after a pause.
func TestAPositionThatComesLateIsNotShown(t *testing.T) {
	w := newWorld(t, assignMode)
	order, courier := onTheWay(t, w)
	w.where.slow = func(context.Context) {
		w.where.slow = nil
		w.clock.Advance(5 * time.Second)
		w.must(w.act(courier, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Dropoff}))
	}
	if v, err := w.View(t.Context(), order); err != nil || v.Fix != nil {
		t.Errorf("%s for seconds, and the courier is shown (%v)", dispatch.Delivered, err)
	}
}

func TestAStatusDoesNotWaitForAnIndexThatHangs(t *testing.T) {
	w := newWorld(t, assignMode)
	order, _ := onTheWay(t, w)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w.where.slow = func(asked context.Context) { <-asked.Done() }
	v, err := w.View(ctx, order)
	if ctx.Err() != nil || err != nil || v.Status != dispatch.PickedUp {
		t.Errorf("%q (%v), with %v", v.Status, err, ctx.Err())
	}
}
