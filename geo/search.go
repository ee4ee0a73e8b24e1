package geo

import "slices"

// Neighbor is one answer of a CellIndex.
type Neighbor struct {
	ID       string
	Point    Point
	Distance float64 // metres from the point asked about; 0 from Within
}

// slack in metres keeps rounding from cutting off what is on the very edge.
const slack = 1e-3

// Near returns at most limit ids within radius metres of p, nearest first,
// ties by id. keep, if not nil, says which ids count; it is called under the
// index's lock and must not call the index.
func (x *CellIndex) Near(p Point, radius float64, limit int, keep func(id string) bool) []Neighbor {
	if p.Validate() != nil || !(radius >= 0) || limit < 1 {
		return nil
	}
	at := vectorOf(p)
	s := x.search.Get().(*search)
	defer x.release(s)
	s.limit = limit
	reach := chordOf(radius) + slack

	x.mu.RLock()
	defer x.mu.RUnlock()
	s.open(&x.root, at, reach)
	for len(s.front) > 0 {
		next := s.pop()
		if next.least > reach {
			break
		}
		s.open(next.node, at, reach)
		for i := range next.node.places {
			if at.chord(next.node.places[i]) > reach {
				continue
			}
			spot := next.node.spots[i]
			found := Neighbor{ID: spot.id, Point: spot.point, Distance: Distance(p, spot.point)}
			if found.Distance > radius || !s.wants(found) || keep != nil && !keep(spot.id) {
				continue
			}
			if s.put(found); len(s.best) == limit {
				reach = min(reach, chordOf(s.best[0].Distance)+slack)
			}
		}
	}
	return s.sorted()
}

// Within returns at most limit ids inside the box or on its edge: the first
// by id, in that order.
func (x *CellIndex) Within(box Bounds, limit int) []Neighbor {
	if limit < 1 {
		return nil
	}
	s := x.search.Get().(*search)
	defer x.release(s)
	s.limit = limit

	x.mu.RLock()
	defer x.mu.RUnlock()
	s.collect(x.root.children, box)
	return s.sorted()
}

func (b Bounds) overlaps(o Bounds) bool {
	return b.South <= o.North && o.South <= b.North && b.West <= o.East && o.West <= b.East
}

// search is the working memory of one question.
type search struct {
	limit int
	front []step     // a heap: the node that may hold the nearest spot first
	best  []Neighbor // a heap: the worst answer so far first
}

// step is a node to open; nothing under it is nearer than least metres.
type step struct {
	least float64
	node  *node
}

func (x *CellIndex) release(s *search) {
	clear(s.front) // let go of nodes and ids
	clear(s.best)
	s.front, s.best = s.front[:0], s.best[:0]
	if cap(s.front)+cap(s.best) <= 8192 {
		x.search.Put(s)
	}
}

func (s *search) collect(nodes []*node, box Bounds) {
	for _, n := range nodes {
		if !n.box.overlaps(box) {
			continue
		}
		s.collect(n.children, box)
		for _, spot := range n.spots {
			if box.Contains(spot.point) {
				if found := (Neighbor{ID: spot.id, Point: spot.point}); s.wants(found) {
					s.put(found)
				}
			}
		}
	}
}

// open puts those children on the front that may hold something within reach.
func (s *search) open(n *node, at vector, reach float64) {
	for i := range n.balls {
		least := at.chord(n.balls[i].center) - n.balls[i].reach - slack
		if least > reach {
			continue
		}
		s.front = append(s.front, step{least, n.children[i]})
		for i := len(s.front) - 1; i > 0; {
			up := (i - 1) / 2
			if s.front[up].least <= s.front[i].least {
				break
			}
			s.front[up], s.front[i] = s.front[i], s.front[up]
			i = up
		}
	}
}

// pop takes the nearest node off the front.
func (s *search) pop() step {
	top, last := s.front[0], len(s.front)-1
	s.front[0] = s.front[last]
	s.front[last] = step{}
	s.front = s.front[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			return top
		}
		if right := down + 1; right < last && s.front[right].least < s.front[down].least {
			down = right
		}
		if s.front[i].least <= s.front[down].least {
			return top
		}
		s.front[i], s.front[down] = s.front[down], s.front[i]
		i = down
	}
}

func compareNeighbors(a, b Neighbor) int {
	switch {
	case a.Distance < b.Distance:
		return -1
	case a.Distance > b.Distance:
		return 1
	case a.ID < b.ID:
		return -1
	case a.ID > b.ID:
		return 1
	}
	return 0
}

// wants says whether n belongs to the best so far.
func (s *search) wants(n Neighbor) bool {
	return len(s.best) < s.limit || compareNeighbors(n, s.best[0]) < 0
}

// put takes n among the best, in place of the worst if there is no room.
func (s *search) put(n Neighbor) {
	if len(s.best) < s.limit {
		s.best = append(s.best, n)
		for i := len(s.best) - 1; i > 0; {
			up := (i - 1) / 2
			if compareNeighbors(s.best[up], s.best[i]) >= 0 {
				break
			}
			s.best[up], s.best[i] = s.best[i], s.best[up]
			i = up
		}
		return
	}
	s.best[0] = n
	for i := 0; ; {
		down := 2*i + 1
		if down >= len(s.best) {
			return
		}
		if right := down + 1; right < len(s.best) && compareNeighbors(s.best[right], s.best[down]) > 0 {
			down = right
		}
		if compareNeighbors(s.best[i], s.best[down]) >= 0 {
			return
		}
		s.best[i], s.best[down] = s.best[down], s.best[i]
		i = down
	}
}

func (s *search) sorted() []Neighbor {
	if len(s.best) == 0 {
		return nil
	}
	out := slices.Clone(s.best)
	slices.SortFunc(out, compareNeighbors)
	return out
}
