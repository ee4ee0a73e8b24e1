package city

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"courier/geo"
)

func made(t testing.TB, seed uint64) *City {
	t.Helper()
	c, err := New(Config{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSameSeedSameCity(t *testing.T) {
	a, err := made(t, 7).GeoJSON()
	if err != nil {
		t.Fatal(err)
	}
	b, _ := made(t, 7).GeoJSON()
	if !bytes.Equal(a, b) {
		t.Error("two cities of one seed differ")
	}
	if c, _ := made(t, 8).GeoJSON(); bytes.Equal(a, c) {
		t.Error("another seed gives the same city")
	}
}

func TestEveryHomeIsReachable(t *testing.T) {
	for seed := range uint64(5) {
		c := made(t, seed)
		t.Logf("seed %d: %d nodes, %d edges, %d blocks, %d parks", seed, len(c.net.nodes), len(c.net.edges), len(c.blocks), len(c.parks))
		if len(c.blocks) < 700 || len(c.parks) < 4 || len(c.Restaurants) != 120 || len(c.Homes) != 4000 {
			t.Errorf("seed %d: a poor city", seed)
		}
		reached := c.graph.spread(c.graph.edges[0].a)
		for _, e := range c.graph.edges {
			if !reached[e.a] || !reached[e.b] {
				t.Fatalf("seed %d: %v cannot be reached", seed, c.graph.nodes[e.a])
			}
		}
		for _, h := range c.Homes {
			if spot := c.graph.nearest(c.vec(h.Point)); spot.edge < 0 || spot.at.sub(c.vec(h.Point)).len() > 15 {
				t.Fatalf("seed %d: %s is off the streets", seed, h.Address)
			}
		}
	}
}

// spread is every node that can be reached from one.
func (g *graph) spread(from int) map[int]bool {
	seen, todo := map[int]bool{from: true}, []int{from}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, a := range g.next[n] {
			if !seen[a.to] {
				seen[a.to] = true
				todo = append(todo, a.to)
			}
		}
	}
	return seen
}

func TestRoutesFollowStreets(t *testing.T) {
	c := made(t, 1)
	for i := range 200 {
		from, to := c.Restaurants[i%len(c.Restaurants)].Point, c.Homes[i*17%len(c.Homes)].Point
		route := c.Route(from, to)
		if route[0] != from || route[len(route)-1] != to {
			t.Fatal("a route starts or ends elsewhere")
		}
		length := 0.0
		for j := 1; j < len(route); j++ {
			length += geo.Distance(route[j-1], route[j])
			mid := c.vec(geo.Lerp(route[j-1], route[j], 0.5))
			if d := c.graph.nearest(mid).at.sub(mid).len(); d > 16 {
				t.Fatalf("%.0f m off the street", d)
			}
		}
		if straight := geo.Distance(from, to); length > 2.5*straight+600 {
			t.Errorf("%.0f m for a distance of %.0f", length, straight)
		}
	}
}

func TestPathIsShortest(t *testing.T) {
	c := made(t, 2)
	g := c.graph
	// Bellman-Ford from one edge's node against A*.
	from := spot{edge: 0, share: 0, at: g.nodes[g.edges[0].a]}
	best := make([]float64, len(g.nodes))
	for i := range best {
		best[i] = math.Inf(1)
	}
	best[g.edges[0].a] = 0
	for changed := true; changed; {
		changed = false
		for n, arcs := range g.next {
			for _, a := range arcs {
				if d := best[n] + a.cost; d < best[a.to]-1e-9 {
					best[a.to], changed = d, true
				}
			}
		}
	}
	costs := map[[2]int]float64{}
	index := map[vec]int{}
	for i, v := range g.nodes {
		index[v] = i
		for _, a := range g.next[i] {
			costs[[2]int{i, a.to}] = a.cost
		}
	}
	for id := 1; id < len(g.edges); id += 41 {
		path := g.path(from, spot{edge: id, share: 1, at: g.nodes[g.edges[id].b]})
		sum := 0.0
		for i := 1; i < len(path); i++ {
			sum += costs[[2]int{index[path[i-1]], index[path[i]]}]
		}
		if math.Abs(sum-best[g.edges[id].b]) > 1e-6 {
			t.Errorf("edge %d: %.2f, the shortest is %.2f", id, sum, best[g.edges[id].b])
		}
	}
}

func TestGeoJSONIsWhatBasemapWants(t *testing.T) {
	raw, err := made(t, 3).GeoJSON()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Type     string
		Features []struct {
			Properties map[string]string
			Geometry   json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil || doc.Type != "FeatureCollection" {
		t.Fatal(doc.Type, err)
	}
	kinds := map[string]int{}
	for _, f := range doc.Features {
		kind := f.Properties["kind"] + f.Properties["class"]
		kinds[kind]++
		if f.Properties["kind"] != "street" {
			var a geo.Area
			if err := json.Unmarshal(f.Geometry, &a); err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
		}
	}
	t.Log(len(raw), kinds)
	for _, kind := range []string{"area", "park", "water", "block", "streetmajor", "streetminor"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s", kind)
		}
	}
}

func TestConfigReportsEveryFault(t *testing.T) {
	_, err := New(Config{Center: geo.Point{Lat: 99}, Homes: -1, Restaurants: -1})
	for _, field := range []string{"Center", "Homes", "Restaurants"} {
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(field)) {
			t.Errorf("%s is not reported in %v", field, err)
		}
	}
}

func BenchmarkRoute(b *testing.B) {
	c := made(b, 1)
	for i := 0; b.Loop(); i++ {
		c.Route(c.Restaurants[i%len(c.Restaurants)].Point, c.Homes[i*31%len(c.Homes)].Point)
	}
}
