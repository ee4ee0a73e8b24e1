package dispatch_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"courier/dispatch"
	"courier/geo"
	"courier/tracking"
)

// How long leases last: shortLease lets tests see nodes die, longLease keeps
// them alive on however slow a machine.
const (
	shortLease = 600 * time.Millisecond
	longLease  = 10 * time.Minute
)

// meet rounds until every loop knows that the others live.
func (w *world) meet(lease time.Duration, loops ...*dispatch.Loop) {
	w.Helper()
	for _, l := range loops {
		l.SetLease(lease)
	}
	w.until("all know of each other", func() bool {
		met := true
		for _, l := range loops {
			l.Woken() // as if others had hinted: it beats sooner
			w.must(l.Round(w.Context()))
			met = met && l.Stats().Nodes == len(loops)
		}
		return met
	})
}

// until waits for a condition that rounds bring about.
func (w *world) until(what string, is func() bool) {
	w.Helper()
	for patience := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(patience) {
			w.Fatalf("it never is so that %s", what)
		}
	}
}

// towns are so many places that lie in an area each.
func towns(n int) []geo.Point {
	var out []geo.Point
	for i := range n {
		out = append(out, market.Offset(100_000*float64(i%10), 100_000*float64(i/10)))
	}
	return out
}

func (w *world) assigned(orders []string) int {
	n := 0
	for _, order := range orders {
		if w.order(order).Status == dispatch.Assigned {
			n++
		}
	}
	return n
}

// rounds runs a round of each loop, all at once.
func (w *world) rounds(loops ...*dispatch.Loop) {
	var all sync.WaitGroup
	for _, l := range loops {
		all.Go(func() {
			l.Woken()
			if err := l.Round(context.WithoutCancel(w.Context())); err != nil {
				w.Error(err)
			}
		})
	}
	all.Wait()
}

func TestNodesShareTheAreas(t *testing.T) {
	w := newWorld(t, assignMode)
	names := []string{"a", "b", "c", "d"}
	var loops []*dispatch.Loop
	for _, name := range names {
		_, l := w.node(name)
		loops = append(loops, l)
	}
	places := towns(24)
	wait := func(key string) (orders []string) { // for couriers that come later
		for i, at := range places {
			orders = append(orders, w.place(fmt.Sprint(key, i), func(n *dispatch.NewOrder) {
				n.Pickup.Point, n.Dropoff.Point = at, at.Offset(1000, 0)
			}))
		}
		return orders
	}
	// shared wants the first n loops to hold what falls to them.
	shared := func(when string, orders []string, n int) {
		t.Helper()
		want := map[string]int{}
		for _, order := range orders {
			want[dispatch.FallsTo(w.order(order).Area(), names[:n])]++
		}
		want[dispatch.FallsTo("housekeeping", names[:n])]++
		w.until(when, func() bool {
			w.rounds(loops[:n]...)
			for i, l := range loops[:n] {
				if s := l.Stats(); s.Areas != want[names[i]] || s.Nodes != n {
					return false
				}
			}
			return true
		})
	}
	// matched has couriers come, each with room for one order.
	matched := func(orders []string, n int) {
		t.Helper()
		for i, at := range places {
			w.put(w.courier(fmt.Sprint("Of ", i), 0, func(n *dispatch.NewCourier) { n.Capacity = 1 }), at.Offset(100, 0))
		}
		w.until("all is matched", func() bool { w.rounds(loops[:n]...); return w.assigned(orders) == len(orders) })
		for _, order := range orders {
			w.wantHistory(order, "placed", "searching", "assigned")
		}
	}

	w.meet(shortLease, loops[:3]...)
	orders := wait("first")
	shared("three nodes share the areas", orders, 3)
	matched(orders, 3)

	orders = wait("second")
	w.meet(shortLease, loops...)
	shared("the fourth, that has joined, has its share", orders, 4)
	matched(orders, 4)

	orders = wait("third")
	shared("two hold all when the others are dead", orders, 2)
	matched(orders, 2)
}

