package geo

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// What is near is worked out by series: no less exactly than by the formula,
// and the two meet where one takes over.
func TestDistanceIsTheHaversine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Point{Lat: rapid.Float64Range(-89, 89).Draw(t, "lat"), Lng: rapid.Float64Range(-180, 180).Draw(t, "lng")}
		far := math.Pow(10, rapid.Float64Range(-5, 1.9).Draw(t, "far"))
		b := Point{
			Lat: math.Max(-90, math.Min(90, a.Lat+far*rapid.Float64Range(-1, 1).Draw(t, "north"))),
			Lng: a.Lng + far*rapid.Float64Range(-1, 1).Draw(t, "east"),
		}
		s, u := math.Sin(radians(b.Lat-a.Lat)/2), math.Sin(radians(b.Lng-a.Lng)/2)
		want := 2 * EarthRadius * math.Asin(math.Sqrt(s*s+math.Cos(radians(a.Lat))*math.Cos(radians(b.Lat))*u*u))
		if got := Distance(a, b); math.Abs(got-want) > 1e-10*want+1e-8 {
			t.Fatalf("from %v to %v: %v m, want %v", a, b, got, want)
		}
	})
}

func BenchmarkDistance(b *testing.B) {
	p, q, sum := Point{Lat: 48.2, Lng: 16.3}, Point{Lat: 48.21, Lng: 16.33}, 0.
	for b.Loop() {
		sum += Distance(p, q)
	}
	_ = sum
}
