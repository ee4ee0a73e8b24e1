package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"courier/dispatch"
	"courier/web"
)

var update = flag.Bool("update", false, "write the golden files anew")

func decode(t *testing.T, w *httptest.ResponseRecorder, v any) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
}

// TestProblems keeps every kind of problem as clients know it.
func TestProblems(t *testing.T) {
	var got strings.Builder
	place := request{method: "POST", path: "/v1/orders", as: "merchant", body: goodOrder, header: map[string]string{"Idempotency-Key": "k"}}
	cancel := request{method: "POST", path: "/v1/orders/o1/cancel", as: "merchant", body: `{"reason":"because"}`}
	with := func(q request, set func(*request)) request { set(&q); return q }
	for _, tt := range []struct {
		name string
		q    request
		fail error
	}{
		{"invalid by field", with(place, func(q *request) { q.body = `{"pickup":{"point":{"lat":"x"}},"colour":1}` }), nil},
		{"invalid by the service", place, &dispatch.Invalid{Fields: []dispatch.FieldError{{Field: "pickup.point.lat", Problem: "must be between -90 and 90"}}}},
		{"malformed", with(place, func(q *request) { q.body = "{" }), nil},
		{"unauthenticated", request{path: "/v1/me"}, nil},
		{"forbidden", request{path: "/v1/me", as: "customer"}, nil},
		{"not found", request{path: "/v1/orders/o2", as: "admin"}, nil},
		{"no such route", request{path: "/v1/nothing", as: "admin"}, nil},
		{"no such method", request{method: "DELETE", path: "/v1/orders/o1", as: "admin"}, nil},
		{"conflict", cancel, dispatch.ErrConflict},
		{"refused", cancel, &dispatch.Refused{Why: "it is picked up already"}},
		{"no room", cancel, dispatch.ErrCapacity},
		{"stale session", cancel, dispatch.ErrStaleSession},
		{"outside zones", place, dispatch.ErrOutsideZones},
		{"key required", with(place, func(q *request) { q.header = nil }), nil},
		{"key reused", place, dispatch.ErrKeyReused},
		{"too large", with(place, func(q *request) { q.body = strings.Repeat(" ", 64<<10+1) }), nil},
		{"unavailable", place, dispatch.ErrUnavailable},
		{"out of time", place, context.DeadlineExceeded},
		{"bad cursor", request{path: "/v1/orders?cursor=forged", as: "admin"}, nil},
		{"bad query", request{path: "/v1/orders?a=%zz", as: "admin"}, nil},
		{"internal", place, errors.New("the password of the database is hunter2")},
	} {
		s := newSite(t)
		s.company.fail = tt.fail
		w := s.do(tt.q)
		fmt.Fprintf(&got, "# %s\n%d %s", tt.name, w.Code, w.Header().Get("Content-Type"))
		for _, name := range []string{"Retry-After", "WWW-Authenticate", "Allow", "Connection"} {
			if v := w.Header().Get(name); v != "" {
				fmt.Fprintf(&got, " %s=%q", name, v)
			}
		}
		fmt.Fprintf(&got, "\n%s\n", w.Body)
	}
	path := filepath.Join("testdata", "problems.golden")
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s", got.String())
	}
}

func TestConflictShowsWhatIsThereNow(t *testing.T) {
	s := newSite(t)
	s.company.fail = &dispatch.Refused{Why: "no"}
	for path, tt := range map[string]struct{ method, body, id string }{
		"/v1/orders/o1/assign":   {"POST", overrideC, "o1"},
		"/v1/orders/o1/cancel":   {"POST", override, "o1"},
		"/v1/couriers/c1":        {"PATCH", `{"version":1}`, "c1"},
		"/v1/zones/z1":           {"PUT", zone, "z1"},
		"/v1/zones/z1?version=9": {"DELETE", "", "z1"},
	} {
		p := s.want(request{method: tt.method, path: path, as: "dispatcher", body: tt.body}, http.StatusConflict, "conflict")
		if now, _ := p.Current.(map[string]any); now["id"] != tt.id {
			t.Errorf("%s: current is %v", path, p.Current)
		}
	}
	s.company.read = errors.New("broken")
	if p := s.want(request{method: "POST", path: "/v1/orders/o1/assign", as: "admin", body: overrideC}, http.StatusConflict, "conflict"); p.Current != nil {
		t.Errorf("current is %v", p.Current)
	}
}

func TestPanicIsAProblem(t *testing.T) {
	s := newSite(t)
	s.company.panics = true
	p := s.want(request{path: "/v1/orders/o1", as: "admin"}, http.StatusInternalServerError, "internal")
	if strings.Contains(p.Detail, "for the test") {
		t.Error("the answer shows what went wrong inside")
	}
}

func TestObserve(t *testing.T) {
	var seen []web.Observation
	s := newSite(t, func(c *web.Config) { c.Observe = func(o web.Observation) { seen = append(seen, o) } })
	s.do(request{path: "/v1/orders/o1", as: "admin"})
	s.do(request{path: "/v1/orders/o2", as: "admin"})
	s.do(request{path: "/nothing"})
	s.do(request{method: "BREW", path: "/v1/time"})
	for i, want := range []web.Observation{
		{Method: "GET", Route: "/v1/orders/{id}", Status: 200}, {Method: "GET", Route: "/v1/orders/{id}", Status: 404},
		{Method: "GET", Status: 404}, {Method: "other", Status: 405},
	} {
		got := seen[i]
		got.Duration = 0
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}
