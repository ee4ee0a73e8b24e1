package ws_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"courier/dispatch"
	"courier/tracking"
	"courier/ws/wstest"
)

func TestFixesFromTheBackgroundCountAsTheCouriers(t *testing.T) {
	w := newWorld(t)
	w.hire("c1", dispatch.Available)
	w.couriers["c1"].Plan.Stops = stopsAt("o1/pickup", "o1/dropoff")
	w.enter = []string{"o1/pickup"}
	one := []tracking.Fix{{Time: time.Now(), Accuracy: 8}}
	if err := w.hub.Background(t.Context(), "c1", 1, one); err != nil {
		t.Fatal(err)
	}
	w.with(func() {
		if w.ingested != 1 || !slices.Equal(w.arrived, []string{"c1/o1/pickup"}) {
			t.Errorf("%d fixes, arrived %v", w.ingested, w.arrived)
		}
	})
	if err := w.hub.Background(t.Context(), "c1", 2, one); !errors.Is(err, dispatch.ErrStaleSession) {
		t.Errorf("another session's: %v", err)
	}
	w.change("c1", func(c *dispatch.Courier) { c.Duty = dispatch.Off })
	if err := w.hub.Background(t.Context(), "c1", 1, one); err != nil {
		t.Error(err)
	}
	w.with(func() {
		if w.ingested != 1 {
			t.Errorf("%d fixes are taken, one of them off duty", w.ingested)
		}
	})
}

func TestAnOfferThatIsTakenBackSaysWhatBecameOfItsOrder(t *testing.T) {
	w := newWorld(t)
	c := online(t, w, "c1")
	w.place("o1")
	offer := &dispatch.Offer{ID: "f1", Courier: "c1", Orders: []string{"o1"}, Stops: stopsAt("o1/pickup", "o1/dropoff"), Deadline: time.Now().UTC(), State: dispatch.OfferOpen}
	w.change("c1", func(c *dispatch.Courier) { w.offers["f1"], c.Offer = offer, "f1" })
	c.Want("offer")
	w.with(func() { w.stepLocked("o1", dispatch.EventCancelled, dispatch.Cancelled) })
	w.change("c1", func(c *dispatch.Courier) {
		offer.State, offer.Reason, c.Offer = dispatch.OfferWithdrawn, "customer called", ""
	})
	if got := string(c.Want("offer.closed").Raw); !strings.Contains(got, `"state":"withdrawn","reason":"customer called","status":"cancelled"`) {
		t.Error(got)
	}
}

func TestAnOrderThatIsTakenAwaySaysWhy(t *testing.T) {
	w := newWorld(t)
	w.hire("c1", dispatch.Available)
	w.place("o1")
	w.couriers["c1"].Plan.Stops = stopsAt("o1/pickup", "o1/dropoff")
	c := w.open(t, "courier", "courier-c1", 0)
	c.Want("plan")
	w.with(func() {
		w.stepLocked("o1", dispatch.EventUnassigned, dispatch.Searching)
		last := &w.orders["o1"].events[len(w.orders["o1"].events)-1]
		last.Actor = dispatch.Actor{Role: dispatch.RoleDispatcher, ID: "Robin"}
		last.Data = dispatch.EventData{Courier: "c1", Reason: "running late"}
	})
	w.change("c1", func(c *dispatch.Courier) { c.Plan = dispatch.Plan{Version: 2} })
	if got := string(c.Until("order").Raw); !strings.Contains(got, `"status":"searching","by":"dispatcher","reason":"running late"`) || strings.Contains(got, "Robin") {
		t.Error(got)
	}
}

// A courier's other device has ended an order: this one must not say that
// dispatch took it.
func TestWhatAnotherDeviceDidIsSaidToBeTheCouriersOwn(t *testing.T) {
	w := newWorld(t)
	w.hire("c1", dispatch.Available)
	w.place("o1")
	w.orders["o1"].Courier = "c1"
	w.couriers["c1"].Plan.Stops = stopsAt("o1/dropoff")
	doing := w.open(t, "courier", "courier-c1", 0)
	doing.Want("plan")
	other := w.open(t, "courier", "courier-c1", 0)
	other.Want("plan")
	doing.Send(map[string]any{"type": "stop.complete", "id": "a1", "order": "o1", "kind": "dropoff"})
	doing.Want("ack")
	w.with(func() {
		w.stepLocked("o1", dispatch.EventDelivered, dispatch.Delivered)
		last := &w.orders["o1"].events[len(w.orders["o1"].events)-1]
		last.Actor = dispatch.Actor{Role: dispatch.RoleCourier, ID: "c1"}
	})
	w.change("c1", func(c *dispatch.Courier) { c.Plan = dispatch.Plan{Version: 2} })
	if got := string(other.Until("order").Raw); !strings.Contains(got, `"status":"delivered","by":"courier"`) {
		t.Error(got)
	}
	doing.Want("plan")
	w.change("c1", func(c *dispatch.Courier) { c.Plan = dispatch.Plan{Version: 3} })
	doing.Want("plan") // and no word of what it did itself before
}

func TestARefusalSaysWhoseDoingItWasAndToNobodyElse(t *testing.T) {
	w := newWorld(t)
	had, stranger := online(t, w, "c1"), online(t, w, "c2")
	w.place("o1")
	w.with(func() {
		w.stepLocked("o1", dispatch.EventUnassigned, dispatch.Searching)
		last := &w.orders["o1"].events[len(w.orders["o1"].events)-1]
		last.Actor, last.Data.Courier = dispatch.Actor{Role: dispatch.RoleDispatcher, ID: "Robin"}, "c1"
		w.stepLocked("o1", dispatch.EventDelivered, dispatch.Delivered)
		last = &w.orders["o1"].events[len(w.orders["o1"].events)-1]
		last.Actor = dispatch.Actor{Role: dispatch.RoleCourier, ID: "c3"} // whose it was then
	})
	w.answers = map[string]error{"a1": dispatch.ErrNotFound, "a2": dispatch.ErrNotFound}
	for id, c := range map[string]*wstest.Conn{"a1": had, "a2": stranger} {
		c.Send(map[string]any{"type": "stop.complete", "id": id, "order": "o1", "kind": "dropoff"})
	}
	if got := string(had.Want("ack").Raw); got != `{"type":"ack","id":"a1","ok":false,"code":"not_found","detail":"nothing there","by":"dispatcher"}` {
		t.Error(got)
	}
	if got := string(stranger.Want("ack").Raw); got != `{"type":"ack","id":"a2","ok":false,"code":"not_found","detail":"nothing there"}` {
		t.Error(got)
	}
}
