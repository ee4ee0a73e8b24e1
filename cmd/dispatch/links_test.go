package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"courier/dispatch"
	"courier/internal/testenv"
)

// expiry is when an order's only link expires.
func (s *server) expiry(key, order string) time.Time {
	s.Helper()
	var answer struct {
		Links []struct {
			ExpiresAt time.Time `json:"expires_at"`
		}
	}
	s.call("GET", "/v1/orders/"+order+"/tracking-links", key, nil, 200, &answer)
	if len(answer.Links) != 1 {
		s.Fatalf("%d links", len(answer.Links))
	}
	return answer.Links[0].ExpiresAt
}

// wantExpiry waits until an order's link expires a grace after its end.
func (s *server) wantExpiry(key, order string, grace time.Duration) {
	s.Helper()
	events := s.history(order)
	want := events[len(events)-1].Time.Add(grace)
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		got := s.expiry(key, order)
		if got.Equal(want) {
			return
		}
		if time.Now().After(until) {
			s.Fatalf("the link of an order that ended as %s expires at %v, want %v", events[len(events)-1].Status, got, want)
		}
	}
}

// wantClosed waits until a link opens no more, which is at its expiry.
func (s *server) wantClosed(secret string, expires time.Time) {
	s.Helper()
	for !time.Now().After(expires) {
		time.Sleep(20 * time.Millisecond)
	}
	s.call("GET", "/v1/track", secret, nil, 401, nil)
}

func (s *server) cancel(key, order string) {
	s.Helper()
	s.call("POST", "/v1/orders/"+order+"/cancel", key, obj{"reason": "changed mind"}, 200, nil)
}

// deliver has a new courier carry the merchant's only order to its door.
func (s *server) deliver(order, secret string) {
	s.Helper()
	_, token := s.hire("Ada")
	rider := s.phone(token, 0)
	rider.must("duty", obj{"duty": "available"})
	rider.fix(4.001, time.Now())
	customer := &page{server: s, secret: secret}
	customer.dial()
	customer.read(anyStatus)
	rider.must("offer.accept", obj{"offer": rider.offer()})
	rider.must("stop.complete", obj{"order": order, "kind": "pickup"})
	customer.read(dispatch.PickedUp)
	rider.must("stop.complete", obj{"order": order, "kind": "dropoff", "proof": obj{"pin": customer.pin}})
	customer.read(theEnd)
	if customer.ended != "delivered" {
		s.Errorf("the open page ended as %q", customer.ended)
	}
}

func TestALinkClosesAfterItsOrderHasEnded(t *testing.T) {
	const grace = 2 * time.Second
	s := newServer(t, func(f *serverFlags) { f.LinkGrace, f.Interval = grace, 100*time.Millisecond })
	key := s.merchant("soups")
	order := s.place(key, "A-1")
	secret := s.link(key, order)
	s.deliver(order, secret)
	s.call("GET", "/v1/track", secret, nil, 200, nil) // a customer looks again
	s.wantExpiry(key, order, grace)
	s.wantClosed(secret, s.expiry(key, order))

	// One made after the end is meant to open.
	again := s.link(key, order)
	s.call("GET", "/v1/track", again, nil, 200, nil)
}

func TestTheEndNeverLengthensALink(t *testing.T) {
	s := newServer(t, nil)
	key := s.merchant("soups")
	ended, open, short := s.place(key, "A-1"), s.place(key, "A-2"), s.place(key, "A-3")
	s.link(key, ended)
	s.link(key, open)
	s.call("POST", "/v1/orders/"+short+"/tracking-links", key, obj{"expires_in": 600}, 201, nil)
	before, soon := s.expiry(key, open), s.expiry(key, short)
	s.cancel(key, short)
	s.cancel(key, ended)
	s.wantExpiry(key, ended, 24*time.Hour)
	if got := s.expiry(key, open); !got.Equal(before) {
		t.Errorf("an order under way: its link expires at %v, was %v", got, before)
	}
	if got := s.expiry(key, short); !got.Equal(soon) {
		t.Errorf("a link of ten minutes expires at %v, was %v", got, soon)
	}
	if stats := s.engines.bus.Stats(); stats.WorkDone != 2 || stats.WorkParked != 0 {
		t.Errorf("figures: %+v", stats)
	}
}

// An order that ends while the node shuts down has its links closed all the
// same, then or after the next start.
func TestNoEndIsForgottenOverARestart(t *testing.T) {
	s := newServer(t, nil)
	key := s.merchant("soups")
	var orders []string
	for i := range 20 {
		order := s.place(key, fmt.Sprint("A-", i))
		s.link(key, order)
		orders = append(orders, order)
	}
	for _, order := range orders {
		s.cancel(key, order)
	}
	s.stop()
	again := newServer(t, func(f *serverFlags) { f.DataDir = s.flags.DataDir })
	for _, order := range orders {
		again.wantExpiry(key, order, 24*time.Hour)
	}
}

// The event of one node is the work of any.
func TestLinksCloseOverTheBroker(t *testing.T) {
	database, broker := testenv.Postgres(t), testenv.StartRabbitMQ(t)
	const grace = 2 * time.Second
	node := func() *server {
		return newServer(t, func(f *serverFlags) {
			f.DatabaseURL, f.AMQPURL, f.LinkGrace = database, broker.URL, grace
			f.AuthSecret = "two nodes share this key, 1f0c9a7be2d4"
		})
	}
	a, b := node(), node()
	key := a.merchant("soups")
	order := a.place(key, "A-1")
	secret := b.link(key, order)
	a.cancel(key, order)
	b.call("GET", "/v1/track", secret, nil, 200, nil)
	b.wantExpiry(key, order, grace)
	b.wantClosed(secret, b.expiry(key, order))
	a.wantState("bus", "ok")

	wantParked(t, broker)
	broker.Kill()
	a.wantState("bus", "away")
}

// wantParked puts work that nobody can do before the nodes: it is listed, and
// given again when someone says so.
func wantParked(t *testing.T, broker *testenv.RabbitMQ) {
	t.Helper()
	conn, err := amqp.Dial(broker.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.PublishWithContext(t.Context(), "", "courier.work.links", true, false, amqp.Publishing{MessageId: "garbled-1"}); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		for until := time.Now().Add(20 * time.Second); ; {
			code, stdout, stderr := dispatchCommand(t, "parked", "--amqp-url", broker.URL)
			if code != 0 {
				t.Fatalf("dispatch parked: %d, %s", code, stderr)
			}
			if strings.Contains(stdout, "garbled-1") {
				break
			}
			if time.Now().After(until) {
				t.Fatalf("round %d: dispatch parked lists %s", round, stdout)
			}
		}
		if code, stdout, stderr := dispatchCommand(t, "parked", "--amqp-url", broker.URL, "--retry"); code != 0 || stdout != "1 given again\n" {
			t.Fatalf("dispatch parked --retry: %d, %s, %s", code, stdout, stderr)
		}
	}
}

// wantState asks a node that is ready for an engine until it says so.
func (s *server) wantState(engine, want string) {
	s.Helper()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		var state struct {
			Ready   bool
			Engines map[string]string
		}
		s.call("GET", "/readyz", "", nil, 200, &state)
		if state.Engines[engine] == want && state.Engines["database"] == "ok" && state.Ready {
			return
		}
		if time.Now().After(until) {
			s.Fatalf("the engines are %v, want %s %s", state.Engines, engine, want)
		}
	}
}
