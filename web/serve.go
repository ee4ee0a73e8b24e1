package web

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"
	"github.com/gorilla/mux"

	"courier/dispatch"
	"courier/internal/auth"
	"courier/internal/strict"
)

// call is one request on its way through a handler.
type call struct {
	*http.Request
	who   auth.Identity // the zero value where nobody needs to say
	limit int64         // of the body, in bytes
	vars  map[string]string
	seen  *seen
	raw   []byte // the body, once it has been read; nil: it has not
}

func (c *call) id() string            { return c.vars["id"] }
func (c *call) actor() dispatch.Actor { return c.who.Actor() }

// scope is what the caller may see: a merchant its own orders, staff all.
func (c *call) scope() dispatch.Scope {
	if c.who.Role == dispatch.RoleMerchant {
		return dispatch.Scope{Merchant: c.who.ID}
	}
	return dispatch.Scope{}
}

// decode reads the body into v. An empty body is malformed.
func (c *call) decode(v any) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	return strict.Decode(body, v)
}

// decodeIfAny is for requests that need no body: an empty one is like {}.
func (c *call) decodeIfAny(v any) error {
	body, err := c.body()
	if err != nil || len(body) == 0 {
		return err
	}
	return strict.Decode(body, v)
}

func (c *call) body() ([]byte, error) {
	if c.raw != nil {
		return c.raw, nil
	}
	if c.ContentLength > c.limit {
		return nil, errTooLarge
	}
	body, err := io.ReadAll(c.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, errTooLarge
	case err != nil: // the client stopped sending, or sends too slowly
		return nil, errBody
	}
	c.raw = body
	return body, nil
}

// answer is what a handler has to say.
type answer struct {
	status int // 0: 200
	body   any // nil: none; a plain or *file is sent as it is
	header http.Header
}

// plain is a body that is no JSON made here.
type plain struct {
	contentType string
	body        []byte
}

func created(body any) answer { return answer{status: http.StatusCreated, body: body} }

// route makes a handler of a line of the table: it checks whatever does not
// depend on the request's content, in the order in which it costs least.
func (s *Server) route(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := seenIn(r.Context())
		seen.route = rt.path
		if rt.socket != nil {
			if err := s.take(r.Context(), "address/"+s.address(r), s.config.Limits.Address); err != nil {
				s.fail(w, r, err)
				return
			}
			rt.socket(s).ServeHTTP(w, r)
			return
		}
		timeout := s.config.RequestTimeout
		if rt.slow {
			timeout *= slowFactor
			control, now := http.NewResponseController(w), time.Now()
			_ = control.SetReadDeadline(now.Add(timeout))
			_ = control.SetWriteDeadline(now.Add(timeout + s.config.RequestTimeout))
		}
		r = s.follow(rt, r)
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		limit := int64(maxBody)
		if rt.limit > 0 {
			limit = rt.limit
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		c := &call{Request: r.WithContext(ctx), limit: limit, vars: mux.Vars(r), seen: seen}
		a, err := s.admit(ctx, rt, c)
		switch {
		case err == nil:
			s.write(w, r, a)
		case rt.now != nil && problemOf(err).Status == http.StatusConflict:
			s.failWith(w, r, err, s.current(rt, c))
		default:
			s.fail(w, r, err)
		}
	})
}

// attend counts a request, finds out who asks, and does it.
func (s *Server) attend(ctx context.Context, rt route, c *call) (answer, error) {
	if strings.HasPrefix(rt.path, "/v1/") { // health checks are never turned away
		if err := s.take(ctx, "address/"+s.address(c.Request), s.config.Limits.Address); err != nil {
			return answer{}, err
		}
	}
	if rt.roles != nil {
		who, err := s.deps.Auth.Check(ctx, bearer(c.Request))
		if err != nil {
			return answer{}, err
		}
		c.who, c.seen.who = who, who
		if err := s.take(ctx, "credential/"+string(who.Role)+"/"+who.ID, s.config.Limits.Credential); err != nil {
			return answer{}, err
		}
		if !slices.Contains(rt.roles, who.Role) {
			return answer{}, errForbidden
		}
	}
	for _, v := range c.vars {
		if !validID(v) {
			return answer{}, dispatch.ErrNotFound
		}
	}
	return rt.handle(s, c)
}

