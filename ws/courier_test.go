package ws_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"courier/dispatch"
	"courier/ws"
	"courier/ws/wstest"
)

func online(t *testing.T, w *world, id string) *wstest.Conn {
	t.Helper()
	w.hire(id, dispatch.Available)
	c := w.open(t, "courier", "courier-"+id, 0)
	c.Want("plan")
	return c
}

func TestActionsAreAnsweredInOrder(t *testing.T) {
	w := newWorld(t)
	c := online(t, w, "c1")
	w.answers = map[string]error{
		"a2": &dispatch.Refused{Why: "the offer has expired"},
		"a3": fmt.Errorf("complete: %w", dispatch.ErrNotFound),
		"a4": &dispatch.Invalid{Fields: []dispatch.FieldError{{Field: "proof.pin", Problem: "is wrong"}}},
		"a5": dispatch.ErrKeyReused,
		"a6": dispatch.ErrUnavailable,
	}
	c.Send(map[string]any{"type": "offer.accept", "id": "a1", "offer": "f1"})
	c.Send(map[string]any{"type": "offer.decline", "id": "a2", "offer": "f1", "reason": "too_far"})
	c.Send(map[string]any{"type": "stop.arrive", "id": "a3", "order": "o1", "kind": "pickup", "at": "2026-11-23T10:00:00+01:00"})
	c.Send(map[string]any{"type": "stop.complete", "id": "a4", "order": "o1", "kind": "dropoff", "proof": map[string]any{"pin": "4711"}})
	c.Send(map[string]any{"type": "stop.fail", "id": "a5", "order": "o1", "kind": "dropoff", "reason": "no_answer", "note": "rang"})
	c.Send(map[string]any{"type": "offer.accept", "id": "a6", "offer": "f1"})
	for _, want := range []string{
		`{"type":"ack","id":"a1","ok":true}`,
		`{"type":"ack","id":"a2","ok":false,"code":"conflict","detail":"the offer has expired"}`,
		`{"type":"ack","id":"a3","ok":false,"code":"not_found","detail":"nothing there"}`,
		`{"type":"ack","id":"a4","ok":false,"code":"invalid","detail":"proof.pin is wrong"}`,
		`{"type":"ack","id":"a5","ok":false,"code":"key_reused","detail":"the id was used for another action"}`,
		`{"type":"ack","id":"a6","ok":false,"code":"unavailable","detail":"try again"}`,
	} {
		if got := string(c.Until("ack").Raw); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if want := []string{"c1/a1", "c1/a2", "c1/a3", "c1/a4", "c1/a5", "c1/a6"}; !slices.Equal(w.acts, want) {
		t.Errorf("acted %v", w.acts)
	}
}

// While the database is away, couriers stay on the map.
func TestFixesDoNotWaitForAnActionThatHangs(t *testing.T) {
	w := newWorld(t)
	c := online(t, w, "c1")
	release := make(chan struct{})
	w.mu.Lock()
	w.held = map[string]chan struct{}{"a1": release}
	w.mu.Unlock()
	c.Send(map[string]any{"type": "offer.accept", "id": "a1", "offer": "f1"})
	c.Send(map[string]any{"type": "offer.accept", "id": "a2", "offer": "f1"})
	fix := map[string]any{"time": time.Now().UTC(), "lat": 52, "lng": 4.3, "accuracy": 8}
	c.Send(map[string]any{"type": "fixes", "id": "f1", "fixes": []any{fix}})
	if got := c.Until("ack"); !strings.Contains(string(got.Raw), `"id":"f1"`) {
		t.Fatalf("the fix is not answered first: %s", got.Raw)
	}
	w.mu.Lock()
	if want := []string{"c1/a1"}; !slices.Equal(w.acts, want) {
		t.Errorf("acted %v while the first hangs", w.acts)
	}
	w.mu.Unlock()
	close(release)
	for _, want := range []string{`"id":"a1"`, `"id":"a2"`} {
		if got := c.Until("ack"); !strings.Contains(string(got.Raw), want) {
			t.Errorf("got %s, want %s", got.Raw, want)
		}
	}
}

func TestABadFrameWithAnIDIsAnsweredAndOneWithoutCloses(t *testing.T) {
	w := newWorld(t)
	c := online(t, w, "c1")
	c.SendRaw(`{"type":"duty","id":"b1","duty":"sleeping"}`)
	c.SendRaw(`{"type":"fixes","id":"b2","fixes":[{"time":"2026-11-23T10:00:00Z","lat":1,"accuracy":5}]}`)
	c.SendRaw(`{"type":"fixes","id":"b3","fixes":[]}`)
	c.SendRaw(`{"id":"b4","type":"dance"}`)
	for _, want := range []string{
		`{"type":"error","id":"b1","code":"invalid","detail":"duty must be off, available or break"}`,
		`{"type":"error","id":"b2","code":"invalid","detail":"fixes[0].lng is missing"}`,
		`{"type":"error","id":"b3","code":"invalid","detail":"fixes must hold 1 to 200"}`,
		`{"type":"error","id":"b4","code":"invalid","detail":"type is missing or not known here"}`,
	} {
		if got := string(c.Want("error").Raw); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	c.SendRaw(`{"type":"duty","duty":"off"}`)
	c.WantClose(4400)
}

func TestFixes(t *testing.T) {
	w := newWorld(t)
	c := online(t, w, "c1")
	fix := func(lat float64) map[string]any {
		return map[string]any{"time": time.Now().UTC(), "lat": lat, "lng": 4.3, "accuracy": 8, "speed": 6.1, "heading": 90}
	}
	send := func(id string, lats ...float64) string {
		var fixes []any
		for _, lat := range lats {
			fixes = append(fixes, fix(lat))
		}
		c.Send(map[string]any{"type": "fixes", "id": id, "fixes": fixes})
		return string(c.Until("ack").Raw)
	}
	if got := send("f1", 52, 52); got != `{"type":"ack","id":"f1","ok":true,"accepted":2}` {
		t.Error(got)
	}
	if got := send("f2", 91, 52, 52); got != `{"type":"ack","id":"f2","ok":true,"accepted":2,"late":[1],"rejected":[{"index":0,"reason":"range"}]}` {
		t.Error(got)
	}
	// Off duty counts for what follows in the same burst.
	c.Send(map[string]any{"type": "duty", "id": "d1", "duty": "off"})
	if got := c.Until("ack"); !strings.Contains(string(got.Raw), `"ok":true`) {
		t.Error(string(got.Raw))
	}
	if got := send("f3", 52, 52); got != `{"type":"ack","id":"f3","ok":true,"accepted":0,"rejected":[{"index":0,"reason":"off_duty"},{"index":1,"reason":"off_duty"}]}` {
		t.Error(got)
	}
	c.Send(map[string]any{"type": "duty", "id": "d2", "duty": "available"})
	c.Send(map[string]any{"type": "fixes", "id": "f4", "fixes": []any{fix(52)}})
	c.Until("ack")
	if got := string(c.Until("ack").Raw); got != `{"type":"ack","id":"f4","ok":true,"accepted":1}` {
		t.Error(got)
	}
	if w.ingested != 6 || !slices.Equal(w.forgot, []string{"c1"}) {
		t.Errorf("ingested %d, forgot %v", w.ingested, w.forgot)
	}
}

func stopsAt(kinds ...string) []dispatch.Stop {
	var stops []dispatch.Stop
	for _, k := range kinds {
		order, kind, _ := strings.Cut(k, "/")
		at := kitchen
		if kind == "dropoff" {
			at = home
		}
		stops = append(stops, dispatch.Stop{Order: order, Kind: dispatch.StopKind(kind), Point: at, Size: 1})
	}
	return stops
}

func TestAGeofenceArrivesAtTheNextStopOnly(t *testing.T) {
	for name, tt := range map[string]struct {
		radius float64
		want   []string
	}{
		"on":  {60, []string{"c1/o1/pickup", "c1/o2/pickup"}},
		"off": {-1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *ws.Config) { c.Geofence = tt.radius })
			w.hire("c1", dispatch.Available)
			w.couriers["c1"].Plan.Stops = stopsAt("o1/pickup", "o2/pickup", "o1/dropoff", "o2/dropoff")
			w.enter = []string{"o1/pickup", "o2/pickup", "o1/dropoff"}
			c := w.open(t, "courier", "courier-c1", 0)
			c.Want("plan")
			c.Send(map[string]any{"type": "fixes", "id": "f1", "fixes": []any{map[string]any{"time": time.Now().UTC(), "lat": 52, "lng": 4, "accuracy": 8}}})
			c.Until("ack")
			if tt.want != nil {
				for seen := 0; seen < 2; {
					var p struct{ Plan dispatch.Plan }
					c.Want("plan").Into(t, &p)
					seen = 0
					for _, s := range p.Plan.Stops {
						if s.ArrivedAt != nil {
							seen++
						}
					}
				}
			}
			w.with(func() {
				if !slices.Equal(w.arrived, tt.want) {
					t.Errorf("arrived %v, want %v", w.arrived, tt.want)
				}
			})
		})
	}
}

