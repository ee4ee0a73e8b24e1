package dispatch_test

import (
	"testing"
	"time"

	"courier/dispatch"
)

func TestARoundLosesToWhatHappenedMeanwhile(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile func(w *world, courier, order string)
		want      dispatch.Status
	}{
		"the order was cancelled": {func(w *world, _, order string) {
			_, err := w.Cancel(w.Context(), order, because(0))
			w.must(err)
		}, dispatch.Cancelled},
		"the order was pinned to another": {func(w *world, _, order string) {
			other := w.courier("Other", 5900, nil)
			_, err := w.Pin(w.Context(), order, other, because(0))
			w.must(err)
		}, dispatch.Placed},
		"the courier went on break": {func(w *world, courier, _ string) {
			w.must(w.act(courier, dispatch.Action{Type: dispatch.ActSetDuty, Duty: dispatch.Break}))
		}, dispatch.Placed},
	} {
		for _, mode := range []dispatch.Mode{dispatch.ModeAssign, dispatch.ModeOffer} {
			t.Run(name+"/"+string(mode), func(t *testing.T) {
				w := newWorld(t, func(c *dispatch.Config) { c.Mode = mode })
				courier := w.courier("Only", 100, nil)
				order := w.place("k1", nil)
				w.meanwhile(func() { tt.meanwhile(w, courier, order) })
				w.round()
				w.wantStatus(order, tt.want)
				if c, offer, err := w.CourierState(t.Context(), courier); err != nil || offer != nil || len(c.Plan.Stops) > 0 {
					t.Fatalf("the courier has %+v, offer %v, %v", c.Plan.Stops, offer, err)
				}
			})
		}
	}
}

// Two nodes may decide at once, where a lease has just moved: what one has
// offered, the other must not overwrite.
func TestTwoLoopsMakeOneOffer(t *testing.T) {
	w := newWorld(t, nil)
	first := w.place("k1", nil)
	w.round()
	w.wantStatus(first, dispatch.Searching) // nobody is there yet
	courier := w.courier("Only", 100, func(n *dispatch.NewCourier) { n.Capacity = 1 })
	var seen dispatch.Offer
	w.meanwhile(func() {
		second := w.place("k2", func(n *dispatch.NewOrder) { n.Priority = 9 })
		w.must(dispatch.NewLoop(w.Service, nil).Round(t.Context()))
		if seen = w.offered(courier); seen.Orders[0] != second {
			t.Fatalf("the other loop offered %v", seen.Orders)
		}
	})
	w.round()
	if now := w.offered(courier); now.ID != seen.ID {
		t.Fatalf("offer %s was overwritten by %s", seen.ID, now.ID)
	}
	w.wantStatus(first, dispatch.Searching)
}

// A node that was paused between its look and its commits must not write once
// another has taken over (I5).
func TestAPausedNodeCannotAssign(t *testing.T) {
	w := newWorld(t, assignMode)
	w.courier("Only", 100, nil)
	order := w.place("k1", nil)
	w.meanwhile(func() {
		tokens, err := w.Store.Leases(t.Context(), dispatch.Holder{Node: w.Node, Run: "newer"}, []string{"dispatch"}, time.Minute)
		w.must(err)
		if len(tokens) != 1 {
			t.Fatal("the other node cannot take over")
		}
	})
	w.round()
	w.wantStatus(order, dispatch.Placed)

	late := dispatch.NewLoop(w.Service, nil) // and does nothing while the other holds it
	w.must(late.Round(t.Context()))
	w.wantStatus(order, dispatch.Placed)
}
