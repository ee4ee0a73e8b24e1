package geo

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// anywhere draws places with a liking for poles and the antimeridian.
func anywhere(t *rapid.T) Point {
	p := Point{Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lng: rapid.Float64Range(-180, 180).Draw(t, "lng")}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		p.Lng = math.Copysign(180-rapid.Float64Range(0, 0.3).Draw(t, "short"), p.Lng)
	case 1:
		p.Lat = math.Copysign(90-rapid.Float64Range(0, 0.3).Draw(t, "cold"), p.Lat)
	}
	return p
}

func TestRegionsHoldWhatIsNear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pickup := anywhere(t)
		margin := rapid.Float64Range(0, 30_000).Draw(t, "margin")
		course, far := rapid.Float64Range(0, 2*math.Pi).Draw(t, "course"), rapid.Float64Range(0, margin).Draw(t, "far")
		courier := pickup.Offset(far*math.Sin(course), far*math.Cos(course))
		regions := cellOf(pickup, AreaResolution).Regions(margin)
		if !slices.Contains(regions, cellOf(courier, RegionResolution)) {
			t.Fatalf("%v is %.0f m from %v, and not in its area's %d regions", courier, Distance(pickup, courier), pickup, len(regions))
		}
	})
}

func TestRegionsAreNotTheWorld(t *testing.T) {
	area := cellOf(Point{Lat: 52.1, Lng: 4.3}, AreaResolution)
	regions := area.Regions(6000)
	if n := len(regions); n < 49 || n > 250 {
		t.Errorf("an area and 6 km around it are %d regions", n)
	}
	if slices.Sort(regions); len(slices.Compact(regions)) != len(area.Regions(6000)) {
		t.Error("some regions come twice")
	}
	if got := regions[0].Parent(SearchResolution).Regions(0); got != nil {
		t.Errorf("no cell has %d regions", len(got))
	}
}

func TestBoxesHoldTheirCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := anywhere(t)
		here := cellOf(at, RegionResolution)
		cells := here.Disk(rapid.IntRange(0, 4).Draw(t, "rings"))
		boxes := Boxes(cells)
		size := 0.
		for _, b := range boxes {
			if err := b.Validate(); err != nil {
				t.Fatalf("%+v: %v", b, err)
			}
			size = max(size, b.East-b.West)
		}
		if math.Abs(at.Lat) < 80 && size > 20 {
			t.Fatalf("%d cells around %v take %v degrees", len(cells), at, size)
		}
		cell := rapid.SampledFrom(cells).Draw(t, "cell")
		inside := append(cell.Boundary(), cell.Center())
		if cell == here {
			inside = append(inside, at)
		}
		for _, p := range inside {
			if !slices.ContainsFunc(boxes, func(b Bounds) bool { return b.Contains(p) }) {
				t.Fatalf("%v of cell %v lies in none of %+v", p, cell, boxes)
			}
		}
	})
}