func TestOffersAndPlansFollowTheBus(t *testing.T) {
	for name, silent := range map[string]bool{"message": false, "lost message": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := online(t, w, "c1")
			w.silent = silent
			w.place("o1")
			offer := &dispatch.Offer{ID: "f1", Courier: "c1", Orders: []string{"o1"}, Stops: stopsAt("o1/pickup", "o1/dropoff"), Deadline: time.Now().UTC(), State: dispatch.OfferOpen}
			w.change("c1", func(c *dispatch.Courier) { w.offers["f1"], c.Offer = offer, "f1" })
			if f := c.Want("offer"); f.Seq != 2 {
				t.Errorf("%s", f.Raw)
			}
			w.change("c1", func(c *dispatch.Courier) {
				offer.State, c.Offer = dispatch.OfferAccepted, ""
				c.Plan = dispatch.Plan{Version: 2, Stops: stopsAt("o1/pickup", "o1/dropoff")}
			})
			if f := c.Want("plan"); f.Seq != 3 || !strings.Contains(string(f.Raw), `"state":"busy"`) {
				t.Errorf("%s", f.Raw)
			}
			if got := string(c.Want("offer.closed").Raw); got != `{"type":"offer.closed","seq":3,"offer":"f1","state":"accepted"}` {
				t.Error(got)
			}
			w.with(func() {
				w.stepLocked("o1", dispatch.EventCancelled, dispatch.Cancelled)
				w.orders["o1"].Reason = "customer called"
			})
			w.change("c1", func(c *dispatch.Courier) { c.Plan = dispatch.Plan{Version: 3} })
			c.Want("plan")
			if got := string(c.Want("order").Raw); got != `{"type":"order","seq":4,"order":"o1","status":"cancelled","reason":"customer called"}` {
				t.Error(got)
			}
		})
	}
}

