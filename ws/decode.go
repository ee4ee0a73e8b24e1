package ws

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"courier/dispatch"
	"courier/internal/strict"
)

// maxFixes is how many fixes one frame may hold.
const maxFixes = 200

// frameError is a frame that was refused. ID is the frame's own, if it had
// one that can be answered.
type frameError struct {
	ID     string
	Code   string // malformed or invalid
	Detail string
}

func (e *frameError) Error() string { return e.Code + ": " + e.Detail }

func invalid(format string, args ...any) *frameError {
	return &frameError{Code: "invalid", Detail: fmt.Sprintf(format, args...)}
}

// decodeCourier reads a frame of a courier: *authIn, *courierResumeIn,
// *fixesIn or an actor. Errors are *frameError.
func decodeCourier(data []byte) (any, error) {
	switch typ := typeOf(data); typ {
	case "fixes":
		f := &fixesIn{}
		if fastFixes(data, f) && len(f.Fixes) <= maxFixes && checkID(f.ID) == nil {
			return f, nil
		}
		*f = fixesIn{}
		return f, check(data, f, func() *frameError {
			if n := len(f.Fixes); n < 1 || n > maxFixes {
				return invalid("fixes must hold 1 to %d", maxFixes)
			}
			return checkID(f.ID)
		})
	case "resume":
		f := &courierResumeIn{}
		return f, check(data, f, func() *frameError {
			if !(f.Patience >= 0 && f.Patience <= maxPatience.Seconds()) {
				return invalid("patience must be between 0 and %.0f s", maxPatience.Seconds())
			}
			return checkSeq(f.Seq)
		})
	case "duty":
		f := &dutyIn{}
		return f, check(data, f, func() *frameError {
			if !f.Duty.Valid() {
				return invalid("duty must be off, available or break")
			}
			return checkID(f.ID)
		})
	case "offer.accept":
		f := &acceptIn{}
		return f, check(data, f, func() *frameError { return checkID(f.ID) })
	case "offer.decline":
		f := &declineIn{}
		return f, check(data, f, func() *frameError {
			return cmpErr(oneOf("reason", f.Reason, "too_far", "busy", "vehicle", "break", "other"), checkID(f.ID))
		})
	case "stop.arrive":
		f := &arriveIn{}
		return f, check(data, f, func() *frameError { return cmpErr(checkKind(f.Kind), checkID(f.ID)) })
	case "stop.complete":
		f := &completeIn{}
		return f, check(data, f, func() *frameError { return cmpErr(checkKind(f.Kind), checkID(f.ID)) })
	case "stop.fail":
		f := &failIn{}
		return f, check(data, f, func() *frameError {
			return cmpErr(checkKind(f.Kind), oneOf("reason", f.Reason, "closed", "not_ready", "no_answer", "wrong_address",
				"refused", "damaged", "courier_problem", "other"), checkID(f.ID))
		})
	default:
		return decodeStart(typ, data)
	}
}

// decodeTrack reads a frame of a customer: *authIn or *resumeIn.
func decodeTrack(data []byte) (any, error) { return decodeStart(typeOf(data), data) }

// decodeFleet reads a frame of a dispatcher: *authIn, *resumeIn or *viewIn.
func decodeFleet(data []byte) (any, error) {
	typ := typeOf(data)
	if typ != "view" {
		return decodeStart(typ, data)
	}
	f := &viewIn{}
	return f, check(data, f, func() *frameError {
		if err := f.Bounds.Validate(); err != nil {
			return invalid("bounds: %v", err)
		}
		if !(f.Zoom >= 0 && f.Zoom <= 30) {
			return invalid("zoom must be between 0 and 30")
		}
		return nil
	})
}

// decodeStart reads what all endpoints begin with.
func decodeStart(typ string, data []byte) (any, error) {
	switch typ {
	case "auth":
		f := &authIn{}
		return f, check(data, f, func() *frameError {
			if f.Token == "" {
				return invalid("token must not be empty")
			}
			return nil
		})
	case "resume":
		f := &resumeIn{}
		return f, check(data, f, func() *frameError { return checkSeq(f.Seq) })
	}
	if !jsontext.Value(data).IsValid() { // refuses duplicate names and bad UTF-8 too
		return nil, &frameError{Code: "malformed", Detail: "not a JSON object"}
	}
	return nil, withID(data, invalid("type is missing or not known here"))
}

// check decodes strictly and then asks what the types cannot say.
func check(data []byte, into any, rest func() *frameError) error {
	err := strict.Decode(data, into)
	var refused *strict.Error
	switch {
	case errors.As(err, &refused) && refused.Malformed:
		return &frameError{Code: "malformed", Detail: refused.Fields[0].Problem}
	case errors.As(err, &refused):
		parts := make([]string, len(refused.Fields))
		for i, f := range refused.Fields {
			parts[i] = strings.TrimSpace(f.Path + " " + f.Problem)
		}
		return withID(data, invalid("%s", strings.Join(parts, "; ")))
	case err != nil:
		return fmt.Errorf("decode frame: %w", err) // a fault of ours: see strict.Decode
	}
	if fault := rest(); fault != nil {
		return withID(data, fault)
	}
	return nil
}

func checkSeq(seq int64) *frameError {
	if seq < 0 {
		return invalid("seq must not be negative")
	}
	return nil
}

func checkID(id string) *frameError {
	if n := utf8.RuneCountInString(id); n < 1 || n > 64 {
		return invalid("id must have 1 to 64 characters")
	}
	return nil
}

func checkKind(k dispatch.StopKind) *frameError {
	return oneOf("kind", string(k), string(dispatch.Pickup), string(dispatch.Dropoff), string(dispatch.Return))
}

func oneOf(field, value string, allowed ...string) *frameError {
	if slices.Contains(allowed, value) {
		return nil
	}
	return invalid("%s must be one of %s", field, strings.Join(allowed, ", "))
}

// cmpErr is the first fault.
func cmpErr(faults ...*frameError) *frameError {
	for _, f := range faults {
		if f != nil {
			return f
		}
	}
	return nil
}

// typeOf finds the type without decoding the rest; "" where there is none.
func typeOf(data []byte) string {
	const usual = `{"type":"` // how every client of ours begins
	if rest, ok := bytes.CutPrefix(data, []byte(usual)); ok {
		if typ, _, ok := bytes.Cut(rest, []byte{'"'}); ok && !bytes.ContainsRune(typ, '\\') {
			return string(typ)
		}
	}
	return member(data, "type")
}

// withID adds the frame's id, if there is one worth answering.
func withID(data []byte, e *frameError) *frameError {
	if id := member(data, "id"); checkID(id) == nil {
		e.ID = id
	}
	return e
}

// member is the first member of that name in the outer object, if it is a
// string.
func member(data []byte, name string) string {
	d := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return ""
	}
	for d.PeekKind() == '"' {
		key, err := d.ReadToken()
		if err != nil {
			return ""
		}
		found := key.String() == name // the token is void after the next read
		if !found {
			if d.SkipValue() != nil {
				return ""
			}
			continue
		}
		if d.PeekKind() != '"' {
			return ""
		}
		value, err := d.ReadToken()
		if err != nil {
			return ""
		}
		return value.String()
	}
	return ""
}
