package web_test

import (
	"net/http"
	"strings"
	"testing"

	"courier/dispatch"
	"courier/web"
)

// needNoStore are the routes that promise and read nothing that is stored.
var needNoStore = map[string]bool{
	"GET /healthz": true, "GET /readyz": true, "GET /v1/time": true, "GET /v1/config": true, "GET /v1/basemap": true, "GET /v1/me": true,
}

// TestWithoutAStoreNothingIsPromised is I1 at the edge: on no route, as
// whoever, is a 2xx given without a commit; reads are refused too, and all
// say when to come again.
func TestWithoutAStoreNothingIsPromised(t *testing.T) {
	for name, set := range map[string]func(*site){
		"credentials can be checked": func(s *site) {
			s.company.fail, s.company.read = dispatch.ErrUnavailable, dispatch.ErrUnavailable
			s.desk.away, s.trails.away, s.background.fail = dispatch.ErrUnavailable, dispatch.ErrUnavailable, dispatch.ErrUnavailable
		},
		"nor credentials checked": func(s *site) { s.desk.down, s.desk.away = dispatch.ErrUnavailable, dispatch.ErrUnavailable },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			set(s)
			for _, rt := range web.Routes() {
				if strings.HasPrefix(rt.Path, "/v1/ws/") || needNoStore[rt.Method+" "+rt.Path] {
					continue // sockets have a test of their own
				}
				roles := rt.Roles
				if roles == nil {
					roles = []dispatch.Role{""}
				}
				for _, role := range roles {
					q := good(rt)
					q.as = string(role)
					w := s.do(q)
					if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"unavailable"`) {
						t.Errorf("%s %s as %q: %d, Retry-After %q, %s", rt.Method, rt.Path, role, w.Code, w.Header().Get("Retry-After"), w.Body)
					}
				}
			}
		})
	}
}
