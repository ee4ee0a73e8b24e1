package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/tracking"
)

// reading is a store that notes whose records are read for a round.
type reading struct {
	dispatch.Store
	ids []string
}

func (s *reading) CouriersByID(ctx context.Context, ids []string) ([]dispatch.Courier, error) {
	s.ids = append(s.ids, ids...)
	return s.Store.CouriersByID(ctx, ids)
}

func TestARoundLooksAtWhoIsNearOrWillBe(t *testing.T) {
	w := newWorld(t, func(c *dispatch.Config) {
		c.Mode, c.Match.CommitAhead = dispatch.ModeAssign, c.Match.BusyAhead
	})
	busy := w.courier("Busy, on the way here", 7900, nil)
	free := w.courier("Free, as far away", 7900, nil)
	far := w.courier("In another town", 60_000, nil)
	onTheWay := w.place("k0", func(n *dispatch.NewOrder) {
		n.Pickup.Point, n.Dropoff.Point = market.Offset(7900, 0), market.Offset(300, 0)
	})
	_, err := w.Assign(t.Context(), onTheWay, busy, because(0))
	w.must(err)

	order := w.place("k1", nil)
	store := &reading{Store: w.store}
	_, loop := w.node("node", func(d *dispatch.Deps) { d.Store = store })
	w.must(loop.Round(t.Context()))
	if o := w.order(order); o.Courier != busy {
		t.Errorf("the order is %s with %q, want %s: it stops 300 m from the pickup", o.Status, o.Courier, busy)
	}
	if slices.Contains(store.ids, far) {
		t.Error("the record of a courier in another town was read")
	}

	for i, to := range []string{far, free} {
		pinned := w.place(fmt.Sprint("pinned", i), nil)
		_, err = w.Pin(t.Context(), pinned, to, because(0))
		w.must(err)
		w.must(loop.Round(t.Context()))
		if o := w.order(pinned); o.Courier != to {
			t.Errorf("the order is %s with %q, and pinned to %s", o.Status, o.Courier, to)
		}
	}
}

// mirrored is a Mirror that is told what to hold.
type mirrored struct {
	places
	covered []geo.Cell
	fault   error
	blind   atomic.Bool
}

func (m *mirrored) Blind() bool { return m.blind.Load() }

func (m *mirrored) Cover(_ context.Context, regions ...geo.Cell) error {
	m.covered = regions
	return m.fault
}

// With a mirror a round asks the shared index for nobody: it may be away.
func TestARoundWithAMirrorNeedsNoIndex(t *testing.T) {
	w := newWorld(t, assignMode)
	c := w.courier("Only", 100, nil)
	first := w.place("k1", nil)
	mirror := &mirrored{places: places{fixes: w.where.fixes}, fault: errors.New("away")}
	_, loop := w.node("node", func(d *dispatch.Deps) { d.Mirror = mirror })
	w.must(loop.Round(t.Context())) // keeps house too, which needs the index
	w.wantStatus(first, dispatch.Assigned)
	for _, east := range []float64{0, 6000, 15_000} {
		region, err := geo.CellOf(market.Offset(east, 0), geo.RegionResolution)
		w.must(err)
		if !slices.Contains(mirror.covered, region) {
			t.Errorf("%v m away is not mirrored", east)
		}
	}
	if n := len(mirror.covered); n > 1000 {
		t.Errorf("%d regions are mirrored for one area", n)
	}

	w.where.away = errors.New("away")
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: first, Kind: dispatch.Pickup}))
	second := w.place("k2", nil)
	w.must(loop.Round(t.Context()))
	w.wantStatus(second, dispatch.Assigned)
	if stops := w.plan(c).Stops; stops[0].Arrive.IsZero() {
		t.Error("the plan has no times")
	}

	// A courier who falls silent gets nothing, whatever the mirror holds.
	w.clock.Advance(w.StaleAfter + time.Second)
	third := w.place("k3", nil)
	_ = loop.Round(t.Context()) // the house is kept again, and says that the index is away
	w.wantStatus(third, dispatch.Searching)
}

// BenchmarkRound is a round of a town in which nobody can take anything more:
// what is left is to look and to match.
func BenchmarkRound(b *testing.B) {
	for _, size := range []struct{ orders, couriers int }{{200, 1000}, {1000, 10_000}} {
		b.Run(fmt.Sprintf("orders=%d/couriers=%d", size.orders, size.couriers), func(b *testing.B) {
			w := newWorld(b, assignMode)
			rnd := rand.New(rand.NewPCG(7, 7))
			anywhere := func() geo.Point { return market.Offset(rnd.Float64()*14_000-7000, rnd.Float64()*14_000-7000) }
			var all sync.WaitGroup
			ids := make(chan string, size.couriers)
			for range 32 {
				all.Go(func() {
					for range size.couriers / 32 {
						c, err := w.CreateCourier(b.Context(), ann, dispatch.NewCourier{Name: "C", Vehicle: geo.Bicycle, Capacity: 1})
						w.must(err)
						w.must(w.Act(b.Context(), c.ID, 1, "on", dispatch.Action{Type: dispatch.ActSetDuty, Duty: dispatch.Available}))
						ids <- c.ID
					}
				})
			}
			for i := range size.orders {
				from := anywhere()
				all.Go(func() {
					n := newOrder()
					n.Pickup.Point, n.Dropoff.Point, n.Size = from, from.Offset(500, 500), 2
					_, _, err := w.Place(b.Context(), merchant, n, fmt.Sprint("k", i))
					w.must(err)
				})
			}
			all.Wait()
			close(ids)
			index := tracking.NewMemory()
			for id := range ids {
				w.must(index.Move(b.Context(), []tracking.Fix{{Courier: id, Time: noon, Received: noon, Point: anywhere()}}))
			}
			_, loop := w.node("node", func(d *dispatch.Deps) { d.Locator = index })
			for range 2 {
				w.must(loop.Round(b.Context()))
			}
			for b.Loop() {
				w.must(loop.Round(b.Context()))
			}
		})
	}
}
