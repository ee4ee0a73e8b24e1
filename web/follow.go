package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/gorilla/mux"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"courier/internal/follow"
)

// follow begins a request's span if the request is followed: those that
// change something, and what a trusted caller follows. What is about an order
// is a part of that order's trace.
func (s *Server) follow(rt route, r *http.Request) *http.Request {
	if s.deps.Follow == nil || rt.fixes {
		return r
	}
	seen := seenIn(r.Context())
	from := follow.Origin{ID: seen.id, Order: rt.places, New: true, Since: seen.since}
	if parent := r.Header.Get(follow.Header); parent != "" {
		from.Caller = follow.Parse(parent)
		// Of the company's own networks, and not only through them: a proxy
		// passes on what a client has written.
		at, known := s.client(r)
		from.Trusted = known && s.trusted(at)
	}
	if safe := r.Method == http.MethodGet || r.Method == http.MethodHead; safe && !(from.Trusted && from.Caller.IsSampled()) {
		return r
	}
	if strings.HasPrefix(rt.path, "/v1/orders/{id}") {
		from.ID, from.Order, from.New = mux.Vars(r)["id"], true, false
	}
	ctx, span := s.deps.Follow.Begin(r.Context(), method(r)+" "+rt.path, trace.SpanKindServer, from)
	if !span.IsRecording() {
		return r
	}
	seen.span = span
	span.SetAttributes(attribute.String("http.request.method", method(r)), attribute.String("http.route", rt.path),
		attribute.String("url.scheme", s.scheme(r)), attribute.String("url.path", r.URL.Path), attribute.String("request.id", seen.id))
	return r.WithContext(ctx)
}

// context is the request's own with the span that the request has.
func (s *seen) context(ctx context.Context) context.Context {
	if s.span == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, s.span)
}

// about corrects the order that the span is of.
func (s *seen) about(order string) {
	if s.span != nil {
		s.span.SetAttributes(follow.OrderID(order))
	}
}

func (s *seen) endSpan(status int) {
	if s.span == nil {
		return
	}
	s.span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		s.span.SetAttributes(attribute.String("error.type", strconv.Itoa(status)))
		s.span.SetStatus(codes.Error, http.StatusText(status))
	}
	s.span.End()
}
