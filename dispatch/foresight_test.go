package dispatch_test

import (
	"context"
	"testing"
	"time"

	"courier/dispatch"
	"courier/geo"
)

// With a price on other plans, what a round meant to do and told nobody is
// what later rounds do, though a better courier has come by.
func TestWhatARoundMeansToDoStays(t *testing.T) {
	for name, churn := range map[string]time.Duration{"for a price": 30 * time.Minute, "for none": 0} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *dispatch.Config) {
				c.Mode, c.Match.ChurnCost, c.Match.StandWeight = dispatch.ModeAssign, churn, 0
			})
			first := w.courier("First", 2000, nil)
			order := w.place("k1", func(n *dispatch.NewOrder) { n.ReadyAt = noon.Add(20 * time.Minute) })
			w.round()
			w.wantStatus(order, dispatch.Searching)
			nearer := w.courier("Nearer", 10, nil)
			for range 20 {
				w.clock.Advance(time.Minute)
				w.at(first, 2000)
				w.at(nearer, 10)
				w.round()
			}
			want := first
			if churn == 0 {
				want = nearer
			}
			if o := w.order(order); o.Courier != want {
				t.Errorf("%s with %q, want %s", o.Status, o.Courier, want)
			}
		})
	}
}

// pasts counts readings of what was ordered lately.
type pasts struct {
	dispatch.Store
	n int
}

func (s *pasts) Orders(ctx context.Context, q dispatch.OrderQuery) ([]dispatch.Order, string, error) {
	if !q.PlacedFrom.IsZero() {
		s.n++
	}
	return s.Store.Orders(ctx, q)
}

func TestThePastIsReadOnceAMinute(t *testing.T) {
	w := newWorld(t, func(c *dispatch.Config) { c.Mode, c.Match.Futures.Count = dispatch.ModeAssign, 2 })
	store := &pasts{Store: w.store.Store}
	w.store.Store = store
	w.place("k1", func(n *dispatch.NewOrder) { n.ReadyAt = noon.Add(40 * time.Minute) })
	for range 60 {
		w.round()
		w.clock.Advance(2 * time.Second)
	}
	if store.n != 2 {
		t.Errorf("read %d times in two minutes", store.n)
	}
}

// Who begins a shift beside the kitchen is worth waiting for, if it is known
// where; who then does not come is not waited for any longer.
func TestACourierWhoIsAboutToStartIsReckonedWith(t *testing.T) {
	for name, c := range map[string]struct {
		start *geo.Point
		comes bool
		late  bool
		waits bool
	}{
		"a known start":   {start: &market, comes: true, waits: true},
		"a minute late":   {start: &market, comes: true, late: true, waits: true},
		"does not come":   {start: &market, waits: true},
		"start not known": {},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *dispatch.Config) { c.Mode, c.StaleAfter = dispatch.ModeAssign, time.Hour })
			far := w.courier("Far", 4000, nil)
			soon := w.courier("Soon", 0, func(n *dispatch.NewCourier) {
				n.Start, n.Shift = c.start, &dispatch.Window{From: noon.Add(8 * time.Minute), To: noon.Add(8 * time.Hour)}
			})
			w.must(w.act(soon, dispatch.Action{Type: dispatch.ActSetDuty, Duty: dispatch.Off}))
			order := w.place("k1", func(n *dispatch.NewOrder) { n.ReadyAt = noon.Add(10 * time.Minute) })
			for range 6 {
				w.round()
				w.clock.Advance(time.Minute)
			}
			if waits := w.order(order).Courier == ""; waits != c.waits {
				t.Errorf("waits: %v, want %v", waits, c.waits)
			}
			w.clock.Advance(3 * time.Minute)
			if c.late {
				w.round()
			}
			want := far
			if c.comes {
				want = soon
				w.must(w.act(soon, dispatch.Action{Type: dispatch.ActSetDuty, Duty: dispatch.Available}))
			}
			for range 4 {
				w.round()
				w.clock.Advance(time.Minute)
			}
			if got := w.order(order).Courier; got != want {
				t.Errorf("given to %q, want %s", got, want)
			}
		})
	}
}

// A phone needs some seconds to find out where it is. Who has come on duty
// without one that knows is expected for as long as one who is late.
func TestWhoHasComeOnDutyIsReckonedWithBeforeItIsLocated(t *testing.T) {
	for name, c := range map[string]struct {
		at    float64 // metres from its start, once it is located
		never bool
		waits bool
	}{
		"located a minute later": {waits: true},
		"never located":          {never: true, waits: true},
		"located far from there": {at: 300_000},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *dispatch.Config) { c.Mode, c.StaleAfter = dispatch.ModeAssign, time.Hour })
			far := w.courier("Far", 4000, nil)
			soon := w.courier("Soon", 0, func(n *dispatch.NewCourier) {
				n.Start, n.Shift = &market, &dispatch.Window{From: noon.Add(8 * time.Minute), To: noon.Add(8 * time.Hour)}
			})
			w.must(w.act(soon, dispatch.Action{Type: dispatch.ActSetDuty, Duty: dispatch.Off}))
			w.where.mu.Lock()
			delete(w.where.fixes, soon)
			w.where.mu.Unlock()
			order := w.place("k1", func(n *dispatch.NewOrder) { n.ReadyAt = noon.Add(10 * time.Minute) })
			w.round()
			w.clock.Advance(8 * time.Minute)
			w.must(w.act(soon, dispatch.Action{Type: dispatch.ActSetDuty, Duty: dispatch.Available}))
			if !c.waits {
				w.at(soon, c.at)
			}
			for range 6 {
				w.round()
				w.clock.Advance(10 * time.Second)
			}
			if waits := w.order(order).Courier == ""; waits != c.waits {
				t.Fatalf("waits: %v, want %v", waits, c.waits)
			}
			want := far
			if c.waits && !c.never {
				want = soon
				w.at(soon, c.at)
			}
			for range 10 {
				w.round()
				w.clock.Advance(10 * time.Second)
			}
			if got := w.order(order).Courier; got != want {
				t.Errorf("given to %q, want %s", got, want)
			}
		})
	}
}
