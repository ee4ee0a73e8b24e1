package dispatchtest

import (
	"context"
	"errors"
	"fmt"
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
