package web

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"courier/dispatch"
	"courier/internal/auth"
)

func (s *Server) createKey(c *call) (answer, error) {
	var body struct {
		Merchant string `json:"merchant"`
		Name     string `json:"name,omitempty"`
	}
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	var wrong []dispatch.FieldError
	if body.Merchant == "" {
		wrong = append(wrong, dispatch.FieldError{Field: "merchant", Problem: "must not be empty"})
	}
	for _, f := range []struct{ name, value string }{{"merchant", body.Merchant}, {"name", body.Name}} {
		switch {
		case utf8.RuneCountInString(f.value) > 128:
			wrong = append(wrong, dispatch.FieldError{Field: f.name, Problem: "is longer than 128 characters"})
		case strings.ContainsFunc(f.value, unicode.IsControl):
			wrong = append(wrong, dispatch.FieldError{Field: f.name, Problem: "must be printable"})
		}
	}
	if wrong != nil {
		return answer{}, &dispatch.Invalid{Fields: wrong}
	}
	key, plain, err := s.deps.Auth.CreateKey(c.Context(), body.Merchant, body.Name)
	if err != nil {
		return answer{}, err
	}
	return created(struct {
		ID        string    `json:"id"`
		Merchant  string    `json:"merchant"`
		Name      string    `json:"name"`
		Key       string    `json:"key"`
		CreatedAt time.Time `json:"created_at"`
	}{key.ID, key.Merchant, key.Name, plain, key.CreatedAt}), nil
}

func (s *Server) listKeys(c *call) (answer, error) {
	keys, err := s.deps.Auth.ListKeys(c.Context())
	return answer{body: struct {
		Keys []auth.Key `json:"keys"`
	}{keys}}, err
}

func (s *Server) revokeKey(c *call) (answer, error) {
	return answer{}, s.deps.Auth.RevokeKey(c.Context(), c.id())
}
