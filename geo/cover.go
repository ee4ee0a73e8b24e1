package geo

import "math"

// Grow is the box with so many metres more on every side, as far as there is
// Earth: it does not cross a pole or the antimeridian either.
func (b Bounds) Grow(metres float64) Bounds {
	north := degrees(metres / EarthRadius)
	// A degree of longitude is shortest at the latitude farthest from the
	// equator.
	east := 360.
	if narrow := math.Cos(radians(min(max(math.Abs(b.South), math.Abs(b.North))+north, 90))); narrow > 0 {
		east = min(east, north/narrow)
	}
	return Bounds{
		South: max(b.South-north, -90), West: max(b.West-east, -180),
		North: min(b.North+north, 90), East: min(b.East+east, 180),
	}
}

// Cells are those of a resolution that hold a point of the box, or nearly:
// some around it too. With more than most it gives up and returns false, so
// that a box of any size costs no more than that. About a microsecond each.
func (b Bounds) Cells(resolution, most int) ([]Cell, bool) {
	first, err := CellOf(Point{Lat: (b.South + b.North) / 2, Lng: (b.West + b.East) / 2}, resolution)
	if err != nil || b.Validate() != nil {
		return nil, false
	}
	// A cell with a point of the box has its centre in the box grown by its
	// reach, and whatever lies between two such cells does too.
	lat := degrees(reach(resolution) / EarthRadius)
	middle, half := (b.West+b.East)/2, (b.East-b.West)/2
	near := func(c Cell) bool {
		p := c.Center()
		if p.Lat < b.South-lat || p.Lat > b.North+lat {
			return false
		}
		off := math.Abs(math.Remainder(p.Lng-middle, 360)) // the antimeridian is no edge
		wide := lat / math.Cos(radians(min(math.Abs(p.Lat), 89)))
		return math.Abs(p.Lat) > 89-lat || off <= half+wide
	}
	cells, seen := []Cell{first}, map[Cell]bool{first: true}
	for i := 0; i < len(cells); i++ {
		for _, c := range cells[i].Disk(1) {
			if seen[c] {
				continue
			}
			if seen[c] = true; near(c) {
				cells = append(cells, c)
			}
		}
		if len(cells) > most {
			return nil, false
		}
	}
	return cells, true
}

// reach is a distance in metres that no point of a cell is farther from its
// centre than: one and a half times the mean edge.
func reach(resolution int) float64 {
	const edge = 3724.5 // at resolution 6; each next is shorter by √7
	return 1.5 * edge * math.Pow(7, float64(6-resolution)/2)
}
