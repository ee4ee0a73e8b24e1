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
	s := solver{
		links: links, alone: alone,
		col: filled(len(links), none), row: filled(cols, none), v: make([]int64, cols),
		dist: make([]int64, cols), from: make([]int32, cols), state: make([]uint8, cols),
	}
	for _, r := range s.bid() {
		s.augment(r)
	}
	a := assignment{col: s.col, row: s.row, v: s.v, u: make([]int64, len(links))}
	for r := range links {
		a.u[r] = alone[r]
		if c := s.col[r]; c == lonely {
			s.col[r] = none
		} else {
			a.u[r] = s.costOf(r, c) - s.v[c]
		}
		a.cost += a.u[r]
	}
	for _, v := range s.v {
		a.cost += v
	}
	return a
}

// lonely marks, during the search, a row that has settled for being alone;
// none, one that is still to be served.
const lonely = int32(-2)

type solver struct {
	links [][]link
	alone []int64
	col   []int32
	row   []int32
	v     []int64

	// Of the search for a shortest path, by column.
	dist    []int64
	from    []int32 // the row before it
	state   []uint8
	touched []int32
	scanned []int32
	heap    []reach
}

const (
	unseen uint8 = iota
	seen
	done
)

func (s *solver) costOf(row int, col int32) int64 {
	for _, l := range s.links[row] {
		if l.col == col {
			return l.cost
		}
	}
	return math.MaxInt64 / 4
}

// bid lets each row take its cheapest column at a price that makes the
// second cheapest as good, pushing out who had it. A bounded number of bids
// settles most rows; the others are returned.
func (s *solver) bid() (left []int32) {
	queue := make([]int32, len(s.links))
	for r := range queue {
		queue[r] = int32(r)
	}
	budget := 6 * len(queue)
	for len(queue) > 0 {
		r := queue[0]
		queue = queue[1:]
		if budget--; budget < 0 {
			left = append(left, r)
			continue
		}
		best, second, bestCost, secondCost := lonely, none, s.alone[r], int64(math.MaxInt64)
		for _, l := range s.links[r] {
			switch c := l.cost - s.v[l.col]; {
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
			s.v[best] -= secondCost - bestCost
		} else if s.row[best] != none { // as good: take the one that is free
			if second == lonely {
				s.col[r] = lonely
				continue
			}
			best = second
		}
		pushed := s.row[best]
		s.row[best], s.col[r] = r, best
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
	aloneRow, aloneDist := r, s.alone[r]
	s.relax(r, 0)
	end, least := none, int64(0)
	for end == none {
		col := s.next()
		if col == none || s.dist[col] >= aloneDist {
			end, least = lonely, aloneDist
			break
		}
		if s.row[col] == none {
			end, least = col, s.dist[col]
			break
		}
		s.state[col] = done
		s.scanned = append(s.scanned, col)
		owner := s.row[col]
		// The owner's price: its joined link has reduced cost 0.
		u := s.costOf(int(owner), col) - s.v[col]
		if d := s.dist[col] + s.alone[owner] - u; d < aloneDist {
			aloneRow, aloneDist = owner, d
		}
		s.relax(owner, s.dist[col]-u)
	}
	for _, c := range s.scanned {
		s.v[c] += s.dist[c] - least
	}
	s.flip(r, end, aloneRow)
	for _, c := range s.touched {
		s.state[c] = unseen
	}
}

// relax offers the columns of a row at the distance base plus their cost.
func (s *solver) relax(row int32, base int64) {
	for _, l := range s.links[row] {
		if s.state[l.col] == done {
			continue
		}
		d := base + l.cost - s.v[l.col]
		if s.state[l.col] == seen && d >= s.dist[l.col] {
			continue
		}
		if s.state[l.col] == unseen {
			s.state[l.col] = seen
			s.touched = append(s.touched, l.col)
		}
		s.dist[l.col], s.from[l.col] = d, row
		s.push(reach{d, l.col})
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
		row := s.from[col]
		col, s.col[row], s.row[col] = s.col[row], col, row
		if row == r {
			return
		}
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

// next takes the nearest column that is not done, or none.
func (s *solver) next() int32 {
	for len(s.heap) > 0 {
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
		if s.state[top.col] == seen && s.dist[top.col] == top.dist {
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