func TestTheSeqsOfABurstGrow(t *testing.T) {
	w := newWorld(t)
	w.hire("c1", dispatch.Available)
	w.couriers["c1"].Version = 41
	w.offers["f1"] = &dispatch.Offer{ID: "f1", Orders: []string{"o1"}, Stops: stopsAt("o1/pickup"), State: dispatch.OfferOpen}
	w.couriers["c1"].Offer = "f1"
	c := w.open(t, "courier", "courier-c1", 0)
	if a, b := c.Want("plan").Seq, c.Want("offer").Seq; a != 40 || b != 41 {
		t.Errorf("seqs %d, %d; want 40, 41: a client that has the plan alone must not count as current", a, b)
	}
	again := w.open(t, "courier", "courier-c1", 41)
	w.change("c1", func(c *dispatch.Courier) { c.Duty = dispatch.Break })
	if got := again.Want("plan").Seq; got != 42 { // and nothing before
		t.Errorf("seq %d", got)
	}
}

func TestTheNewestSignInWins(t *testing.T) {
	w := newWorld(t)
	old := online(t, w, "c1")
	w.with(func() {
		id := w.tokens["courier-c1"]
		id.Epoch = 2
		w.tokens["new"] = id
		w.couriers["c1"].Epoch = 2
	})
	c := w.open(t, "courier", "new", 0)
	c.Want("plan")
	old.WantClose(4409)
	wstest.Dial(t, doc(t), w.server, "courier", "courier-c1").WantClose(4409)
	// On another node: the bus says that the courier has changed.
	w.change("c1", func(c *dispatch.Courier) { c.Epoch = 3 })
	c.WantClose(4409)
}

func TestDevicesOfOneSessionSeeTheSame(t *testing.T) {
	w := newWorld(t)
	phones := []*wstest.Conn{online(t, w, "c1")}
	for range 3 {
		c := w.open(t, "courier", "courier-c1", 0)
		c.Want("plan")
		phones = append(phones, c)
	}
	w.change("c1", func(c *dispatch.Courier) { c.Duty = dispatch.Break })
	for _, c := range phones {
		c.Want("plan")
	}
	w.open(t, "courier", "courier-c1", 0).Want("plan")
	phones[0].WantClose(4409) // one too many: the oldest goes
	w.change("c1", func(c *dispatch.Courier) { c.Duty = dispatch.Available })
	phones[3].Want("plan")
}

func TestAVoidSessionCannotAct(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Sweep = time.Hour })
	c := online(t, w, "c1")
	w.with(func() { w.couriers["c1"].Epoch = 2 }) // and no message
	c.Send(map[string]any{"type": "duty", "id": "a1", "duty": "break"})
	c.WantClose(4409)
}

func TestARevokedCourierIsCutOff(t *testing.T) {
	w := newWorld(t)
	c := online(t, w, "c1")
	w.hub.CourierRevoked("c1")
	c.WantClose(4410)
	// On another node: the bus says that the courier has changed.
	c = w.open(t, "courier", "courier-c1", 1)
	w.change("c1", func(c *dispatch.Courier) { c.Epoch, c.Revoked = 2, true })
	c.WantClose(4410)
	w.with(func() { w.couriers["c1"].Epoch, w.couriers["c1"].Revoked = 1, false })
	c = w.open(t, "courier", "courier-c1", 1)
	c.Want("plan")
	w.hub.CourierSignedIn("c1", 1) // its own
	w.hub.CourierSignedIn("c1", 2)
	c.WantClose(4409)
}
