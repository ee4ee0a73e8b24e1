package sim

import (
	"bytes"
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"courier/geo"
	"courier/internal/clock"
	"courier/internal/sim/client"
	"courier/internal/sim/ledger"
	"courier/internal/sim/scenario"
)

// begin runs a fake server's sweeper for as long as the test.
func (f *fake) begin(t *testing.T) {
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(30 * time.Millisecond):
				f.sweep()
			}
		}
	}()
}

func wantClean(t *testing.T, r Report, err error) {
	t.Helper()
	var text bytes.Buffer
	if werr := r.WriteText(&text); werr != nil {
		t.Error(werr)
	}
	t.Logf("\n%s", text.String())
	if err != nil {
		t.Fatal(err)
	}
	if !r.Clean() {
		t.Error(r.Violations)
	}
	if r.Orders.Open > 0 || r.Fixes.Sent == 0 || r.Fixes.Accepted == 0 {
		t.Errorf("%+v, %+v", r.Orders, r.Fixes)
	}
}

func TestACityHourWithAServerThatComesAndGoes(t *testing.T) {
	f := newFake(t, 900)
	f.lose = 7
	f.begin(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		for _, down := range []bool{true, false, true, false} {
			time.Sleep(1500 * time.Millisecond)
			f.drop(down)
		}
	}()
	r, err := Run(ctx, Config{
		Server: f.URL, AdminToken: "a", Seed: 3, Couriers: 15, OrdersPerHour: 40, Flat: true, Duration: 75 * time.Minute,
		Grace: 4 * time.Hour, DeclineShare: 0.1, IgnoreShare: 0.1, FailShare: 0.05, FixEvery: 30 * time.Second,
		Settle: 300 * time.Millisecond,
	})
	wantClean(t, r, err)
	if r.Orders.Placed < 25 || r.Orders.Delivered < r.Orders.Placed/2 || r.Reconnects == 0 {
		t.Errorf("%+v, %d reconnects", r.Orders, r.Reconnects)
	}
}

// One city's couriers never take another's orders; merchants send again,
// rivals look, phones fall silent; and nothing of that breaks a promise.
func TestCitiesWithMerchantsWhoSendAgainAndRivalsWhoLook(t *testing.T) {
	f := newFake(t, 900)
	f.begin(t)
	var placing, placed, shown atomic.Int64
	c := Config{
		Server: f.URL, AdminToken: "a", Staff: []string{"b", "c"}, Seed: 4, Cities: 3, Couriers: 7, OrdersPerHour: 40, Flat: true,
		Duration: time.Hour, Grace: 4 * time.Hour, RepeatShare: 1, SpyShare: 1, QuietShare: 1, StaleAfter: time.Minute, FixEvery: 30 * time.Second,
		Settle: 300 * time.Millisecond,
		Watch: Watch{
			Placing: func(int, time.Time) { placing.Add(1) }, Placed: func(int, time.Time) { placed.Add(1) },
			Shown: func(string, time.Time) { shown.Add(1) },
		},
	}
	r, err := Run(t.Context(), c)
	wantClean(t, r, err)
	if n := int64(r.Orders.Placed); placing.Load() != n || placed.Load() != n || shown.Load() < n {
		t.Errorf("told of %d, %d and %d statuses; %d orders", placing.Load(), placed.Load(), shown.Load(), n)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	near := map[int]int{}
	for _, o := range f.orders {
		north := geo.Distance(geo.Point{Lat: 52, Lng: 4.3}, o.pickup.Point)
		near[int(math.Round(north/cityEvery))]++
		if geo.Distance(o.pickup.Point, o.dropoff.Point) > cityEvery/2 {
			t.Errorf("from %v to %v", o.pickup.Point, o.dropoff.Point)
		}
	}
	if len(near) != 3 || near[0] == 0 || near[1] == 0 || near[2] == 0 {
		t.Errorf("orders by distance from the first city, in %d m: %v", cityEvery, near)
	}
}

func TestBrokenPromisesToMerchantsAreFound(t *testing.T) {
	for fault, want := range map[string]string{
		"forget": ledger.Doubled, // one key, two orders
		"reuse":  ledger.KeyReused,
		"leak":   ledger.Leaked,
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, 900)
			f.fault = fault
			f.begin(t)
			r, err := Run(t.Context(), Config{
				Server: f.URL, AdminToken: "a", Seed: 5, Couriers: 3, AtOnce: 4, OrdersPerHour: 1, Flat: true, Duration: 10 * time.Minute,
				Grace: time.Minute, RepeatShare: 1, SpyShare: 1, Settle: 10 * time.Millisecond,
			})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(r.Violations, func(v ledger.Violation) bool { return v.Kind == want }) {
				t.Errorf("no %s in %v", want, r.Violations)
			}
		})
	}
}

