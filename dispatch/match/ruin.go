package match

import (
	"cmp"
	"slices"

	"courier/geo"
)

// maxOut is the most orders that one ruin takes out of their places.
const maxOut = 8

// ruin takes orders off their routes: related ones, whole routes, or any.
func (s *search) ruin() {
	switch p := s.dice.IntN(10); {
	case p < 6:
		s.ruinNear(1 + s.dice.IntN(maxOut))
	case p < 9:
		s.ruinRoutes(1 + s.dice.IntN(2))
	default:
		for range 1 + s.dice.IntN(maxOut) {
			s.mark(int32(s.dice.IntN(len(s.orders))))
		}
	}
	s.clear()
}

// mark takes an order out, if it is on a route.
func (s *search) mark(k int32) {
	if r := s.orders[k].on; r != none {
		s.touch(r)
		s.drop(k)
	}
}

// clear takes the orders marked off the routes that they were on.
func (s *search) clear() {
	for i := 0; i < s.savedN; i++ {
		s.remove(s.savedAs[i])
	}
}

func (s *search) ruinNear(n int) {
	k := int32(s.dice.IntN(len(s.orders)))
	s.mark(k)
	near := s.orders[k].near
	for i := 0; i < len(near) && len(s.out) < n; i++ {
		if s.dice.IntN(4) != 0 { // not the same ones every time
			s.mark(near[i])
		}
	}
}

// ruinRoutes empties the route of an order, and one more that a related order
// is on.
func (s *search) ruinRoutes(n int) {
	k := int32(s.dice.IntN(len(s.orders)))
	s.empty(s.orders[k].on)
	near := s.orders[k].near
	for range 3 {
		if n < 2 || len(near) == 0 {
			return
		}
		if r := s.orders[near[s.dice.IntN(len(near))]].on; r != none {
			s.empty(r)
			n--
		}
	}
}

func (s *search) empty(r int32) {
	if r == none {
		return
	}
	for _, n := range s.routes[r].seq {
		if k := s.nodes[n].order; k >= 0 && n%2 == 0 {
			s.mark(k)
		}
	}
}

// maxNear is how many orders alike each one knows.
const maxNear = 24

// acquaint tells the orders from a number on which ones are alike: those with
// pickups and drop-offs close by, to be fetched at about the same time.
func (s *search) acquaint(from int) {
	// Of many orders only those close in the order of their pickups' cells
	// are compared: neighbours by number are mostly neighbours on the map.
	const window = 400
	by := make([]int32, len(s.orders))
	for k := range by {
		by[k] = int32(k)
	}
	if len(by) > window {
		cells := make([]geo.Cell, len(s.orders))
		for k := range cells {
			cells[k], _ = geo.CellOf(s.legs.points[s.nodes[2*k].place], geo.SearchResolution)
		}
		slices.SortFunc(by, func(a, b int32) int { return cmp.Or(cmp.Compare(cells[a], cells[b]), cmp.Compare(a, b)) })
	}
	var found []other
	for at, k := range by {
		if int(k) < from {
			continue
		}
		found = found[:0]
		p, d := &s.nodes[2*k], &s.nodes[2*k+1]
		here, there := newPlane(s.legs.points[p.place]), newPlane(s.legs.points[d.place])
		for _, m := range by[max(0, at-window/2):min(len(by), at+window/2)] {
			if m == k {
				continue
			}
			q, e := &s.nodes[2*m], &s.nodes[2*m+1]
			apart := here.far(s.legs.points[q.place]) + there.far(s.legs.points[e.place])/2
			apart += 2 * max(max(p.open, 0)-max(q.open, 0), max(q.open, 0)-max(p.open, 0)).Seconds()
			found = append(found, other{m, apart})
		}
		for _, f := range nearest(found, maxNear) {
			s.orders[k].near = append(s.orders[k].near, f.k)
		}
	}
}

// other is an order as another one sees it.
type other struct {
	k     int32
	apart float64
}

func (a other) compare(b other) int {
	return cmp.Or(cmp.Compare(a.apart, b.apart), cmp.Compare(a.k, b.k))
}

// nearest are the first n in order; the list is changed. Most of a long list
// is farther than the n nearest so far, and costs one comparison.
func nearest(all []other, n int) []other {
	n = min(n, len(all))
	best := all[:n]
	slices.SortFunc(best, other.compare)
	for _, o := range all[n:] {
		if n == 0 || o.compare(best[n-1]) >= 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, o, other.compare)
		copy(best[at+1:], best[at:n-1])
		best[at] = o
	}
	return best
}
