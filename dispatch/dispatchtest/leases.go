package dispatchtest

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
)

// TestLeases is invariant I5: a paused node cannot write.
func TestLeases(t *testing.T, open func(t *testing.T) dispatch.Store) {
	take := func(t *testing.T, s dispatch.Store, node string, ttl time.Duration) (int64, bool) {
		t.Helper()
		tokens, err := s.Leases(t.Context(), dispatch.Holder{Node: node, Run: "1"}, []string{"area"}, ttl)
		wantNo(t, err)
		return tokens["area"], len(tokens) > 0
	}
	check := func(s dispatch.Store, token int64) error {
		return s.Update(context.Background(), func(tx dispatch.Tx) error {
			return tx.CheckLease("area", token)
		})
	}
	t.Run("are one holder's, who renews them", func(t *testing.T) {
		s := open(t)
		first, ok := take(t, s, "a", time.Hour)
		if !ok {
			t.Fatal("a free area is refused")
		}
		if again, ok := take(t, s, "a", time.Hour); !ok || again != first {
			t.Errorf("renewed as %d (%v), want %d", again, ok, first)
		}
		if token, ok := take(t, s, "b", time.Hour); ok {
			t.Errorf("another takes it too: %d", token)
		}
		if tokens, err := s.Leases(t.Context(), dispatch.Holder{Node: "b", Run: "1"}, []string{"other"}, time.Hour); tokens["other"] == 0 || err != nil {
			t.Errorf("another area: %v, %v", tokens, err)
		}
		wantNo(t, check(s, first))
	})
	t.Run("run out, and their token is worth nothing then", func(t *testing.T) {
		s := open(t)
		first, _ := take(t, s, "a", 50*time.Millisecond)
		wantNo(t, check(s, first)) // nobody has taken it over
		var second int64
		for until, ok := time.Now().Add(10*time.Second), false; !ok; time.Sleep(5 * time.Millisecond) {
			if second, ok = take(t, s, "b", time.Hour); time.Now().After(until) {
				t.Fatal("it does not run out")
			}
		}
		if second <= first {
			t.Errorf("token %d after %d", second, first)
		}
		wantErr(t, check(s, first), dispatch.ErrConflict)
		wantNo(t, check(s, second))
		o, e := newOrder("o1", start)
		wantErr(t, s.Update(t.Context(), func(tx dispatch.Tx) error {
			return errors.Join(tx.SaveOrder(o, 0, []dispatch.Event{e}), tx.CheckLease("area", first))
		}), dispatch.ErrConflict)
		_, err := s.Order(t.Context(), "o1")
		wantErr(t, err, dispatch.ErrNotFound)
	})
	t.Run("are given back", func(t *testing.T) {
		s := open(t)
		first, _ := take(t, s, "a", time.Hour)
		take(t, s, "a", 0)
		if second, ok := take(t, s, "b", time.Hour); !ok || second <= first {
			t.Errorf("token %d (%v) after %d", second, ok, first)
		}
	})
	t.Run("go over to a newer run of the node at once, and not back", func(t *testing.T) {
		s := open(t)
		run := func(run string) int64 {
			tokens, err := s.Leases(t.Context(), dispatch.Holder{Node: "a", Run: run}, []string{"area"}, time.Hour)
			wantNo(t, err)
			return tokens["area"]
		}
		first, second := run("1"), run("2")
		if first == 0 || second <= first {
			t.Fatalf("token %d after %d", second, first)
		}
		if token := run("1"); token != 0 {
			t.Errorf("the run before takes it back: %d", token)
		}
		if token := run("2"); token != second {
			t.Errorf("renewed as %d, want %d", token, second)
		}
		wantErr(t, check(s, first), dispatch.ErrConflict)
		wantNo(t, check(s, second))
	})
	t.Run("never go back, whoever gives them back", func(t *testing.T) {
		s := open(t)
		last := int64(0)
		for i := range 12 {
			h := dispatch.Holder{Node: fmt.Sprint("node", i%2), Run: fmt.Sprint(i % 3)}
			tokens, err := s.Leases(t.Context(), h, []string{"area"}, time.Hour)
			wantNo(t, err)
			if tokens["area"] <= last {
				t.Fatalf("token %d after %d", tokens["area"], last)
			}
			last = tokens["area"]
			for _, other := range []dispatch.Holder{{Node: h.Node, Run: "0" + h.Run}, {Node: "x", Run: h.Run}} {
				_, err := s.Leases(t.Context(), other, []string{"area"}, 0) // not theirs to give
				wantNo(t, err)
			}
			if again, _ := s.Leases(t.Context(), h, []string{"area"}, time.Hour); again["area"] != last {
				t.Fatalf("others gave it back: %v", again)
			}
			tokens, err = s.Leases(t.Context(), h, []string{"area", "none"}, 0)
			wantNo(t, err)
			if len(tokens) != 0 {
				t.Fatalf("given back, and held: %v", tokens)
			}
		}
	})
	t.Run("of many areas are taken as far as they are free", func(t *testing.T) {
		s := open(t)
		a, b := dispatch.Holder{Node: "a", Run: "1"}, dispatch.Holder{Node: "b", Run: "1"}
		lease := func(h dispatch.Holder, from, to int) map[string]int64 {
			var areas []string
			for i := range to - from {
				areas = append(areas, fmt.Sprintf("area%03d", to-1-i), fmt.Sprintf("area%03d", from+i))
			}
			tokens, err := s.Leases(t.Context(), h, areas, time.Hour)
			wantNo(t, err)
			return tokens
		}
		if tokens := lease(a, 0, 300); len(tokens) != 300 {
			t.Fatalf("%d of 300 free areas", len(tokens))
		}
		theirs := lease(b, 250, 400)
		if len(theirs) != 100 || theirs["area249"] != 0 || theirs["area300"] == 0 {
			t.Errorf("%d areas, want the 100 that nobody has", len(theirs))
		}
		if tokens := lease(a, 0, 400); len(tokens) != 300 {
			t.Errorf("%d areas are renewed, want 300", len(tokens))
		}
		none, err := s.Leases(t.Context(), a, nil, time.Hour)
		if err != nil || len(none) != 0 {
			t.Errorf("no areas: %v, %v", none, err)
		}
		for _, bad := range []func() error{
			func() error { _, err := s.Leases(t.Context(), a, []string{""}, time.Hour); return err },
			func() error { _, err := s.Leases(t.Context(), a, []string{"x"}, -1); return err },
			func() error {
				_, err := s.Leases(t.Context(), dispatch.Holder{Node: "a"}, []string{"x"}, 1)
				return err
			},
			func() error { _, err := s.Leases(t.Context(), dispatch.Holder{Run: "a"}, []string{"x"}, 1); return err },
		} {
			if bad() == nil {
				t.Error("a lease without an area, a node, a run or a time is given")
			}
		}
	})
	t.Run("of many areas, each to one of many nodes", func(t *testing.T) {
		s := open(t)
		areas := make([]string, 40)
		for i := range areas {
			areas[i] = fmt.Sprint("area", i)
		}
		var mu sync.Mutex
		holders := map[string]int{}
		var all sync.WaitGroup
		for i := range 8 {
			mine := slices.Clone(areas)
			rand.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
			all.Go(func() {
				tokens, err := s.Leases(context.Background(), dispatch.Holder{Node: fmt.Sprint("node", i), Run: "1"}, mine, time.Hour)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for area := range tokens {
					holders[area]++
				}
			})
		}
		all.Wait()
		for _, area := range areas {
			if holders[area] != 1 {
				t.Errorf("%s has %d holders", area, holders[area])
			}
		}
	})
	t.Run("of no area are none", func(t *testing.T) {
		wantErr(t, check(open(t), 0), dispatch.ErrNotFound)
	})
	t.Run("go to one of many", func(t *testing.T) {
		s := open(t)
		var taken atomic.Int32
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				tokens, err := s.Leases(context.Background(), dispatch.Holder{Node: fmt.Sprint("node", i), Run: "1"}, []string{"area"}, time.Hour)
				if err != nil {
					t.Error(err)
				}
				if len(tokens) > 0 {
					taken.Add(1)
				}
			})
		}
		all.Wait()
		if n := taken.Load(); n != 1 {
			t.Errorf("%d took it", n)
		}
	})
}

