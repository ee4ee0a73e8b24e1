package redis

import (
	"reflect"
	"testing"
	"time"

	"courier/geo"
	"courier/tracking"
)

func FuzzDecodeMessage(f *testing.F) {
	speed := 6.25
	f.Add(string(encodeMessage(7, nil)))
	f.Add(string(encodeFollowed(7, []tracking.Fix{{Courier: "c1", Time: morning, Received: morning, Point: geo.Point{Lat: 52, Lng: 4}, Trace: "00-a"}})))
	f.Add(string(encodeMessage(7, []tracking.Fix{
		{Courier: "c1", Time: morning, Received: morning.Add(time.Second), Point: geo.Point{Lat: 52, Lng: 4}, Accuracy: 8, Speed: &speed},
		{Courier: "", Time: time.Time{}, Point: geo.Point{Lat: -90, Lng: 180}},
	})))
	f.Fuzz(func(t *testing.T, raw string) {
		fixes, err := decodeMessage(raw)
		if err != nil {
			return // and no panic
		}
		again, err := decodeMessage(string(encodeMessage(senderOf(raw), fixes)))
		if err != nil || len(again) != len(fixes) {
			t.Fatalf("%d fixes become %d, %v", len(fixes), len(again), err)
		}
		for i := range fixes {
			if fixes[i].Courier != again[i].Courier || fixes[i].Point != again[i].Point {
				t.Errorf("%+v becomes %+v", fixes[i], again[i])
			}
		}
	})
}

func TestRecordComesBack(t *testing.T) {
	heading := 359.5
	want := tracking.Fix{
		Courier: "c1", Time: morning.Add(123456 * time.Microsecond), Received: morning, Accuracy: 8.5, Heading: &heading,
		Point: geo.Point{Lat: 89.123456789, Lng: -179.987654321},
	}
	head := make([]byte, recordHead)
	r, err := readRecord("c1", string(appendBody(head, &want)))
	if err != nil || !reflect.DeepEqual(r.fix, want) {
		t.Errorf("%+v becomes %+v, %v", want, r.fix, err)
	}
	for _, broken := range []string{"", "short", string(make([]byte, recordHead+bodySize+1))} {
		if _, err := readRecord("c1", broken); err == nil {
			t.Errorf("%q is a record", broken)
		}
	}
}

// What is followed goes apart, with its span; the rest as ever, so that a node
// which knows no spans goes without a few fixes at most.
func TestFollowedFixesKeepTheirSpan(t *testing.T) {
	fix := func(courier, span string) tracking.Fix {
		return tracking.Fix{Courier: courier, Time: morning, Received: morning, Point: geo.Point{Lat: 52, Lng: 4}, Accuracy: 8, Trace: span}
	}
	all := []tracking.Fix{fix("c1", ""), fix("c2", "00-span-of-c2"), fix("c3", "")}
	others, those := apart(all)
	for name, tt := range map[string]struct {
		message []byte
		want    []tracking.Fix
	}{
		"others": {encodeMessage(7, others), []tracking.Fix{all[0], all[2]}}, "followed": {encodeFollowed(7, those), all[1:2]},
	} {
		got, err := decodeMessage(string(tt.message))
		if err != nil || !reflect.DeepEqual(got, tt.want) || senderOf(string(tt.message)) != 7 {
			t.Errorf("%s: %+v become %+v of %d, %v", name, tt.want, got, senderOf(string(tt.message)), err)
		}
		for n := range len(tt.message) - 1 {
			_, _ = decodeMessage(string(tt.message[:n])) // and no panic
		}
	}
}
