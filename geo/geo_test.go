package geo

import (
	"math"
	"testing"
	"time"

	"github.com/uber/h3-go/v4"
	"pgregory.net/rapid"
)

func TestOffsetKeepsDistanceAndCourse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Point{rapid.Float64Range(-80, 80).Draw(t, "lat"), rapid.Float64Range(-180, 180).Draw(t, "lng")}
		east := rapid.Float64Range(-50_000, 50_000).Draw(t, "east")
		north := rapid.Float64Range(-50_000, 50_000).Draw(t, "north")
		q := p.Offset(east, north)
		if err := q.Validate(); err != nil {
			t.Fatal(err)
		}
		want := math.Hypot(east, north)
		if got := Distance(p, q); math.Abs(got-want) > 0.01 {
			t.Fatalf("%v lies %v m from %v, want %v", q, got, p, want)
		}
		if want < 10 {
			return
		}
		course := math.Mod(math.Atan2(east, north)*180/math.Pi+360, 360)
		if off := math.Abs(Bearing(p, q) - course); off > 0.01 && off < 359.99 {
			t.Fatalf("course %v, want %v", Bearing(p, q), course)
		}
	})
}

func TestParentIsH3s(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := places().Draw(t, "place")
		own := rapid.IntRange(0, 15).Draw(t, "own")
		c, err := CellOf(p, own)
		if err != nil {
			t.Fatal(err)
		}
		to := rapid.IntRange(-1, 16).Draw(t, "to")
		var want Cell
		if to >= 0 && to <= own {
			want = Cell(h3.Cell(c).Parent(to))
		}
		if got := c.Parent(to); got != want {
			t.Fatalf("parent of %v at %d is %v, want %v", c, to, got, want)
		}
	})
}

func TestDiskAroundAPentagonHasNoGaps(t *testing.T) {
	for _, pentagon := range h3.Pentagons(RegionResolution) {
		for _, cell := range append(Cell(pentagon).Disk(1), Cell(pentagon)) {
			seen := map[Cell]bool{}
			for _, c := range cell.Disk(2) {
				if !h3.Cell(c).IsValid() || seen[c] {
					t.Fatalf("the disk of %v has %v", cell, c)
				}
				seen[c] = true
			}
		}
	}
}

func TestStraightLine(t *testing.T) {
	r, err := NewStraightLine(StraightLineConfig{Detour: 1, Speeds: map[Vehicle]float64{Bicycle: 5}})
	if err != nil {
		t.Fatal(err)
	}
	from := Point{52.1, 4.3}
	to := from.Offset(1000, 0)
	if got := r.Travel(from, to, Bicycle).Round(time.Second); got != 200*time.Second {
		t.Errorf("1 km at 5 m/s takes %v", got)
	}
	if r.Travel(from, to, "rocket") != r.Travel(from, to, Foot) {
		t.Error("an unknown vehicle does not walk")
	}
	stepped, err := NewStraightLine(StraightLineConfig{Detour: 1, Speeds: map[Vehicle]float64{Bicycle: 5}, Step: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	for metres, want := range map[float64]time.Duration{0: 0, 0.2: 0, 1: time.Minute, 299: time.Minute, 300: time.Minute, 300.2: time.Minute, 301: 2 * time.Minute} {
		at := Point{52, 13}
		if got := stepped.Travel(at, at.Offset(metres, 0), Bicycle); got != want {
			t.Errorf("%v m in steps: %v, want %v", metres, got, want)
		}
	}
	for name, c := range map[string]StraightLineConfig{
		"shorter than straight":  {Detour: 0.9},
		"endless":                {Detour: math.Inf(1)},
		"no number":              {Detour: math.NaN()},
		"standing still":         {Speeds: map[Vehicle]float64{Car: 0}},
		"a vehicle we know not":  {Speeds: map[Vehicle]float64{"rocket": 9}},
		"faster than any number": {Speeds: map[Vehicle]float64{Car: math.Inf(1)}},
	} {
		if r, err := NewStraightLine(c); err == nil || r != nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestArea(t *testing.T) {
	const donut = `{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,10],[0,10],[0,0]],[[4,4],[6,4],[6,6],[4,6],[4,4]]]}`
	var a Area
	if err := a.UnmarshalJSON([]byte(donut)); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[Point]bool{{1, 1}: true, {5, 5}: false, {11, 5}: false, {5, 9}: true, {-1, 5}: false} {
		if a.Contains(p) != want {
			t.Errorf("contains %v: %v", p, !want)
		}
	}
	if raw, _ := a.MarshalJSON(); string(raw) != donut {
		t.Errorf("written as %s", raw)
	}
	for name, raw := range map[string]string{
		"a point":         `{"type":"Point","coordinates":[0,0]}`,
		"no ring":         `{"type":"Polygon","coordinates":[]}`,
		"an open ring":    `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}`,
		"three positions": `{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,0]]]}`,
		"off the Earth":   `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,91],[0,0]]]}`,
		"one number":      `{"type":"Polygon","coordinates":[[[0],[1,0],[1,1],[0,0]]]}`,
		"no coordinates":  `{"type":"Polygon"}`,
		"nothing":         `null`,
	} {
		if new(Area).UnmarshalJSON([]byte(raw)) == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