func TestAnInstanceRunsToItsEnd(t *testing.T) {
	f := newFake(t, 600)
	f.begin(t)
	r, err := Run(t.Context(), Config{
		Server: f.URL, AdminToken: "a", MDRP: "scenario/testdata/mdrp", FixEvery: time.Minute, Settle: 100 * time.Millisecond,
	})
	wantClean(t, r, err)
	if r.Orders.Delivered != 2 || r.Times.Avoidable == nil || *r.Times.Avoidable < -0.1 || *r.Times.Avoidable > 20 {
		t.Errorf("%+v, %+v", r.Orders, r.Times)
	}
}

// Who has just come on duty gets no work before anyone knows where he is.
func TestCouriersSayWhereTheyAreAsTheyComeOnDuty(t *testing.T) {
	f := newFake(t, 3000)
	f.begin(t)
	_, err := Run(t.Context(), Config{
		Server: f.URL, AdminToken: "a", MDRP: "scenario/testdata/mdrp", FixEvery: 100 * time.Hour, Grace: 12 * time.Hour, Settle: 10 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.couriers {
		if c.where.Time.IsZero() {
			t.Errorf("%s has not said where it is", c.ID)
		}
	}
}

// Whose shift begins in a moment is there, and sets out when it does.
func TestCouriersAreThereBeforeTheirShiftAndSetOutWithIt(t *testing.T) {
	source, err := scenario.NewMDRP(scenario.MDRPConfig{Dir: "scenario/testdata/mdrp"})
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	s := &Sim{clock: &serverTime{}, start: noon, source: source}
	s.clock.agree(noon, time.Now(), 60)
	spec := source.Couriers()[0]
	c := s.newCourier(0, spec, "c")
	begins := noon.Add(spec.From)
	if ahead := begins.Sub(c.onDutyFrom()); ahead <= 0 || ahead > time.Minute {
		t.Errorf("on duty %v before the shift", ahead)
	}
	c.plan = []client.Stop{{Order: "o", Kind: "pickup", Point: spec.At.Offset(3000, 0)}}
	if next := c.work(begins.Add(-time.Second)); !next.Equal(begins) || c.goal != nil {
		t.Errorf("a second before the shift: next at %v, under way to %v", next, c.goal)
	}
	if c.work(begins.Add(time.Second)); c.goal == nil || !c.body.arrival().Truncate(time.Minute).Equal(c.body.arrival()) {
		t.Errorf("there at %v, under way to %v", c.body.arrival(), c.goal)
	}
}

// At 3,000 times life a timer that fires a millisecond late costs three
// seconds. None of them falls upon the couriers: ways take whole minutes here,
// and services four.
func TestAFastClockMakesNoCourierLate(t *testing.T) {
	f := newFake(t, 3000)
	f.begin(t)
	_, err := Run(t.Context(), Config{
		Server: f.URL, AdminToken: "a", MDRP: "scenario/testdata/mdrp", FixEvery: time.Minute, Grace: 12 * time.Hour, Settle: 10 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	dated := map[string]time.Time{}
	for _, c := range f.couriers {
		for _, a := range c.acts {
			dated[a.Type+" "+a.Kind+" "+a.Order] = *a.At
		}
	}
	for id, o := range f.orders {
		at := func(what string) time.Time { return dated[what+" "+id] }
		arrived, picked := at("stop.arrive pickup"), at("stop.complete pickup")
		if want := clock.Later(arrived.Add(2*time.Minute), o.ReadyAt); arrived.IsZero() || !picked.Equal(want) {
			t.Errorf("%s: there at %v, ready at %v, picked up at %v", o.Reference, arrived, o.ReadyAt, picked)
		}
		if way := at("stop.arrive dropoff").Sub(picked) - 2*time.Minute; way <= 0 || way%time.Minute != 0 {
			t.Errorf("%s: %v from door to door", o.Reference, way)
		}
		if took := at("stop.complete dropoff").Sub(at("stop.arrive dropoff")); took != 2*time.Minute {
			t.Errorf("%s: handed over in %v", o.Reference, took)
		}
	}
	if len(f.orders) != 2 {
		t.Errorf("%d orders", len(f.orders))
	}
}

func TestTracesAreReplayed(t *testing.T) {
	f := newFake(t, 120)
	f.begin(t)
	r, err := Run(t.Context(), Config{
		Server: f.URL, AdminToken: "a", Traces: "scenario/testdata/cabs.tsv.gz", TracesWindow: time.Hour, Settle: 100 * time.Millisecond,
	})
	wantClean(t, r, err)
	if r.Orders.Placed != 1 {
		t.Errorf("%+v", r.Orders)
	}
}

// A list of open orders that was drawn up before an order came does not end
// the run, however long it is on its way.
func TestTheRunWaitsForAnOrderPlacedWhileItAskedForOpenOnes(t *testing.T) {
	f := newFake(t, 120)
	f.begin(t)
	asked, placed := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(asked) })
	serve := f.Config.Handler
	f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && r.URL.Path == "/v1/orders":
			<-asked
			serve.ServeHTTP(w, r)
		case r.URL.Path == "/v1/orders" && r.URL.Query().Get("status") != "":
			answer := httptest.NewRecorder()
			serve.ServeHTTP(answer, r)
			first()
			<-placed
			_, _ = w.Write(answer.Body.Bytes())
		default:
			serve.ServeHTTP(w, r)
		}
	})
	r, err := Run(t.Context(), Config{
		Server: f.URL, AdminToken: "a", Traces: "scenario/testdata/cabs.tsv.gz", TracesWindow: time.Hour, Settle: 100 * time.Millisecond,
		Watch: Watch{Placed: func(int, time.Time) { close(placed) }},
	})
	wantClean(t, r, err)
	if r.Orders.Delivered != 1 {
		t.Errorf("%+v", r.Orders)
	}
}

