package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"courier/internal/testenv"
)

func TestLimitsAreWrittenAsPeopleSayThem(t *testing.T) {
	for text, want := range map[string]limit{
		"1000/s,5000": {1000, 5000}, "10/m,10": {1. / 6, 10}, "30/m": {0.5, 30}, "3600/h, 2": {1, 2}, "off": {-1, 0},
	} {
		if got, err := parseLimit(text); err != nil || got != want {
			t.Errorf("%q is %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "10", "10/d", "0/s", "-1/s", "1/s,0", "1/s,x", "1.5/s", "/s"} {
		if got, err := parseLimit(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// On a fast clock a moment in which the machine is busy does not cost couriers
// minutes in which nobody knows where they are.
func TestAFastClockTurnsNothingAway(t *testing.T) {
	for rate, want := range map[float64]int{0.5: 64, 1: 64, 60: 0} {
		f := serverFlags{ClockRate: rate}
		f.LimitWork = 64
		if got := f.workAtOnce(); got != want {
			t.Errorf("at %v times life: %d at once, want %d", rate, got, want)
		}
	}
}

// knocks asks for a WebSocket and returns the answer's status.
func (s *server) knocks(t *testing.T) int {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url()+"/v1/ws/track", nil)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "dispatch.v1"} {
		req.Header.Set(k, v)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "" {
		t.Error("429 without Retry-After")
	}
	return resp.StatusCode
}

func TestLimitsAreFlags(t *testing.T) {
	s := newServer(t, func(f *serverFlags) {
		f.LimitHandshakes, f.LimitAddress = limit{1. / 3600, 2}, limit{1. / 3600, 10}
	})
	for i, want := range []int{101, 101, 429, 429} {
		if got := s.knocks(t); got != want {
			t.Errorf("handshake %d got %d, want %d", i, got, want)
		}
	}
	last := 0
	for range 10 {
		resp, err := s.http.Get(s.url() + "/v1/time")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		last = resp.StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the last of too many requests got %d", last)
	}
}

// TestNodesCountTogether: what one node has let in, another counts. Their
// Redis has figures on both.
func TestNodesCountTogether(t *testing.T) {
	redis, database := []string{testenv.StartRedis(t).URL()}, testenv.StartPostgres(t).Database(t)
	set := func(f *serverFlags) {
		f.DatabaseURL, f.AuthSecret = database, "two nodes have this key, 1f0c9a7be2d4"
		f.RedisURL, f.LimitHandshakes, f.AdminAddr = redis, limit{1. / 3600, 2}, "127.0.0.1:0"
	}
	a, b := newServer(t, set), newServer(t, set)
	for i, got := range []int{a.knocks(t), b.knocks(t), a.knocks(t), b.knocks(t)} {
		if want := []int{101, 101, 429, 429}[i]; got != want {
			t.Errorf("handshake %d got %d, want %d", i, got, want)
		}
	}
	resp, err := a.http.Get("http://" + a.private.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	_, _ = body.ReadFrom(resp.Body)
	for _, want := range []string{
		"courier_redis_limiter_calls_total", "courier_redis_limiter_failures_total 0", "courier_redis_limiter_alone 0",
		"courier_redis_feed_away_seconds 0", "courier_redis_feed_messages_out_total", "courier_redis_index_calls_total", "courier_feed_fixes_total",
	} {
		if !strings.Contains(body.String(), want) {
			t.Errorf("/metrics has no %s", want)
		}
	}
}
