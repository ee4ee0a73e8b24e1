package match

import "math"

// A link joins a row to a column at a cost.
type link struct {
	col  int32
	cost int64
}

// An assignment joins rows to columns, each to at most one of the other.
type assignment struct {
	col []int32 // by row; none: left alone
	row []int32 // by column; none: left alone
	// Dual prices. For every link cost ≥ u[row] + v[col], with equality
	// where joined; alone[row] ≥ u[row]; v ≤ 0, and 0 for a column left
	// alone. The sum of all prices is therefore a lower bound of every
	// assignment's cost, and this one reaches it.
	u, v []int64
	cost int64
}

const none = int32(-1)

// assign finds an assignment of minimum cost, where a row that is joined to
// no column costs alone[row]. links lists each row's columns, each at most
// once; costs must leave room for sums of len(links) of them.
//
// It is the algorithm of Jonker and Volgenant (1987) for sparse rectangular
// problems: rows bid for columns first (augmenting row reduction), then a
// shortest augmenting path serves each row that is left. Being left alone is
// a column of the row's own.
func assign(links [][]link, alone []int64, cols int) assignment {
	s := solver{links: links, alone: alone, col: filled(len(links), none), columns: make([]column, cols)}
	for c := range s.columns {
		s.columns[c].row = none
	}
	for _, r := range s.bid() {
		s.augment(r)
	}
	a := assignment{col: s.col, row: make([]int32, cols), v: make([]int64, cols), u: make([]int64, len(links))}
	for r := range links {
		a.u[r] = alone[r]
		if c := s.col[r]; c == lonely {
			s.col[r] = none
		} else {
			a.u[r] = s.columns[c].joined - s.columns[c].v
		}
		a.cost += a.u[r]
	}
	for c := range s.columns {
		a.row[c], a.v[c] = s.columns[c].row, s.columns[c].v
		a.cost += a.v[c]
	}
	return a
}

// lonely marks, during the search, a row that has settled for being alone;
// none, one that is still to be served.
const lonely = int32(-2)

type solver struct {
	links   [][]link
	alone   []int64
	col     []int32 // by row
	columns []column

	// Of the search for a shortest path.
	touched []int32
	scanned []int32
	heap    []reach
	end     int32 // where the shortest path so far ends: a free column, or lonely
	least   int64 // how long it is
}

// column is all that is known of one, together as it is looked at together.
type column struct {
	v      int64
	joined int64 // cost of the link to its row
	dist   int64 // of the shortest path to it
	row    int32
	from   int32 // the row before it on that path
	state  uint8
}

const (
	unseen uint8 = iota
	seen
	done
)

func (s *solver) join(row, col int32) {
	s.col[row], s.columns[col].row = col, row
	for _, l := range s.links[row] {
		if l.col == col {
			s.columns[col].joined = l.cost
		}
	}
}

// bid lets each row take its cheapest column at a price that makes the
// second cheapest as good, pushing out who had it. A bounded number of bids
// settles most rows; the others are returned.
func (s *solver) bid() (left []int32) {
	queue := make([]int32, len(s.links))
	for r := range queue {
		queue[r] = int32(r)
	}
	budget := 3 * len(queue)
	for len(queue) > 0 {
		r := queue[0]
		queue = queue[1:]
		if budget--; budget < 0 {
			left = append(left, r)
			continue
		}
		best, second, bestCost, secondCost := lonely, none, s.alone[r], int64(math.MaxInt64)
		for _, l := range s.links[r] {
			switch c := l.cost - s.columns[l.col].v; {
			case c < bestCost:
				second, secondCost = best, bestCost
				best, bestCost = l.col, c
			case c < secondCost:
				second, secondCost = l.col, c
			}
		}
		if best == lonely {
			s.col[r] = lonely
			continue
		}
		if secondCost > bestCost {
			s.columns[best].v -= secondCost - bestCost
		} else if s.columns[best].row != none { // as good: take the one that is free
			if second == lonely {
				s.col[r] = lonely
				continue
			}
			best = second
		}
		pushed := s.columns[best].row
		s.join(r, best)
		if pushed == none {
			continue
		}
		s.col[pushed] = none
		if secondCost > bestCost {
			queue = append(queue, pushed)
		} else { // no price has moved: bidding on would go in circles
			left = append(left, pushed)
		}
	}
	return left
}

