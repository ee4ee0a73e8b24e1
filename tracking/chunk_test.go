package tracking

import (
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"courier/geo"
)

func TestChunkRoundTrip(t *testing.T) {
	optional := func(t *rapid.T, most float64, name string) *float64 {
		if !rapid.Bool().Draw(t, name+" given") {
			return nil
		}
		v := rapid.Float64Range(0, most).Draw(t, name)
		return &v
	}
	near := func(a, b *float64, within float64) bool {
		if a == nil || b == nil {
			return a == b
		}
		d := math.Abs(*a - *b)
		return min(d, math.Abs(d-360)) <= within
	}
	rapid.Check(t, func(t *rapid.T) {
		sent := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Fix {
			return Fix{
				Courier:  "c1",
				Time:     noon.Add(time.Duration(rapid.Int64Range(-1e11, 1e11).Draw(t, "µs")) * time.Microsecond),
				Point:    geo.Point{Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lng: rapid.Float64Range(-180, 180).Draw(t, "lng")},
				Accuracy: rapid.Float64Range(0, 1e6).Draw(t, "accuracy"),
				Speed:    optional(t, maxSpeed, "speed"),
				Heading:  optional(t, 359.999, "heading"),
			}
		}), 1, 50, func(f Fix) int64 { return f.Time.UnixMilli() }).Draw(t, "fixes")
		c := EncodeChunk("c1", sent)
		got, err := DecodeChunk(c)
		if err != nil {
			t.Fatal(err)
		}
		byTime := map[int64]Fix{}
		for _, f := range sent {
			byTime[f.Time.UnixMilli()] = f
		}
		if len(got) != len(sent) || c.Count != len(sent) || !c.From.Equal(got[0].Time) || !c.To.Equal(got[len(got)-1].Time) {
			t.Fatalf("%d fixes sent, %d got, chunk %+v", len(sent), len(got), c)
		}
		for _, g := range got {
			f := byTime[g.Time.UnixMilli()]
			if math.Abs(f.Lat-g.Lat) > 6e-7 || math.Abs(f.Lng-g.Lng) > 6e-7 || math.Abs(f.Accuracy-g.Accuracy) > 0.051 ||
				!near(f.Speed, g.Speed, 0.0051) || !near(f.Heading, g.Heading, 0.051) {
				t.Fatalf("sent %+v, got %+v", f, g)
			}
		}
	})
}

func TestChunkIsCompact(t *testing.T) {
	speed, heading := 6.1, 90.0
	var fixes []Fix
	for i := range 100 {
		fixes = append(fixes, with(at(time.Duration(i)*time.Second, float64(i)*6), func(f *Fix) { f.Speed, f.Heading = &speed, &heading }))
	}
	if c := EncodeChunk("c1", fixes); len(c.Data) > 12*len(fixes) {
		t.Errorf("%d bytes for %d fixes", len(c.Data), len(fixes))
	}
}

func TestDecodeChunkRefuses(t *testing.T) {
	good := EncodeChunk("c1", []Fix{at(0, 0), at(time.Second, 5)})
	for name, c := range map[string]Chunk{
		"nothing":             {},
		"another version":     {Count: 2, Data: append([]byte{9}, good.Data[1:]...)},
		"a cut chunk":         {Count: 2, Data: good.Data[:len(good.Data)-1]},
		"more fixes promised": {Count: 3, Data: good.Data},
		"fewer promised":      {Count: 1, Data: good.Data},
		"less than none":      {Count: -1, Data: good.Data},
		"a great many":        {Count: math.MaxInt, Data: good.Data},
		"a tail":              {Count: 2, Data: append(append([]byte{}, good.Data...), 0)},
		"back in time":        {Count: 2, Data: []byte{1, 20, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}},
		"beyond the pole":     {Count: 1, Data: []byte{1, 0, 0x82, 0xa8, 0xd2, 0xab, 0x05, 0, 0, 0, 0, 0}},
	} {
		if fixes, err := DecodeChunk(c); !errors.Is(err, ErrChunk) || fixes != nil {
			t.Errorf("%s: %v, %v", name, fixes, err)
		}
	}
}

func FuzzDecodeChunk(f *testing.F) {
	speed, heading := 6.1, 359.0
	f.Add(EncodeChunk("c1", []Fix{at(0, 0), at(time.Second, 5)}).Data, 2)
	f.Add(EncodeChunk("c1", []Fix{with(at(0, 0), func(f *Fix) { f.Speed, f.Heading = &speed, &heading })}).Data, 1)
	f.Add([]byte{1}, 0)
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0}, 1)
	f.Fuzz(func(t *testing.T, data []byte, count int) {
		fixes, err := DecodeChunk(Chunk{Courier: "c1", Count: count, Data: data})
		if err != nil {
			if !errors.Is(err, ErrChunk) {
				t.Fatalf("not an ErrChunk: %v", err)
			}
			return
		}
		for i, f := range fixes {
			if f.Validate() != nil || f.Heading != nil && *f.Heading >= 360 || i > 0 && f.Time.Before(fixes[i-1].Time) {
				t.Fatalf("no fix: %+v", f)
			}
		}
		again, err := DecodeChunk(EncodeChunk("c1", fixes))
		if err != nil || !reflect.DeepEqual(again, fixes) {
			t.Fatalf("round trip: %v\n got %+v\nwant %+v", err, again, fixes)
		}
	})
}
