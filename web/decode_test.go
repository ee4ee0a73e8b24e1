package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/web"
)

// TestStrictDecoding has the faults that a lenient decoder lets through.
func TestStrictDecoding(t *testing.T) {
	s := newSite(t)
	for name, tt := range map[string]struct{ method, path, body, wrong string }{
		"latitude missing":        {"POST", "/v1/orders", `{"pickup":{"point":{"lng":4}},"dropoff":{"point":{"lat":1,"lng":4}}}`, "pickup.point.lat"},
		"dropoff missing":         {"POST", "/v1/orders", `{"pickup":{"point":{"lat":1,"lng":4}}}`, "dropoff"},
		"unknown":                 {"POST", "/v1/orders", strings.Replace(goodOrder, "{", `{"colour":1,`, 1), "colour"},
		"unknown, deep":           {"POST", "/v1/orders", strings.Replace(goodOrder, `"lat"`, `"alt":1,"lat"`, 1), "pickup.point.alt"},
		"another case":            {"POST", "/v1/orders", strings.Replace(goodOrder, "{", `{"Size":1,`, 1), "Size"},
		"twice":                   {"POST", "/v1/orders", strings.Replace(goodOrder, "{", `{"size":1,"size":2,`, 1), "size"},
		"size 0":                  {"POST", "/v1/orders", strings.Replace(goodOrder, "{", `{"size":0,`, 1), "size"},
		"not a time":              {"POST", "/v1/orders", strings.Replace(goodOrder, "{", `{"deliver_by":"soon",`, 1), "deliver_by"},
		"half a window":           {"POST", "/v1/orders", strings.Replace(goodOrder, "{", `{"window":{"from":"2026-11-23T08:30:00Z"},`, 1), "window.to"},
		"null":                    {"POST", "/v1/orders", strings.Replace(goodOrder, "{", `{"items":null,`, 1), "items"},
		"reason missing":          {"POST", "/v1/orders/o1/cancel", `{}`, "reason"},
		"version missing":         {"POST", "/v1/orders/o1/assign", `{"reason":"a","courier":"c1"}`, "version"},
		"version 0":               {"POST", "/v1/orders/o1/assign", `{"reason":"a","courier":"c1","version":0}`, "version"},
		"version 0, cancel":       {"POST", "/v1/orders/o1/cancel", `{"reason":"a","version":0}`, "version"},
		"courier missing":         {"POST", "/v1/orders/o1/pin", `{"reason":"a","version":1}`, "courier"},
		"courier that is no id":   {"POST", "/v1/orders/o1/pin", `{"reason":"a","version":1,"courier":"a b"}`, "courier"},
		"courier where none goes": {"POST", "/v1/orders/o1/unassign", overrideC, "courier"},
		"expires in the past":     {"POST", "/v1/orders/o1/tracking-links", `{"expires_in":-1}`, "expires_in"},
		"expires never":           {"POST", "/v1/orders/o1/tracking-links", `{"expires_in":9223372036854775807}`, "expires_in"},
		"vehicle missing":         {"POST", "/v1/couriers", `{"name":"a","capacity":1}`, "vehicle"},
		"patch without version":   {"PATCH", "/v1/couriers/c1", `{"name":"a"}`, "version"},
		"patch with null":         {"PATCH", "/v1/couriers/c1", `{"version":1,"name":null}`, "name"},
		"a body for nothing":      {"POST", "/v1/couriers/c1/revoke", `{"why":1}`, "why"},
		"code is a number":        {"POST", "/v1/sign-in", `{"code":12345678}`, "code"},
		"no area":                 {"POST", "/v1/zones", `{"name":"a","area":{"type":"Point","coordinates":[1,2]}}`, "area"},
		"area open":               {"PUT", "/v1/zones/z1", `{"name":"a","area":{"type":"Polygon","coordinates":[[[4,52],[5,52],[5,53],[4,51]]]}}`, "area"},
		"area off the Earth":      {"PUT", "/v1/zones/z1", `{"name":"a","area":{"type":"Polygon","coordinates":[[[4,92],[5,52],[5,53],[4,92]]]}}`, "area"},
		"merchant empty":          {"POST", "/v1/api-keys", `{"merchant":""}`, "merchant"},
		"name too long":           {"POST", "/v1/api-keys", `{"merchant":"m","name":"` + strings.Repeat("x", 129) + `"}`, "name"},
		"limit 0":                 {"GET", "/v1/orders?limit=0", "", "limit"},
		"limit 201":               {"GET", "/v1/orders?limit=201", "", "limit"},
		"unknown parameter":       {"GET", "/v1/orders?colour=1", "", "colour"},
		"parameter twice":         {"GET", "/v1/orders?limit=1&limit=2", "", "limit"},
		"unknown status":          {"GET", "/v1/orders?status=searching,lost", "", "status"},
		"no time":                 {"GET", "/v1/orders?placed_from=today", "", "placed_from"},
		"unprintable":             {"GET", "/v1/orders?courier=%00", "", "courier"},
		"no day":                  {"GET", "/v1/couriers/c1/trail?day=tomorrow", "", "day"},
		"unknown duty":            {"GET", "/v1/couriers?duty=asleep", "", "duty"},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.want(request{method: tt.method, path: tt.path, as: "admin", body: tt.body, header: map[string]string{"Idempotency-Key": "k"}}, 422, "invalid")
			if len(p.Errors) != 1 || p.Errors[0].Field != tt.wrong {
				t.Errorf("got %+v, want %s", p.Errors, tt.wrong)
			}
		})
	}
}

