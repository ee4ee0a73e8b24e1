package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"courier/dispatch"
	"courier/internal/auth"
	"courier/internal/pressure"
	"courier/internal/strict"
)

// Problem is an error as it goes over the wire (RFC 9457).
type Problem struct {
	Type    string                `json:"type"`
	Title   string                `json:"title"`
	Status  int                   `json:"status"`
	Code    string                `json:"code"`
	Detail  string                `json:"detail,omitempty"`
	Errors  []dispatch.FieldError `json:"errors,omitempty"`
	Current any                   `json:"current,omitempty"` // conflicts: what stands there now

	retry time.Duration // over 0: when to come again
	shed  bool          // turned away: a figure tells of it, no line in the log
}

// ErrLeaving is Config.Ready's of a node that can commit, and will soon be gone.
var ErrLeaving = errors.New("shutting down")

// Errors that arise in this package.
var (
	errForbidden   = errors.New("forbidden")
	errTooLarge    = errors.New("too large")
	errKeyRequired = errors.New("no Idempotency-Key")
	errMethod      = errors.New("method not allowed")
	errQuery       = errors.New("the query cannot be read")
	errBody        = errors.New("the body did not arrive")
)

// limited says that a client asks too often.
type limited struct{ wait time.Duration }

func (e limited) Error() string { return fmt.Sprintf("rate limited for %v", e.wait) }

// problemOf is the only place where errors become status codes. What the
// answer says depends on the kind of error alone, never on whether something
// of another's exists.
func problemOf(err error) Problem {
	var (
		invalid  *dispatch.Invalid
		refused  *dispatch.Refused
		decoding *strict.Error
		limit    limited
		busy     *pressure.Busy
	)
	switch {
	case errors.As(err, &decoding):
		return decodingProblem(decoding)
	case errors.As(err, &invalid):
		return invalidProblem(invalid.Fields)
	case errors.Is(err, dispatch.ErrCursor):
		return invalidProblem([]dispatch.FieldError{{Field: "cursor", Problem: "is none that was given out"}})
	case errors.Is(err, errQuery):
		return problem(http.StatusBadRequest, "malformed", errQuery.Error())
	case errors.Is(err, errBody):
		return problem(http.StatusBadRequest, "malformed", errBody.Error())
	case errors.Is(err, errKeyRequired):
		return problem(http.StatusBadRequest, "key_required", "the header Idempotency-Key is needed: 1 to 128 printable characters")
	case errors.Is(err, auth.ErrUnauthenticated), errors.Is(err, dispatch.ErrStaleSession):
		return problem(http.StatusUnauthorized, "unauthenticated", "the credential is missing, wrong, expired or revoked")
	case errors.Is(err, errForbidden):
		return problem(http.StatusForbidden, "forbidden", "this is not for your role")
	case errors.Is(err, dispatch.ErrNotFound):
		return problem(http.StatusNotFound, "not_found", "there is no such thing, or it is not yours")
	case errors.Is(err, errMethod):
		return problem(http.StatusMethodNotAllowed, "not_found", "nothing answers this method here")
	case errors.As(err, &refused):
		return problem(http.StatusConflict, "conflict", refused.Why)
	case errors.Is(err, dispatch.ErrCapacity):
		return problem(http.StatusConflict, "conflict", "the courier has no room for it")
	case errors.Is(err, dispatch.ErrConflict):
		return problem(http.StatusConflict, "conflict", "it has changed since: fetch it again")
	case errors.Is(err, dispatch.ErrOutsideZones):
		return problem(http.StatusUnprocessableEntity, "outside_zones", "the pickup or the drop-off lies in no service zone")
	case errors.Is(err, dispatch.ErrKeyReused):
		return problem(http.StatusUnprocessableEntity, "key_reused", "this Idempotency-Key came with another request before")
	case errors.Is(err, errTooLarge):
		return problem(http.StatusRequestEntityTooLarge, "too_large", "the request is too large")
	case errors.As(err, &limit):
		p := problem(http.StatusTooManyRequests, "rate_limited", "too many requests: come again later")
		p.retry = limit.wait
		return p
	case errors.As(err, &busy):
		p := problem(http.StatusServiceUnavailable, "unavailable", "too much to do at the moment: come again later")
		p.retry, p.shed = busy.After, true
		return p
	case errors.Is(err, dispatch.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		p := problem(http.StatusServiceUnavailable, "unavailable", "not possible at the moment: come again later")
		p.retry = 2 * time.Second
		return p
	}
	return problem(http.StatusInternalServerError, "internal", "something went wrong here: the request's id is in X-Request-Id")
}

func problem(status int, code, detail string) Problem {
	return Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

func decodingProblem(e *strict.Error) Problem {
	if e.Malformed {
		detail := "the body is no JSON"
		if len(e.Fields) > 0 {
			detail += ": " + e.Fields[0].Problem
		}
		return problem(http.StatusBadRequest, "malformed", detail)
	}
	fields := make([]dispatch.FieldError, len(e.Fields))
	for i, f := range e.Fields {
		fields[i] = dispatch.FieldError{Field: f.Path, Problem: f.Problem}
	}
	return invalidProblem(fields)
}

func invalidProblem(fields []dispatch.FieldError) Problem {
	detail := "1 field is wrong"
	if len(fields) != 1 {
		detail = strconv.Itoa(len(fields)) + " fields are wrong"
	}
	p := problem(http.StatusUnprocessableEntity, "invalid", detail)
	p.Errors = fields
	return p
}

func invalid(field, problem string) error {
	return &dispatch.Invalid{Fields: []dispatch.FieldError{{Field: field, Problem: problem}}}
}
