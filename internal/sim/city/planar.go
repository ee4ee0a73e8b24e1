package city

import (
	"math"
	"math/rand/v2"
	"slices"
)

// edge is a stretch of street between two nodes.
type edge struct {
	a, b   int
	street int
	major  bool
}

// network is the plan with its crossings found: nodes, edges, and the chain
// of nodes each street runs through.
type network struct {
	nodes  []vec
	edges  []edge
	chains [][]int // by street
	gone   map[[2]int]bool
}

const snap = 13 // metres: crossings nearer than this are one

// join finds every crossing of the streets and cuts them there.
func join(streets []street) *network {
	type segment struct {
		street, index int
		a, b          vec
	}
	const cell = 160.0
	grid := map[[2]int][]int{}
	var segments []segment
	for si, s := range streets {
		for i := 1; i < len(s.line); i++ {
			a, b := s.line[i-1], s.line[i]
			id := len(segments)
			segments = append(segments, segment{si, i, a, b})
			for x := int(math.Floor(min(a.X, b.X) / cell)); x <= int(math.Floor(max(a.X, b.X)/cell)); x++ {
				for y := int(math.Floor(min(a.Y, b.Y) / cell)); y <= int(math.Floor(max(a.Y, b.Y)/cell)); y++ {
					grid[[2]int{x, y}] = append(grid[[2]int{x, y}], id)
				}
			}
		}
	}
	cuts := make([][]float64, len(segments))
	seen := map[[2]int]bool{}
	for _, ids := range grid { // the order does not matter: cuts are sorted below
		for i, p := range ids {
			for _, q := range ids[i+1:] {
				if segments[p].street == segments[q].street || seen[[2]int{p, q}] {
					continue
				}
				seen[[2]int{p, q}] = true
				if s, t, ok := meet(segments[p].a, segments[p].b, segments[q].a, segments[q].b); ok {
					cuts[p], cuts[q] = append(cuts[p], s), append(cuts[q], t)
				}
			}
		}
	}
	n := &network{chains: make([][]int, len(streets)), gone: map[[2]int]bool{}}
	nodeAt := n.snapper()
	for id, s := range segments {
		at := append(cuts[id], 0, 1)
		slices.Sort(at)
		for _, share := range at {
			node := nodeAt(s.a.add(s.b.sub(s.a).mul(share)))
			if chain := n.chains[s.street]; len(chain) == 0 || chain[len(chain)-1] != node {
				n.chains[s.street] = append(chain, node)
			}
		}
	}
	n.collect(streets)
	return n
}

// snapper gives the node at a place, making one if there is none near.
func (n *network) snapper() func(vec) int {
	grid := map[[2]int][]int{}
	return func(p vec) int {
		x, y := int(math.Floor(p.X/snap)), int(math.Floor(p.Y/snap))
		for dx := -1; dx <= 1; dx++ {
			for dy := -1; dy <= 1; dy++ {
				for _, id := range grid[[2]int{x + dx, y + dy}] {
					if n.nodes[id].sub(p).len() < snap {
						return id
					}
				}
			}
		}
		n.nodes = append(n.nodes, p)
		grid[[2]int{x, y}] = append(grid[[2]int{x, y}], len(n.nodes)-1)
		return len(n.nodes) - 1
	}
}

func pair(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }

// collect makes the edges anew from the chains, without those that are gone.
func (n *network) collect(streets []street) {
	n.edges = n.edges[:0]
	known := map[[2]int]bool{}
	for si, chain := range n.chains {
		for i := 1; i < len(chain); i++ {
			key := pair(chain[i-1], chain[i])
			if key[0] != key[1] && !known[key] && !n.gone[key] {
				known[key] = true
				n.edges = append(n.edges, edge{chain[i-1], chain[i], si, streets[si].major})
			}
		}
	}
}

// thin takes out some minor stretches at random: not every block has a
// street on each side.
func (n *network) thin(streets []street, rng *rand.Rand, share float64) {
	for _, e := range n.edges {
		if !e.major && rng.Float64() < share {
			n.gone[pair(e.a, e.b)] = true
		}
	}
	n.collect(streets)
}

// prune takes out dead ends, again and again, and all but the largest part
// that hangs together.
func (n *network) prune(streets []street) {
	for {
		degree := make([]int, len(n.nodes))
		for _, e := range n.edges {
			degree[e.a]++
			degree[e.b]++
		}
		before := len(n.edges)
		for _, e := range n.edges {
			if degree[e.a] == 1 || degree[e.b] == 1 {
				n.gone[pair(e.a, e.b)] = true
			}
		}
		if n.collect(streets); len(n.edges) == before {
			break
		}
	}
	parent := make([]int, len(n.nodes))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for _, e := range n.edges {
		parent[root(e.a)] = root(e.b)
	}
	size, best := make([]int, len(n.nodes)), 0
	for i := range parent {
		r := root(i)
		if size[r]++; size[r] > size[best] {
			best = r
		}
	}
	for _, e := range n.edges {
		if root(e.a) != best {
			n.gone[pair(e.a, e.b)] = true
		}
	}
	n.collect(streets)
}

// faces are the areas between streets, counter-clockwise, not closed.
func (n *network) faces() [][]vec {
	around := make([][]int, len(n.nodes))
	for _, e := range n.edges {
		around[e.a] = append(around[e.a], e.b)
		around[e.b] = append(around[e.b], e.a)
	}
	for v, list := range around {
		slices.SortFunc(list, func(p, q int) int {
			if n.nodes[p].sub(n.nodes[v]).angle() < n.nodes[q].sub(n.nodes[v]).angle() {
				return -1
			}
			return 1
		})
	}
	used := map[[2]int]bool{}
	var out [][]vec
	for _, e := range n.edges {
		for _, start := range [][2]int{{e.a, e.b}, {e.b, e.a}} {
			var ring []vec
			for u, v := start[0], start[1]; !used[[2]int{u, v}]; {
				used[[2]int{u, v}] = true
				ring = append(ring, n.nodes[u])
				list := around[v]
				i := slices.Index(list, u)
				u, v = v, list[(i+len(list)-1)%len(list)] // the sharpest right turn keeps the face on the left
			}
			if len(ring) > 2 && area(ring) > 0 {
				out = append(out, ring)
			}
		}
	}
	return out
}
