package dispatch_test

import (
	"fmt"
	"testing"
	"time"

	"courier/dispatch"
)

func TestAnOfferGoesToTheNextBestAfterADeclineAndAnExpiry(t *testing.T) {
	w := newWorld(t, nil)
	near, middle, far := w.courier("Near", 100, nil), w.courier("Middle", 600, nil), w.courier("Far", 1500, nil)
	order := w.place("k1", nil)

	w.round()
	offer := w.offered(near)
	w.wantStatus(order, dispatch.Offered)
	w.must(w.act(near, dispatch.Action{Type: dispatch.ActDecline, Offer: offer.ID, Reason: "too_far"}))
	w.wantStatus(order, dispatch.Searching)

	w.round()
	offer = w.offered(middle)
	w.clock.Advance(31 * time.Second)
	w.at(near, 100)
	w.at(middle, 600)
	w.at(far, 1500)
	wantIs(t, w.act(middle, dispatch.Action{Type: dispatch.ActAccept, Offer: offer.ID}), dispatch.ErrConflict)

	w.round() // closes the one that ran out, and asks the third
	offer = w.offered(far)
	w.must(w.act(far, dispatch.Action{Type: dispatch.ActAccept, Offer: offer.ID}))
	w.wantStatus(order, dispatch.Assigned)
	if o := w.order(order); o.Courier != far || o.ETA == nil || !o.ETA.Dropoff.After(o.ETA.Pickup) {
		t.Fatalf("courier %q, eta %+v", o.Courier, o.ETA)
	}
	w.wantHistory(order, "placed", "searching", "offered", "declined", "offered", "expired", "offered", "assigned")
}

func TestACourierIsAskedAgainAfterTheCoolDown(t *testing.T) {
	w := newWorld(t, nil)
	only := w.courier("Only", 100, nil)
	w.place("k1", nil)
	w.round()
	w.must(w.act(only, dispatch.Action{Type: dispatch.ActDecline, Offer: w.offered(only).ID, Reason: "busy"}))
	w.round()
	if _, offer, err := w.CourierState(t.Context(), only); err != nil || offer != nil {
		t.Fatalf("asked again at once: %v, %v", offer, err)
	}
	w.clock.Advance(w.CoolDown + time.Second)
	w.at(only, 100)
	w.round()
	w.offered(only)
}

func TestAnAcceptSentAgainIsTheSameAccept(t *testing.T) {
	w := newWorld(t, nil)
	c := w.courier("Only", 100, nil)
	order := w.place("k1", nil)
	w.round()
	accept := dispatch.Action{Type: dispatch.ActAccept, Offer: w.offered(c).ID}
	for range 3 {
		w.must(w.Act(t.Context(), c, w.epoch(c), "same", accept))
	}
	w.wantHistory(order, "placed", "searching", "offered", "assigned")

	accept.Offer = "another"
	wantIs(t, w.Act(t.Context(), c, w.epoch(c), "same", accept), dispatch.ErrKeyReused)
}

func TestARefusalIsAnAnswerThatIsKept(t *testing.T) {
	w := newWorld(t, nil)
	c := w.courier("Only", 100, nil)
	a := dispatch.Action{Type: dispatch.ActArrive, Order: "nothing", Kind: dispatch.Pickup}
	for range 2 {
		wantIs(t, w.Act(t.Context(), c, w.epoch(c), "x", a), dispatch.ErrNotFound)
	}
}

func TestAnotherCouriersOfferIsNotFound(t *testing.T) {
	w := newWorld(t, nil)
	near, other := w.courier("Near", 100, nil), w.courier("Other", 900, nil)
	w.place("k1", nil)
	w.round()
	id := w.offered(near).ID
	wantIs(t, w.act(other, dispatch.Action{Type: dispatch.ActAccept, Offer: id}), dispatch.ErrNotFound)
	wantIs(t, w.act(other, dispatch.Action{Type: dispatch.ActDecline, Offer: "none"}), dispatch.ErrNotFound)
}

func TestAnOldSessionActsNoMore(t *testing.T) {
	w := newWorld(t, nil)
	c := w.courier("Only", 100, nil)
	old := w.epoch(c)
	if _, err := w.StartSession(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantIs(t, w.Act(t.Context(), c, old, "x", dispatch.Action{Type: dispatch.ActSetDuty, Duty: dispatch.Off}), dispatch.ErrStaleSession)
}

func TestGoingOnBreakGivesTheOfferBack(t *testing.T) {
	w := newWorld(t, nil)
	c := w.courier("Only", 100, nil)
	order := w.place("k1", nil)
	w.round()
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActSetDuty, Duty: dispatch.Break}))
	w.wantStatus(order, dispatch.Searching)
	w.wantHistory(order, "placed", "searching", "offered", "withdrawn")
}

