package dispatch_test

import (
	"testing"
	"time"

	"courier/dispatch"
)

// Who has handed an order over is not gone at once: the next customer's time
// of arrival tells so.
func TestHalfOfAStopComesAfterTheHandOver(t *testing.T) {
	w := newWorld(t, func(c *dispatch.Config) {
		c.Mode, c.Match.PickupService, c.Match.DropoffService = dispatch.ModeAssign, 6*time.Minute, 4*time.Minute
	})
	c := w.courier("Only", 0, nil)
	order := w.place("k1", nil)
	w.round()
	ahead := func(kind dispatch.StopKind) time.Duration {
		plan := w.plan(c)
		for _, s := range plan.Stops {
			if s.Kind == kind {
				return s.Arrive.Sub(w.clock.Now()).Round(time.Second)
			}
		}
		t.Fatalf("no %s in %+v", kind, plan.Stops)
		return 0
	}
	way := ahead(dispatch.Dropoff) - 6*time.Minute
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActArrive, Order: order, Kind: dispatch.Pickup}))
	w.clock.Advance(3 * time.Minute)
	w.at(c, 0)
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Pickup}))
	if got := ahead(dispatch.Dropoff); got != 3*time.Minute+way {
		t.Errorf("there in %v, want 3 minutes and %v", got, way)
	}
	w.clock.Advance(5 * time.Minute)
	w.at(c, 500)
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActArrive, Order: order, Kind: dispatch.Dropoff}))
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Dropoff}))
	next := w.place("k2", func(n *dispatch.NewOrder) { n.Pickup.Point = market.Offset(500, 0) })
	w.round()
	if o := w.order(next); o.Courier != c || o.ETA == nil || o.ETA.Pickup.Sub(w.clock.Now()).Round(time.Second) != 2*time.Minute {
		t.Errorf("%s with %q, eta %+v at %v", o.Status, o.Courier, o.ETA, w.clock.Now())
	}
}
