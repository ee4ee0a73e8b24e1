package tracking

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"courier/internal/clock"
)

// live is a tracker that runs on the bubble's clock, rate times as fast.
type live struct {
	*Tracker
	index *broken
	feed  *MemoryFeed
	store *shelf
	stale []string
	stop  func() error // ends Run and returns what it does
}

func startLive(t *testing.T, rate float64, c Config) *live {
	t.Helper()
	l := &live{index: &broken{Index: NewMemory()}, feed: NewMemoryFeed(), store: &shelf{}}
	c.Stale = func(couriers []string) { l.stale = append(l.stale, couriers...) }
	var err error
	l.Tracker, err = New(c, l.index, l.feed, l.store, clock.New(time.Now(), rate), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	l.stop = func() error { cancel(); return <-ended }
	return l
}

// send gives the tracker a fix of this moment.
func (l *live) send(t *testing.T, courier string, east float64) {
	t.Helper()
	f := Fix{Time: l.clock.Now(), Point: home.Offset(east, 0), Accuracy: 8}
	if result, err := l.Ingest(t.Context(), courier, []Fix{f}, nil); err != nil || result.Accepted != 1 {
		t.Fatalf("%+v, %v", result, err)
	}
}

func (l *live) held(t *testing.T, courier string) bool {
	t.Helper()
	synctest.Wait()
	fixes, err := l.index.Index.Last(t.Context(), courier)
	if err != nil {
		t.Fatal(err)
	}
	return len(fixes) > 0
}

// TestLagGrowsWhileNothingGoesOut: couriers report on, so that no fix that
// waits is ever old.
func TestLagGrowsWhileNothingGoesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLive(t, 1, Config{})
		l.send(t, "c1", 0)
		time.Sleep(200 * time.Millisecond)
		l.index.fail(errors.New("away"))
		for i := range 30 {
			l.send(t, "c1", float64(i))
			time.Sleep(time.Second)
		}
		if lag := l.Stats().Lag; lag < 29*time.Second || lag > 31*time.Second {
			t.Errorf("the index is away for 30 s: lag %v", lag)
		}
		l.index.fail(nil)
		time.Sleep(200 * time.Millisecond)
		l.send(t, "c1", 100)
		time.Sleep(200 * time.Millisecond)
		if lag := l.Stats().Lag; lag > 200*time.Millisecond {
			t.Errorf("the index is back: lag %v", lag)
		}
		if err := l.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestRunFlushesTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLive(t, 1, Config{})
		w := l.feed.Subscribe()
		w.Watch(0)
		for i := range 3 {
			l.send(t, "c1", float64(i))
			time.Sleep(10 * time.Millisecond)
		}
		if l.held(t, "c1") {
			t.Error("on the map before the flush")
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		select {
		case batch := <-w.Fixes():
			if len(batch) != 1 || batch[0].Point != home.Offset(2, 0) {
				t.Errorf("published %v", batch)
			}
		default:
			t.Error("nothing published")
		}
		w.Close()
		if err := l.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestAFastClockDoesNotMakePositionsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLive(t, 60, Config{})
		l.send(t, "c1", 0)
		time.Sleep(25 * time.Millisecond)
		if !l.held(t, "c1") {
			t.Error("not on the map after a second and a half by the clock")
		}
		if err := l.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestRunDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLive(t, 1, Config{})
		l.send(t, "c1", 0)
		if err := l.stop(); err != nil {
			t.Fatal(err)
		}
		if !l.held(t, "c1") || l.store.count() != 1 {
			t.Errorf("held %v, %d fixes in the trail", l.held(t, "c1"), l.store.count())
		}
		if l.Run(t.Context()) == nil {
			t.Error("ran twice")
		}
	})
}

func TestRunSaysWhatItCouldNotDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLive(t, 1, Config{})
		l.send(t, "c1", 0)
		down := errors.New("disk full")
		l.store.fail(down)
		if err := l.stop(); !errors.Is(err, down) {
			t.Errorf("ended with %v", err)
		}
		if !l.held(t, "c1") {
			t.Error("a failing trail kept a position off the map")
		}
	})
}

