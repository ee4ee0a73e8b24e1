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
	root   node      // the world: over the coarsest cells, itself none
	search sync.Pool // of *search
}

// levels are the resolutions of the tree, root to leaf. About 49 children a
// node, and a leaf of a tenth of a square kilometre.
var levels = [...]int{0, 3, 5, 7, SearchResolution}

// spot is one indexed id.
type spot struct {
	id    string
	point Point
	leaf  *node
	slot  int // in leaf.spots
}

// node is a cell with at least one spot in or under it. What a search looks
// at first stands side by side: it is memory, not arithmetic, that it waits
// for.
type node struct {
	cell     Cell
	parent   *node
	slot     int     // in parent.children
	box      Bounds  // no spot under the node was ever outside
	children []*node // empty at a leaf
	balls    []ball  // of each child
	spots    []*spot // at a leaf only
	places   []vector
}

// ball is around all spots under a node, now and ever.
type ball struct {
	center vector // of the cell
	reach  float64
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
	if err := p.Validate(); err != nil {
		return fmt.Errorf("index %q: %w", id, err)
	}
	at := vectorOf(p)
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.spots[id]
	if s == nil || s.leaf.ball().center.chord(at) > stays {
		switch cell := cellOf(p, SearchResolution); {
		case s == nil:
			s = &spot{id: id}
			x.spots[id] = s
			x.node(cell, len(levels)-1).add(s)
		case s.leaf.cell != cell:
			x.take(s)
			x.node(cell, len(levels)-1).add(s)
		}
	}
	s.point, s.leaf.places[s.slot] = p, at
	s.leaf.grow(p, at)
	return nil
}

// stays is how far from the centre of its leaf, in metres, a spot stays with
// it unasked: most moves are within it, and asking H3 costs three times the
// rest. It is under the inner radius of most cells.
const stays = 150

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
// belongs, and one near an edge may be counted in the cell that it came from.
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
	up := &x.root
	if level > 0 {
		up = x.node(cell.Parent(levels[level-1]), level-1)
	}
	n := &node{
		cell: cell, parent: up, slot: len(up.children),
		box: Bounds{South: math.Inf(1), West: math.Inf(1), North: math.Inf(-1), East: math.Inf(-1)},
	}
	up.children = append(up.children, n)
	up.balls = append(up.balls, ball{center: vectorOf(cell.Center())})
	x.nodes[cell] = n
	return n
}

// take takes s out of its leaf, and the nodes that are then empty out of the
// tree.
func (x *CellIndex) take(s *spot) {
	n := s.leaf
	n.spots = swapOut(n.spots, s.slot)
	n.places = swapOut(n.places, s.slot)
	if s.slot < len(n.spots) {
		n.spots[s.slot].slot = s.slot
	}
	for n != &x.root && len(n.spots) == 0 && len(n.children) == 0 {
		up := n.parent
		up.children = swapOut(up.children, n.slot)
		up.balls = swapOut(up.balls, n.slot)
		if n.slot < len(up.children) {
			up.children[n.slot].slot = n.slot
		}
		delete(x.nodes, n.cell)
		n = up
	}
}

// swapOut removes an element and puts the last one in its place.
func swapOut[T any](list []T, slot int) []T {
	last := len(list) - 1
	list[slot] = list[last]
	clear(list[last:])
	return list[:last]
}

func (n *node) add(s *spot) {
	s.leaf, s.slot = n, len(n.spots)
	n.spots = append(n.spots, s)
	n.places = append(n.places, vector{})
}

// ball is around n's spots; n is not the root.
func (n *node) ball() *ball { return &n.parent.balls[n.slot] }

// grow widens n and all above it to hold p.
func (n *node) grow(p Point, at vector) {
	for ; n.parent != nil; n = n.parent {
		b := n.ball()
		b.reach = max(b.reach, b.center.chord(at))
		n.box.South, n.box.North = min(n.box.South, p.Lat), max(n.box.North, p.Lat)
		n.box.West, n.box.East = min(n.box.West, p.Lng), max(n.box.East, p.Lng)
	}
}
