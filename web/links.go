package web

import (
	"time"

	"courier/internal/auth"
)

// createLink makes a tracking link. The secret travels in the URL's fragment,
// which browsers keep to themselves: no server or log sees it.
func (s *Server) createLink(c *call) (answer, error) {
	var body struct {
		ExpiresIn *int64 `json:"expires_in,omitempty"` // seconds
	}
	if err := c.decodeIfAny(&body); err != nil {
		return answer{}, err
	}
	ttl := time.Duration(0) // as configured
	if body.ExpiresIn != nil {
		// Enough for any limit, and far from overflowing a Duration.
		if *body.ExpiresIn < 1 || *body.ExpiresIn > 1e9 {
			return answer{}, invalid("expires_in", "is out of range")
		}
		ttl = time.Duration(*body.ExpiresIn) * time.Second
	}
	order, err := s.deps.Dispatch.Order(c.Context(), c.scope(), c.id())
	if err != nil {
		return answer{}, err
	}
	link, secret, err := s.deps.Auth.CreateLink(c.Context(), order.ID, ttl)
	if err != nil {
		return answer{}, err
	}
	return created(struct {
		ID        string    `json:"id"`
		Secret    string    `json:"secret"`
		URL       string    `json:"url"`
		ExpiresAt time.Time `json:"expires_at"`
	}{link.ID, secret, s.publicURL(c.Request) + "/t#" + secret, link.ExpiresAt}), nil
}

func (s *Server) listLinks(c *call) (answer, error) {
	order, err := s.deps.Dispatch.Order(c.Context(), c.scope(), c.id())
	if err != nil {
		return answer{}, err
	}
	links, err := s.deps.Auth.Links(c.Context(), order.ID)
	return answer{body: struct {
		Links []auth.Link `json:"links"`
	}{links}}, err
}

func (s *Server) revokeLink(c *call) (answer, error) {
	order, err := s.deps.Dispatch.Order(c.Context(), c.scope(), c.id())
	if err != nil {
		return answer{}, err
	}
	link := c.vars["link"]
	if err := s.deps.Auth.RevokeLink(c.Context(), order.ID, link); err != nil {
		return answer{}, err
	}
	s.config.OnLinkRevoked(link)
	return answer{}, nil
}
