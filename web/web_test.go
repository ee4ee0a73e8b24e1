package web_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"courier/dispatch"
	"courier/geo"
	"courier/web"
	"courier/web/api"
	"courier/web/webtest"
)

// site is a Server over fakes. All that goes in and out of it is held to the
// OpenAPI document.
type site struct {
	t          testing.TB
	company    *company
	desk       *desk
	trails     *trails
	background *background
	config     web.Config
	server     *web.Server
	handler    http.Handler // the server, held to the document
}

// document is shared: it takes long to compile.
var document = sync.OnceValues(func() (*webtest.Validator, error) { return webtest.New(api.OpenAPI) })

func newSite(t testing.TB, set ...func(*web.Config)) *site {
	t.Helper()
	return newSiteOn(t, func(*web.Deps, *company) {}, set...)
}

// newSiteOn changes what the Server stands on.
func newSiteOn(t testing.TB, stand func(*web.Deps, *company), set ...func(*web.Config)) *site {
	t.Helper()
	check, err := document()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, company: newCompany(), desk: newDesk(), trails: &trails{}, background: &background{}, config: web.Config{
		Version: "1.2.3", Mode: dispatch.ModeOffer, Center: geo.Point{Lat: 52, Lng: 4}, Zoom: 12, PublicURL: "https://go.example",
		Basemap: []byte(`{"type":"FeatureCollection","features":[]}`), AsyncAPI: []byte("asyncapi: 3.0.0\n"),
	}}
	for _, f := range set {
		f(&s.config)
	}
	socket := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "a socket", http.StatusUpgradeRequired) })
	deps := web.Deps{
		Dispatch: s.company, Auth: s.desk, Trails: s.trails, Background: s.background, Clock: frozen{}, NewID: func() string { return "request-1" },
		Log: slog.New(slog.DiscardHandler), CourierSocket: socket, TrackSocket: socket, FleetSocket: socket,
	}
	stand(&deps, s.company)
	s.server, err = web.New(s.config, deps)
	if err != nil {
		t.Fatal(err)
	}
	s.handler = check.Handler(s.server, func(err error) { s.t.Errorf("against the document: %v", err) })
	return s
}

// request is one to make; the zero value is GET with no credential or body.
type request struct {
	method, path, as, body string
	header                 map[string]string
	from                   string // remote address
}

