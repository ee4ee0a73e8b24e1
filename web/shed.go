package web

import (
	"context"
	"net/http"

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

// full turns new orders away before anything is done for them: they are what
// comes in masses, and saying no must cost little.
func (s *Server) full(r *http.Request) error {
	if r.Method != http.MethodPost || r.URL.Path != "/v1/orders" {
		return nil
	}
	return s.deps.Pressure.Full(pressure.Order)
}

// admit does a request once there is room for it. Its body is here by then:
// a slow sender takes no room. Who asks is found out after: that takes a
// reading of the database.
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
