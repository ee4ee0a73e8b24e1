package strict_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"courier/geo"
	"courier/internal/strict"
	"courier/tracking"
)

type place struct {
	Point geo.Point `json:"point"`
	Note  string    `json:"note,omitempty"`
}

type order struct {
	Pickup   place                `json:"pickup"`
	Size     int8                 `json:"size"`
	Priority uint                 `json:"priority,omitempty"`
	By       *time.Time           `json:"by,omitempty"`
	Fragile  bool                 `json:"fragile,omitempty"`
	Skills   []string             `json:"skills,omitempty"`
	Times    map[string]time.Time `json:"times,omitempty"`
	Shift    **place              `json:"shift,omitempty"`
	Area     geo.Area             `json:"area,omitzero"`
	Extra    json.RawMessage      `json:"extra,omitempty"`
	hidden   int                  //nolint:unused // that it cannot be set is a case
}

const pickup = `"pickup":{"point":{"lat":1,"lng":2}},"size":1`

func TestDecodeRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"everything missing":           {`{}`, "pickup is missing; size is missing"},
		"missing deep inside":          {`{"pickup":{"point":{"lat":1}},"size":1}`, "pickup.point.lng is missing"},
		"unknown":                      {`{` + pickup + `,"colour":{"a":[1]}}`, "colour is not a known field"},
		"names differ by case":         {`{` + pickup + `,"Size":2}`, "Size is not a known field"},
		"unexported":                   {`{` + pickup + `,"hidden":2}`, "hidden is not a known field"},
		"twice":                        {`{` + pickup + `,"size":2}`, "size is given twice"},
		"twice, once in escapes":       {`{` + pickup + `,"\u0073ize":2}`, "size is given twice"},
		"twice deep inside":            {`{"pickup":{"point":{"lat":1,"lat":1,"lng":2}},"size":1}`, "pickup.point.lat is given twice"},
		"number as string":             {`{"pickup":{"point":{"lat":"1","lng":2}},"size":1}`, "pickup.point.lat must be a number"},
		"string as number":             {`{"pickup":{"point":{"lat":1,"lng":2},"note":3},"size":1}`, "pickup.note must be a string"},
		"fraction for a whole number":  {`{"pickup":{"point":{"lat":1,"lng":2}},"size":1.5}`, "size must be a whole number"},
		"too great for its type":       {`{"pickup":{"point":{"lat":1,"lng":2}},"size":128}`, "size is out of range"},
		"too great for any number":     {`{"pickup":{"point":{"lat":1e999,"lng":2}},"size":1}`, "pickup.point.lat is out of range"},
		"negative":                     {`{` + pickup + `,"priority":-1}`, "priority must be a whole number, not negative"},
		"not a bool":                   {`{` + pickup + `,"fragile":"true"}`, "fragile must be true or false"},
		"null":                         {`{"pickup":null,"size":null}`, "pickup must not be null; size must not be null"},
		"null for a pointer":           {`{` + pickup + `,"by":null}`, "by must not be null"},
		"not a time":                   {`{` + pickup + `,"by":"yesterday"}`, "by must be a time as in RFC 3339, such as 2026-11-23T08:30:00Z"},
		"a time without a zone":        {`{` + pickup + `,"by":"2026-11-23T08:30:00"}`, "by must be a time as in RFC 3339, such as 2026-11-23T08:30:00Z"},
		"a list's element":             {`{` + pickup + `,"skills":["a",2]}`, "skills[1] must be a string"},
		"an object for a list":         {`{` + pickup + `,"skills":{}}`, "skills must be a list"},
		"a list for an object":         {`{"pickup":[],"size":1}`, "pickup must be an object"},
		"a map's value":                {`{` + pickup + `,"times":{"a":1}}`, "times.a must be a time as in RFC 3339, such as 2026-11-23T08:30:00Z"},
		"a map's key twice":            {`{` + pickup + `,"times":{"a":"2026-11-23T08:30:00Z","a":"2026-11-23T08:30:00Z"}}`, "times.a is given twice"},
		"U+0000":                       {`{"pickup":{"point":{"lat":1,"lng":2},"note":"a\u0000"},"size":1}`, "pickup.note must not contain the character U+0000"},
		"inside what decodes itself":   {`{` + pickup + `,"area":{"type":"Point"}}`, `area is not valid: not a GeoJSON Polygon or MultiPolygon: type "Point"`},
		"twice in what decodes itself": {`{` + pickup + `,"area":{"type":"Point","type":"Point"}}`, `area must not give a name twice`},
		"all at once":                  {`{"size":"1","x":0,"pickup":{"point":{"lng":true}}}`, "size must be a whole number; x is not a known field; pickup.point.lng must be a number; pickup.point.lat is missing"},
		"another type altogether":      {`[]`, "must be an object"},
		"a nameless member":            {`{` + pickup + `,"":1}`, `"" is not a known field`},
	} {
		t.Run(name, func(t *testing.T) {
			var o order
			err := strict.Decode([]byte(tt.in), &o)
			var e *strict.Error
			if !errors.As(err, &e) || e.Malformed {
				t.Fatalf("got %v, want an *Error that is not malformed", err)
			}
			if got := strings.TrimPrefix(e.Error(), "invalid: "); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestDecodeMalformed(t *testing.T) {
	for name, in := range map[string]string{
		"nothing": ``, "spaces": "  ", "cut off": `{"size":1`, "trailing value": `{` + pickup + `} {}`, "trailing letter": `{` + pickup + `}x`,
		"trailing comma": `{` + pickup + `,}`, "comment": `{` + pickup + `}//`, "NaN": `{"size":NaN}`, "bad UTF-8": "{\"pickup\":{\"note\":\"\xff\"}}",
		"half a surrogate": `{"pickup":{"note":"\ud800"}}`, "name is no string": `{1:2}`, "too deep": strings.Repeat(`{"extra":`, 11000),
	} {
		t.Run(name, func(t *testing.T) {
			var o order
			var e *strict.Error
			if err := strict.Decode([]byte(in), &o); !errors.As(err, &e) || !e.Malformed || len(e.Fields) != 1 {
				t.Fatalf("got %#v, want a malformed *Error", err)
			}
		})
	}
}

func TestDecodeAccepts(t *testing.T) {
	var o order
	in := `{"pickup":{"point":{"lat":-1.5e1,"lng":0},"note":"a\"\u00e9"},"size":-128,"priority":9,"by":"2026-11-23T10:30:00+02:00",` +
		`"fragile":true,"skills":[],"times":{"x":"2026-11-23T08:30:00Z"},"shift":null,"extra":{"any":[null]}}`
	if err := strict.Decode([]byte(in), &o); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 8, 30, 0, 0, time.UTC)
	none := (*place)(nil)
	want := order{
		Pickup: place{Point: geo.Point{Lat: -15}, Note: `a"é`}, Size: -128, Priority: 9, By: &at, Fragile: true, Skills: []string{},
		Times: map[string]time.Time{"x": at}, Shift: &none, Extra: json.RawMessage(`{"any":[null]}`),
	}
	if !reflect.DeepEqual(o, want) {
		t.Errorf("got  %+v\nwant %+v", o, want)
	}
	if o.Shift == nil || *o.Shift != nil {
		t.Error("null for a **T must give a pointer to nil")
	}
}

func TestDecodeFlattensEmbedded(t *testing.T) {
	var f tracking.Fix
	if err := strict.Decode([]byte(`{"time":"2026-11-23T08:30:00Z","lat":1,"lng":2,"accuracy":3}`), &f); err != nil || f.Lat != 1 || f.Lng != 2 {
		t.Errorf("got %+v, %v", f, err)
	}
	if err := strict.Decode([]byte(`{"time":"2026-11-23T08:30:00Z","lat":1,"accuracy":3}`), &f); err == nil || err.Error() != "invalid: lng is missing" {
		t.Errorf("got %v", err)
	}
}

func TestDecodeBoundsItsAnswer(t *testing.T) {
	var in strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&in, `,"%s%d":1`, strings.Repeat("x", 500), i)
	}
	var o order
	var e *strict.Error
	if err := strict.Decode([]byte(`{`+pickup+in.String()+`}`), &o); !errors.As(err, &e) || len(e.Fields) > 32 || len(e.Error()) > 4000 {
		t.Errorf("%d fields, %d bytes", len(e.Fields), len(e.Error()))
	}
}