// TestNodes is who lives, by the store's clock.
func TestNodes(t *testing.T, open func(t *testing.T) dispatch.Store) {
	beat := func(t *testing.T, s dispatch.Store, node string, ttl time.Duration) []string {
		t.Helper()
		alive, err := s.Beat(t.Context(), node, ttl)
		wantNo(t, err)
		return alive
	}
	t.Run("live as long as they said", func(t *testing.T) {
		s := open(t)
		wantSame(t, beat(t, s, "b", time.Second), []string{"b"})
		beat(t, s, "c", time.Hour)
		alive := []string{"a", "b", "c"}
		for until := time.Now().Add(10 * time.Second); !slices.Equal(alive, []string{"a", "c"}); time.Sleep(5 * time.Millisecond) {
			if alive = beat(t, s, "a", time.Hour); time.Now().After(until) {
				t.Fatalf("alive: %v", alive)
			}
		}
		wantSame(t, beat(t, s, "b", time.Hour), []string{"a", "b", "c"})
	})
	t.Run("leave", func(t *testing.T) {
		s := open(t)
		beat(t, s, "a", time.Hour)
		beat(t, s, "b", time.Hour)
		wantSame(t, beat(t, s, "a", 0), []string{"b"})
		beat(t, s, "a", 0)
		wantSame(t, beat(t, s, "b", time.Hour), []string{"b"})
	})
	t.Run("have a name and a time", func(t *testing.T) {
		s := open(t)
		for node, ttl := range map[string]time.Duration{"": time.Hour, "a": -1} {
			if _, err := s.Beat(t.Context(), node, ttl); err == nil {
				t.Errorf("node %q lives for %s", node, ttl)
			}
		}
	})
}

// testAreas is where work waits.
func testAreas(t *testing.T, open Open) {
	s := open(t)
	want := func(towns ...int) {
		t.Helper()
		var areas []string
		for _, n := range towns {
			areas = append(areas, area(n))
		}
		slices.Sort(areas)
		got, err := s.Areas(t.Context())
		wantNo(t, err)
		if !slices.Equal(got, areas) {
			t.Errorf("areas are %v, want %v", got, areas)
		}
	}
	want()
	orders := make([]dispatch.Order, 9)
	for i := range orders {
		o, e := newOrder(fmt.Sprint("o", i), start)
		o.Pickup.Point = town(i % 6)
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveOrder(o, 0, []dispatch.Event{e}) })
		orders[i] = o
	}
	want(0, 1, 2, 3, 4, 5)
	orders[0] = advance(t, s, orders[0], dispatch.Searching)
	orders[3] = advance(t, s, orders[3], dispatch.Searching)
	orders[3] = advance(t, s, orders[3], dispatch.Offered)
	advance(t, s, orders[4], dispatch.Cancelled)
	advance(t, s, orders[5], dispatch.Unassignable)
	advance(t, s, orders[8], dispatch.Cancelled)
	want(0, 1, 2)
	advance(t, s, orders[3], dispatch.Searching)
	advance(t, s, orders[2], dispatch.Cancelled)
	advance(t, s, orders[6], dispatch.Cancelled)
	want(0, 1, 3)
}
