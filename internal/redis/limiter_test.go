package redis

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"courier/internal/testenv"
)

func take(t *testing.T, l *Limiter, key string, perSecond float64, burst int) time.Duration {
	t.Helper()
	wait, err := l.Take(t.Context(), key, perSecond, burst)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

func look(t *testing.T, l *Limiter, key string, perSecond float64, burst int) time.Duration {
	t.Helper()
	wait, err := l.Look(t.Context(), key, perSecond, burst)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

func TestLimiter(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(t testing.TB) *DB) {
		t.Run("a burst, then a wait", func(t *testing.T) {
			l := NewLimiter(open(t), nil)
			for i := range 3 {
				if wait := look(t, l, "k", 0.1, 3); wait != 0 {
					t.Fatalf("look %d: %v", i, wait)
				}
				if wait := take(t, l, "k", 0.1, 3); wait != 0 {
					t.Fatalf("take %d: %v", i, wait)
				}
			}
			for _, wait := range []time.Duration{take(t, l, "k", 0.1, 3), look(t, l, "k", 0.1, 3), take(t, l, "k", 0.1, 3)} {
				if wait < 8*time.Second || wait > 10*time.Second {
					t.Errorf("wait %v, want about 10 s", wait)
				}
			}
			if wait := take(t, l, "other", 0.1, 3); wait != 0 {
				t.Errorf("another key waits %v", wait)
			}
		})
		t.Run("tokens come back", func(t *testing.T) {
			l := NewLimiter(open(t), nil)
			take(t, l, "k", 50, 1)
			wait := take(t, l, "k", 50, 1)
			if wait <= 0 || wait > 20*time.Millisecond {
				t.Fatalf("wait %v, want at most 20 ms", wait)
			}
			time.Sleep(wait + time.Millisecond)
			if wait := take(t, l, "k", 50, 1); wait != 0 {
				t.Errorf("waited, and is to wait %v more", wait)
			}
		})
		t.Run("nodes share a bucket", func(t *testing.T) {
			db := open(t)
			var let, closed atomic.Int64
			var nodes sync.WaitGroup
			for range 4 {
				l := NewLimiter(db, nil)
				for range 8 { // who share round trips
					nodes.Go(func() {
						for range 10 {
							if wait, _ := l.Take(t.Context(), "k", 0.01, 70); wait == 0 {
								let.Add(1)
							}
							if wait, _ := l.Take(t.Context(), "closed", 0.01, 1); wait == 0 {
								closed.Add(1)
							}
						}
					})
				}
			}
			nodes.Wait()
			if let.Load() != 70 || closed.Load() != 1 {
				t.Errorf("%d of 70 let in, and %d of one", let.Load(), closed.Load())
			}
		})
		t.Run("no limit", func(t *testing.T) {
			l := NewLimiter(open(t), nil)
			for range 5 {
				if wait := take(t, l, "k", -1, 0); wait != 0 {
					t.Fatalf("wait %v", wait)
				}
			}
		})
	})
}

func TestLimiterWithoutRedis(t *testing.T) {
	server := testenv.StartRedis(t)
	l := NewLimiter(open(t, Config{URLs: []string{server.URL()}}), nil)
	take(t, l, "k", 0.1, 2)
	server.Kill()
	begun := time.Now()
	for i, want := range []bool{true, true, false, false} {
		if wait := take(t, l, "k", 0.1, 2); (wait == 0) != want {
			t.Errorf("take %d without Redis: wait %v", i, wait)
		}
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("4 requests took %v without Redis", took)
	}
	server.Restart()
	server.WaitReady()
	for until := time.Now().Add(10 * time.Second); look(t, l, "k", 0.1, 2) != 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("Redis is back, and not asked")
		}
	}
}

// TestANodeAloneGivesItsShare: three nodes that cannot count together let no
// more through than they would together, and everyone at least once.
func TestANodeAloneGivesItsShare(t *testing.T) {
	server := testenv.StartRedis(t)
	db := open(t, Config{URLs: []string{server.URL()}})
	server.Kill()
	nodes := 3
	l := NewLimiter(db, func() int { return nodes })
	let := func(key string, burst int) (n int) {
		for range 2 * burst {
			if take(t, l, key, 0.003, burst) == 0 {
				n++
			}
		}
		return n
	}
	for burst, want := range map[int]int{30: 10, 8: 2, 2: 1, 1: 1} {
		if n := let(fmt.Sprint("k", burst), burst); n != want {
			t.Errorf("%d at once, three nodes: %d let in, want %d", burst, n, want)
		}
	}
	if wait := take(t, l, "k30", 0.003, 30); wait < 900*time.Second {
		t.Errorf("the next in %v, want a third of 0.003 a second", wait)
	}
	nodes = 1 // the others are gone: their share is ours, as it fills up
	take(t, l, "k30", 0.003, 30)
	if wait := take(t, l, "k30", 0.003, 30); wait > 340*time.Second {
		t.Errorf("the next in %v, want 0.003 a second", wait)
	}
	if s := l.Stats(); !s.Alone || s.Failures == 0 || s.Local < 80 {
		t.Errorf("%+v", s)
	}
}

func TestLocalLimiterIsBounded(t *testing.T) {
	l := newLocalLimiter(10)
	for i := range 100 {
		l.ask(localLimit{string(rune('a' + i)), 1, 1}, 1, true)
	}
	if len(l.byKey) != 10 || l.recent.Len() != 10 {
		t.Errorf("%d keys, %d buckets, want 10", len(l.byKey), l.recent.Len())
	}
}
