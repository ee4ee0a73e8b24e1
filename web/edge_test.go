package web_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"courier/dispatch"
	"courier/web"
)

func newRequest(method, path, as, body string) (*http.Request, *httptest.ResponseRecorder) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+as)
	return r, httptest.NewRecorder()
}

// bodyRoutes are those that read a body, and are not limited strictly.
func bodyRoutes() []web.Route {
	return slices.DeleteFunc(web.Routes(), func(rt web.Route) bool {
		return rt.Method == http.MethodGet || rt.Method == http.MethodDelete || rt.Path == "/v1/sign-in"
	})
}

func TestRateLimits(t *testing.T) {
	s := newSite(t, func(c *web.Config) {
		c.Limits.Address = web.Limit{PerSecond: 0.001, Burst: 5}
		c.Limits.Credential = web.Limit{PerSecond: 0.001, Burst: 3}
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	ask := func(from, as string, header map[string]string) int {
		w := s.do(request{path: "/v1/me", as: as, from: from, header: header})
		if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
		return w.Code
	}
	for range 3 {
		if got := ask("192.0.2.1:1", "admin", nil); got != 200 {
			t.Fatal(got)
		}
	}
	for _, tt := range []struct {
		name, from, as string
		header         map[string]string
		want           int
	}{
		{"the same credential", "192.0.2.2:1", "admin", nil, 429},
		{"another credential", "192.0.2.1:2", "viewer", nil, 200},
		{"5 of an address", "192.0.2.1:2", "merchant", nil, 200},
		{"6 of an address", "192.0.2.1:3", "merchant", nil, 429},
		{"another address", "192.0.2.3:1", "merchant", nil, 200},
		{"behind a proxy", "10.0.0.1:1", "merchant", map[string]string{"X-Forwarded-For": "192.0.2.9, 192.0.2.1, 10.1.1.1"}, 429},
		{"whoever is no proxy", "192.0.2.4:1", "courier", map[string]string{"X-Forwarded-For": "192.0.2.1"}, 200},
	} {
		if got := ask(tt.from, tt.as, tt.header); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
	for i := range 6 { // one /64, many addresses
		got := s.do(request{path: "/v1/time", from: "[2001:db8::" + string(rune('1'+i)) + "]:1"}).Code
		if want := map[bool]int{true: 200, false: 429}[i < 5]; got != want {
			t.Errorf("IPv6 %d: got %d, want %d", i, got, want)
		}
	}
	for range 20 {
		if got := s.do(request{path: "/healthz", from: "192.0.2.1:1"}).Code; got != 200 {
			t.Fatalf("a health check was turned away: %d", got)
		}
	}
}

func TestSignInIsLimited(t *testing.T) {
	s := newSite(t)
	guess := request{method: "POST", path: "/v1/sign-in", body: `{"code":"00000000"}`}
	for range 10 {
		s.want(guess, http.StatusUnauthorized, "unauthenticated")
	}
	s.want(guess, http.StatusTooManyRequests, "rate_limited")
	s.want(request{method: "POST", path: "/v1/sign-in", body: `{"code":"12345678"}`}, http.StatusTooManyRequests, "rate_limited")
	s.want(request{method: "POST", path: "/v1/sign-in", body: `{"code":"12345678"}`, from: "198.51.100.7:1"}, 200, "")
}

func TestLimiterIsBounded(t *testing.T) {
	l := web.NewLimiter(2)
	limit := web.Limit{PerSecond: 0.001, Burst: 1}
	take := func(key string) bool {
		wait, err := l.Take(t.Context(), key, limit)
		return err == nil && wait == 0
	}
	for _, tt := range []struct {
		key  string
		want bool
	}{{"a", true}, {"a", false}, {"b", true}, {"a", false}, {"c", true} /* forgets b */, {"a", false}, {"b", true}} {
		if got := take(tt.key); got != tt.want {
			t.Errorf("%s: got %v", tt.key, got)
		}
	}
	if wait, err := l.Take(t.Context(), "x", web.Limit{PerSecond: -1}); wait != 0 || err != nil {
		t.Errorf("no limit: %v, %v", wait, err)
	}
}

func TestHooks(t *testing.T) {
	var calls []string
	s := newSite(t, func(c *web.Config) {
		c.OnLinkRevoked = func(l string) { calls = append(calls, "link "+l) }
		c.OnCourierRevoked = func(id string) { calls = append(calls, "courier "+id) }
		c.OnCourierSignedIn = func(id string, epoch int64) { calls = append(calls, "sign-in "+id) }
	})
	s.want(request{method: "DELETE", path: "/v1/orders/o1/tracking-links/l9", as: "merchant"}, 404, "not_found")
	s.want(request{method: "DELETE", path: "/v1/orders/o1/tracking-links/l1", as: "merchant"}, 204, "")
	s.want(request{method: "POST", path: "/v1/couriers/c1/revoke", as: "admin", body: "{}"}, 200, "")
	s.want(request{method: "POST", path: "/v1/sign-in", body: `{"code":"12345678"}`}, 200, "")
	if want := []string{"link l1", "courier c1", "sign-in c1"}; !slices.Equal(calls, want) {
		t.Errorf("got %v", calls)
	}
}

func TestReady(t *testing.T) {
	var down error
	s := newSite(t, func(c *web.Config) {
		c.Ready = func(context.Context) error { return down }
		c.Engines = func(context.Context) map[string]bool { return map[string]bool{"bus": true, "positions": false} }
	})
	want := `{"ready":true,"engines":{"bus":"away","database":"ok","positions":"ok"}}`
	if w := s.do(request{path: "/readyz"}); w.Code != 200 || strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("without a bus: %d %s", w.Code, w.Body)
	}
	down = errors.New("no database for user secret")
	want = `{"ready":false,"engines":{"bus":"away","database":"away","positions":"ok"}}`
	if w := s.do(request{path: "/readyz"}); w.Code != 503 || strings.TrimSpace(w.Body.String()) != want || w.Header().Get("Retry-After") == "" {
		t.Errorf("without a database: %d %s", w.Code, w.Body)
	}
	down = web.ErrLeaving
	want = `{"ready":false,"engines":{"bus":"away","database":"ok","positions":"ok"}}`
	if w := s.do(request{path: "/readyz"}); w.Code != 503 || strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("told to stop: %d %s", w.Code, w.Body)
	}
	if w := s.do(request{path: "/healthz"}); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestTrackingLinkURL(t *testing.T) {
	var link struct{ URL, Secret string }
	s := newSite(t)
	decode(t, s.do(request{method: "POST", path: "/v1/orders/o1/tracking-links", as: "merchant"}), &link)
	if link.URL != "https://go.example/t#ct_secret" {
		t.Errorf("got %q", link.URL)
	}
	s = newSite(t, func(c *web.Config) { c.PublicURL = "" })
	decode(t, s.do(request{method: "POST", path: "/v1/orders/o1/tracking-links", as: "merchant"}), &link)
	if link.URL != "http://example.com/t#ct_secret" {
		t.Errorf("got %q", link.URL)
	}
}

func TestTrails(t *testing.T) {
	s := newSite(t)
	at := func(minute int) time.Time { return now().Add(time.Duration(minute) * time.Minute) }
	e := func(minute int, kind dispatch.EventType, status dispatch.Status, courier string) dispatch.Event {
		return dispatch.Event{Type: kind, Status: status, Time: at(minute), Data: dispatch.EventData{Courier: courier}}
	}
	for name, tt := range map[string]struct {
		events []dispatch.Event
		want   []string
	}{
		"never assigned": {[]dispatch.Event{e(0, "placed", "placed", ""), e(1, "cancelled", "cancelled", "")}, nil},
		"delivered": {[]dispatch.Event{e(-9, "assigned", "assigned", "a"), e(-8, "picked_up", "picked_up", ""), e(-7, "pinned", "picked_up", "b"), e(-5, "delivered", "delivered", "")},
			[]string{"a 11-23 08:21 11-23 08:25"}},
		"under way": {[]dispatch.Event{e(-9, "assigned", "assigned", "a")}, []string{"a 11-23 08:21 11-23 08:30"}},
		"given to another": {[]dispatch.Event{e(-9, "assigned", "assigned", "a"), e(-7, "unassigned", "searching", ""), e(-5, "assigned", "assigned", "b"), e(-4, "assigned", "assigned", "c")},
			[]string{"a 11-23 08:21 11-23 08:23", "b 11-23 08:25 11-23 08:26", "c 11-23 08:26 11-23 08:30"}},
		"failed at the pickup": {[]dispatch.Event{e(-9, "assigned", "assigned", "a"), e(-7, "failed", "failed", "")}, []string{"a 11-23 08:21 11-23 08:23"}},
		"failed, goods brought back": {[]dispatch.Event{e(-9, "assigned", "assigned", "a"), e(-8, "picked_up", "picked_up", ""), e(-7, "failed", "failed", ""), e(-3, "returned", "returned", "")},
			[]string{"a 11-23 08:21 11-23 08:27"}},
	} {
		t.Run(name, func(t *testing.T) {
			s.company.events, s.trails.asked = tt.events, nil
			s.want(request{path: "/v1/orders/o1/trail", as: "viewer"}, 200, "")
			if !slices.Equal(s.trails.asked, tt.want) {
				t.Errorf("got %v, want %v", s.trails.asked, tt.want)
			}
		})
	}
	s.trails.asked = nil
	s.want(request{path: "/v1/couriers/c1/trail", as: "viewer"}, 200, "")
	s.want(request{path: "/v1/couriers/c1/trail?day=2026-10-01", as: "viewer"}, 200, "")
	s.want(request{path: "/v1/couriers/c2/trail", as: "viewer"}, 404, "not_found")
	if want := []string{"c1 11-23 00:00 11-24 00:00", "c1 10-01 00:00 10-02 00:00"}; !slices.Equal(s.trails.asked, want) {
		t.Errorf("got %v", s.trails.asked)
	}
}

func TestPages(t *testing.T) {
	s := newSite(t, func(c *web.Config) {
		c.MapStyleURL, c.MapHosts = "https://maps.example/style.json?key=1", []string{"https://tiles.example"}
	})
	built := s.do(request{path: "/admin"}).Code == 200
	for _, path := range []string{"/admin", "/courier", "/track", "/t", "/docs"} {
		w := s.do(request{path: path})
		h := w.Header()
		if !built && path != "/docs" {
			if w.Code != 404 || !strings.Contains(w.Body.String(), "not built") {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
			continue
		}
		policy := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'self'", "script-src 'self';", "worker-src 'self' blob:", "frame-ancestors 'none'",
			"img-src 'self' data: blob: https://maps.example https://tiles.example;", "connect-src 'self' ws: wss: https://maps.example https://tiles.example;"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: no %q in %q", path, want, policy)
			}
		}
		if w.Code != 200 || h.Get("Content-Type") != "text/html; charset=utf-8" || h.Get("Cache-Control") != "no-cache" ||
			h.Get("Referrer-Policy") != "no-referrer" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Etag") == "" {
			t.Errorf("%s: %d %v", path, w.Code, h)
		}
		again := s.do(request{path: path, header: map[string]string{"If-None-Match": h.Get("Etag")}})
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s again: %d", path, again.Code)
		}
		if got := s.do(request{method: "POST", path: path}); got.Code != 405 || got.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %d %v", path, got.Code, got.Header())
		}
	}
	if w := s.do(request{path: "/"}); w.Code != http.StatusFound || w.Header().Get("Location") != "/admin" {
		t.Errorf("/: %d %v", w.Code, w.Header())
	}
	for _, path := range []string{"/.keep", "/admin.html", "/assets/", "/assets/../admin.html", "/nothing", "/ui/dist/admin.html"} {
		if w := s.do(request{path: path}); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestCompressedDocuments(t *testing.T) {
	s := newSite(t)
	bare := s.do(request{path: "/docs/openapi.yaml", header: map[string]string{"Accept-Encoding": "gzip;q=0, br"}})
	zip := s.do(request{path: "/docs/openapi.yaml", header: map[string]string{"Accept-Encoding": "br, gzip"}})
	if bare.Header().Get("Content-Encoding") != "" || zip.Header().Get("Content-Encoding") != "gzip" || bare.Header().Get("Etag") == zip.Header().Get("Etag") {
		t.Fatalf("%v and %v", bare.Header(), zip.Header())
	}
	z, err := gzip.NewReader(zip.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(z); string(got) != bare.Body.String() || !strings.HasPrefix(string(got), "openapi: 3.1") {
		t.Error("the compressed document is another one")
	}
	if w := s.do(request{path: "/docs/asyncapi.yaml"}); w.Code != 200 || w.Body.String() != "asyncapi: 3.0.0\n" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestLargeAnswersAreCompressed(t *testing.T) {
	s := newSite(t)
	s.handler = s.server // the validator reads no gzip
	for range 5000 {
		s.company.events = append(s.company.events, s.company.events[0])
	}
	zip := s.do(request{path: "/v1/orders/o1/events", as: "admin", header: map[string]string{"Accept-Encoding": "gzip"}})
	bare := s.do(request{path: "/v1/orders/o1/events", as: "admin"})
	z, err := gzip.NewReader(zip.Body)
	if err != nil {
		t.Fatal(zip.Header(), err)
	}
	if got, _ := io.ReadAll(z); string(got) != bare.Body.String() || zip.Header().Get("Vary") != "Accept-Encoding" {
		t.Error("the compressed answer is another one")
	}
	for _, small := range []string{"/v1/orders/o1", "/v1/basemap"} {
		if h := s.do(request{path: small, as: "admin", header: map[string]string{"Accept-Encoding": "gzip"}}).Header(); h.Get("Content-Encoding") != "" {
			t.Errorf("%s: %v", small, h)
		}
	}
}

func TestAnswersAreNotKept(t *testing.T) {
	s := newSite(t)
	w := s.do(request{path: "/v1/orders/o1", as: "merchant"})
	if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("X-Request-Id") != "request-1" || h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("got %v", h)
	}
	if strings.Contains(w.Body.String(), "4711") {
		t.Error("a merchant sees the customer's PIN")
	}
	if !strings.Contains(s.do(request{path: "/v1/couriers/c1", as: "viewer"}).Body.String(), `"stops":[]`) {
		t.Error("an empty list is not []")
	}
}
