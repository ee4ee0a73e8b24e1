package web

import (
	"net/http"

	"courier/dispatch"
	"courier/geo"
)

type zoneBody struct {
	Name string   `json:"name"`
	Area geo.Area `json:"area"`
}

func (s *Server) listZones(c *call) (answer, error) {
	zones, err := s.deps.Dispatch.Zones(c.Context())
	return answer{body: struct {
		Zones []dispatch.Zone `json:"zones"`
	}{zones}}, err
}

func (s *Server) createZone(c *call) (answer, error) {
	var body zoneBody
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	zone, err := s.deps.Dispatch.CreateZone(c.Context(), c.actor(), body.Name, body.Area)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated, body: zone}, nil
}

func (s *Server) updateZone(c *call) (answer, error) {
	var body struct {
		zoneBody
		Version int64 `json:"version,omitempty"`
	}
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	if body.Version < 0 {
		return answer{}, invalid("version", "must be at least 1")
	}
	zone, err := s.deps.Dispatch.UpdateZone(c.Context(), c.actor(), c.id(), body.Version, body.Name, body.Area)
	return answer{body: zone}, err
}

func (s *Server) deleteZone(c *call) (answer, error) {
	q, err := newQuery(c.Request, "version")
	if err != nil {
		return answer{}, err
	}
	version := q.version()
	if err := q.err(); err != nil {
		return answer{}, err
	}
	return answer{}, s.deps.Dispatch.DeleteZone(c.Context(), c.actor(), c.id(), version)
}

func (s *Server) currentZone(c *call) (any, error) {
	zones, err := s.deps.Dispatch.Zones(c.Context())
	if err != nil {
		return nil, err
	}
	for _, z := range zones {
		if z.ID == c.id() {
			return z, nil
		}
	}
	return nil, dispatch.ErrNotFound
}
