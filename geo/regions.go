package geo

import (
	"math"

	"github.com/uber/h3-go/v4"
)

// regionStep is the least that one more ring of regions reaches out, in metres.
const regionStep = 3500.

// Regions are the cells of RegionResolution that hold everything within so
// many metres of what lies in c, a coarser cell, and some more: children do
// not fill their parent to its edge.
func (c Cell) Regions(margin float64) []Cell {
	if c == 0 || c.Resolution() > RegionResolution {
		return nil
	}
	children := h3.Cell(c).Children(RegionResolution)
	out := make([]Cell, 0, 4*len(children))
	seen := make(map[Cell]struct{}, 4*len(children))
	add := func(cell Cell) {
		if _, twice := seen[cell]; !twice {
			seen[cell] = struct{}{}
			out = append(out, cell)
		}
	}
	for _, child := range children {
		add(Cell(child))
	}
	begun := 0
	for range int(math.Ceil(max(margin, 0)/regionStep)) + 1 {
		ring := out[begun:]
		begun = len(out)
		for _, cell := range ring {
			for _, next := range cell.Disk(1) {
				add(next)
			}
		}
	}
	return out
}

// Boxes are at most three boxes that hold the cells, and some more. They do
// not cross the antimeridian, and cells on both sides of it do not make them
// as wide as the world.
func Boxes(cells []Cell) []Bounds {
	var thirds [3]Bounds
	var used [3]bool
	put := func(b Bounds, third int) {
		t := &thirds[third]
		if !used[third] {
			*t, used[third] = b, true
			return
		}
		t.South, t.West = min(t.South, b.South), min(t.West, b.West)
		t.North, t.East = max(t.North, b.North), max(t.East, b.East)
	}
	for _, cell := range cells {
		b := boxAround(cell)
		if b.West < -180 {
			put(Bounds{South: b.South, West: b.West + 360, North: b.North, East: 180}, 2)
			b.West = -180
		}
		if b.East > 180 {
			put(Bounds{South: b.South, West: -180, North: b.North, East: b.East - 360}, 0)
			b.East = 180
		}
		switch {
		case b.East < -90:
			put(b, 0)
		case b.West > 90:
			put(b, 2)
		default:
			put(b, 1)
		}
	}
	var out []Bounds
	for i := range thirds {
		if used[i] {
			out = append(out, thirds[i])
		}
	}
	return out
}

// boxAround holds a cell; it may reach beyond ±180 degrees of longitude.
func boxAround(c Cell) Bounds {
	center, reach := c.Center(), 0.
	for _, corner := range c.Boundary() {
		reach = max(reach, Distance(center, corner))
	}
	high := degrees(reach/EarthRadius) * 1.01
	b := Bounds{South: max(center.Lat-high, -90), North: min(center.Lat+high, 90), West: -180, East: 180}
	if farthest := max(-b.South, b.North); farthest < 89 {
		wide := high / math.Cos(radians(farthest))
		b.West, b.East = center.Lng-wide, center.Lng+wide
	}
	return b
}