func TestANodeThatLeavesIsReplacedAtOnce(t *testing.T) {
	w := newWorld(t, assignMode)
	var mu sync.Mutex
	var hints []string
	hint := func(d *dispatch.Deps) {
		d.WakeNode = func(node string) {
			mu.Lock()
			defer mu.Unlock()
			hints = append(hints, node)
		}
	}
	names := twoNodes(t, market, market.Offset(200_000, 0))
	leaves, leaver := w.node(names[0], hint)
	stays, other := w.node(names[1])
	leaver.SetLease(time.Hour) // it would be kept waiting for as long as this
	other.SetLease(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	w.must(other.Round(t.Context()))
	go func() { ended <- leaver.Run(ctx) }()
	w.until("the leaver has begun", func() bool { return leaver.Stats().Nodes == 2 })
	w.until("the other knows of it", func() bool {
		stays.Woken()
		w.must(other.Round(t.Context()))
		return other.Stats().Nodes == 2
	})
	order := w.place("k1", nil) // and no courier: it waits on
	w.until("the leaver has the order's area", func() bool {
		leaves.Woken()
		return w.order(order).Status == dispatch.Searching
	})
	w.must(other.Round(t.Context()))

	cancel()
	w.must(<-ended)
	mu.Lock()
	if len(hints) == 0 || hints[len(hints)-1] != names[1] {
		t.Errorf("the other node is not told: %v", hints)
	}
	mu.Unlock()
	w.courier("Only", 100, nil)
	w.until("the other matches", func() bool {
		stays.Woken() // as that hint does
		w.must(other.Round(t.Context()))
		return w.order(order).Status == dispatch.Assigned
	})
	w.wantHistory(order, "placed", "searching", "assigned")
}

// gate is a Locator that answers once it is open.
type gate struct {
	dispatch.Locator
	open chan struct{}
}

func (g *gate) Near(ctx context.Context, at geo.Point, radius float64, limit int) ([]tracking.Fix, error) {
	select {
	case <-g.open:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return g.Locator.Near(ctx, at, radius, limit)
}

// A round may take longer than a lease, and its areas stay; a loop that hangs
// is replaced, and cannot write when it goes on.
func TestALoopThatHangsIsReplaced(t *testing.T) {
	w := newWorld(t, assignMode)
	names := twoNodes(t, market, market.Offset(200_000, 0))
	g := &gate{w.where, make(chan struct{})}
	hung, a := w.node(names[0], func(d *dispatch.Deps) { d.Locator = g })
	_, b := w.node(names[1])
	const lease = time.Second
	w.meet(lease, a, b)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	w.courier("Only", 100, nil)
	order := w.place("k1", nil)
	go func() { ended <- a.Run(ctx) }()
	hung.Wake()
	w.until("a has the area and hangs", func() bool { return a.Stats().Areas > 0 })
	begun := time.Now()
	w.until("b matches", func() bool {
		w.must(b.Round(t.Context()))
		return w.order(order).Status == dispatch.Assigned
	})
	if took := time.Since(begun); took < 2*lease {
		t.Errorf("replaced after %v, for a round that was only slow", took)
	}
	close(g.open)
	w.until("a has gone on", func() bool { return a.Stats().Lost > 0 })
	cancel()
	w.must(<-ended)
	w.wantHistory(order, "placed", "searching", "assigned")
}

// A node that does not see the couriers of others leaves the areas to those
// that do; where nobody does, each does what it can.
func TestABlindNodeLeavesTheAreas(t *testing.T) {
	w := newWorld(t, assignMode)
	names := twoNodes(t, market, market.Offset(200_000, 0))
	var mirrors []*mirrored
	var loops []*dispatch.Loop
	for _, name := range names {
		m := &mirrored{}
		_, l := w.node(name, func(d *dispatch.Deps) { d.Mirror = m })
		mirrors, loops = append(mirrors, m), append(loops, l)
	}
	w.meet(longLease, loops...)
	w.place("k1", nil)
	w.place("k2", func(n *dispatch.NewOrder) {
		n.Pickup.Point, n.Dropoff.Point = market.Offset(200_000, 0), market.Offset(201_000, 0)
	})
	hold := func(when string, a, b int) {
		t.Helper()
		w.until(when, func() bool {
			w.rounds(loops...)
			return min(loops[0].Stats().Areas, 2) == a && min(loops[1].Stats().Areas, 2) == b
		})
	}
	both := func() bool { return loops[0].Stats().Areas+loops[1].Stats().Areas == 3 } // with housekeeping
	shared := func(when string) {
		t.Helper()
		w.until(when, func() bool {
			w.rounds(loops...)
			return both() && loops[0].Stats().Areas > 0 && loops[1].Stats().Areas > 0
		})
	}
	shared("both hold some")
	mirrors[0].blind.Store(true)
	hold("the blind one holds none", 0, 2)
	mirrors[1].blind.Store(true)
	shared("two blind ones share")
	mirrors[0].blind.Store(false)
	hold("the one that sees again holds all", 2, 0)
}

// An area that nobody can lease, and where nobody matches, raises the alarm
// as any other (I13).
func TestNothingWaitsSilentlyWhereNobodyMatches(t *testing.T) {
	w := newWorld(t, assignMode)
	w.courier("Only", 100, nil)
	order := w.place("k1", nil)
	w.takeOver(w.order(order).Area(), dispatch.Holder{Node: "ghost", Run: "1"})
	w.round()
	w.wantStatus(order, dispatch.Placed)
	if s := w.loop.Stats(); s.Blocked != 1 || s.Areas != 1 {
		t.Errorf("%+v", s)
	}
	w.clock.Advance(w.SearchLimit + time.Minute)
	w.round()
	w.wantStatus(order, dispatch.Placed)
	w.clock.Advance(20 * time.Second)
	w.round()
	w.wantStatus(order, dispatch.Unassignable)
}

// When a node goes, what it had goes to others and nothing else moves; and
// each has about its share.
func TestFallsTo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z0-9/:.-]{1,20}`), 1, 8, rapid.ID).Draw(t, "nodes")
		gone := rapid.IntRange(0, len(nodes)-1).Draw(t, "gone")
		var rest []string
		for i, n := range nodes {
			if i != gone {
				rest = append(rest, n)
			}
		}
		got := map[string]int{}
		for i := range 2000 {
			area := fmt.Sprintf("84%05xfffffff", i)
			before := dispatch.FallsTo(area, nodes)
			got[before]++
			if after := dispatch.FallsTo(area, rest); after != before && before != nodes[gone] {
				t.Fatalf("area %s went from %s to %s though %s left", area, before, after, nodes[gone])
			}
		}
		for _, n := range nodes {
			if fair := 2000 / len(nodes); got[n] < fair/2 || got[n] > 2*fair {
				t.Fatalf("%s has %d areas of 2000, %d nodes", n, got[n], len(nodes))
			}
		}
	})
}

func TestAnOrderWakesWhoeverMatchesIt(t *testing.T) {
	w := newWorld(t, assignMode)
	woken := make(chan string, 10)
	names := twoNodes(t, market, market.Offset(200_000, 0))
	edge, l := w.node(names[1], func(d *dispatch.Deps) { d.WakeNode = func(node string) { woken <- node } })
	_, matcher := w.node(names[0])
	w.meet(longLease, matcher, l)
	w.Service = edge
	place := func(key string, at geo.Point) {
		t.Helper()
		w.place(key, func(n *dispatch.NewOrder) { n.Pickup.Point, n.Dropoff.Point = at, at.Offset(500, 0) })
	}
	place("k1", market)
	select {
	case node := <-woken:
		if node != names[0] {
			t.Errorf("woke %s", node)
		}
	default:
		t.Error("the node that holds the area is not woken")
	}
	place("k2", market.Offset(200_000, 0))
	c := w.courier("Only", 100, nil)
	for len(woken) > 0 {
		<-woken
	}
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActSetDuty, Duty: dispatch.Break}))
	if len(woken) != 0 {
		t.Errorf("woke %s for nothing that it could match", <-woken)
	}
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActSetDuty, Duty: dispatch.Available}))
	select {
	case node := <-woken:
		if node != names[0] {
			t.Errorf("woke %s", node)
		}
	default:
		t.Error("a courier is free, and the node that matches there is not woken")
	}
}
