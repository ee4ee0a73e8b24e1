package main

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"courier/dispatch"
	"courier/internal/testenv"
)

// scrape reads a node's metrics by name and labels, as Prometheus does.
func (s *server) scrape() map[string]string {
	s.Helper()
	w := httptest.NewRecorder()
	s.metrics.AdminHandler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		s.Fatalf("/metrics: %d, %s", w.Code, w.Body)
	}
	values := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), "} "); found {
			values[name+"}"] = value
		} else if name, value, found := strings.Cut(strings.TrimSpace(line), " "); found && name != "#" {
			values[name] = value
		}
	}
	return values
}

// until scrapes until a metric has a value.
func (s *server) until(metric, want string) {
	s.Helper()
	var got string
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got = s.scrape()[metric]; got == want {
			return
		}
	}
	s.Errorf("%s is %q, not %s", metric, got, want)
}

func TestMetricsSayHowItGoes(t *testing.T) {
	database := testenv.StartPostgres(t)
	s := newServer(t, func(f *serverFlags) {
		f.DatabaseURL, f.AuthSecret = database.Database(t), "one node has this key, 1f0c9a7be2d4"
	})
	for metric, want := range map[string]string{
		"courier_ready": "1",
		`courier_events_total{topic="order.placed"}`:       "0", // a rise needs something to rise from
		`courier_events_total{topic="order.unassignable"}`: "0",
		`courier_database_connections_limit{pool="write"}`: "16",
		`courier_database_wait_seconds_total{pool="read"}`: "0",
	} {
		s.until(metric, want)
	}
	key := s.merchant("soups")
	s.place(key, "A-1")
	s.place(key, "A-2")
	s.until(`courier_events_total{topic="order.placed"}`, "2")
	s.until("courier_outbox_waiting", "0")
	s.until("courier_outbox_age_seconds", "0")
	if got := s.scrape()["courier_event_relay_seconds_count"]; got == "0" {
		t.Error("no event took any time to the bus")
	}

	database.Kill()
	s.until("courier_ready", "0")
	s.until("courier_outbox_waiting", "NaN") // unknown is not none
	s.until("courier_outbox_age_seconds", "NaN")
	database.Restart()
	s.until("courier_ready", "1")
}

// assigning is a server that tells its one courier what to do.
func assigning(t *testing.T) (s *server, rider *phone, key string) {
	s = newServer(t, func(f *serverFlags) { f.Mode, f.Interval = "assign", 100*time.Millisecond })
	_, token := s.hire("Ada")
	rider = s.phone(token, 0)
	rider.must("duty", obj{"duty": "available"})
	rider.fix(4.001, time.Now())
	return s, rider, s.merchant("soups")
}

func TestMetricsSayHowWellItMatches(t *testing.T) {
	s, _, key := assigning(t)
	s.place(key, "A-1")
	s.until("courier_order_assign_seconds_count", "1")
	s.until("courier_match_given_total", "1")
	s.until(`courier_couriers_matchable{state="idle"}`, "1") // in the round that gave it
	s.until(`courier_couriers_matchable{state="busy"}`, "0")
	// The courier's socket is told.
	for end := time.Now().Add(30 * time.Second); s.scrape()["courier_event_delivery_seconds_count"] == "0"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no event has come by the bus")
		}
	}
	if got := s.scrape(); got[`courier_event_delivery_seconds_bucket{le="8.192"}`] != got["courier_event_delivery_seconds_count"] {
		t.Errorf("events that came took %s s in all", got["courier_event_delivery_seconds_sum"])
	}
}

func TestMetricsSayWhetherPromisesAreKept(t *testing.T) {
	s, rider, key := assigning(t)
	s.until(`courier_company_couriers{state="idle"}`, "1")
	promised := func(reference string, by time.Time) obj {
		return obj{
			"reference": reference, "deliver_by": by,
			"pickup":  obj{"point": obj{"lat": 52.0, "lng": 4.0}, "address": "Market 1"},
			"dropoff": obj{"point": obj{"lat": 52.0, "lng": 4.015}, "address": "East 1"},
		}
	}
	for reference, by := range map[string]time.Duration{"in time": time.Hour, "late": 3 * time.Second} {
		due := time.Now().Add(by).UTC()
		var order struct{ ID string }
		s.call("POST", "/v1/orders", key, promised(reference, due), 201, &order, "Idempotency-Key", reference)
		for end := time.Now().Add(30 * time.Second); s.newest(order.ID).Status != dispatch.Assigned; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s is not assigned", reference)
			}
		}
		rider.must("stop.complete", obj{"order": order.ID, "kind": "pickup"})
		if reference == "late" {
			time.Sleep(time.Until(due))
		}
		rider.must("stop.complete", obj{"order": order.ID, "kind": "dropoff"})
	}
	s.until(`courier_orders_delivered_total{promise="kept"}`, "1")
	s.until(`courier_orders_delivered_total{promise="broken"}`, "1")
	s.until(`courier_orders_delivered_total{promise="none"}`, "0")
	s.until("courier_order_late_seconds_count", "1")
	s.until("courier_order_delivery_seconds_count", "2")
	s.place(key, "A-1")
	s.until(`courier_company_orders{state="under_way"}`, "1")
	s.until(`courier_company_couriers{state="busy"}`, "1")
}
