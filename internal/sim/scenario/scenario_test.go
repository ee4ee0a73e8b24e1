package scenario

import (
	"math"
	"strings"
	"testing"
	"time"

	"courier/geo"
	"courier/internal/sim/city"
)

func TestMDRPFollowsTheRules(t *testing.T) {
	m, err := NewMDRP(MDRPConfig{Dir: "testdata/mdrp", Center: geo.Point{Lat: 52, Lng: 4}})
	if err != nil {
		t.Fatal(err)
	}
	c := m.Couriers()[0]
	if c.From != time.Minute || c.To != 71*time.Minute {
		t.Errorf("on duty from %v to %v", c.From, c.To)
	}
	first, _ := m.Next()
	second, _ := m.Next()
	if _, more := m.Next(); more || first.Name != "o1" || second.Name != "o2" {
		t.Errorf("orders out of order: %s, %s", first.Name, second.Name)
	}
	if first.At != 2*time.Minute || first.Ready != 11*time.Minute {
		t.Errorf("placed at %v, ready at %v", first.At, first.Ready)
	}
	// 9 minutes to prepare, 2 to leave, 1 to travel exactly 320 m, 2 to hand over.
	if first.DeliverBy != 42*time.Minute { // the target is 40
		t.Errorf("promised for %v", first.DeliverBy)
	}
	if first.Floor != 14*time.Minute {
		t.Errorf("floor %v", first.Floor)
	}
	if got := m.Leg(first.Pickup.Point, first.Dropoff.Point, geo.Car).Time; got != time.Minute {
		t.Errorf("320 m took %v", got)
	}
	if got := m.Leg(second.Pickup.Point, second.Dropoff.Point, geo.Car).Time; got != 7*time.Minute {
		t.Errorf("2200 m took %v", got)
	}
	if got := geo.Distance(second.Pickup.Point, second.Dropoff.Point); math.Abs(got-2200) > 2 {
		t.Errorf("2200 m are %.1f m on the map", got)
	}
	if s := m.Service("dropoff"); s.Before != 2*time.Minute || s.After != 2*time.Minute {
		t.Errorf("service %v", s)
	}
}

func TestTracesBecomeFares(t *testing.T) {
	tr, err := NewTraces(TracesConfig{File: "testdata/cabs.tsv.gz", Window: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.Couriers()) != 2 || len(tr.Couriers()[1].Trace) != 3 {
		t.Errorf("%d cabs", len(tr.Couriers()))
	}
	// b was occupied from the start: where that fare began is not recorded.
	o, ok := tr.Next()
	if _, more := tr.Next(); !ok || more {
		t.Fatal("not exactly one fare")
	}
	if o.At != 100*time.Second || o.Ready != 400*time.Second || o.Pickup.Point.Lat != 37.72 || o.Dropoff.Point.Lat != 37.74 {
		t.Errorf("%+v", o)
	}
	trace := tr.Couriers()[0].Trace
	if got := Recorded(trace, 30*time.Second); math.Abs(got.Lat-37.705) > 1e-9 {
		t.Errorf("between two fixes at %v", got)
	}
	if late, err := NewTraces(TracesConfig{File: "testdata/cabs.tsv.gz", From: 2 * time.Hour}); err != nil || len(late.Couriers()) != 1 {
		t.Errorf("the late window: %v", err)
	}
}

func TestLegPosition(t *testing.T) {
	a := geo.Point{Lat: 52, Lng: 4}
	l := straight(a, a.Offset(0, 1000), 10)
	p, heading := l.Position(50 * time.Second)
	if d := geo.Distance(a, p); math.Abs(d-500) > 1 || heading > 0.1 && heading < 359.9 {
		t.Errorf("%.0f m, heading %.0f", d, heading)
	}
	if p, _ := l.Position(time.Hour); p != l.Path[1] {
		t.Error("went past the end")
	}
}

func TestCityDay(t *testing.T) {
	c, err := city.New(city.Config{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	day := func() *City {
		s, err := NewCity(CityConfig{City: c, Seed: 4, Couriers: 50, OrdersPerHour: 100, Start: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), Duration: 24 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a, b := day(), day()
	hours := [24]int{}
	total := 0
	for {
		o, ok := a.Next()
		p, _ := b.Next()
		if o.Name != p.Name || o.At != p.At || o.Pickup != p.Pickup || o.Dropoff != p.Dropoff {
			t.Fatal("two days of one seed differ")
		}
		if !ok {
			break
		}
		hours[int(o.At.Hours())]++
		total++
	}
	if total < 1800 || total > 3000 {
		t.Errorf("%d orders in a day of 100 an hour", total)
	}
	if hours[19] < 2*hours[16] || hours[12] < 2*hours[9] || hours[3] > 50 {
		t.Errorf("no rhythm: %v", hours)
	}
	if len(a.Couriers()) != 50 {
		t.Error("couriers missing")
	}
}

func TestConfigsReportEveryFault(t *testing.T) {
	_, err := NewTraces(TracesConfig{From: -1, Window: -1, Speed: -1, Capacity: -1})
	for _, field := range []string{"File", "From", "Window", "Speed", "Capacity"} {
		if err == nil || !strings.Contains(err.Error(), field+":") {
			t.Errorf("%s is not reported in %v", field, err)
		}
	}
	_, err = NewMDRP(MDRPConfig{Center: geo.Point{Lat: 100}, Capacity: -1})
	for _, field := range []string{"Dir", "Center", "Capacity"} {
		if err == nil || !strings.Contains(err.Error(), field+":") {
			t.Errorf("%s is not reported in %v", field, err)
		}
	}
}
