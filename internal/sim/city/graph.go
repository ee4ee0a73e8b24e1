package city

import (
	"container/heap"
	"math"
	"sync"
)

// How much faster a main street is than a minor one.
const majorGain = 1.25

// graph is the street network, ready for shortest paths. It is read-only
// once made.
type graph struct {
	nodes   []vec
	edges   []edge
	next    [][]arc // by node
	grid    map[[2]int][]int
	scratch sync.Pool
}

type arc struct {
	to   int
	cost float64 // metres of minor street
}

const snapCell = 200.0

func newGraph(n *network) *graph {
	g := &graph{nodes: n.nodes, edges: n.edges, next: make([][]arc, len(n.nodes)), grid: map[[2]int][]int{}}
	for id, e := range n.edges {
		cost := g.cost(e, 1)
		g.next[e.a] = append(g.next[e.a], arc{e.b, cost})
		g.next[e.b] = append(g.next[e.b], arc{e.a, cost})
		a, b := n.nodes[e.a], n.nodes[e.b]
		for x := int(math.Floor(min(a.X, b.X) / snapCell)); x <= int(math.Floor(max(a.X, b.X)/snapCell)); x++ {
			for y := int(math.Floor(min(a.Y, b.Y) / snapCell)); y <= int(math.Floor(max(a.Y, b.Y)/snapCell)); y++ {
				g.grid[[2]int{x, y}] = append(g.grid[[2]int{x, y}], id)
			}
		}
	}
	g.scratch.New = func() any { return &search{best: make([]float64, len(g.nodes)), from: make([]int, len(g.nodes))} }
	return g
}

func (g *graph) cost(e edge, share float64) float64 {
	l := g.nodes[e.b].sub(g.nodes[e.a]).len() * share
	if e.major {
		return l / majorGain
	}
	return l
}

// spot is a place on an edge.
type spot struct {
	edge  int
	share float64
	at    vec
}

// nearest is the spot on a street that is nearest to p.
func (g *graph) nearest(p vec) spot {
	x, y := int(math.Floor(p.X/snapCell)), int(math.Floor(p.Y/snapCell))
	best, found := math.Inf(1), spot{edge: -1}
	try := func(id int) {
		a, b := g.nodes[g.edges[id].a], g.nodes[g.edges[id].b]
		if share, d := nearestOn(p, a, b); d < best {
			best, found = d, spot{id, share, a.add(b.sub(a).mul(share))}
		}
	}
	for ring := 0; ring < 12; ring++ {
		for dx := -ring; dx <= ring; dx++ {
			for dy := -ring; dy <= ring; dy++ {
				if max(dx, -dx, dy, -dy) == ring {
					for _, id := range g.grid[[2]int{x + dx, y + dy}] {
						try(id)
					}
				}
			}
		}
		if found.edge >= 0 && best < float64(ring)*snapCell {
			return found
		}
	}
	if found.edge < 0 { // far outside the city
		for id := range g.edges {
			try(id)
		}
	}
	return found
}

// search is the working memory of one path query.
type search struct {
	best  []float64
	from  []int
	dirty []int
	open  frontier
}

func (s *search) reach(node int, cost, guess float64, from int) {
	if old := s.best[node]; old > 0 && old <= cost {
		return
	}
	if s.best[node] == 0 {
		s.dirty = append(s.dirty, node)
	}
	s.best[node], s.from[node] = cost, from
	heap.Push(&s.open, step{node, cost, cost + guess})
}

// path is the quickest way along the streets between two spots (A*), both
// ends included.
func (g *graph) path(from, to spot) []vec {
	if from.edge == to.edge {
		return []vec{from.at, to.at}
	}
	s := g.scratch.Get().(*search)
	defer func() {
		for _, n := range s.dirty {
			s.best[n] = 0
		}
		s.dirty, s.open = s.dirty[:0], s.open[:0]
		g.scratch.Put(s)
	}()
	guess := func(n int) float64 { return to.at.sub(g.nodes[n]).len() / majorGain }
	first, last := g.edges[from.edge], g.edges[to.edge]
	const tiny = 1e-9 // cost 0 stands for not reached
	s.reach(first.a, tiny+g.cost(first, from.share), guess(first.a), -1)
	s.reach(first.b, tiny+g.cost(first, 1-from.share), guess(first.b), -1)
	total, end := math.Inf(1), -1
	for len(s.open) > 0 {
		at := heap.Pop(&s.open).(step)
		if at.guess >= total {
			break
		}
		if at.cost > s.best[at.node] {
			continue
		}
		if at.node == last.a && at.cost+g.cost(last, to.share) < total {
			total, end = at.cost+g.cost(last, to.share), at.node
		}
		if at.node == last.b && at.cost+g.cost(last, 1-to.share) < total {
			total, end = at.cost+g.cost(last, 1-to.share), at.node
		}
		for _, a := range g.next[at.node] {
			s.reach(a.to, at.cost+a.cost, guess(a.to), at.node)
		}
	}
	out := []vec{to.at}
	for n := end; n >= 0; n = s.from[n] {
		out = append(out, g.nodes[n])
	}
	out = append(out, from.at)
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

type step struct {
	node        int
	cost, guess float64
}

// frontier is a heap of steps, the most promising first.
type frontier []step

func (f frontier) Len() int           { return len(f) }
func (f frontier) Less(i, j int) bool { return f[i].guess < f[j].guess }
func (f frontier) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *frontier) Push(x any)        { *f = append(*f, x.(step)) }
func (f *frontier) Pop() any {
	old := *f
	last := old[len(old)-1]
	*f = old[:len(old)-1]
	return last
}