func TestAbruptEnd(t *testing.T) {
	f := newFake(t, 60)
	f.begin(t)
	ctx, cancel := context.WithCancel(t.Context())
	s, err := New(Config{Server: f.URL, AdminToken: "a", Couriers: 5, OrdersPerHour: 600, Flat: true, Grace: time.Second, Settle: 50 * time.Millisecond,
		ProgressEvery: 100 * time.Millisecond, Progress: func(g Figures) {
			if g.Placed > 5 && g.Couriers == 5 && g.Watching > 0 {
				cancel()
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Run(ctx)
	if err != nil || !r.Clean() || r.Orders.Placed == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestConfigReportsEveryFault(t *testing.T) {
	_, err := New(Config{
		Server: "x", MDRP: "a", Traces: "b", Center: geo.Point{Lat: 91}, Couriers: -1, OrdersPerHour: math.NaN(), Duration: -1,
		Grace: -1, DeclineShare: 2, IgnoreShare: -1, FailShare: math.NaN(), FixEvery: -1, Noise: -1, Capacity: -1,
	})
	for _, field := range []string{
		"Server", "AdminToken", "MDRP, Traces", "Center", "Couriers", "OrdersPerHour", "Duration", "Grace",
		"DeclineShare", "IgnoreShare", "FailShare", "FixEvery", "Noise", "Capacity",
	} {
		if err == nil || !strings.Contains(err.Error(), field+":") {
			t.Errorf("%s is not reported in %v", field, err)
		}
	}
}

func TestSpread(t *testing.T) {
	var values []float64
	for i := 100; i > 0; i-- {
		values = append(values, float64(i))
	}
	if got := spread(values); got != (Spread{Mean: 50.5, P50: 50, P90: 90, P99: 99}) {
		t.Error(got)
	}
	if got := spread([]float64{7}); got != (Spread{7, 7, 7, 7}) {
		t.Error(got)
	}
	if got := spread(nil); got != (Spread{}) {
		t.Error(got)
	}
}

func TestLate(t *testing.T) {
	at := func(m int) time.Time { return time.Date(2026, 1, 1, 12, m, 0, 0, time.UTC) }
	order := func(status string, delivered int, by time.Time) client.Order {
		return client.Order{ID: "o", Status: status, DeliverBy: by, Times: map[string]time.Time{"placed": at(0), "delivered": at(delivered)}}
	}
	for name, tt := range map[string]struct {
		o    client.Order
		want bool
	}{
		"within 40 minutes":   {order("delivered", 40, time.Time{}), false},
		"over 40 minutes":     {order("delivered", 41, time.Time{}), true},
		"over, but as agreed": {order("delivered", 50, at(55)), false},
		"past what was said":  {order("delivered", 30, at(25)), true},
		"failed":              {order("failed", 0, time.Time{}), true},
		"cancelled":           {order("cancelled", 0, time.Time{}), false},
		"open and old":        {order("assigned", 0, time.Time{}), true},
	} {
		if got := isLate(tt.o, at(60)); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestServerTimeAgrees(t *testing.T) {
	for _, rate := range []float64{1, 0.5, 60} {
		var s serverTime
		said := time.Now().Add(-72 * time.Hour)
		s.agree(said, time.Now(), rate)
		if d := s.Now().Sub(said).Abs(); d > 200*time.Millisecond*time.Duration(max(1, rate)) {
			t.Errorf("rate %v: %v apart", rate, d)
		}
		if s.heard(said, rate) || !s.heard(said.Add(time.Hour), rate) {
			t.Errorf("rate %v: a jump is judged wrongly", rate)
		}
	}
}
