package dispatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"courier/dispatch"
	"courier/geo"
)

func because(version int64) dispatch.Override {
	return dispatch.Override{By: ann, Reason: "the kitchen called", Version: version}
}

func assignMode(c *dispatch.Config) { c.Mode = dispatch.ModeAssign }

func TestOverrides(t *testing.T) {
	w := newWorld(t, assignMode)
	near, far := w.courier("Near", 100, nil), w.courier("Far", 2000, nil)
	order := w.place("k1", nil)
	ctx := t.Context()

	_, err := w.Assign(ctx, order, far, dispatch.Override{By: ann})
	var invalid *dispatch.Invalid
	if !errors.As(err, &invalid) || invalid.Fields[0].Field != "reason" {
		t.Fatalf("an override without a reason: %v", err)
	}
	_, err = w.Assign(ctx, order, far, because(99))
	wantIs(t, err, dispatch.ErrConflict)

	o, err := w.Assign(ctx, order, far, because(1))
	w.must(err)
	if o.Courier != far || o.Status != dispatch.Assigned {
		t.Fatalf("assigned to %q, %s", o.Courier, o.Status)
	}
	o, err = w.Assign(ctx, order, near, because(o.Version)) // reassigned
	w.must(err)
	if plan := w.plan(far); len(plan.Stops) != 0 {
		t.Fatalf("the first courier still has %+v", plan.Stops)
	}
	_, err = w.Unassign(ctx, order, because(o.Version))
	w.must(err)
	w.wantStatus(order, dispatch.Searching)
	_, err = w.Pin(ctx, order, far, because(0))
	w.must(err)
	w.round()
	if got := w.order(order).Courier; got != far {
		t.Fatalf("a pinned order went to %q", got)
	}
	_, err = w.Cancel(ctx, order, because(0))
	w.must(err)
	if plan := w.plan(far); len(plan.Stops) != 0 {
		t.Fatalf("a cancelled order leaves %+v", plan.Stops)
	}
	_, err = w.Cancel(ctx, order, because(0))
	wantIs(t, err, dispatch.ErrConflict)
	w.wantHistory(order, "placed", "searching", "assigned", "unassigned", "assigned", "unassigned", "pinned", "assigned", "cancelled")
}

func (w *world) plan(courier string) dispatch.Plan {
	w.Helper()
	c, _, err := w.CourierState(w.Context(), courier)
	w.must(err)
	return c.Plan
}

func TestCancellingAnOfferedOrderWithdrawsTheOffer(t *testing.T) {
	w := newWorld(t, nil)
	c := w.courier("Only", 100, nil)
	order := w.place("k1", nil)
	w.round()
	offer := w.offered(c).ID
	_, err := w.Cancel(t.Context(), order, because(0))
	w.must(err)
	wantIs(t, w.act(c, dispatch.Action{Type: dispatch.ActAccept, Offer: offer}), dispatch.ErrConflict)
	w.wantStatus(order, dispatch.Cancelled)
}

func TestAnothersOrderIsNotFound(t *testing.T) {
	w := newWorld(t, nil)
	order := w.place("k1", nil)
	stranger := dispatch.Scope{Merchant: "m2"}
	_, err := w.Order(t.Context(), stranger, order)
	wantIs(t, err, dispatch.ErrNotFound)
	_, err = w.Events(t.Context(), stranger, order, 0)
	wantIs(t, err, dispatch.ErrNotFound)
	_, err = w.Cancel(t.Context(), order, dispatch.Override{By: merchant, Scope: stranger, Reason: "mine"})
	wantIs(t, err, dispatch.ErrNotFound)
	page, _, err := w.Orders(t.Context(), stranger, dispatch.OrderQuery{})
	if err != nil || len(page) != 0 {
		t.Fatalf("sees %v, %v", page, err)
	}
}

