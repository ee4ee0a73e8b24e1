package geo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/uber/h3-go/v4"
	"pgregory.net/rapid"
)

// places are where a map is likely to go wrong.
func places() *rapid.Generator[Point] {
	centers := []Point{
		{52.1, 4.3}, {0, 0}, {90, 0}, {-90, 0}, {89.99, 120}, {-17.8, 180}, {-17.8, -180},
		{51.9, 179.99}, {0, 180}, {37.77, -122.42},
	}
	for _, c := range h3.Pentagons(SearchResolution)[:4] {
		centers = append(centers, Cell(c).Center())
	}
	centers = append(centers, Cell(h3.Pentagons(5)[3]).Boundary()...)
	return rapid.Custom(func(t *rapid.T) Point {
		spread := rapid.SampledFrom([]float64{0, 200, 3000, 100_000, 15_000_000}).Draw(t, "spread")
		east := rapid.Float64Range(-1, 1).Draw(t, "east") * spread
		north := rapid.Float64Range(-1, 1).Draw(t, "north") * spread
		return rapid.SampledFrom(centers).Draw(t, "center").Offset(east, north)
	})
}

func TestCellIndexAgreesWithBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		index, model := NewCellIndex(), map[string]Point{}
		ids := rapid.StringOfN(rapid.RuneFrom([]rune("abc")), 1, 3, -1)
		for range rapid.IntRange(0, 80).Draw(t, "steps") {
			id := ids.Draw(t, "id")
			if rapid.IntRange(0, 4).Draw(t, "what") == 0 {
				index.Remove(id)
				delete(model, id)
				continue
			}
			p := places().Draw(t, "place")
			if err := index.Set(id, p); err != nil {
				t.Fatal(err)
			}
			model[id] = p
		}
		if index.Len() != len(model) {
			t.Fatalf("holds %d, want %d", index.Len(), len(model))
		}
		at := places().Draw(t, "at")
		radius := rapid.SampledFrom([]float64{0, 100, 5000, 200_000, 30_000_000}).Draw(t, "radius")
		limit := rapid.IntRange(1, 12).Draw(t, "limit")
		var keep func(string) bool
		if rapid.Bool().Draw(t, "filtered") {
			keep = func(id string) bool { return id[0] != 'a' }
		}
		got, want := index.Near(at, radius, limit, keep), bruteNear(model, at, radius, limit, keep)
		if !slices.Equal(got, want) {
			t.Fatalf("near %v within %v:\n got %v\nwant %v", at, radius, got, want)
		}
		box := Bounds{South: at.Lat - 1, West: at.Lng - 1, North: at.Lat + 1, East: at.Lng + 1}
		if got, want := index.Within(box, limit), bruteWithin(model, box, limit); !slices.Equal(got, want) {
			t.Fatalf("within %v:\n got %v\nwant %v", box, got, want)
		}
		total := 0
		for _, n := range index.Cells(DemandResolution) {
			total += n
		}
		if total != len(model) {
			t.Fatalf("cells count %d, want %d", total, len(model))
		}
		for id := range model {
			index.Remove(id)
		}
		if len(index.nodes)+len(index.root.children) != 0 {
			t.Fatalf("an empty index keeps %d nodes", len(index.nodes))
		}
	})
}

func bruteNear(model map[string]Point, at Point, radius float64, limit int, keep func(string) bool) []Neighbor {
	var all []Neighbor
	for id, p := range model {
		if d := Distance(at, p); d <= radius && (keep == nil || keep(id)) {
			all = append(all, Neighbor{id, p, d})
		}
	}
	slices.SortFunc(all, compareNeighbors)
	return all[:min(limit, len(all))]
}

func bruteWithin(model map[string]Point, box Bounds, limit int) []Neighbor {
	var all []Neighbor
	for id, p := range model {
		if box.Contains(p) {
			all = append(all, Neighbor{ID: id, Point: p})
		}
	}
	slices.SortFunc(all, compareNeighbors)
	return all[:min(limit, len(all))]
}

func TestCellIndexRefusesWhatIsNoPlace(t *testing.T) {
	index := NewCellIndex()
	for _, p := range []Point{{91, 0}, {0, 181}, {math.NaN(), 0}, {0, math.Inf(1)}} {
		if index.Set("a", p) == nil {
			t.Errorf("%v taken", p)
		}
		if index.Near(p, 1e9, 1, nil) != nil {
			t.Errorf("something near %v", p)
		}
	}
	if _, ok := index.Get("a"); ok || index.Len() != 0 {
		t.Error("a refused point left a trace")
	}
}

func TestCellIndexIsSafeForConcurrentUse(t *testing.T) {
	index, center := NewCellIndex(), Point{52.1, 4.3}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 1))
			for i := range 500 {
				id := fmt.Sprint(i % 50)
				_ = index.Set(id, center.Offset(random.Float64()*5000, random.Float64()*5000))
				if i%7 == 0 {
					index.Remove(id)
				}
				index.Near(center, 3000, 5, nil)
				index.Within(Bounds{52, 4, 53, 5}, 5)
				index.Get(id)
				index.Cells(DemandResolution)
			}
		})
	}
	wg.Wait()
}

func BenchmarkCellIndexNear(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		index, points := fill(b, n)
		b.Run(fmt.Sprintf("couriers=%d/limit=10", n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				index.Near(points[i%len(points)], 5000, 10, nil)
				i++
			}
		})
	}
}

func BenchmarkCellIndexSet(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		index, points := fill(b, n)
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprint(i)
		}
		b.Run(fmt.Sprintf("couriers=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				_ = index.Set(ids[i%n], points[i%n].Offset(float64(i%50), float64(i%40)))
				i++
			}
		})
	}
}

// fill spreads n couriers over a city 40 km across.
func fill(b *testing.B, n int) (*CellIndex, []Point) {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	index, points := NewCellIndex(), make([]Point, n)
	for i := range points {
		points[i] = Point{52.1, 4.3}.Offset(random.Float64()*40_000, random.Float64()*40_000)
		if err := index.Set(fmt.Sprint(i), points[i]); err != nil {
			b.Fatal(err)
		}
	}
	return index, points
}