// augment serves one more row along a shortest path over reduced costs: to a
// free column, or to a row that is best left alone.
func (s *solver) augment(r int32) {
	s.heap, s.touched, s.scanned = s.heap[:0], s.touched[:0], s.scanned[:0]
	aloneRow := r
	s.end, s.least = lonely, s.alone[r]
	s.relax(r, 0)
	for col := s.next(); col != none; col = s.next() {
		c := &s.columns[col]
		c.state = done
		s.scanned = append(s.scanned, col)
		// The owner's price: its joined link has reduced cost 0.
		u := c.joined - c.v
		if d := c.dist + s.alone[c.row] - u; d < s.least {
			aloneRow, s.end, s.least = c.row, lonely, d
		}
		s.relax(c.row, c.dist-u)
	}
	for _, col := range s.scanned {
		s.columns[col].v += s.columns[col].dist - s.least
	}
	s.flip(r, s.end, aloneRow)
	for _, col := range s.touched {
		s.columns[col].state = unseen
	}
}

// relax offers the columns of a row at the distance base plus their cost. A
// free one ends a path; farther ones need not be looked at any more.
func (s *solver) relax(row int32, base int64) {
	for _, l := range s.links[row] {
		c := &s.columns[l.col]
		d := base + l.cost - c.v
		if d >= s.least || c.state == done || c.state == seen && d >= c.dist {
			continue
		}
		if c.state == unseen {
			c.state = seen
			s.touched = append(s.touched, l.col)
		}
		c.dist, c.from = d, row
		if c.row == none {
			s.end, s.least = l.col, d
		} else {
			s.push(reach{d, l.col})
		}
	}
}

// flip hands the columns along the path over, from its end to row r.
func (s *solver) flip(r, end, aloneRow int32) {
	col := end
	if end == lonely {
		col = s.col[aloneRow]
		s.col[aloneRow] = lonely
		if aloneRow == r {
			return
		}
	}
	for {
		row := s.columns[col].from
		before := s.col[row]
		s.join(row, col)
		if row == r {
			return
		}
		col = before
	}
}

// reach is a column at a distance; equal distances are taken by column, so
// that the result depends on nothing but the input.
type reach struct {
	dist int64
	col  int32
}

func (a reach) before(b reach) bool { return a.dist < b.dist || a.dist == b.dist && a.col < b.col }

func (s *solver) push(e reach) {
	h := append(s.heap, e)
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !e.before(h[up]) {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = e
	s.heap = h
}

// next takes the nearest column that is not done, or none: those beyond the
// end of the shortest path so far do not matter.
func (s *solver) next() int32 {
	for len(s.heap) > 0 && s.heap[0].dist < s.least {
		top := s.heap[0]
		last := s.heap[len(s.heap)-1]
		h := s.heap[:len(s.heap)-1]
		i := 0
		for {
			k := 2*i + 1
			if k >= len(h) {
				break
			}
			if k+1 < len(h) && h[k+1].before(h[k]) {
				k++
			}
			if !h[k].before(last) {
				break
			}
			h[i] = h[k]
			i = k
		}
		if len(h) > 0 {
			h[i] = last
		}
		s.heap = h
		if c := &s.columns[top.col]; c.state == seen && c.dist == top.dist {
			return top.col
		}
	}
	return none
}

func filled(n int, v int32) []int32 {
	s := make([]int32, n)
	for i := range s {
		s[i] = v
	}
	return s
}
