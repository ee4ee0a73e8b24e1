package match

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func TestAssignIsCheapest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cols := rapid.IntRange(0, 5).Draw(t, "cols")
		links := make([][]link, rapid.IntRange(0, 5).Draw(t, "rows"))
		alone := make([]int64, len(links))
		top := rapid.SampledFrom([]int64{2, 8, 1000}).Draw(t, "top") // low: many ties
		for r := range links {
			alone[r] = rapid.Int64Range(-2, 2*top).Draw(t, "alone")
			for c := range cols {
				if rapid.Bool().Draw(t, "linked") {
					links[r] = append(links[r], link{int32(c), rapid.Int64Range(-3, top).Draw(t, "cost")})
				}
			}
		}
		got := assign(links, alone, cols)
		wantOptimal(t, links, alone, got)
		if want := bruteForce(links, alone, make([]bool, cols), 0); got.cost != want {
			t.Fatalf("cost %d, cheapest is %d", got.cost, want)
		}
	})
}

func TestAssignReachesItsBound(t *testing.T) {
	for name, tt := range map[string]struct{ rows, cols, degree, spread int }{
		"as many couriers as orders":  {2000, 2000, 20, 3_600_000},
		"too few couriers":            {2000, 500, 20, 3_600_000},
		"more couriers than needed":   {500, 3000, 24, 3_600_000},
		"many ties":                   {1500, 1500, 10, 5},
		"hardly anyone near":          {1500, 1500, 2, 3_600_000},
		"everyone alike":              {300, 200, 100, 1},
		"nobody to choose from":       {10, 0, 0, 1},
		"no orders, only free people": {0, 10, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			links, alone := randomLinks(tt.rows, tt.cols, tt.degree, tt.spread)
			wantOptimal(t, links, alone, assign(links, alone, tt.cols))
		})
	}
}

// wantOptimal checks the certificate: a proper assignment, feasible prices,
// and a cost equal to their sum.
func wantOptimal(t interface{ Fatalf(string, ...any) }, links [][]link, alone []int64, a assignment) {
	var cost, bound int64
	for r := range links {
		bound += a.u[r]
		if a.u[r] > alone[r] {
			t.Fatalf("row %d: price %d over %d alone", r, a.u[r], alone[r])
		}
		paid, found := alone[r], a.col[r] == none
		for _, l := range links[r] {
			if l.cost < a.u[r]+a.v[l.col] {
				t.Fatalf("link %d-%d: cost %d under prices %d + %d", r, l.col, l.cost, a.u[r], a.v[l.col])
			}
			if l.col == a.col[r] {
				paid, found = l.cost, true
			}
		}
		if !found || a.col[r] != none && a.row[a.col[r]] != int32(r) {
			t.Fatalf("row %d is joined to %d, which is no link or not joined back", r, a.col[r])
		}
		cost += paid
	}
	for c, v := range a.v {
		bound += v
		if v > 0 || a.row[c] == none && v != 0 {
			t.Fatalf("column %d: price %d, row %d", c, v, a.row[c])
		}
		if r := a.row[c]; r != none && a.col[r] != int32(c) {
			t.Fatalf("column %d is joined to %d, not back", c, r)
		}
	}
	if cost != bound || cost != a.cost {
		t.Fatalf("cost %d (says %d), bound %d", cost, a.cost, bound)
	}
}

func bruteForce(links [][]link, alone []int64, taken []bool, r int) int64 {
	if r == len(links) {
		return 0
	}
	best := alone[r] + bruteForce(links, alone, taken, r+1)
	for _, l := range links[r] {
		if taken[l.col] {
			continue
		}
		taken[l.col] = true
		best = min(best, l.cost+bruteForce(links, alone, taken, r+1))
		taken[l.col] = false
	}
	return best
}

// randomLinks makes a fixed problem: points on a line of columns, so that
// neighbours compete as they do in a city.
func randomLinks(rows, cols, degree, spread int) ([][]link, []int64) {
	rnd := rand.New(rand.NewPCG(1, 2))
	links, alone := make([][]link, rows), make([]int64, rows)
	for r := range links {
		alone[r] = int64(10 * spread)
		if cols == 0 {
			continue
		}
		at, used := rnd.IntN(cols), map[int32]bool{}
		for len(links[r]) < min(degree, cols) {
			c := int32((at + rnd.IntN(3*degree+1)) % cols)
			if !used[c] {
				used[c] = true
				links[r] = append(links[r], link{c, int64(rnd.IntN(spread))})
			}
		}
	}
	return links, alone
}

func BenchmarkAssign(b *testing.B) {
	for _, size := range []struct{ rows, cols, degree int }{{200, 1000, 24}, {1000, 1000, 20}, {10000, 10000, 20}} {
		links, alone := randomLinks(size.rows, size.cols, size.degree, 3_600_000)
		b.Run(fmt.Sprintf("orders=%d/couriers=%d/candidates=%d", size.rows, size.cols, size.degree), func(b *testing.B) {
			for b.Loop() {
				assign(links, alone, size.cols)
			}
		})
	}
}