func TestDecodeRecursiveTypes(t *testing.T) {
	type node struct {
		Kids []node `json:"kids,omitempty"`
	}
	var n node
	if err := strict.Decode([]byte(`{"kids":[{"kids":[{}]},{"kid":1}]}`), &n); err == nil || err.Error() != "invalid: kids[1].kid is not a known field" {
		t.Errorf("got %v", err)
	}
}

func TestDecodeNamesTheProgrammersFault(t *testing.T) {
	type base struct{ A int }
	type derived struct{ *base }
	var e *strict.Error
	for _, into := range []any{nil, order{}, (*order)(nil), &derived{}} {
		if err := strict.Decode([]byte(`{}`), into); err == nil || errors.As(err, &e) {
			t.Errorf("%T: got %v, want an error that is no *Error", into, err)
		}
	}
}

// FuzzDecode: never a panic; what is accepted, encoding/json accepts with
// the same meaning.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{` + pickup + `,"skills":["a"],"times":{"x":"2026-11-23T08:30:00Z"},"extra":[1]}`))
	f.Add([]byte(`{"pickup":{"point":{"lat":1,"lat":2}}}`))
	f.Add([]byte(`{"\u0073ize":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got, want order
		if err := strict.Decode(raw, &got); err != nil {
			var e *strict.Error
			if !errors.As(err, &e) || len(e.Fields) == 0 {
				t.Fatalf("%#v", err)
			}
			return
		}
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatalf("encoding/json refuses what was accepted: %v", err)
		}
		a, _ := json.Marshal(got)
		var again order
		if err := strict.Decode(a, &again); err != nil && got.Shift == nil {
			t.Fatalf("its own output is refused: %v\n%s", err, a)
		}
		if !got.Pickup.equal(want.Pickup) || got.Size != want.Size {
			t.Fatalf("got %+v, encoding/json %+v", got, want)
		}
	})
}

func (p place) equal(q place) bool { return p == q }

func BenchmarkDecode(b *testing.B) {
	fix := `{"time":"2026-11-23T08:30:00Z","lat":52.123456,"lng":4.323456,"accuracy":8,"speed":6.1,"heading":90}`
	for _, n := range []int{1, 10, 200} {
		frame := []byte(`{"type":"fixes","id":"a2","fixes":[` + strings.Repeat(fix+",", n-1) + fix + `]}`)
		b.Run(fmt.Sprintf("fixes=%d", n), func(b *testing.B) {
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				var f struct {
					Type  string         `json:"type"`
					ID    string         `json:"id"`
					Fixes []tracking.Fix `json:"fixes"`
				}
				if err := strict.Decode(frame, &f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