func TestTheWholeWayToTheDoor(t *testing.T) {
	w := newWorld(t, func(c *dispatch.Config) { c.Mode = dispatch.ModeAssign })
	c := w.courier("Mia Berg", 100, nil)
	order := w.place("k1", func(n *dispatch.NewOrder) { n.PINRequired = true })
	w.round()
	w.wantStatus(order, dispatch.Assigned)
	do := func(a dispatch.Action) error { a.Order = order; return w.act(c, a) }
	wantIs(t, do(dispatch.Action{Type: dispatch.ActComplete, Kind: dispatch.Dropoff}), dispatch.ErrConflict)
	wantIs(t, w.act(c, dispatch.Action{Type: dispatch.ActSetDuty, Duty: dispatch.Off}), dispatch.ErrConflict)
	w.must(do(dispatch.Action{Type: dispatch.ActArrive, Kind: dispatch.Pickup}))
	w.must(w.GeofenceArrive(t.Context(), c, order, dispatch.Pickup)) // came second: nothing to do
	w.must(do(dispatch.Action{Type: dispatch.ActComplete, Kind: dispatch.Pickup}))
	w.must(w.GeofenceArrive(t.Context(), c, order, dispatch.Dropoff))
	w.wantStatus(order, dispatch.AtDropoff)
	if err := do(dispatch.Action{Type: dispatch.ActComplete, Kind: dispatch.Dropoff, PIN: "0000"}); err == nil {
		t.Fatal("delivered with a wrong PIN")
	}
	w.must(do(dispatch.Action{Type: dispatch.ActComplete, Kind: dispatch.Dropoff, PIN: "4711", Note: "at the door"}))
	w.wantHistory(order, "placed", "searching", "assigned", "at_pickup", "picked_up", "at_dropoff", "delivered")
	if o := w.order(order); o.Proof == nil || !o.Proof.PIN || o.Proof.Note != "at the door" {
		t.Fatalf("proof is %+v", o.Proof)
	}
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActSetDuty, Duty: dispatch.Off}))
}

func TestWhatFailsAtTheDoorGoesBack(t *testing.T) {
	w := newWorld(t, func(c *dispatch.Config) { c.Mode = dispatch.ModeAssign })
	c := w.courier("Mia", 100, nil)
	order := w.place("k1", nil)
	w.round()
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Pickup}))
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActFail, Order: order, Kind: dispatch.Dropoff, Reason: "no_answer"}))
	w.wantStatus(order, dispatch.Failed)
	state, _, err := w.CourierState(t.Context(), c)
	w.must(err)
	if len(state.Plan.Stops) != 1 || state.Plan.Stops[0].Kind != dispatch.Return || state.Load != 1 {
		t.Fatalf("plan %+v, load %d", state.Plan, state.Load)
	}
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Return}))
	w.wantHistory(order, "placed", "searching", "assigned", "at_pickup", "picked_up", "failed", "returned")
}

func TestFailedGoodsGoBackFirstWhenTheBagIsFull(t *testing.T) {
	w := newWorld(t, assignMode)
	c := w.courier("Small bag", 100, func(n *dispatch.NewCourier) { n.Capacity = 1 })
	first, second := w.place("k1", nil), w.place("k2", nil)
	w.round()
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: first, Kind: dispatch.Pickup}))
	if _, err := w.Assign(t.Context(), second, c, because(0)); err != nil {
		t.Fatal(err)
	}
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActFail, Order: first, Kind: dispatch.Dropoff, Reason: "no_answer"}))
	stops := w.plan(c).Stops
	if len(stops) != 3 || stops[0].Kind != dispatch.Return || stops[0].Order != first {
		t.Fatalf("the plan is %+v", stops)
	}
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: first, Kind: dispatch.Return}))
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: second, Kind: dispatch.Pickup}))
}

func TestACouriersProblemGivesTheOrderToAnother(t *testing.T) {
	w := newWorld(t, func(c *dispatch.Config) { c.Mode = dispatch.ModeAssign })
	flat, other := w.courier("Flat tyre", 100, nil), w.courier("Other", 900, nil)
	order := w.place("k1", nil)
	w.round()
	w.must(w.act(flat, dispatch.Action{Type: dispatch.ActFail, Order: order, Kind: dispatch.Pickup, Reason: "courier_problem"}))
	w.round()
	if got := w.order(order).Courier; got != other {
		t.Fatalf("given to %q, want the other courier %q", got, other)
	}
}

// Whoever declines again and again is asked after somebody who is a little
// farther away, until that one declines as often.
func TestWhoOftenDeclinesIsAskedLater(t *testing.T) {
	w := newWorld(t, nil)
	near, other := w.courier("Near", 100, nil), w.courier("Other", 130, nil)
	orders := 0
	asked := func() (first string) {
		orders++
		order := w.place(fmt.Sprintf("k%d", orders), nil)
		w.round()
		for _, c := range []string{near, other} {
			_, offer, err := w.CourierState(t.Context(), c)
			w.must(err)
			if offer == nil {
				continue
			}
			first = c
			w.must(w.act(c, dispatch.Action{Type: dispatch.ActDecline, Offer: offer.ID, Reason: "busy"}))
		}
		_, err := w.Cancel(t.Context(), order, dispatch.Override{By: ann, Reason: "test"})
		w.must(err)
		return first
	}
	until := func(want string) {
		for range 20 {
			if asked() == want {
				return
			}
		}
		t.Fatalf("%s is never asked first", want)
	}
	if first := asked(); first != near {
		t.Fatalf("asked %s first", first)
	}
	until(other) // the near one has declined
	until(near)  // the other one has
}
