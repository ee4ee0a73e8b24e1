package dispatch_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"courier/dispatch"
	"courier/geo"
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
// another, or a newer life of its own, has taken an area over (I5).
func TestAPausedNodeCannotAssign(t *testing.T) {
	for name, holder := range map[string]dispatch.Holder{
		"another node":  {Node: "another", Run: "1"},
		"its own newer": {Node: "node", Run: "newer"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, assignMode)
			w.courier("Only", 100, nil)
			order := w.place("k1", nil)
			w.meanwhile(func() { w.takeOver(w.order(order).Area(), holder) })
			w.round()
			w.wantStatus(order, dispatch.Placed)

			w.round() // and does nothing while the other holds it
			w.wantStatus(order, dispatch.Placed)
			if s := w.loop.Stats(); s.Blocked != 1 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// takeOver gives an area to another holder, as if the lease had run out.
func (w *world) takeOver(area string, to dispatch.Holder) {
	w.Helper()
	w.must(w.giveBack(area))
	tokens, err := w.Store.Leases(w.Context(), to, []string{area}, time.Hour)
	w.must(err)
	if tokens[area] == 0 {
		w.Fatalf("%v cannot take %s over", to, area)
	}
}

// giveBack ends the lease of whichever of the world's loops has an area.
func (w *world) giveBack(area string) error {
	var errs []error
	for run := int64(1); run <= w.ids.Load(); run++ {
		h := dispatch.Holder{Node: "node", Run: fmt.Sprintf("id%06d", run)}
		_, err := w.Store.Leases(w.Context(), h, []string{area}, 0)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// A bundle of orders from both sides of a border rests on two leases.
func TestABundleOverABorderNeedsBothAreas(t *testing.T) {
	for _, lost := range []int{-1, 0, 1} {
		t.Run(fmt.Sprint("lost=", lost), func(t *testing.T) {
			w := newWorld(t, assignMode)
			inside, outside := border(t, 10)
			c := w.courier("Only", 0, nil)
			w.put(c, inside.Offset(100, 0))
			var orders []string
			for i, from := range []geo.Point{inside, outside} {
				orders = append(orders, w.place(fmt.Sprint("k", i), func(n *dispatch.NewOrder) {
					n.Pickup.Point, n.Dropoff.Point = from, inside.Offset(0, 2000)
				}))
			}
			if lost >= 0 {
				area := w.order(orders[lost]).Area()
				w.meanwhile(func() { w.takeOver(area, dispatch.Holder{Node: "another", Run: "1"}) })
			}
			w.round()
			for _, order := range orders {
				want := dispatch.Assigned
				if lost >= 0 {
					want = dispatch.Placed
				}
				w.wantStatus(order, want)
			}
			if lost >= 0 {
				return
			}
			for _, order := range orders {
				events, err := w.Events(t.Context(), dispatch.Scope{}, order, 0)
				w.must(err)
				last := events[len(events)-1].Data
				if last.Area != w.order(order).Area() || last.Token < 1 {
					t.Errorf("assigned under %+v", last)
				}
			}
		})
	}
}

// border is two places so many metres to either side of where two areas meet,
// near the market.
func border(t *testing.T, metres float64) (inside, outside geo.Point) {
	t.Helper()
	cell, err := geo.CellOf(market, geo.AreaResolution)
	if err != nil {
		t.Fatal(err)
	}
	corners := cell.Boundary()
	edge := geo.Lerp(corners[0], corners[1], 0.5)
	toCenter := geo.Distance(edge, cell.Center())
	for out := -2 * metres; ; out += metres / 10 { // an edge is no straight line
		inside = geo.Lerp(edge, cell.Center(), (2*metres-out)/toCenter)
		outside = geo.Lerp(edge, cell.Center(), -out/toCenter)
		a, err1 := geo.CellOf(inside, geo.AreaResolution)
		b, err2 := geo.CellOf(outside, geo.AreaResolution)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if a == cell && b != cell {
			return inside, outside
		}
		if out > 100*metres {
			t.Fatal("no border here")
		}
	}
}

// put is a fix of a courier now, at a place.
func (w *world) put(courier string, at geo.Point) {
	w.at(courier, 0)
	w.where.mu.Lock()
	defer w.where.mu.Unlock()
	f := w.where.fixes[courier]
	f.Point = at
	w.where.fixes[courier] = f
}

// Two nodes may want one courier where their areas meet: its version decides,
// and the loser looks again.
func TestTwoNodesWantOneCourierAtTheBorder(t *testing.T) {
	for mode, given := range map[dispatch.Mode]dispatch.Status{
		dispatch.ModeAssign: dispatch.Assigned, dispatch.ModeOffer: dispatch.Offered,
	} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t, func(c *dispatch.Config) {
				c.Mode, c.Match.CommitAhead = mode, c.Match.BusyAhead // no waiting for a better moment
			})
			inside, outside := border(t, 200)
			names := twoNodes(t, inside, outside)
			_, a := w.node(names[0])
			_, b := w.node(names[1])
			w.meet(longLease, a, b)
			c := w.courier("Only", 0, nil)
			w.put(c, inside)
			place := func(key string, from geo.Point) string {
				return w.place(key, func(n *dispatch.NewOrder) { n.Pickup.Point, n.Dropoff.Point = from, from.Offset(500, 500) })
			}
			first, second := place("k1", inside), place("k2", outside)
			w.meanwhile(func() {
				w.must(b.Round(t.Context()))
				w.wantStatus(second, given)
			})
			w.must(a.Round(t.Context()))
			w.wantStatus(first, dispatch.Placed)
			if mode == dispatch.ModeOffer {
				offer := w.offered(c)
				if len(offer.Orders) != 1 || offer.Orders[0] != second {
					t.Fatalf("the offer is of %v", offer.Orders)
				}
				w.must(w.act(c, dispatch.Action{Type: dispatch.ActAccept, Offer: offer.ID}))
			}
			w.must(a.Round(t.Context()))
			w.wantStatus(first, given)
			w.wantStatus(second, dispatch.Assigned)
		})
	}
}

// twoNodes are names with which the area of each place falls to another.
func twoNodes(t *testing.T, places ...geo.Point) []string {
	t.Helper()
	for i := range 1000 {
		names := []string{fmt.Sprint("a", i), fmt.Sprint("b", i)}
		right := true
		for k, at := range places {
			cell, err := geo.CellOf(at, geo.AreaResolution)
			if err != nil {
				t.Fatal(err)
			}
			right = right && dispatch.FallsTo(cell.String(), names) == names[k]
		}
		if right {
			return names
		}
	}
	t.Fatal("no two names share these areas")
	return nil
}
