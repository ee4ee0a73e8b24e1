package strict

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	jsonx "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decoder is one Decode under way. Its methods return an error only for what
// is no JSON; what is merely wrong goes to the list.
type decoder struct {
	in    *jsontext.Decoder
	path  []step
	wrong []Field
}

// step is a member's name, or with an empty name an index in a list.
type step struct {
	name  string
	index int
}

func (d *decoder) at() string {
	var b strings.Builder
	for i, s := range d.path {
		switch {
		case s.name == "":
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case i > 0:
			b.WriteString("." + s.name)
		default:
			b.WriteString(s.name)
		}
	}
	return b.String()
}

func (d *decoder) fault(problem string) {
	if len(d.wrong) < maxFields {
		d.wrong = append(d.wrong, Field{Path: d.at(), Problem: problem})
	}
}

func (d *decoder) push(s step) { d.path = append(d.path, s) }
func (d *decoder) pop()        { d.path = d.path[:len(d.path)-1] }

func (d *decoder) value(s *shape, v reflect.Value) error {
	got := d.in.PeekKind()
	switch {
	case got == 'n' && !s.takesNull():
		d.fault("must not be null")
		return d.in.SkipValue()
	case s.kind == object && got == '{':
		return d.object(s, v)
	case s.kind == list && got == '[':
		return d.list(s, v)
	case s.kind == dictionary && got == '{':
		return d.dictionary(s, v)
	case s.kind == pointer:
		return d.pointer(s, v)
	}
	raw, err := d.in.ReadValue()
	if err != nil {
		return err
	}
	if problem := scalar(s, v, raw); problem != "" {
		d.fault(problem)
	}
	return nil
}

func (s *shape) takesNull() bool {
	return s.kind == anything || s.kind == pointer && s.elem.kind == pointer ||
		s.typ == reflect.TypeFor[json.RawMessage]() || s.typ == reflect.TypeFor[jsontext.Value]()
}

func (d *decoder) object(s *shape, v reflect.Value) error {
	if _, err := d.in.ReadToken(); err != nil {
		return err
	}
	var few [32]bool // enough for nearly every type, without an allocation
	seen := few[:]
	if len(s.fields) > len(few) {
		seen = make([]bool, len(s.fields))
	}
	for d.in.PeekKind() != '}' {
		i, name, err := d.member(s)
		if err != nil {
			return err
		}
		d.push(step{name: name})
		switch {
		case i < 0:
			d.fault("is not a known field")
			err = d.in.SkipValue()
		case seen[i]:
			d.fault("is given twice")
			err = d.in.SkipValue()
		default:
			seen[i] = true
			err = d.value(s.fields[i].shape, v.FieldByIndex(s.fields[i].index))
		}
		if err != nil {
			return err
		}
		d.pop()
	}
	for i, f := range s.fields {
		if f.required && !seen[i] {
			d.push(step{name: f.name})
			d.fault("is missing")
			d.pop()
		}
	}
	_, err := d.in.ReadToken()
	return err
}

// member reads a name and finds its field; -1 means unknown.
func (d *decoder) member(s *shape) (int, string, error) {
	raw, err := d.in.ReadValue()
	if err != nil {
		return 0, "", err
	}
	// The common case compares bytes and allocates nothing.
	if i, ok := s.byName[string(raw[1:len(raw)-1])]; ok {
		return i, s.fields[i].name, nil
	}
	name, err := name(raw)
	if err != nil {
		return 0, "", err
	}
	if i, ok := s.byName[name]; ok {
		return i, name, nil
	}
	return -1, clip(name), nil
}

func name(raw jsontext.Value) (string, error) {
	b, err := jsontext.AppendUnquote(nil, raw)
	return string(b), err
}

// clip keeps a stranger's name from filling the answer, and from looking
// like an index.
func clip(name string) string {
	if len(name) > 64 {
		name = strings.ToValidUTF8(name[:64], "") + "…"
	}
	if name == "" {
		return `""`
	}
	return name
}

func (d *decoder) list(s *shape, v reflect.Value) error {
	if _, err := d.in.ReadToken(); err != nil {
		return err
	}
	if v.IsNil() {
		v.Set(reflect.MakeSlice(s.typ, 0, 4))
	}
	v.SetLen(0)
	for i := 0; d.in.PeekKind() != ']'; i++ {
		v.Grow(1)
		v.SetLen(i + 1)
		v.Index(i).SetZero()
		d.push(step{index: i})
		if err := d.value(s.elem, v.Index(i)); err != nil {
			return err
		}
		d.pop()
	}
	_, err := d.in.ReadToken()
	return err
}