func TestPlacingIsIdempotent(t *testing.T) {
	w := newWorld(t, nil)
	n := newOrder()
	var wg sync.WaitGroup
	ids := make([]string, 20)
	for i := range ids {
		wg.Go(func() {
			o, _, err := w.Place(context.WithoutCancel(t.Context()), merchant, n, "once")
			if err != nil {
				t.Error(err)
			}
			ids[i] = o.ID
		})
	}
	wg.Wait()
	if got := slices.Compact(slices.Sorted(slices.Values(ids))); len(got) != 1 {
		t.Fatalf("one key placed %d orders", len(got))
	}
	n.Items = "another soup"
	_, _, err := w.Place(t.Context(), merchant, n, "once")
	wantIs(t, err, dispatch.ErrKeyReused)
	n.Merchant = "m2"
	if o, replayed, err := w.Place(t.Context(), merchant, n, "once"); err != nil || replayed || o.ID == ids[0] {
		t.Fatalf("another merchant's same key: %v, %v, %v", o.ID, replayed, err)
	}
}

func TestEveryWrongFieldIsNamedAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	past := noon.Add(-time.Hour)
	_, _, err := w.Place(t.Context(), merchant, dispatch.NewOrder{
		Merchant: "m1", Pickup: dispatch.Place{Point: geo.Point{Lat: 91}}, Size: -1, Priority: 10,
		DeliverBy: &past, Requirements: dispatch.Requirements{Vehicles: []geo.Vehicle{"rocket"}, Skills: []string{""}},
	}, "k")
	var invalid *dispatch.Invalid
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	var fields []string
	for _, f := range invalid.Fields {
		fields = append(fields, f.Field)
	}
	want := []string{"pickup.point.lat", "size", "priority", "requirements.vehicles[0]", "requirements.skills[0]", "deliver_by"}
	if !slices.Equal(fields, want) {
		t.Fatalf("named %v, want %v", fields, want)
	}
}

func TestZonesBoundTheService(t *testing.T) {
	w := newWorld(t, nil)
	var area geo.Area
	w.must(json.Unmarshal([]byte(`{"type":"Polygon","coordinates":[[[3.99,51.99],[4.01,51.99],[4.01,52.01],[3.99,52.01],[3.99,51.99]]]}`), &area))
	zone, err := w.CreateZone(t.Context(), ann, "Centre", area)
	w.must(err)
	_, _, err = w.Place(t.Context(), merchant, newOrder(), "outside") // its drop-off is 1 km east
	wantIs(t, err, dispatch.ErrOutsideZones)
	inside := newOrder()
	inside.Dropoff.Point = market.Offset(300, 300)
	_, _, err = w.Place(t.Context(), merchant, inside, "inside")
	w.must(err)
	w.must(w.DeleteZone(t.Context(), ann, zone.ID, 0))
	_, _, err = w.Place(t.Context(), merchant, newOrder(), "outside")
	w.must(err)
}

func TestAZoneIsChangedByWhoSawItsNewestVersion(t *testing.T) {
	w := newWorld(t, nil)
	var area geo.Area
	w.must(json.Unmarshal([]byte(`{"type":"Polygon","coordinates":[[[3.99,51.99],[4.01,51.99],[4.01,52.01],[3.99,51.99]]]}`), &area))
	zone, err := w.CreateZone(t.Context(), ann, "Centre", area)
	w.must(err)
	w.clock.Advance(time.Minute)
	first, err := w.UpdateZone(t.Context(), ann, zone.ID, zone.Version, "Old town", area)
	w.must(err)
	if first.Version != 2 || first.ChangedBy != ann || !first.ChangedAt.Equal(w.clock.Now()) {
		t.Errorf("saved as version %d by %v at %v", first.Version, first.ChangedBy, first.ChangedAt)
	}
	_, err = w.UpdateZone(t.Context(), ann, zone.ID, zone.Version, "Harbour", area)
	wantIs(t, err, dispatch.ErrConflict)
	wantIs(t, w.DeleteZone(t.Context(), ann, zone.ID, zone.Version), dispatch.ErrConflict)
	zones, err := w.Zones(t.Context())
	w.must(err)
	if len(zones) != 1 || zones[0].Name != "Old town" {
		t.Errorf("zones are %v", zones)
	}
	w.must(w.DeleteZone(t.Context(), ann, zone.ID, first.Version))
}