func TestSweepTellsOfTheStaleOnce(t *testing.T) {
	for _, rate := range []float64{1, 60, 600} {
		t.Run(fmt.Sprintf("rate=%v", rate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := startLive(t, rate, Config{})
				ago := func(d time.Duration) { time.Sleep(time.Duration(float64(d) / rate)) }
				l.send(t, "quiet", 0)
				for range 8 {
					ago(10 * time.Second)
					l.send(t, "busy", 0)
				}
				synctest.Wait()
				if !slices.Equal(l.stale, []string{"quiet"}) || l.held(t, "quiet") || !l.held(t, "busy") {
					t.Errorf("stale %v, quiet held %v, busy held %v", l.stale, l.held(t, "quiet"), l.held(t, "busy"))
				}
				if p, err := l.Last(t.Context(), "quiet", "busy"); err != nil || len(p) != 1 {
					t.Errorf("after the sweep %v are known, %v", p, err)
				}
				l.send(t, "quiet", 20)
				ago(30 * time.Second)
				if !l.held(t, "quiet") {
					t.Error("a courier who is back is not on the map")
				}
				ago(20 * time.Minute)
				synctest.Wait()
				slices.Sort(l.stale[1:])
				if !slices.Equal(l.stale, []string{"quiet", "busy", "quiet"}) {
					t.Errorf("stale %v", l.stale)
				}
				time.Sleep(time.Minute) // of real time: trails are written by that
				synctest.Wait()
				if n := l.Stats().Couriers; n != 0 {
					t.Errorf("%d couriers kept in memory", n)
				}
				if err := l.stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestTrailsAreWrittenInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLive(t, 1, Config{TrailChunk: 5})
		for range 4 {
			l.send(t, "c1", 0)
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		if l.store.count() != 0 {
			t.Errorf("%d fixes written at once", l.store.count())
		}
		l.send(t, "c1", 0)
		synctest.Wait()
		if l.store.count() != 5 || len(l.store.chunks) != 1 {
			t.Errorf("%d fixes written in %d chunks once there were enough", l.store.count(), len(l.store.chunks))
		}
		time.Sleep(time.Millisecond)
		l.send(t, "c1", 0)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if l.store.count() != 6 {
			t.Errorf("%d fixes written after a while", l.store.count())
		}
		if err := l.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestTrailsSurviveAStoreThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLive(t, 1, Config{TrailChunk: 10, TrailBuffer: 50})
		l.store.fail(errors.New("down"))
		for range 70 {
			l.send(t, "c1", 0)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if s := l.Stats(); s.TrailWaiting != 50 || s.TrailDropped != 20 || s.Failures == 0 {
			t.Errorf("%+v", s)
		}
		if l.store.calls > 8 {
			t.Errorf("a store that is down was tried %d times in 70 s", l.store.calls)
		}
		if !l.held(t, "c1") {
			t.Error("not on the map")
		}
		l.store.fail(nil)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if s := l.Stats(); s.TrailWaiting != 0 || l.store.count() != 50 {
			t.Errorf("%+v, %d stored", s, l.store.count())
		}
		if err := l.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestPositionsSurviveAnIndexThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLive(t, 1, Config{})
		w := l.feed.Subscribe()
		w.Watch(0)
		l.index.fail(errors.New("down"))
		l.send(t, "c1", 0)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if len(w.Fixes()) != 0 {
			t.Error("published what the index does not hold")
		}
		l.index.fail(nil)
		time.Sleep(200 * time.Millisecond)
		if !l.held(t, "c1") || len(w.Fixes()) != 1 {
			t.Error("not taken to index and feed once they worked again")
		}
		w.Close()
		if err := l.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestTrailIsWholeWhenTheStoreFailsHalfway(t *testing.T) {
	r := newRig(t, Config{TrailChunk: 1})
	trails := NewTrails(r.store, r.Tracker)
	r.store.fail(errors.New("down"))
	const n = trailBatch + 10
	for i := range n {
		r.send(t, at(time.Duration(i)*time.Millisecond, 0))
		if r.writeTrails(t.Context(), true) == nil {
			t.Fatal("written by a store that is down")
		}
	}
	whole := func(when string) {
		t.Helper()
		got, err := trails.Between(t.Context(), "c1", noon, noon.Add(time.Hour))
		if err != nil || len(got) != n {
			t.Errorf("%s: %d fixes of %d, %v", when, len(got), n, err)
		}
	}
	whole("all waiting")
	r.store.failAfter = 1
	r.store.fail(nil)
	if r.writeTrails(t.Context(), true) == nil {
		t.Fatal("the store did not fail halfway")
	}
	if r.store.count() != trailBatch || r.Stats().TrailWaiting != n-trailBatch {
		t.Errorf("%d stored, %d wait", r.store.count(), r.Stats().TrailWaiting)
	}
	whole("half stored")
	r.store.fail(nil)
	if err := r.writeTrails(t.Context(), true); err != nil || r.store.count() != n {
		t.Errorf("%d of %d stored, %v", r.store.count(), n, err)
	}
	whole("all stored")
}

func TestALookupThatFailedIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLive(t, 1, Config{})
		earlier := Fix{Courier: "c1", Time: l.clock.Now(), Received: l.clock.Now(), Point: home, Accuracy: 8}
		if err := l.index.Move(t.Context(), []Fix{earlier}); err != nil {
			t.Fatal(err)
		}
		l.index.fail(errors.New("down"))
		old := earlier
		old.Time = old.Time.Add(-20 * time.Second)
		if r, err := l.Ingest(t.Context(), "c1", []Fix{old}, nil); err != nil || len(r.Late) != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		l.index.fail(nil)
		time.Sleep(2 * time.Second)
		old.Time = old.Time.Add(5 * time.Second)
		if r, err := l.Ingest(t.Context(), "c1", []Fix{old}, nil); err != nil || len(r.Late) != 1 {
			t.Errorf("what the index knows is not known once it answers: %+v, %v", r, err)
		}
		if err := l.stop(); err != nil {
			t.Error(err)
		}
	})
}
