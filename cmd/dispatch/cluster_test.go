package main

import (
	"strings"
	"testing"
	"time"

	"courier/dispatch"
	"courier/internal/testenv"
	"courier/ws/wstest"
)

// A courier on node A, its customer on B, a dispatcher on C; whoever matches,
// nobody notices. The engines are real ones.
func TestThreeNodesAreOneServer(t *testing.T) {
	engines := testenv.StartEngines(t)
	node := func() *server {
		return newServer(t, func(f *serverFlags) {
			f.DatabaseURL, f.RedisURL, f.AMQPURL = engines.Database, []string{engines.Redis.URL()}, engines.RabbitMQ.URL
			f.AuthSecret = "three nodes share this key, 1f0c9a7be2"
			f.OfferTimeout, f.Interval = 20*time.Second, 200*time.Millisecond
		})
	}
	a, b, c := node(), node(), node()

	_, token := a.hire("Ada Lovelace")
	rider := a.phone(token, 0)
	rider.must("duty", obj{"duty": "available"})
	rider.fix(4.001, time.Now().Add(-30*time.Second))
	desk := wstest.Open(t, c.frames, c.url(), "fleet", c.admin, 0)
	desk.Until("snapshot")

	key := b.merchant("soups")
	order := b.place(key, "A-1")
	customer := &page{server: b, secret: b.link(key, order)}
	customer.dial()
	customer.read(anyStatus)

	rider.must("offer.accept", obj{"offer": rider.offer()})
	rider.must("stop.complete", obj{"order": order, "kind": "pickup"})
	customer.read(dispatch.PickedUp)
	rider.fix(4.0149, time.Now())
	customer.read(dispatch.AtDropoff)
	customer.readPosition()
	rider.must("stop.complete", obj{"order": order, "kind": "dropoff", "proof": obj{"pin": customer.pin}})
	customer.read(dispatch.Delivered)
	customer.read(theEnd)
	if !customer.placed {
		t.Error("the customer on another node never saw the courier")
	}
	events := c.history(order)
	if len(customer.seen) != len(events) {
		t.Errorf("the customer saw %d of %d statuses", len(customer.seen), len(events))
	}
	for {
		var frame struct{ Orders []dispatch.Order }
		desk.Until("orders").Into(t, &frame)
		if n := len(frame.Orders); n > 0 && frame.Orders[n-1].Status == dispatch.Delivered {
			break
		}
	}
	// A key made on one node is revoked on all.
	var keys struct{ Keys []struct{ ID string } }
	c.call("GET", "/v1/api-keys", c.admin, nil, 200, &keys)
	c.call("DELETE", "/v1/api-keys/"+keys.Keys[0].ID, c.admin, nil, 204, nil)
	b.call("GET", "/v1/orders", key, nil, 401, nil)
}

func TestSharedEnginesNeedASharedKey(t *testing.T) {
	code, _, stderr := dispatchCommand(t, "serve", "--database-url", "postgres://localhost/none")
	if code != 2 || !strings.Contains(stderr, "--auth-secret") {
		t.Errorf("%d, %s", code, stderr)
	}
	code, _, stderr = dispatchCommand(t, "serve", "--redis-url", "redis://localhost:1")
	if code != 2 || !strings.Contains(stderr, "--database-url") {
		t.Errorf("%d, %s", code, stderr)
	}
}

// Without its database a node says so, promises nothing, and comes back by
// itself.
func TestWithoutADatabaseNothingIsPromised(t *testing.T) {
	database := testenv.StartPostgres(t)
	s := newServer(t, func(f *serverFlags) {
		f.DatabaseURL, f.AuthSecret = database.Database(t), "one node has this key, 1f0c9a7be2d4"
	})
	key := s.merchant("soups")
	s.place(key, "A-1")
	database.Kill()
	body := obj{"pickup": obj{"point": obj{"lat": 52.0, "lng": 4.0}}, "dropoff": obj{"point": obj{"lat": 52.0, "lng": 4.01}}}
	var problem struct{ Code string }
	s.call("POST", "/v1/orders", s.admin, obj{"merchant": "soups", "pickup": body["pickup"], "dropoff": body["dropoff"]}, 503, &problem, "Idempotency-Key", "A-2")
	if problem.Code != "unavailable" {
		t.Errorf("code %q", problem.Code)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503} {
		resp, err := s.http.Get(s.url() + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	database.Restart()
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		resp, err := s.http.Get(s.url() + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == 200 {
			break
		}
		if time.Now().After(until) {
			t.Fatal("the node does not get ready again")
		}
	}
	s.place(key, "A-2")
}
