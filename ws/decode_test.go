package ws

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"courier/internal/strict"
	"courier/tracking"
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
		`{"type":"resume","seq":3,"patience":2.5}`, `{"type":"resume","seq":3,"patience":-1}`, `{"type":"resume","seq":3,"patience":61}`,
		`{"type":"duty","id":"a1","duty":"available"}`,
		`{"type":"fixes","id":"a2","fixes":[{"time":"2026-11-23T10:00:00Z","lat":52.1,"lng":4.3,"accuracy":8,"speed":6.1,"heading":90}]}`,
		`{"type":"fixes","id":"a2","fixes":[{"time":"2026-11-23T10:00:00+01:00","lat":91,"lng":-0.0,"accuracy":1e300}]}`,
		`{"type":"offer.accept","id":"a3","offer":"019"}`,
		`{"type":"offer.decline","id":"a4","offer":"019","reason":"too_far"}`,
		`{"type":"stop.arrive","id":"a5","order":"019","kind":"pickup","at":"2026-11-23T10:00:00Z"}`,
		`{"type":"stop.complete","id":"a6","order":"019","kind":"dropoff","proof":{"pin":"4711","note":"handed over"}}`,
		`{"type":"stop.fail","id":"a7","order":"019","kind":"return","reason":"no_answer","note":"rang twice"}`)
}

// The fast way takes nothing that strict would not, and never reads anything
// else into it.
func FuzzFastFixes(f *testing.F) {
	for _, s := range []string{
		`{"type":"fixes","id":"a2","fixes":[{"time":"2026-11-23T10:00:00Z","lat":52.1,"lng":-4.3,"accuracy":8,"speed":6.1,"heading":90}]}`,
		`{"id":"a","fixes":[{"lat":0,"lng":-0,"accuracy":0.50,"time":"2026-11-23T10:00:00.123456789Z"},{"lat":1,"lng":1,"accuracy":1,"time":"0001-01-01T00:00:00Z"}],"type":"fixes"}`,
		`{"type":"fixes","id":"a","fixes":[]}`, `{"type":"fixes","id":"a","fixes":[{"time":"2026-11-23T10:00:00Z","lat":01,"lng":1,"accuracy":1}]}`,
		`{"type":"fixes","id":"a","fixes":[{"time":"2026-11-23T10:00:00Z","lat":1e5,"lng":1.,"accuracy":+1}]}`,
		`{"type":"fixes","id":"a","id":"b","fixes":[{"time":"2026-11-23t10:00:60Z","lat":1,"lat":2,"lng":1,"accuracy":1}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var fast, slow fixesIn
		if !fastFixes(raw, &fast) {
			return
		}
		if err := strict.Decode(raw, &slow); err != nil {
			t.Fatalf("strict refuses: %v", err)
		}
		if !reflect.DeepEqual(fast, slow) {
			t.Fatalf("fast %+v\nslow %+v", fast, slow)
		}
	})
}

func FuzzTheFastAckIsTheUsualOne(f *testing.F) {
	for _, id := range []string{"a2", `"\\/<>&`, "Zoë\u2028\x00", "\xff", strings.Repeat("x", 300), ""} {
		f.Add(id, 10)
	}
	f.Fuzz(func(t *testing.T, id string, accepted int) {
		fast, ok := fastAck(id, tracking.Result{Accepted: accepted})
		if !ok {
			return
		}
		slow, err := new(scratch).encode(&ack{Type: "ack", ID: id, OK: true, Accepted: &accepted})
		if err != nil || !bytes.Equal(fast, slow) {
			t.Fatalf("fast %q\nslow %q (%v)", fast, slow, err)
		}
	})
}

func TestTheUsualFrameGoesTheFastWay(t *testing.T) {
	usual := `{"type":"fixes","id":"a2","fixes":[{"time":"2026-11-23T10:00:00.123Z","lat":52.1,"lng":-4.3,"accuracy":8,"speed":6.1,"heading":90},{"time":"2026-11-23T10:00:01Z","lat":52,"lng":4,"accuracy":8}]}`
	if !fastFixes([]byte(usual), &fixesIn{}) {
		t.Error("it does not")
	}
	if _, ok := fastAck("a2", tracking.Result{Accepted: 10}); !ok {
		t.Error("its answer does not")
	}
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