// current reads what a conflict was about; nil if that fails too.
func (s *Server) current(rt route, c *call) any {
	now, err := rt.now(s, c)
	if err != nil {
		return nil
	}
	return now
}

// bearer is the credential of a request, or "".
func bearer(r *http.Request) string {
	if len(r.Header.Values("Authorization")) != 1 {
		return ""
	}
	scheme, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(credential)
}

// validID spares the store what cannot be an id, and its own complaints.
func validID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// take counts a request against a limit. A limiter that does not answer lets
// everyone through: it protects the service, which is not a secret.
func (s *Server) take(ctx context.Context, key string, limit Limit) error {
	return s.limit(ctx, s.limiter.Take, key, limit)
}

func (s *Server) limit(ctx context.Context, ask func(context.Context, string, Limit) (time.Duration, error), key string, limit Limit) error {
	wait, err := ask(ctx, key, limit)
	if err != nil {
		s.deps.Log.LogAttrs(ctx, slog.LevelWarn, "rate limiter does not answer", slog.Any("err", err))
		return nil
	}
	if wait > 0 {
		return limited{wait: wait}
	}
	return nil
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, a answer) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Cache-Control", "no-store")
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	if a.body == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	switch body := a.body.(type) {
	case plain:
		send(w, status, body)
		return
	case *file:
		body.serve(w, r)
		return
	}
	body, err := encode(a.body)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if len(body) >= zipFrom && acceptsGzip(r) {
		if zip := compress(body, gzip.BestSpeed); zip != nil {
			w.Header().Set("Content-Encoding", "gzip")
			body = zip
		}
	}
	w.Header().Set("Vary", "Accept-Encoding")
	send(w, status, plain{"application/json", body})
}

// zipFrom is the size from which an answer is worth compressing: trails and
// full pages, in bytes.
const zipFrom = 16 << 10

func send(w http.ResponseWriter, status int, p plain) {
	w.Header().Set("Content-Type", p.contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(p.body)))
	w.WriteHeader(status)
	_, _ = w.Write(p.body) // the client has gone: nobody is left to tell
}

// encode writes empty lists as [] and never as null, and leaves out what
// encoding/json leaves out.
func encode(v any) ([]byte, error) {
	body, err := json.Marshal(v, json.Deterministic(true), jsonv1.OmitEmptyWithLegacySemantics(true))
	if err != nil {
		return nil, fmt.Errorf("encode the answer: %w", err)
	}
	return append(body, '\n'), nil
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) { s.failWith(w, r, err, nil) }

func (s *Server) failWith(w http.ResponseWriter, r *http.Request, err error, current any) {
	p := problemOf(err)
	p.Current = current
	if p.Status >= http.StatusInternalServerError && !p.shed && r.Context().Err() == nil {
		s.deps.Log.LogAttrs(r.Context(), slog.LevelError, "request failed", slog.String("request_id", seenIn(r.Context()).id),
			slog.String("route", seenIn(r.Context()).route), slog.Int("status", p.Status), slog.Any("err", err))
	}
	switch p.Status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusRequestEntityTooLarge:
		w.Header().Set("Connection", "close") // the rest of it is not wanted
	}
	if p.retry > 0 {
		w.Header().Set("Retry-After", retryAfter(p.retry))
	}
	w.Header().Set("Cache-Control", "no-store")
	body, err := encode(p)
	if err != nil { // the current resource cannot be written
		p.Current = nil
		body, _ = encode(p)
	}
	send(w, p.Status, plain{problemType, body})
}

const problemType = "application/problem+json"

// retryAfter is a header's value: whole seconds, one at least.
func retryAfter(wait time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(min(wait, time.Hour).Seconds()))))
}

// nothing answers where no route is.
func (s *Server) nothing(w http.ResponseWriter, r *http.Request) { s.fail(w, r, dispatch.ErrNotFound) }

// wrongMethod answers where a route is, but not for this method.
func (s *Server) wrongMethod(router *mux.Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			other := *r
			other.Method = m
			var match mux.RouteMatch
			if router.Match(&other, &match) && match.MatchErr == nil {
				allowed = append(allowed, m)
			}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		s.fail(w, r, errMethod)
	})
}
