package replay

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"courier/dispatch"
	"courier/dispatch/match"
	"courier/geo"
	"courier/tracking"
)

// archive is a store's history in memory.
type archive struct {
	orders   []dispatch.Order
	events   map[string][]dispatch.Event
	couriers []dispatch.Courier
	trails   map[string][]tracking.Fix
}

func (a *archive) Orders(_ context.Context, q dispatch.OrderQuery) (page []dispatch.Order, next string, err error) {
	for _, o := range a.orders {
		if at := o.Times[dispatch.Placed]; !at.Before(q.PlacedFrom) && at.Before(q.PlacedTo) {
			page = append(page, o)
		}
	}
	return page, "", nil
}

func (a *archive) Events(_ context.Context, order string, _ int64) ([]dispatch.Event, error) {
	return a.events[order], nil
}

func (a *archive) Couriers(context.Context, dispatch.CourierQuery) ([]dispatch.Courier, string, error) {
	return a.couriers, "", nil
}

func (a *archive) Trail(_ context.Context, courier string, from, to time.Time) ([]tracking.Chunk, error) {
	if len(a.trails[courier]) == 0 {
		return nil, nil
	}
	return []tracking.Chunk{tracking.EncodeChunk(courier, a.trails[courier])}, nil
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func minutes(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

// town is an hour: an order every three minutes, ready ten later, and three
// couriers on duty for two hours, of whom one carried them all, 25 minutes
// each from the placement.
func town() *archive {
	middle := geo.Point{Lat: 52, Lng: 5}
	a := &archive{events: map[string][]dispatch.Event{}, trails: map[string][]tracking.Fix{}}
	for i := range 20 {
		placed, done := minutes(3*i), minutes(3*i+25)
		o := dispatch.Order{
			ID: fmt.Sprintf("o%02d", i), Size: 1, ReadyAt: placed.Add(10 * time.Minute), Status: dispatch.Delivered,
			Pickup:  dispatch.Place{Point: middle.Offset(float64(i%3)*800, 0)},
			Dropoff: dispatch.Place{Point: middle.Offset(float64(i%5)*500-1000, 1500)},
			Times:   map[dispatch.Status]time.Time{dispatch.Placed: placed, dispatch.PickedUp: placed.Add(12 * time.Minute), dispatch.Delivered: done},
		}
		a.events[o.ID] = []dispatch.Event{
			{Type: dispatch.EventAssigned, Time: placed.Add(time.Minute), Data: dispatch.EventData{Courier: "c1"}},
			{Type: dispatch.EventDelivered, Time: done},
		}
		if i == 7 {
			o.Status, o.Times = dispatch.Cancelled, map[dispatch.Status]time.Time{dispatch.Placed: placed, dispatch.Cancelled: placed.Add(time.Minute)}
			a.events[o.ID] = []dispatch.Event{{Type: dispatch.EventCancelled, Time: placed.Add(time.Minute)}}
		}
		a.orders = append(a.orders, o)
	}
	for _, id := range []string{"c1", "c2", "c3"} {
		a.couriers = append(a.couriers, dispatch.Courier{ID: id, Vehicle: geo.Scooter, Capacity: 2})
		for m := 0; m <= 120; m += 5 {
			a.trails[id] = append(a.trails[id], tracking.Fix{Courier: id, Time: minutes(m), Point: middle})
		}
	}
	return a
}

func compare(t *testing.T, a *archive, change func(*WhatIfConfig)) WhatIf {
	t.Helper()
	h, err := ReadHistory(t.Context(), a, noon, minutes(60))
	if err != nil {
		t.Fatal(err)
	}
	c := WhatIfConfig{
		History: h, As: match.DefaultOptions(), Changed: match.DefaultOptions(),
		Every: 30 * time.Second, Lead: 45 * time.Minute, Target: 40 * time.Minute, Seed: 1,
	}
	change(&c)
	out, err := Compare(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAPeriodIsLivedAgainBesideWhatWasRecorded(t *testing.T) {
	w := compare(t, town(), func(c *WhatIfConfig) { c.Couriers = -2 })
	r := w.Recorded
	if r.Orders != 20 || r.Delivered != 19 || r.Cancelled != 1 || r.Couriers != 3 || r.Late != 0 ||
		r.ClickToDoor != 25*time.Minute || r.Wait != 2*time.Minute {
		t.Errorf("recorded: %+v", r)
	}
	// One of three had work from minute 1 to 82 of 120.
	if want := 100 * 81. / 360; math.Abs(r.Utilisation-want) > 0.1 {
		t.Errorf("recorded: %v %% with work, want %v", r.Utilisation, want)
	}
	if w.As.Delivered != 19 || w.As.Cancelled != 1 || w.As.ClickToDoor > 30*time.Minute || w.As.Metres < 1000 || w.As.Utilisation > 100 {
		t.Errorf("as it is: %+v", w.As)
	}
	if w.Changed.Couriers != 1 || w.Changed.Wait <= w.As.Wait || w.Changed.Avoidable <= w.As.Avoidable || w.Changed.Utilisation <= w.As.Utilisation {
		t.Errorf("two couriers fewer make nothing worse: %+v, %+v", w.As, w.Changed)
	}
	var text strings.Builder
	if err := w.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"recorded", "as it is", "changed", "metres a delivered order", "couriers                                  3            3            1           -2"} {
		if !strings.Contains(text.String(), says) {
			t.Errorf("%q is not in\n%s", says, text.String())
		}
	}
}

func TestWithoutAChangeBothReplaysAreTheSame(t *testing.T) {
	if w := compare(t, town(), func(*WhatIfConfig) {}); w.As != w.Changed {
		t.Errorf("%+v\n%+v", w.As, w.Changed)
	}
}

// Whatever the plans, goods are fetched before they are brought, not before
// they are ready, and never more than fit at once.
func TestALivedPeriodIsPossible(t *testing.T) {
	a := town()
	h, err := ReadHistory(t.Context(), a, noon, minutes(60))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(h, h.Workers, match.DefaultOptions(), 45*time.Minute, 1)
	for w.now = h.From; w.now.Before(h.end()); w.now = w.now.Add(15 * time.Second) {
		w.pass()
		for _, c := range w.actors {
			if c.onboard < 0 || c.onboard > c.Capacity {
				t.Fatalf("%s has %d on board at %v", c.ID, c.onboard, w.now)
			}
		}
		for _, given := range match.Solve(w.snapshot(), w.o).Assignments {
			if err := w.give(given); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range w.parcels {
		p := &w.parcels[i]
		if !p.gone.IsZero() {
			continue
		}
		ride := w.o.Router.Travel(p.Pickup, p.Dropoff, geo.Scooter)
		if p.picked.Before(p.Ready) || p.done.Sub(p.picked) < ride+w.o.PickupService/2+w.o.DropoffService/2-time.Second {
			t.Errorf("%s: ready %v, picked up %v, delivered %v, a ride of %v", p.ID, p.Ready, p.picked, p.done, ride)
		}
	}
}

func TestDutyIsReadOffTrailsAndEvents(t *testing.T) {
	a := town()
	a.trails["c1"] = a.trails["c1"][:2] // silent after five minutes, but its orders go on
	a.trails["c2"] = append(a.trails["c2"][:3], a.trails["c2"][20:]...)
	delete(a.trails, "c3")
	h, err := ReadHistory(t.Context(), a, noon, minutes(60))
	if err != nil {
		t.Fatal(err)
	}
	spans := map[string]int{}
	for _, w := range h.Workers {
		spans[w.ID] = len(w.Spans)
	}
	if len(spans) != 2 || spans["c1"] != 1 || spans["c2"] != 2 {
		t.Errorf("%v", spans)
	}
	if end := h.Workers[0].Spans[0].To; end.Before(minutes(80)) {
		t.Errorf("c1 goes off at %v with orders in hand", end)
	}
}

func TestAPeriodWithoutOrdersIsSaid(t *testing.T) {
	if _, err := ReadHistory(t.Context(), &archive{}, noon, minutes(60)); err == nil || !strings.Contains(err.Error(), "no order") {
		t.Errorf("%v", err)
	}
}