func (d *decoder) dictionary(s *shape, v reflect.Value) error {
	if _, err := d.in.ReadToken(); err != nil {
		return err
	}
	v.Set(reflect.MakeMap(s.typ))
	for d.in.PeekKind() != '}' {
		raw, err := d.in.ReadValue()
		if err != nil {
			return err
		}
		key, err := name(raw)
		if err != nil {
			return err
		}
		d.push(step{name: clip(key)})
		if strings.ContainsRune(key, 0) {
			d.fault("must not contain the character U+0000")
		}
		k := reflect.ValueOf(key).Convert(s.typ.Key())
		if v.MapIndex(k).IsValid() {
			d.fault("is given twice")
		}
		elem := reflect.New(s.elem.typ).Elem()
		if err := d.value(s.elem, elem); err != nil {
			return err
		}
		v.SetMapIndex(k, elem)
		d.pop()
	}
	_, err := d.in.ReadToken()
	return err
}

func (d *decoder) pointer(s *shape, v reflect.Value) error {
	v.Set(reflect.New(s.elem.typ))
	if d.in.PeekKind() == 'n' { // of **T: see value
		return d.in.SkipValue()
	}
	return d.value(s.elem, v.Elem())
}

// scalar decodes a value without members and returns what is wrong with it.
func scalar(s *shape, v reflect.Value, raw jsontext.Value) string {
	switch got := raw.Kind(); s.kind {
	case text:
		return setText(v, raw)
	case boolean:
		if got != 't' && got != 'f' {
			return "must be true or false"
		}
		v.SetBool(got == 't')
	case integer:
		n, err := strconv.ParseInt(string(raw), 10, v.Type().Bits())
		if err != nil {
			return numberProblem(raw, "must be a whole number")
		}
		v.SetInt(n)
	case unsigned:
		n, err := strconv.ParseUint(string(raw), 10, v.Type().Bits())
		if err != nil {
			return numberProblem(raw, "must be a whole number, not negative")
		}
		v.SetUint(n)
	case float:
		f, err := strconv.ParseFloat(string(raw), v.Type().Bits())
		if err != nil {
			return numberProblem(raw, "must be a number")
		}
		v.SetFloat(f)
	case object, dictionary:
		return "must be an object"
	case list:
		return "must be a list"
	case instant:
		return setTime(v, raw)
	default:
		return setOther(s, v, raw)
	}
	return ""
}

// numberProblem tells a number that does not fit from what is none.
func numberProblem(raw jsontext.Value, otherwise string) string {
	if raw.Kind() == '0' && (otherwise == "must be a number" || !strings.ContainsAny(string(raw), ".eE-")) {
		return "is out of range"
	}
	return otherwise
}

func setText(v reflect.Value, raw jsontext.Value) string {
	if raw.Kind() != '"' {
		return "must be a string"
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return "must be a string"
	}
	for _, c := range b {
		if c == 0 { // no database takes it
			return "must not contain the character U+0000"
		}
	}
	v.SetString(string(b))
	return ""
}

func setTime(v reflect.Value, raw jsontext.Value) string {
	const problem = "must be a time as in RFC 3339, such as 2026-11-23T08:30:00Z"
	var t time.Time
	if raw.Kind() != '"' || t.UnmarshalJSON(raw) != nil {
		return problem
	}
	t = t.UTC()
	if t.Year() < 1 || t.Year() > 9999 { // the offset moved it out
		return problem
	}
	v.Set(reflect.ValueOf(t))
	return ""
}

func setOther(s *shape, v reflect.Value, raw jsontext.Value) string {
	if !raw.IsValid() { // the decoder let duplicates pass, to name them
		return "must not give a name twice"
	}
	var err error
	switch into := v.Addr().Interface().(type) {
	case json.Unmarshaler:
		err = into.UnmarshalJSON(raw)
	case encoding.TextUnmarshaler:
		var word []byte
		if raw.Kind() != '"' {
			return "must be a string"
		}
		if word, err = jsontext.AppendUnquote(nil, raw); err == nil {
			err = into.UnmarshalText(word)
		}
	default:
		if jsonx.Unmarshal(raw, into, jsonx.RejectUnknownMembers(true)) != nil {
			return fmt.Sprintf("must be of another type (%s)", s.typ.Kind())
		}
	}
	if err != nil {
		return "is not valid: " + err.Error()
	}
	return ""
}
