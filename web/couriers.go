package web

import (
	"net/http"
	"time"

	"courier/dispatch"
	"courier/geo"
)

func (s *Server) createCourier(c *call) (answer, error) {
	var body struct {
		Name     string           `json:"name"`
		Phone    string           `json:"phone,omitempty"`
		Vehicle  geo.Vehicle      `json:"vehicle"`
		Capacity int              `json:"capacity"`
		Skills   []string         `json:"skills,omitempty"`
		Shift    *dispatch.Window `json:"shift,omitempty"`
		Start    *geo.Point       `json:"start,omitempty"`
	}
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	courier, err := s.deps.Dispatch.CreateCourier(c.Context(), c.actor(), dispatch.NewCourier(body))
	if err != nil {
		return answer{}, err
	}
	a := created(courier)
	a.header = http.Header{"Location": {"/v1/couriers/" + courier.ID}}
	return a, nil
}

func (s *Server) listCouriers(c *call) (answer, error) {
	q, err := newQuery(c.Request, "duty", "limit", "cursor")
	if err != nil {
		return answer{}, err
	}
	wanted := dispatch.CourierQuery{Duty: words(q, "duty", dispatch.Duty.Valid), Limit: q.limit(), Cursor: q.cursor()}
	if err := q.err(); err != nil {
		return answer{}, err
	}
	page, next, err := s.deps.Dispatch.Couriers(c.Context(), wanted)
	return answer{body: struct {
		Couriers []dispatch.CourierView `json:"couriers"`
		Next     string                 `json:"next"`
	}{page, next}}, err
}

func (s *Server) readCourier(c *call) (answer, error) {
	courier, err := s.deps.Dispatch.Courier(c.Context(), c.id())
	return answer{body: courier}, err
}

func (s *Server) currentCourier(c *call) (any, error) {
	return s.deps.Dispatch.Courier(c.Context(), c.id())
}

// updateCourier changes what the body names; null removes the shift or its start.
func (s *Server) updateCourier(c *call) (answer, error) {
	var body struct {
		Version  int64             `json:"version"`
		Name     *string           `json:"name,omitempty"`
		Phone    *string           `json:"phone,omitempty"`
		Vehicle  *geo.Vehicle      `json:"vehicle,omitempty"`
		Capacity *int              `json:"capacity,omitempty"`
		Skills   *[]string         `json:"skills,omitempty"`
		Shift    **dispatch.Window `json:"shift,omitempty"`
		Start    **geo.Point       `json:"start,omitempty"`
		Duty     *dispatch.Duty    `json:"duty,omitempty"`
	}
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	if body.Version < 1 { // 0 would mean "any" from here on
		return answer{}, invalid("version", "must be at least 1")
	}
	courier, err := s.deps.Dispatch.UpdateCourier(c.Context(), c.actor(), c.id(), body.Version, dispatch.CourierPatch{
		Name: body.Name, Phone: body.Phone, Vehicle: body.Vehicle, Capacity: body.Capacity,
		Skills: body.Skills, Shift: body.Shift, Start: body.Start, Duty: body.Duty,
	})
	return answer{body: courier}, err
}

func (s *Server) createCode(c *call) (answer, error) {
	if err := c.decodeIfAny(&struct{}{}); err != nil {
		return answer{}, err
	}
	courier, err := s.deps.Dispatch.Courier(c.Context(), c.id())
	if err != nil {
		return answer{}, err
	}
	code, expires, err := s.deps.Auth.CreateCode(c.Context(), courier.ID)
	if err != nil {
		return answer{}, err
	}
	return created(struct {
		Code      string    `json:"code"`
		ExpiresAt time.Time `json:"expires_at"`
	}{code, expires}), nil
}

func (s *Server) revokeCourier(c *call) (answer, error) {
	if err := c.decodeIfAny(&struct{}{}); err != nil {
		return answer{}, err
	}
	courier, err := s.deps.Dispatch.EndSessions(c.Context(), c.actor(), c.id())
	if err != nil {
		return answer{}, err
	}
	s.config.OnCourierRevoked(courier.ID)
	return answer{body: courier}, nil
}