func TestASilentCourierGetsNoWorkAndLosesWhatItHasNotPickedUp(t *testing.T) {
	w := newWorld(t, assignMode)
	c := w.courier("Silent", 100, nil)
	first, second := w.place("k1", nil), w.place("k2", nil)
	w.round()
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: first, Kind: dispatch.Pickup}))
	w.wantStatus(second, dispatch.Assigned)

	w.clock.Advance(w.StaleAfter + time.Second)
	third := w.place("k3", nil)
	w.round()
	w.wantStatus(third, dispatch.Searching)
	if _, err := w.Assign(t.Context(), third, c, because(0)); !errors.Is(err, dispatch.ErrConflict) {
		t.Fatalf("a person could give work to a silent courier: %v", err)
	}

	w.clock.Advance(w.LostAfter)
	w.round()
	w.wantStatus(second, dispatch.Searching)
	w.wantStatus(first, dispatch.PickedUp) // the goods are with the courier
	watched, err := w.Watch(t.Context())
	w.must(err)
	if len(watched.Alerts) != 1 || watched.Alerts[0].Kind != dispatch.AlertStale || watched.Alerts[0].Courier != c || !slices.Equal(watched.Silent, []string{c}) {
		t.Fatalf("watched is %+v", watched)
	}
	w.FeedLag = func() time.Duration { return time.Minute }
	if watched, err = w.Watch(t.Context()); err != nil || len(watched.Alerts) != 0 {
		t.Errorf("nobody can be heard, and this one is blamed: %+v, %v", watched, err)
	}
}

// A node that was paused reads from its sockets what was sent before.
func TestAFixThatWasLongUnderWayMakesNobodyFresh(t *testing.T) {
	w := newWorld(t, assignMode)
	c := w.courier("Held up", 100, nil)
	w.clock.Advance(w.StaleAfter + 2*time.Minute)
	f := w.where.fixes[c]
	f.Received = w.clock.Now()
	w.where.fixes[c] = f
	order := w.place("k1", nil)
	w.round()
	w.wantStatus(order, dispatch.Searching)

	f.Time = w.clock.Now().Add(-30 * time.Second) // the phone's clock is a little slow
	w.where.fixes[c] = f
	w.round()
	w.wantStatus(order, dispatch.Assigned)
}

func TestNothingWaitsSilently(t *testing.T) {
	w := newWorld(t, nil)
	order := w.place("k1", nil)
	w.round()
	w.wantStatus(order, dispatch.Searching)
	w.clock.Advance(w.SearchLimit)
	w.round()
	w.wantStatus(order, dispatch.Unassignable)
	watched, err := w.Watch(t.Context())
	w.must(err)
	if len(watched.Alerts) != 1 || watched.Alerts[0].Order != order {
		t.Fatalf("watched is %+v", watched)
	}
	_, err = w.Retry(t.Context(), order, because(0))
	w.must(err)
	c := w.courier("Late", 100, nil)
	w.round()
	w.offered(c)
}

func TestCapacityIsNeverExceeded(t *testing.T) {
	w := newWorld(t, assignMode)
	c := w.courier("Small", 100, func(n *dispatch.NewCourier) { n.Capacity = 2 })
	big := w.place("big", func(n *dispatch.NewOrder) { n.Size = 3 })
	w.round()
	w.wantStatus(big, dispatch.Searching)
	_, err := w.Assign(t.Context(), big, c, because(0))
	if !errors.Is(err, dispatch.ErrConflict) || !strings.Contains(err.Error(), "no room") {
		t.Fatalf("a person could overload a courier: %v", err)
	}
	decisions, err := w.Decisions(t.Context(), big)
	w.must(err)
	if len(decisions) != 1 || len(decisions[0].Candidates) != 1 || !strings.Contains(decisions[0].Candidates[0].Why, "room") {
		t.Fatalf("the record says %+v", decisions)
	}
}