func (s *site) do(q request) *httptest.ResponseRecorder {
	if q.method == "" {
		q.method = http.MethodGet
	}
	r := httptest.NewRequest(q.method, q.path, strings.NewReader(q.body))
	if q.as != "" {
		r.Header.Set("Authorization", "Bearer "+q.as)
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	if q.from != "" {
		r.RemoteAddr = q.from
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

func (s *site) want(q request, status int, code string) web.Problem {
	s.t.Helper()
	w := s.do(q)
	var p web.Problem
	if w.Code >= 400 {
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			s.t.Errorf("%s %s: %d %q is no problem", q.method, q.path, w.Code, w.Body)
		}
	}
	if w.Code != status || p.Code != code {
		s.t.Errorf("%s %s as %q: got %d %q, want %d %q\n%s", q.method, q.path, q.as, w.Code, p.Code, status, code, w.Body)
	}
	return p
}

const (
	goodOrder = `{"pickup":{"point":{"lat":52,"lng":4}},"dropoff":{"point":{"lat":52.1,"lng":4.1}}}`
	override  = `{"reason":"because","version":3}`
	overrideC = `{"reason":"because","version":3,"courier":"c1"}`
	zone      = `{"name":"Centre","area":{"type":"Polygon","coordinates":[[[4,52],[5,52],[5,53],[4,52]]]}}`
)

// good is a request that works for each route, apart from its credential.
func good(rt web.Route) request {
	q := request{method: rt.Method, path: strings.NewReplacer("{link}", "l1", "{proof}", "p1").Replace(rt.Path), header: map[string]string{}}
	if strings.HasPrefix(q.path, "/v1/replay/") {
		q.path += "?from=2026-11-23T08:00:00Z&to=2026-11-23T08:30:00Z"
	}
	switch {
	case strings.HasPrefix(q.path, "/v1/orders"):
		q.path = strings.Replace(q.path, "{id}", "o1", 1)
	case strings.HasPrefix(q.path, "/v1/couriers"):
		q.path = strings.Replace(q.path, "{id}", "c1", 1)
	case strings.HasPrefix(q.path, "/v1/zones"):
		q.path = strings.Replace(q.path, "{id}", "z1", 1)
	default:
		q.path = strings.Replace(q.path, "{id}", "k1", 1)
	}
	last := rt.Path[strings.LastIndexByte(rt.Path, '/')+1:]
	switch rt.Method + " " + last {
	case "POST orders":
		q.body, q.header["Idempotency-Key"] = goodOrder, "k"
	case "POST cancel":
		q.body = `{"reason":"because"}`
	case "POST assign", "POST pin":
		q.body = overrideC
	case "POST unassign", "POST retry", "POST return":
		q.body = override
	case "POST couriers":
		q.body = `{"name":"Mia","vehicle":"bicycle","capacity":3}`
	case "PATCH {id}":
		q.body = `{"version":7,"capacity":4}`
	case "PUT {proof}":
		q.path += "?kind=photo"
		q.body, q.header["Content-Type"] = "a picture", "image/jpeg"
	case "GET day":
		q.path += "?from=2026-11-23T00:00:00Z"
	case "POST zones", "PUT {id}":
		q.body = zone
	case "POST api-keys":
		q.body = `{"merchant":"m1","name":"till"}`
	case "POST background":
		q.body = `{"device_id":"courier","location":{"timestamp":"2026-11-23T08:30:00.000Z","coords":{"latitude":52,"longitude":4,"accuracy":8}}}`
	case "POST sign-in":
		q.body = `{"code":"12345678"}`
	}
	return q
}

func TestNewReportsEveryFault(t *testing.T) {
	_, err := web.New(web.Config{
		Mode: "x", Zoom: 99, Center: geo.Point{Lat: 99}, PublicURL: "courier", Basemap: []byte("{"),
		Limits: web.Limits{SignIn: web.Limit{PerSecond: 1}}, RequestTimeout: -1,
	}, web.Deps{})
	for _, want := range []string{"Mode", "Zoom", "Center", "PublicURL", "Basemap", "Limits.SignIn", "RequestTimeout", "Dispatch", "Auth", "TrackSocket", "Log"} {
		if err == nil || !strings.Contains(err.Error(), want+":") && !strings.Contains(err.Error(), want+",") {
			t.Errorf("%s is not in %v", want, err)
		}
	}
}

// Every documented success is shown once, and fits the document.
func TestEveryRouteAsDocumented(t *testing.T) {
	s := newSite(t)
	check, err := webtest.New(api.OpenAPI) // its own: it counts
	if err != nil {
		t.Fatal(err)
	}
	s.handler = check.Handler(s.server, func(err error) { t.Errorf("against the document: %v", err) })
	for _, rt := range web.Routes() {
		q := good(rt)
		if strings.HasPrefix(rt.Path, "/v1/ws/") {
			continue
		}
		if rt.Roles != nil {
			q.as = string(rt.Roles[len(rt.Roles)-1])
		}
		if w := s.do(q); w.Code >= 300 {
			t.Errorf("%s %s: %d %s", rt.Method, rt.Path, w.Code, w.Body)
		}
		if rt.Method == http.MethodGet {
			q.method = http.MethodHead
			if w := s.do(q); w.Code != http.StatusOK {
				t.Errorf("HEAD %s: %d", rt.Path, w.Code)
			}
		}
	}
	for _, unmet := range check.Unmet() {
		if !strings.HasPrefix(unmet, "GET /v1/ws/") {
			t.Errorf("never answered: %s", unmet)
		}
	}
}
