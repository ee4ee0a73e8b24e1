package pressure

import (
	"context"
	"errors"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func gate(t *testing.T) *Gate {
	t.Helper()
	g, err := New(Config{Slots: 1})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func wantBusy(t *testing.T, err error) {
	t.Helper()
	var busy *Busy
	if !errors.As(err, &busy) || busy.After <= 0 {
		t.Errorf("%v, want *Busy with a time", err)
	}
}

func wantIn(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("turned away: %v", err)
	}
}

func TestTheLeastWorthIsTurnedAwayFirstAndDecisionsNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate(t)
		wantIn(t, g.Enter(t.Context(), Order)) // and does not end
		for _, c := range []Class{Position, Act} {
			wantIn(t, g.Enter(t.Context(), c)) // one at work is no overload
		}
		start := time.Now()
		wantBusy(t, g.Enter(t.Context(), Order))
		if waited := time.Since(start); waited != g.Burst {
			t.Errorf("the first waits %v, want %v", waited, g.Burst)
		}
		time.Sleep(time.Millisecond)
		start = time.Now()
		wantBusy(t, g.Enter(t.Context(), Order)) // the line has lasted too long
		if waited := time.Since(start); waited != g.Target {
			t.Errorf("an order waits %v under overload, want %v", waited, g.Target)
		}
		start = time.Now()
		wantBusy(t, g.Enter(t.Context(), Read))
		wantBusy(t, g.Enter(t.Context(), Position))
		wantIn(t, g.Enter(t.Context(), Act))
		if waited := time.Since(start); waited != 0 {
			t.Errorf("reads, positions and decisions wait %v", waited)
		}
		if s := g.Stats(); s.Shed[Position] != 1 || s.Shed[Read] != 1 || s.Shed[Order] != 2 || !s.Pressed || s.Busy != 1 || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}

		g.Leave(Order)
		time.Sleep(g.Hold)
		if g.Pressed() {
			t.Error("it does not recover")
		}
		for _, c := range []Class{Position, Read} {
			wantIn(t, g.Enter(t.Context(), c))
		}
	})
}

func TestASlotPassesToWhoWaitsLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate(t)
		wantIn(t, g.Enter(t.Context(), Read))
		in := make(chan int, 2)
		for i := range 2 {
			go func() {
				wantIn(t, g.Enter(t.Context(), Order))
				in <- i
			}()
			synctest.Wait()
		}
		gone, cancel := context.WithCancel(t.Context())
		go cancel()
		if err := g.Enter(gone, Order); !errors.Is(err, context.Canceled) {
			t.Errorf("%v for who has gone", err)
		}
		for want := range 2 {
			g.Leave(Order)
			if got := <-in; got != want {
				t.Errorf("%d is in before %d", got, want)
			}
		}
		g.Leave(Order)
		if s := g.Stats(); s.Busy != 0 || s.Waiting != 0 {
			t.Errorf("%+v after all have left", s)
		}
	})
}

func TestWithoutSlotsAllAreIn(t *testing.T) {
	off, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []*Gate{nil, off} {
		for range 1000 {
			wantIn(t, g.Enter(t.Context(), Order))
		}
		g.Leave(Order)
	}
	if _, err := New(Config{Slots: -1, Target: -1}); err == nil {
		t.Error("negative settings are taken")
	}
}

func TestTheQuantileIsOfWhatCameSince(t *testing.T) {
	h := &metrics.Float64Histogram{Buckets: []float64{0, 0.001, 0.05, 1}, Counts: []uint64{1000, 10, 100}}
	if got := quantile([]uint64{1000, 0, 0}, h, 0.9); got != 0.05 {
		t.Errorf("%v, want 0.05", got)
	}
	if got := quantile([]uint64{100, 10, 90}, h, 0.9); got != 0 {
		t.Errorf("%v, want 0", got)
	}
	if got := quantile([]uint64{1000, 10, 60}, h, 0.9); got != 0 {
		t.Errorf("%v of too few, want 0", got)
	}
}

func TestWhoWouldWaitInVainHearsSoAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate(t)
		wantIn(t, g.Full(Order))
		wantIn(t, g.Enter(t.Context(), Order))
		wantBusy(t, g.Enter(t.Context(), Order))
		time.Sleep(time.Millisecond)
		go func() { wantIn(t, g.Enter(t.Context(), Order)) }() // the one that may wait
		synctest.Wait()
		start := time.Now()
		wantBusy(t, g.Full(Order))
		wantBusy(t, g.Enter(t.Context(), Order))
		wantIn(t, g.Full(Act))
		if waited := time.Since(start); waited != 0 {
			t.Errorf("they have waited %v", waited)
		}
		g.Leave(Order)
		synctest.Wait()
		g.Leave(Order)
	})
}

// Where each work lasts long, more at once only wait for each other. Once it is
// quick again, as many are taken as before.
func TestUnderOverloadFewerAreTakenWhereTheirWorkLastsLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := New(Config{Slots: 64})
		if err != nil {
			t.Fatal(err)
		}
		var lasts atomic.Int64
		stop, all := make(chan struct{}), sync.WaitGroup{}
		for range 200 {
			all.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if g.Enter(t.Context(), Order) == nil {
						time.Sleep(time.Duration(lasts.Load()))
						g.Leave(Order)
					} else {
						time.Sleep(5 * time.Millisecond)
					}
				}
			})
		}
		for _, c := range []struct {
			work time.Duration
			want int
		}{{10 * time.Millisecond, 32}, {200 * time.Millisecond, 4}, {10 * time.Millisecond, 32}} {
			lasts.Store(int64(c.work))
			time.Sleep(3 * time.Second)
			if s := g.Stats(); !s.Pressed || s.Limit != c.want || s.Busy > c.want {
				t.Errorf("works of %v: %+v, want a limit of %d", c.work, s, c.want)
			}
		}
		close(stop)
		all.Wait()
		time.Sleep(g.Hold)
		if s := g.Stats(); s.Limit != 64 || s.Busy != 0 {
			t.Errorf("%+v after the overload, want all slots", s)
		}
	})
}