func TestRacingOverridesGiveAnOrderToOneCourier(t *testing.T) {
	w := newWorld(t, assignMode)
	order := w.place("k1", nil)
	var couriers []string
	for range 8 {
		couriers = append(couriers, w.courier("Racer", 100, nil))
	}
	var wg sync.WaitGroup
	for _, c := range couriers {
		wg.Go(func() {
			_, err := w.Assign(context.WithoutCancel(t.Context()), order, c, because(0))
			if err != nil && !errors.Is(err, dispatch.ErrConflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	holders := 0
	for _, c := range couriers {
		if w.plan(c).Has(order) {
			holders++
		}
	}
	if holders != 1 {
		t.Fatalf("%d couriers have the order", holders)
	}
}

func TestACustomerSeesTheCourierOnlyOnTheWayToTheDoor(t *testing.T) {
	w := newWorld(t, assignMode)
	c := w.courier("Mia Berg", 100, nil)
	order := w.place("k1", nil)
	saw := func(want bool) {
		t.Helper()
		v, err := w.View(t.Context(), order)
		w.must(err)
		if (v.Fix != nil) != want {
			t.Fatalf("%s: position shown: %v", v.Status, v.Fix != nil)
		}
		if v.Courier != nil && v.Courier.Name != "Mia" {
			t.Fatalf("the courier is named %q", v.Courier.Name)
		}
		if carried := v.Status != dispatch.Placed && v.Status != dispatch.Delivered; carried && (v.ETA == nil || !v.ETA.From.Before(v.ETA.To)) {
			t.Fatalf("%s: eta %+v", v.Status, v.ETA)
		}
	}
	saw(false)
	w.round()
	saw(false)
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActArrive, Order: order, Kind: dispatch.Pickup}))
	saw(false)
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Pickup}))
	saw(true)
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActArrive, Order: order, Kind: dispatch.Dropoff}))
	saw(true)
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Dropoff}))
	saw(false)
}

func TestOrdersFromOnePlaceTravelTogether(t *testing.T) {
	w := newWorld(t, nil)
	c := w.courier("Only", 100, nil)
	w.courier("Far", 4000, nil)
	a := w.place("a", nil)
	b := w.place("b", func(n *dispatch.NewOrder) { n.Dropoff.Point = market.Offset(1050, 0) })
	w.round()
	offer := w.offered(c)
	if len(offer.Orders) != 2 || len(offer.Stops) != 4 {
		t.Fatalf("offered %v with %d stops", offer.Orders, len(offer.Stops))
	}
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActAccept, Offer: offer.ID}))
	w.wantStatus(a, dispatch.Assigned)
	w.wantStatus(b, dispatch.Assigned)
}

func TestStats(t *testing.T) {
	w := newWorld(t, assignMode)
	c := w.courier("Mia", 100, nil)
	order := w.place("k1", nil)
	w.clock.Advance(20 * time.Second)
	w.round()
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Pickup}))
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Dropoff}))
	w.place("k2", nil)
	st, err := w.Stats(t.Context())
	w.must(err)
	if st.Waiting != 1 || st.Active != 0 || st.DeliveredToday != 1 || st.CouriersOnDuty != 1 || st.CouriersFree != 1 || st.MedianAssignSeconds != 20 {
		t.Fatalf("stats are %+v", st)
	}
}

func TestWithoutPositionsAllButMatchingGoesOn(t *testing.T) {
	w := newWorld(t, assignMode)
	c := w.courier("Mia", 100, nil)
	order := w.place("k1", nil)
	w.round()
	w.where.away = errors.New("the index is away")
	second := w.place("k2", nil)
	if err := w.loop.Round(t.Context()); err == nil {
		t.Error("a round without positions says nothing")
	}
	w.wantStatus(second, dispatch.Placed)
	w.clock.Advance(w.LostAfter + time.Minute)
	_ = w.loop.Round(t.Context())
	w.wantStatus(order, dispatch.Assigned) // nobody is silent just because the index is
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Pickup}))
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Dropoff}))
	for _, read := range []func() error{
		func() error { _, err := w.View(t.Context(), order); return err },
		func() error { _, _, err := w.Fleet(t.Context()); return err },
		func() error { _, err := w.Stats(t.Context()); return err },
		func() error { _, err := w.Watch(t.Context()); return err },
	} {
		w.must(read())
	}
}
