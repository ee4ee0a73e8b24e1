package geo

import (
	"fmt"

	"github.com/uber/h3-go/v4"
)

// Resolutions of the cells that Courier uses. Edge lengths are means.
const (
	AreaResolution   = 4 // 26 km: what one dispatching node owns
	RegionResolution = 6 // 3.7 km: one index set and one feed message
	DemandResolution = 8 // 0.5 km: supply and demand on the dispatcher's map
	SearchResolution = 9 // 0.2 km: rings around a pickup
)

// Cell is an H3 cell.
type Cell uint64

// CellOf is the cell at a resolution (0-15) that p lies in. It returns
// ErrRange for what is no point.
func CellOf(p Point, resolution int) (Cell, error) {
	if err := p.Validate(); err != nil {
		return 0, err
	}
	return cellOf(p, resolution), nil
}

func cellOf(p Point, resolution int) Cell {
	return Cell(h3.LatLngToCell(h3.LatLng{Lat: p.Lat, Lng: p.Lng}, resolution))
}

// ParseCell reads the hexadecimal form that String writes.
func ParseCell(s string) (Cell, error) {
	c := h3.Cell(h3.IndexFromString(s))
	if !c.IsValid() {
		return 0, fmt.Errorf("%q is no H3 cell", s)
	}
	return Cell(c), nil
}

func (c Cell) String() string { return h3.Cell(c).String() }

// Resolution is 0 (continents) to 15 (half a metre).
func (c Cell) Resolution() int { return h3.Cell(c).Resolution() }

// Parent is the cell that holds c at a coarser resolution, c itself at its
// own, and the zero cell at a finer or impossible one. It saves a
// call into C by arithmetic on the index: 4 bits of resolution from bit 52,
// then 15 digits of 3 bits, 7 where unused.
func (c Cell) Parent(resolution int) Cell {
	if own := int(c >> 52 & 0xF); c == 0 || resolution < 0 || resolution > own {
		return 0
	}
	unused := Cell(1)<<(3*(15-resolution)) - 1
	return c&^(0xF<<52) | Cell(resolution)<<52 | unused
}

// Center is the middle of the cell.
func (c Cell) Center() Point {
	ll := h3.Cell(c).LatLng()
	return Point{Lat: ll.Lat, Lng: ll.Lng}
}

// Disk is c and every cell within k steps of it, nearest ring first. Around a
// pentagon there are fewer than 1 + 3k(k+1).
func (c Cell) Disk(k int) []Cell {
	out := make([]Cell, 0, 1+3*k*(k+1))
	for _, ring := range h3.Cell(c).GridDiskDistances(k) {
		for _, cell := range ring {
			if cell != 0 { // H3 leaves gaps around a pentagon
				out = append(out, Cell(cell))
			}
		}
	}
	return out
}

// Boundary is the cell's outline, not closed.
func (c Cell) Boundary() []Point {
	b := h3.Cell(c).Boundary()
	out := make([]Point, len(b))
	for i, ll := range b {
		out[i] = Point{Lat: ll.Lat, Lng: ll.Lng}
	}
	return out
}