func TestWholeOrderArrives(t *testing.T) {
	s := newSite(t)
	s.want(request{method: "POST", path: "/v1/orders", as: "merchant", header: map[string]string{"Idempotency-Key": "k 1~"}, body: `{
		"reference":"A-17","pickup":{"point":{"lat":52.1,"lng":4.3},"address":"Kiln Street 4","contact":{"name":"Kitchen","phone":"+1 555 0100"},"note":"back door"},
		"dropoff":{"point":{"lat":52.1,"lng":4.3}},"ready_at":"2026-11-23T10:30:00+02:00","window":{"from":"2026-11-23T09:00:00Z","to":"2026-11-23T10:00:00Z"},
		"size":2,"requirements":{"vehicles":["bicycle"],"skills":["cold"]},"priority":3,"items":"2 soups","pin_required":true}`}, 201, "")
	n := s.company.placed
	if n.Reference != "A-17" || n.Pickup.Contact.Phone != "+1 555 0100" || !n.ReadyAt.Equal(now()) || n.Window.To.Sub(n.Window.From) != time.Hour ||
		n.Size != 2 || n.Requirements.Vehicles[0] != geo.Bicycle || n.Priority != 3 || !n.PINRequired || s.company.key != "k 1~" {
		t.Errorf("got %+v with key %q", n, s.company.key)
	}
}

