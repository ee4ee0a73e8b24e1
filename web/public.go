package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/internal/auth"
)

const textPlain = "text/plain; charset=utf-8"

func (s *Server) healthy(*call) (answer, error) {
	return answer{body: plain{textPlain, []byte("ok\n")}}, nil
}

// ready is about commits; of the other engines it only tells.
func (s *Server) ready(c *call) (answer, error) {
	state := struct {
		Ready   bool              `json:"ready"`
		Engines map[string]string `json:"engines"`
	}{Engines: map[string]string{}}
	why := s.config.Ready(c.Context())
	leaving := errors.Is(why, ErrLeaving)
	engines := s.config.Engines(c.Context())
	for name, away := range engines {
		state.Engines[name] = word(away)
	}
	state.Engines["database"] = word(why != nil && !leaving)
	if why == nil {
		state.Ready = true
		return answer{body: state}, nil
	}
	if !leaving {
		// Anybody may ask; an error names users, addresses and databases.
		s.deps.Log.LogAttrs(c.Context(), slog.LevelWarn, "not ready", slog.Any("err", why))
	}
	return answer{status: http.StatusServiceUnavailable, header: http.Header{"Retry-After": {"2"}}, body: state}, nil
}

func word(away bool) string {
	if away {
		return "away"
	}
	return "ok"
}

func (s *Server) time(*call) (answer, error) {
	return answer{body: struct {
		Now  time.Time `json:"now"`
		Rate float64   `json:"rate"`
	}{s.deps.Clock.Now(), s.deps.Clock.Rate()}}, nil
}

func (s *Server) pageConfig(*call) (answer, error) {
	return answer{body: struct {
		Version     string        `json:"version"`
		Mode        dispatch.Mode `json:"mode"`
		Demo        bool          `json:"demo"`
		Rate        float64       `json:"rate"`
		Center      geo.Point     `json:"center"`
		Zoom        float64       `json:"zoom"`
		MapStyleURL string        `json:"map_style_url"`
		Basemap     bool          `json:"basemap"`
	}{s.config.Version, s.config.Mode, s.config.Demo, s.deps.Clock.Rate(), s.config.Center, s.config.Zoom,
		s.config.MapStyleURL, s.config.Basemap != nil}}, nil
}

func (s *Server) basemap(*call) (answer, error) {
	return answer{body: s.ground}, nil
}

// signIn gives a courier a token for its code. Every code tried counts
// against the limits: they are what keeps codes from being guessed.
func (s *Server) signIn(c *call) (answer, error) {
	var body struct {
		Code string `json:"code"`
	}
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	ctx := c.Context()
	id, err := s.takeCode(ctx, s.address(c.Request), body.Code)
	if err != nil {
		return answer{}, err
	}
	session, err := s.deps.Dispatch.StartSession(ctx, id)
	if err != nil {
		return answer{}, err
	}
	s.config.OnCourierSignedIn(id, session.Epoch)
	token, expires, err := s.deps.Auth.MintCourier(id, session.Epoch, 0)
	if err != nil {
		return answer{}, err
	}
	courier, err := s.deps.Dispatch.Courier(ctx, id)
	if err != nil {
		return answer{}, err
	}
	return answer{body: struct {
		Token     string               `json:"token"`
		ExpiresAt time.Time            `json:"expires_at"`
		Courier   dispatch.CourierView `json:"courier"`
	}{token, expires, courier}}, nil
}

// takeCode counts wrong codes only: a company's couriers may all sign in
// through one address, and nobody can guess more than the limits let them.
func (s *Server) takeCode(ctx context.Context, address, code string) (courier string, err error) {
	own, all := "sign-in/"+address, "sign-ins"
	if err := errors.Join(
		s.limit(ctx, s.limiter.Look, own, s.config.Limits.SignIn),
		s.limit(ctx, s.limiter.Look, all, s.config.Limits.SignIns)); err != nil {
		return "", err
	}
	courier, err = s.deps.Auth.TakeCode(ctx, code)
	if errors.Is(err, auth.ErrUnauthenticated) {
		return "", errors.Join(err, s.take(ctx, own, s.config.Limits.SignIn), s.take(ctx, all, s.config.Limits.SignIns))
	}
	return courier, err
}

func (s *Server) me(c *call) (answer, error) {
	return answer{body: struct {
		Role      dispatch.Role `json:"role"`
		ID        string        `json:"id"`
		ExpiresAt time.Time     `json:"expires_at,omitzero"`
	}{c.who.Role, c.who.ID, c.who.Expires}}, nil
}

// track is a customer's view of the one order that its link is for.
func (s *Server) track(c *call) (answer, error) {
	view, err := s.deps.Dispatch.View(c.Context(), c.who.Order)
	return answer{body: view}, err
}

func (s *Server) stats(c *call) (answer, error) {
	stats, err := s.deps.Dispatch.Stats(c.Context())
	return answer{body: stats}, err
}
