package strict

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
)

// kind is how a type is decoded.
type kind uint8

const (
	text kind = iota
	boolean
	integer
	unsigned
	float
	object
	dictionary
	list
	pointer
	instant  // time.Time
	custom   // decodes itself from JSON
	textual  // decodes itself from a JSON string
	anything // whatever package json makes of it, null included
)

// shape is what there is to know of a type before any value comes.
type shape struct {
	kind   kind
	typ    reflect.Type
	elem   *shape // of a list, dictionary, pointer
	fields []field
	byName map[string]int // index into fields
}

// field is a member of an object.
type field struct {
	name     string
	index    []int // for reflect.Value.FieldByIndex
	shape    *shape
	required bool
}

// shapes remembers what shapeOf worked out. It holds nothing but a function
// of the types in the program.
var shapes sync.Map // reflect.Type → *shape

func shapeOf(t reflect.Type) (*shape, error) {
	if known, ok := shapes.Load(t); ok {
		return known.(*shape), nil
	}
	b := builder{}
	s, err := b.build(t)
	if err != nil {
		return nil, fmt.Errorf("strict: %w", err)
	}
	shapes.Store(t, s)
	return s, nil
}

// builder holds the shapes under way, for types that contain themselves.
type builder map[reflect.Type]*shape

func (b builder) build(t reflect.Type) (*shape, error) {
	if s, ok := b[t]; ok {
		return s, nil
	}
	s := &shape{typ: t}
	b[t] = s
	var err error
	switch s.kind = kindOf(t); s.kind {
	case pointer, list, dictionary:
		s.elem, err = b.build(t.Elem())
	case object:
		s.byName = map[string]int{}
		err = b.members(s, t, nil)
	}
	return s, err
}

func kindOf(t reflect.Type) kind {
	p := reflect.PointerTo(t)
	switch {
	case t == reflect.TypeFor[time.Time]():
		return instant
	case t.Kind() == reflect.Pointer:
		return pointer
	case p.Implements(reflect.TypeFor[json.Unmarshaler]()):
		return custom
	case p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return textual
	}
	switch t.Kind() {
	case reflect.String:
		return text
	case reflect.Bool:
		return boolean
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return integer
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return unsigned
	case reflect.Float32, reflect.Float64:
		return float
	case reflect.Struct:
		return object
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 { // bytes are base64
			return list
		}
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			return dictionary
		}
	}
	return anything
}

// members adds the fields of struct type t, reached from s by the index
// path, with those of embedded structs in their place.
func (b builder) members(s *shape, t reflect.Type, path []int) error {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		index := append(append([]int(nil), path...), i)
		switch {
		case tag == "-":
			continue
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct && kindOf(f.Type) == object:
			if err := b.members(s, f.Type, index); err != nil {
				return err
			}
			continue
		case f.Anonymous && f.Type.Kind() == reflect.Pointer:
			return fmt.Errorf("%s.%s: an embedded pointer", t, f.Name)
		case !f.IsExported():
			if tagged {
				return fmt.Errorf("%s.%s: tagged but not exported", t, f.Name)
			}
			continue
		case name == "":
			name = f.Name
		}
		member, err := b.build(f.Type)
		if err != nil {
			return err
		}
		if _, twice := s.byName[name]; twice {
			return fmt.Errorf("%s: two fields are called %q", t, name)
		}
		s.byName[name] = len(s.fields)
		s.fields = append(s.fields, field{name: name, index: index, shape: member,
			required: !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero")})
	}
	return nil
}