func TestOverridesArrive(t *testing.T) {
	s := newSite(t)
	s.want(request{method: "POST", path: "/v1/orders/o1/assign", as: "dispatcher", body: overrideC}, 200, "")
	want := dispatch.Override{By: dispatch.Actor{Role: dispatch.RoleDispatcher, ID: "ann"}, Reason: "because", Version: 3}
	if s.company.override != want || s.company.to != "c1" {
		t.Errorf("got %+v to %q", s.company.override, s.company.to)
	}
	s.want(request{method: "POST", path: "/v1/orders/o1/pin", as: "dispatcher", body: `{"courier":"","reason":"a","version":1}`}, 200, "")
	if s.company.to != "" {
		t.Errorf("pinned to %q", s.company.to)
	}
	s.want(request{method: "POST", path: "/v1/orders/o1/cancel", as: "merchant", body: `{"reason":"a"}`}, 200, "")
	if got := s.company.override; got.Scope.Merchant != "m1" || got.Version != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestPatchTellsAbsentFromEmpty(t *testing.T) {
	s := newSite(t)
	patch := func(body string) dispatch.CourierPatch {
		s.want(request{method: "PATCH", path: "/v1/couriers/c1", as: "dispatcher", body: body}, 200, "")
		return s.company.patch
	}
	if p := patch(`{"version":1}`); p != (dispatch.CourierPatch{}) {
		t.Errorf("got %+v", p)
	}
	p := patch(`{"version":1,"phone":"","skills":[],"shift":null,"duty":"break"}`)
	if p.Phone == nil || *p.Phone != "" || p.Skills == nil || len(*p.Skills) != 0 || p.Shift == nil || *p.Shift != nil || *p.Duty != dispatch.Break {
		t.Errorf("got %+v", p)
	}
	if p := patch(`{"version":1,"shift":{"from":"2026-11-23T08:00:00Z","to":"2026-11-23T16:00:00Z"}}`); p.Shift == nil || (*p.Shift).To.Hour() != 16 {
		t.Errorf("got %+v", p)
	}
}

func TestOrderQueryArrives(t *testing.T) {
	s := newSite(t)
	s.want(request{path: "/v1/orders?status=searching,offered,searching&courier=c1&reference=A%2017&placed_from=2026-11-23T08:00:00Z&limit=7&cursor=abc", as: "viewer"}, 200, "")
	q := s.company.query
	if len(q.Statuses) != 2 || q.Courier != "c1" || q.Reference != "A 17" || q.PlacedFrom.Hour() != 8 || !q.PlacedTo.IsZero() || q.Limit != 7 || q.Cursor != "abc" {
		t.Errorf("got %+v", q)
	}
	s.want(request{path: "/v1/orders", as: "viewer"}, 200, "")
	if s.company.query.Limit != 50 {
		t.Errorf("got %+v", s.company.query)
	}
}

func TestIdempotencyKey(t *testing.T) {
	s := newSite(t)
	for name, tt := range map[string]struct {
		keys   []string
		status int
	}{
		"one":         {[]string{"a"}, 201},
		"longest":     {[]string{strings.Repeat("x", 128)}, 201},
		"none":        {nil, 400},
		"empty":       {[]string{""}, 400},
		"too long":    {[]string{strings.Repeat("x", 129)}, 400},
		"unprintable": {[]string{"a\tb"}, 400},
		"not ASCII":   {[]string{"ключ"}, 400},
		"two":         {[]string{"a", "b"}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			r, w := newRequest(http.MethodPost, "/v1/orders", "merchant", goodOrder)
			r.Header["Idempotency-Key"] = tt.keys
			s.handler.ServeHTTP(w, r)
			if w.Code != tt.status || (tt.status == 400) != strings.Contains(w.Body.String(), `"key_required"`) {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
	s.company.replayed = true
	w := s.do(request{method: "POST", path: "/v1/orders", as: "merchant", body: goodOrder, header: map[string]string{"Idempotency-Key": "k"}})
	if w.Code != 201 || w.Header().Get("Idempotency-Replayed") != "true" || w.Header().Get("Location") != "/v1/orders/o1" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}

func TestBodyLimits(t *testing.T) {
	s := newSite(t)
	spaces := func(n int) string { return strings.Repeat(" ", n) }
	key := map[string]string{"Idempotency-Key": "k"}
	s.want(request{method: "POST", path: "/v1/orders", as: "merchant", header: key, body: goodOrder + spaces(64<<10-len(goodOrder))}, 201, "")
	s.want(request{method: "POST", path: "/v1/orders", as: "merchant", header: key, body: goodOrder + spaces(64<<10-len(goodOrder)+1)}, 413, "too_large")
	s.want(request{method: "POST", path: "/v1/zones", as: "admin", body: zone + spaces(1<<20-len(zone))}, 201, "")
	s.want(request{method: "POST", path: "/v1/zones", as: "admin", body: zone + spaces(1<<20)}, 413, "too_large")
	r, w := newRequest(http.MethodPost, "/v1/orders", "merchant", goodOrder+spaces(64<<10))
	r.ContentLength = -1 // chunked: nobody says beforehand
	r.Header["Idempotency-Key"] = []string{"k"}
	s.handler.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("chunked: got %d", w.Code)
	}
	s.want(request{path: "/v1/orders?cursor=" + strings.Repeat("x", 3000), as: "admin"}, 413, "too_large")
}

// lenient bears requests that should have been refused: the limits of values
// are kept by the service, which a fake stands in for here.
type lenient struct{ testing.TB }

func (l lenient) Errorf(format string, args ...any) {
	l.Helper()
	if text := fmt.Sprintf(format, args...); !strings.Contains(text, "accepted a request") {
		l.Error(text)
	}
}

// FuzzBodies: whatever the body, every route answers with a success or a
// documented problem, and never with a fault of its own.
func FuzzBodies(f *testing.F) {
	f.Add(uint8(0), []byte(goodOrder))
	f.Add(uint8(3), []byte(overrideC))
	f.Add(uint8(9), []byte(zone))
	f.Add(uint8(7), []byte(`{"version":1,"shift":null}`))
	routes := bodyRoutes()
	unlimited := web.Limit{PerSecond: -1}
	s := newSite(f, func(c *web.Config) { c.Limits.Address, c.Limits.Credential = unlimited, unlimited })
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		rt := routes[int(which)%len(routes)]
		q := good(rt)
		q.body, q.as = string(body), "admin"
		q.header["Idempotency-Key"] = "k"
		s.t = lenient{t}
		if w := s.do(q); w.Code >= 500 {
			t.Errorf("%s %s: %d %s", rt.Method, rt.Path, w.Code, w.Body)
		}
	})
}
