package geo

import (
	"fmt"
	"math"
	"sync"
)

// CellIndex is an in-memory index from ids to points. It is safe for
// concurrent use; the zero value is not, see NewCellIndex.
//
// It is a tree of H3 cells, coarse to fine. Each node remembers how far from
// its centre its points have ever been, so a search needs no assumption about
// the shape, the size or the neighbours of a cell: edges, pentagons, poles
// and the antimeridian are not special.
type CellIndex struct {
	mu     sync.RWMutex
	spots  map[string]*spot
	nodes  map[Cell]*node
	roots  []*node
	search sync.Pool // of *search
}

// levels are the resolutions of the tree, root to leaf. About 49 children a
// node, and a leaf of a tenth of a square kilometre.
var levels = [...]int{0, 3, 5, 7, SearchResolution}

// spot is one indexed id.
type spot struct {
	id    string
	point Point
	at    vector
	leaf  *node
	slot  int // in leaf.spots
}

// node is a cell with at least one spot in or under it.
type node struct {
	cell     Cell
	center   vector
	reach    float64 // metres: no spot under the node was ever farther from center
	box      Bounds  // no spot under the node was ever outside
	parent   *node   // nil at the root
	slot     int     // in parent.children or roots
	children []*node // empty at a leaf
	spots    []*spot // at a leaf only
}

// NewCellIndex is an empty index.
func NewCellIndex() *CellIndex {
	return &CellIndex{
		spots:  make(map[string]*spot),
		nodes:  make(map[Cell]*node),
		search: sync.Pool{New: func() any { return new(search) }},
	}
}

// Set puts id at p, wherever it was before. It returns ErrRange, and changes
// nothing, if p is no point.
func (x *CellIndex) Set(id string, p Point) error {
	cell, err := CellOf(p, SearchResolution)
	if err != nil {
		return fmt.Errorf("index %q: %w", id, err)
	}
	at := vectorOf(p)
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.spots[id]
	switch {
	case s == nil:
		s = &spot{id: id}
		x.spots[id] = s
		x.node(cell, len(levels)-1).add(s)
	case s.leaf.cell != cell:
		x.take(s)
		x.node(cell, len(levels)-1).add(s)
	}
	s.point, s.at = p, at
	s.leaf.grow(p, at)
	return nil
}

// Remove forgets id. An unknown one is fine.
func (x *CellIndex) Remove(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s := x.spots[id]; s != nil {
		delete(x.spots, id)
		x.take(s)
	}
}

// Get is where id is.
func (x *CellIndex) Get(id string) (Point, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	s, ok := x.spots[id]
	if !ok {
		return Point{}, false
	}
	return s.point, true
}

// Len is the number of ids.
func (x *CellIndex) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.spots)
}

// Cells counts the ids in each occupied cell at a resolution from 0 to
// SearchResolution. A point is counted where its SearchResolution cell
// belongs, which near an edge may be the neighbour of the cell it lies in.
func (x *CellIndex) Cells(resolution int) map[Cell]int {
	resolution = min(max(resolution, 0), SearchResolution)
	out := make(map[Cell]int)
	x.mu.RLock()
	defer x.mu.RUnlock()
	for cell, n := range x.nodes {
		if len(n.spots) > 0 {
			out[cell.Parent(resolution)] += len(n.spots)
		}
	}
	return out
}

// node finds or makes the node of a cell at a level, and those above it.
func (x *CellIndex) node(cell Cell, level int) *node {
	if n := x.nodes[cell]; n != nil {
		return n
	}
	n := &node{
		cell:   cell,
		center: vectorOf(cell.Center()),
		box:    Bounds{South: math.Inf(1), West: math.Inf(1), North: math.Inf(-1), East: math.Inf(-1)},
	}
	siblings := &x.roots
	if level > 0 {
		n.parent = x.node(cell.Parent(levels[level-1]), level-1)
		siblings = &n.parent.children
	}
	n.slot = len(*siblings)
	*siblings = append(*siblings, n)
	x.nodes[cell] = n
	return n
}

// take takes s out of its leaf, and the nodes that are then empty out of the
// tree.
func (x *CellIndex) take(s *spot) {
	n := s.leaf
	last := len(n.spots) - 1
	n.spots[s.slot] = n.spots[last]
	n.spots[s.slot].slot = s.slot
	n.spots[last] = nil
	n.spots = n.spots[:last]
	for n != nil && len(n.spots) == 0 && len(n.children) == 0 {
		siblings := &x.roots
		if n.parent != nil {
			siblings = &n.parent.children
		}
		last := len(*siblings) - 1
		(*siblings)[n.slot] = (*siblings)[last]
		(*siblings)[n.slot].slot = n.slot
		(*siblings)[last] = nil
		*siblings = (*siblings)[:last]
		delete(x.nodes, n.cell)
		n = n.parent
	}
}

func (n *node) add(s *spot) {
	s.leaf, s.slot = n, len(n.spots)
	n.spots = append(n.spots, s)
}

// grow widens n and all above it to hold p.
func (n *node) grow(p Point, at vector) {
	for ; n != nil; n = n.parent {
		n.reach = max(n.reach, n.center.chord(at))
		n.box.South, n.box.North = min(n.box.South, p.Lat), max(n.box.North, p.Lat)
		n.box.West, n.box.East = min(n.box.West, p.Lng), max(n.box.East, p.Lng)
	}
}
