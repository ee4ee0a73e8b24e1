package ws

import (
	"context"
	"errors"
	"strings"

	"github.com/gorilla/websocket"

	"courier/dispatch"
)

// The close codes of docs/protocol.md.
const (
	codeNormal    = websocket.CloseNormalClosure
	codeGoingAway = websocket.CloseGoingAway
	codeInternal  = websocket.CloseInternalServerErr
	codeBadFrame  = 4400
	codeNoAuth    = 4401
	codeRole      = 4403
	codeNothing   = 4404
	codeTooSlow   = 4408
	codeElsewhere = 4409
	codeRevoked   = 4410
	codeTooMany   = 4429
)

// closeError ends a connection: with a close code, and before it an error
// frame if there is a fault to name.
type closeError struct {
	code   int
	fault  string
	detail string
}

func (e *closeError) Error() string { return e.detail }

var (
	errElsewhere = &closeError{codeElsewhere, "conflict", "signed in elsewhere"}
	errRevoked   = &closeError{codeRevoked, "unauthenticated", "revoked"}
	errExpired   = &closeError{codeNoAuth, "unauthenticated", "the credential has expired"}
)

// faultOf is the code and the words by which a client hears of an error, and
// whether the fault is ours.
func faultOf(err error) (code, detail string, ours bool) {
	var invalid *dispatch.Invalid
	var refused *dispatch.Refused
	switch {
	case errors.As(err, &invalid):
		parts := make([]string, len(invalid.Fields))
		for i, f := range invalid.Fields {
			parts[i] = f.Field + " " + f.Problem
		}
		return "invalid", strings.Join(parts, "; "), false
	case errors.As(err, &refused):
		return "conflict", refused.Why, false
	case errors.Is(err, dispatch.ErrConflict), errors.Is(err, dispatch.ErrCapacity):
		return "conflict", "the state has moved on", false
	case errors.Is(err, dispatch.ErrNotFound):
		return "not_found", "nothing there", false
	case errors.Is(err, dispatch.ErrKeyReused):
		return "key_reused", "the id was used for another action", false
	case errors.Is(err, dispatch.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "unavailable", "try again", true
	}
	return "internal", "try again", true
}
