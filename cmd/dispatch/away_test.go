package main

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"courier/internal/testenv"
	"courier/web"
)

// TestNoRouteAnswersWithoutADatabase asks every route of a node whose
// database has died: reads are 503 with Retry-After, and so is whatever would
// have been committed. Nothing that is stored gets a 2xx (I1).
func TestNoRouteAnswersWithoutADatabase(t *testing.T) {
	database := testenv.StartPostgres(t)
	s := newServer(t, func(f *serverFlags) {
		f.DatabaseURL, f.AuthSecret = database.Database(t), "one node has this key, 1f0c9a7be2d4"
	})
	key := s.merchant("soups")
	order := s.place(key, "A-1")
	database.Kill()
	const (
		point = `{"point":{"lat":52,"lng":4}}`
		why   = `{"reason":"because","version":1`
	)
	bodies := map[string]string{
		"/v1/orders": `{"merchant":"soups","pickup":` + point + `,"dropoff":` + point + `}`, "cancel": why + `}`, "unassign": why + `}`,
		"retry": why + `}`, "return": why + `}`, "assign": why + `,"courier":"c1"}`, "pin": why + `,"courier":"c1"}`,
		"/v1/couriers": `{"name":"Mia","vehicle":"bicycle","capacity":3}`, "PATCH": `{"version":1,"name":"Mia"}`, "/v1/sign-in": `{"code":"12345678"}`,
		"/v1/api-keys": `{"merchant":"m1"}`, "zones": `{"name":"Centre","area":{"type":"Polygon","coordinates":[[[4,52],[5,52],[5,53],[4,52]]]}}`,
	}
	none := map[string]bool{"/healthz": true, "/v1/time": true, "/v1/config": true, "/v1/basemap": true, "/v1/me": true}
	var all sync.WaitGroup
	for _, rt := range web.Routes() {
		if none[rt.Path] || strings.HasPrefix(rt.Path, "/v1/ws/") {
			continue
		}
		last := rt.Path[strings.LastIndexByte(rt.Path, '/')+1:]
		body := bodies[rt.Path] + bodies[rt.Method] + bodies[last]
		if strings.HasPrefix(rt.Path, "/v1/zones") && rt.Method != http.MethodDelete {
			body = bodies["zones"]
		}
		path := strings.NewReplacer("{id}", order, "{link}", "l1").Replace(rt.Path)
		if last == "trail" && strings.Contains(path, "couriers") {
			path += "?day=2026-11-23"
		}
		if strings.HasPrefix(path, "/v1/replay/") {
			path += "?from=2026-11-23T08:00:00Z&to=2026-11-23T08:30:00Z"
		}
		for _, credential := range []string{s.admin, key, "ct_nobody"} {
			all.Go(func() {
				req, _ := http.NewRequestWithContext(t.Context(), rt.Method, s.url()+path, strings.NewReader(body))
				req.Header.Set("Authorization", "Bearer "+credential)
				req.Header.Set("Idempotency-Key", "A-2")
				resp, err := s.http.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				_ = resp.Body.Close()
				forbidden := resp.StatusCode == http.StatusForbidden && credential == s.admin // known without a database
				if !forbidden && (resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "") {
					t.Errorf("%s %s: %s, Retry-After %q", rt.Method, path, resp.Status, resp.Header.Get("Retry-After"))
				}
			})
		}
	}
	all.Wait()
	database.Restart() // so that the node can leave nothing behind
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		resp, err := s.http.Get(s.url() + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
		if time.Now().After(until) {
			t.Fatal("the node does not get ready again")
		}
	}
}
