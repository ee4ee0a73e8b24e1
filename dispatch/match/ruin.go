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
	near := s.alike(k)
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
	near := s.alike(k)
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

// window is how many orders one is compared with when it looks for those
// alike: those close to it in the order of their pickups' cells, since
// neighbours by number are mostly neighbours on the map.
const window = 400

// alike are the orders like one: with pickups and drop-offs close by, to be
// fetched at about the same time. Of many orders few are ever asked for.
func (s *search) alike(k int32) []int32 {
	t := &s.orders[k]
	if t.asked {
		return t.near
	}
	t.asked, s.met = true, s.met[:0]
	among := s.real
	if t.ghost {
		among = s.drawn
	}
	p, d := &s.nodes[2*k], &s.nodes[2*k+1]
	here, there := newPlane(s.legs.points[p.place]), newPlane(s.legs.points[d.place])
	for _, m := range among.around(k) {
		if m == k {
			continue
		}
		q, e := &s.nodes[2*m], &s.nodes[2*m+1]
		apart := here.far(s.legs.points[q.place]) + there.far(s.legs.points[e.place])/2
		apart += 2 * max(max(p.open, 0)-max(q.open, 0), max(q.open, 0)-max(p.open, 0)).Seconds()
		s.met = append(s.met, other{m, apart})
	}
	for _, o := range nearest(s.met, maxNear) {
		t.near = append(t.near, o.k)
	}
	return t.near
}

// crowd is orders in the order of their pickups' cells.
type crowd struct {
	by []int32
	at []int32 // by order: where it is
}

// crowd orders all that there are now.
func (s *search) crowd() crowd {
	c := crowd{make([]int32, len(s.orders)), make([]int32, len(s.orders))}
	for k := range c.by {
		c.by[k] = int32(k)
	}
	if len(c.by) > window {
		cells := make([]geo.Cell, len(s.orders))
		for k := range cells {
			cells[k], _ = geo.CellOf(s.legs.points[s.nodes[2*k].place], geo.SearchResolution)
		}
		slices.SortFunc(c.by, func(a, b int32) int { return cmp.Or(cmp.Compare(cells[a], cells[b]), cmp.Compare(a, b)) })
	}
	for at, k := range c.by {
		c.at[k] = int32(at)
	}
	return c
}

func (c crowd) around(k int32) []int32 {
	at := int(c.at[k])
	return c.by[max(0, at-window/2):min(len(c.by), at+window/2)]
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
