package web

import (
	"context"
	"net/http"
	"time"

	"courier/internal/pressure"
)

// worth says how early a request is turned away when there is too much to do.
func (rt route) worth() pressure.Class {
	switch {
	case rt.path == "/v1/background":
		return pressure.Position
	case rt.path == "/v1/orders" && rt.method == http.MethodPost:
		return pressure.Order
	case rt.method == http.MethodGet && rt.roles != nil: // what needs no credential costs next to nothing
		return pressure.Read
	}
	return pressure.Act
}

// turnedAway refuses new orders before anything is done for them: they are
// what comes in masses, and saying no must cost little. The connection stays.
func (s *Server) turnedAway(w http.ResponseWriter, r *http.Request, start time.Time) bool {
	const path = "/v1/orders"
	if r.Method != http.MethodPost || r.URL.Path != path {
		return false
	}
	err := s.deps.Pressure.Full(pressure.Order)
	if err == nil {
		return false
	}
	p := problemOf(err)
	h := w.Header()
	h.Set("X-Request-Id", s.deps.NewID())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Retry-After", retryAfter(p.retry))
	send(w, p.Status, plain{problemType, s.busy})
	s.config.Observe(Observation{Method: r.Method, Route: path, Status: p.Status, Duration: time.Since(start)})
	return true
}

// admit does a request once there is room for it. Its body is here by then:
// a slow sender takes no room. Its limits are counted and who asks is found out
// after: that asks Redis and the database, and whoever waits for them in
// masses makes everybody wait.
func (s *Server) admit(ctx context.Context, rt route, c *call) (answer, error) {
	class := rt.worth()
	if class == pressure.Order {
		if _, err := c.body(); err != nil {
			return answer{}, err
		}
	}
	if err := s.deps.Pressure.Enter(ctx, class); err != nil {
		return answer{}, err
	}
	defer s.deps.Pressure.Leave(class)
	return s.attend(ctx, rt, c)
}
