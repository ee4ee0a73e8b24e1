package ws

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// Every frame that is taken means what it says: written out again and read
// again it is the same.
func fuzzDecoder(f *testing.F, decode func([]byte) (any, error), seeds ...string) {
	for _, s := range append(seeds,
		`{"type":"auth","token":"x"}`, `{"type":"resume","seq":0}`, `{"seq":9007199254740993,"type":"resume"}`,
		`{"type":"resume","seq":-1}`, `{"type":"resume","seq":1,"seq":2}`, `{"type":"auth","token":null}`, `{`, `[]`, `null`, ``,
		`{"type":"\u0061uth","token":"x"}`, "{\"type\":\"auth\",\"token\":\"\xff\"}", `{"id":"x","type":7}`,
	) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		in := strings.Clone(string(raw))
		frame, err := decode(raw)
		if string(raw) != in {
			t.Fatal("the input was changed")
		}
		if err != nil {
			var fault *frameError
			if !errors.As(err, &fault) || fault.Detail == "" {
				t.Fatalf("%v is no answer to a client", err)
			}
			return
		}
		out, err := json.Marshal(frame)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decode(out)
		if err != nil || !reflect.DeepEqual(frame, again) {
			t.Fatalf("%s became %s: %v", raw, out, err)
		}
	})
}

func FuzzDecodeCourier(f *testing.F) {
	fuzzDecoder(f, decodeCourier,
		`{"type":"duty","id":"a1","duty":"available"}`,
		`{"type":"fixes","id":"a2","fixes":[{"time":"2026-11-23T10:00:00Z","lat":52.1,"lng":4.3,"accuracy":8,"speed":6.1,"heading":90}]}`,
		`{"type":"fixes","id":"a2","fixes":[{"time":"2026-11-23T10:00:00+01:00","lat":91,"lng":-0.0,"accuracy":1e300}]}`,
		`{"type":"offer.accept","id":"a3","offer":"019"}`,
		`{"type":"offer.decline","id":"a4","offer":"019","reason":"too_far"}`,
		`{"type":"stop.arrive","id":"a5","order":"019","kind":"pickup","at":"2026-11-23T10:00:00Z"}`,
		`{"type":"stop.complete","id":"a6","order":"019","kind":"dropoff","proof":{"pin":"4711","note":"handed over"}}`,
		`{"type":"stop.fail","id":"a7","order":"019","kind":"return","reason":"no_answer","note":"rang twice"}`)
}

func FuzzDecodeTrack(f *testing.F) { fuzzDecoder(f, decodeTrack) }

func FuzzDecodeFleet(f *testing.F) {
	fuzzDecoder(f, decodeFleet,
		`{"type":"view","bounds":{"south":52.0,"west":4.2,"north":52.2,"east":4.4},"zoom":13,"cells":true}`,
		`{"type":"view","bounds":{"south":53.0,"west":4.2,"north":52.2,"east":4.4},"zoom":-1}`)
}

func TestDecodeRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ frame, code, id, detail string }{
		"an unknown duty":           {`{"type":"duty","id":"a","duty":"busy"}`, "invalid", "a", "duty must be"},
		"a long id":                 {`{"type":"duty","id":"` + strings.Repeat("x", 65) + `","duty":"off"}`, "invalid", "", "1 to 64"},
		"an empty id":               {`{"type":"duty","id":"","duty":"off"}`, "invalid", "", "1 to 64"},
		"no id":                     {`{"type":"duty","duty":"off"}`, "invalid", "", "id is missing"},
		"an unknown decline reason": {`{"type":"offer.decline","id":"a","offer":"o","reason":"bored"}`, "invalid", "a", "reason must be one of"},
		"an unknown fail reason":    {`{"type":"stop.fail","id":"a","order":"o","kind":"pickup","reason":"bored"}`, "invalid", "a", "reason must be one of"},
		"an unknown stop":           {`{"type":"stop.arrive","id":"a","order":"o","kind":"lunch"}`, "invalid", "a", "kind must be one of"},
		"no latitude":               {`{"type":"fixes","id":"a","fixes":[{"time":"2026-11-23T10:00:00Z","lng":1,"accuracy":1}]}`, "invalid", "a", "fixes[0].lat is missing"},
		"201 fixes":                 {`{"type":"fixes","id":"a","fixes":[` + strings.TrimSuffix(strings.Repeat(`{"time":"2026-11-23T10:00:00Z","lat":1,"lng":1,"accuracy":1},`, 201), ",") + `]}`, "invalid", "a", "1 to 200"},
		"no JSON":                   {`{"type":"duty","id":"a"`, "malformed", "", ""},
		"two values":                {`{"type":"duty","id":"a","duty":"off"}{}`, "malformed", "", ""},
		"another type of type":      {`{"type":["duty"],"id":"a"}`, "invalid", "a", "type"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decodeCourier([]byte(tt.frame))
			var fault *frameError
			if !errors.As(err, &fault) || fault.Code != tt.code || fault.ID != tt.id || !strings.Contains(fault.Detail, tt.detail) {
				t.Errorf("got %#v", err)
			}
		})
	}
	if _, err := decodeTrack([]byte(`{"type":"duty","id":"a","duty":"off"}`)); err == nil {
		t.Error("a customer may set a duty")
	}
	if _, err := decodeFleet([]byte(`{"type":"view","bounds":{"south":1,"west":0,"north":0,"east":1},"zoom":3}`)); err == nil {
		t.Error("bounds upside down were taken")
	}
}
