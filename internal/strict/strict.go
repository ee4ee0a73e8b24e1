// Package strict decodes JSON that comes from outside and says everything
// that is wrong with it: what is missing, unknown, given twice or of the
// wrong type, each by its path on the wire.
//
//	bytes → jsontext tokens → shape of the Go type → value, or *Error
//
// A member is required unless its json tag says omitempty or omitzero. Names
// are case-sensitive. null is refused, except for a field of type **T, where
// it gives a pointer to a nil pointer: how a PATCH removes something.
package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Field names one wrong field: "pickup.point.lat", "fixes[3].time". An empty
// path is the whole value.
type Field struct {
	Path    string
	Problem string
}

// Error is input that was refused.
type Error struct {
	// Malformed says that the input is no JSON value at all, or more than
	// one; Fields then holds one entry that says where.
	Malformed bool
	// Fields are the wrong ones, at most maxFields of them.
	Fields []Field
}

// maxFields bounds the answer to a hostile body.
const maxFields = 32

func (e *Error) Error() string {
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = strings.TrimSpace(f.Path + " " + f.Problem)
	}
	if e.Malformed {
		return "malformed JSON: " + strings.Join(parts, "; ")
	}
	return "invalid: " + strings.Join(parts, "; ")
}

// Decode reads exactly one JSON value into what v points to. It returns an
// *Error for what the sender did wrong; v is then in no useful state. Any
// other error means that v is of a type which cannot be decoded into.
func Decode(data []byte, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fmt.Errorf("strict: cannot decode into %T", v)
	}
	shape, err := shapeOf(target.Type().Elem())
	if err != nil {
		return err
	}
	d := decoder{in: jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true))}
	if err := d.value(shape, target.Elem()); err != nil {
		return malformed(err)
	}
	if _, err := d.in.ReadToken(); !errors.Is(err, io.EOF) {
		return &Error{Malformed: true, Fields: []Field{{Problem: fmt.Sprintf("more follows the value, at byte %d", d.in.InputOffset())}}}
	}
	if len(d.wrong) > 0 {
		return &Error{Fields: d.wrong}
	}
	return nil
}

func malformed(err error) *Error {
	problem := "ends too early"
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) && !errors.Is(err, io.ErrUnexpectedEOF) {
		problem = fmt.Sprintf("%v, at byte %d", syntax.Err, syntax.ByteOffset)
	}
	return &Error{Malformed: true, Fields: []Field{{Problem: problem}}}
}
