package web

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/trace"

	"courier/dispatch"
	"courier/internal/auth"
)

// seen is what the layers of one request learn for each other.
type seen struct {
	id    string
	route string // the path's template
	from  string // address, see Server.address
	who   auth.Identity
	since time.Time  // real time
	span  trace.Span // nil: the request is not followed
}

type seenKey struct{}

// seenIn never returns nil.
func seenIn(ctx context.Context) *seen {
	if s, ok := ctx.Value(seenKey{}).(*seen); ok {
		return s
	}
	return &seen{}
}

// RequestID is the id of the request that ctx belongs to, or "". It is what
// the client finds in X-Request-Id.
func RequestID(ctx context.Context) string { return seenIn(ctx).id }

// ClientAddress is whom the request that ctx belongs to counts for, or "": an
// IPv4 address or an IPv6 /64, of the client itself behind trusted proxies.
func ClientAddress(ctx context.Context) string { return seenIn(ctx).from }

// outer is around everything, pages included.
func (s *Server) outer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now() // real time: this is about the server, not its world
		// Slow senders and readers do not hold a connection for ever, nor does
		// whoever is refused at once: net/http reads the rest of its request. A
		// WebSocket's upgrade clears both deadlines.
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(start.Add(s.config.RequestTimeout))
		_ = control.SetWriteDeadline(start.Add(3 * s.config.RequestTimeout))
		if s.turnedAway(w, r, start) {
			return
		}
		seen := &seen{id: s.deps.NewID(), from: s.address(r), since: start}
		r = r.WithContext(context.WithValue(r.Context(), seenKey{}, seen))
		rec := &recorder{ResponseWriter: w}
		h := rec.Header()
		h.Set("X-Request-Id", seen.id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		defer func() {
			if fault := recover(); fault != nil {
				s.panicked(rec, r, fault)
			}
			s.observe(rec, r, time.Since(start))
		}()
		if len(r.URL.RequestURI()) > longPath {
			s.fail(rec, r, errTooLarge)
			return
		}
		next.ServeHTTP(rec, r)
	})
}

func (s *Server) panicked(rec *recorder, r *http.Request, fault any) {
	if fault == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		panic(fault)
	}
	s.deps.Log.LogAttrs(seenIn(r.Context()).context(r.Context()), slog.LevelError, "panic in a handler", slog.String("request_id", seenIn(r.Context()).id),
		slog.String("route", seenIn(r.Context()).route), slog.Any("panic", fault), slog.String("stack", string(debug.Stack())))
	if rec.status == 0 && !rec.hijacked {
		s.fail(rec, r, fmt.Errorf("panic: %v", fault))
	}
}

func (s *Server) observe(rec *recorder, r *http.Request, took time.Duration) {
	seen, status := seenIn(r.Context()), rec.status
	switch {
	case rec.hijacked:
		status = http.StatusSwitchingProtocols
	case status == 0:
		status = http.StatusOK
	}
	s.config.Observe(Observation{Method: method(r), Route: seen.route, Status: status, Duration: took})
	ctx := seen.context(r.Context())
	seen.endSpan(status)
	s.deps.Log.LogAttrs(ctx, slog.LevelDebug, "request", slog.String("request_id", seen.id), slog.String("method", method(r)),
		slog.String("route", seen.route), slog.Int("status", status), slog.Int64("bytes", rec.bytes), slog.Duration("took", took),
		slog.String("role", string(seen.who.Role)), slog.String("subject", seen.who.ID), slog.String("address", seen.from))
}

// method keeps a client from making metrics of its own.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// recorder remembers what became of an answer.
type recorder struct {
	http.ResponseWriter
	status   int
	bytes    int64
	hijacked bool
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err //nolint:wrapcheck // a writer's
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Hijack is for WebSockets.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(r.ResponseWriter).Hijack()
	r.hijacked = err == nil
	return conn, rw, err //nolint:wrapcheck // a hijacker's
}

// staffRole says whether a role belongs to the company.
func staffRole(r dispatch.Role) bool {
	return r == dispatch.RoleAdmin || r == dispatch.RoleDispatcher || r == dispatch.RoleViewer
}
