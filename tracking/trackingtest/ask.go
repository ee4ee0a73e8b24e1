package trackingtest

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"courier/geo"
	"courier/tracking"
)

func move(t *testing.T, x tracking.Index, fixes ...tracking.Fix) {
	t.Helper()
	if err := x.Move(t.Context(), fixes); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, x tracking.Index, couriers ...string) {
	t.Helper()
	if err := x.Remove(t.Context(), couriers...); err != nil {
		t.Fatal(err)
	}
}

func last(t *testing.T, x tracking.Index, couriers ...string) []tracking.Fix {
	t.Helper()
	fixes, err := x.Last(t.Context(), couriers...)
	if err != nil {
		t.Fatal(err)
	}
	return fixes
}

func near(t *testing.T, x tracking.Index, at geo.Point, radius float64, limit int) []tracking.Fix {
	t.Helper()
	fixes, err := x.Near(t.Context(), at, radius, limit)
	if err != nil {
		t.Fatal(err)
	}
	return fixes
}

func inside(t *testing.T, x tracking.Index, box geo.Bounds, limit int) []tracking.Fix {
	t.Helper()
	fixes, err := x.Within(t.Context(), box, limit)
	if err != nil {
		t.Fatal(err)
	}
	return fixes
}

// staleOf asks for those received before a time after start, sorted.
func staleOf(t *testing.T, x tracking.Index, before time.Duration, limit int) []string {
	t.Helper()
	ids, err := x.Stale(t.Context(), start.Add(before), limit)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

// boxAround reaches some metres from p to each side.
func boxAround(p geo.Point, metres float64) geo.Bounds {
	sw, ne := p.Offset(-metres, -metres), p.Offset(metres, metres)
	return geo.Bounds{South: sw.Lat, West: sw.Lng, North: ne.Lat, East: ne.Lng}
}

func couriers(fixes []tracking.Fix) []string {
	out := make([]string, len(fixes))
	for i, f := range fixes {
		out[i] = f.Courier
	}
	return out
}

func wantCouriers(t *testing.T, got []tracking.Fix, want ...string) {
	t.Helper()
	if !slices.Equal(couriers(got), want) {
		t.Errorf("couriers %v, want %v", couriers(got), want)
	}
}

// wantFix wants one fix, to the millisecond and a tenth of a metre.
func wantFix(t *testing.T, got []tracking.Fix, want tracking.Fix) {
	t.Helper()
	if len(got) != 1 {
		t.Fatalf("%d fixes, want 1: %v", len(got), couriers(got))
	}
	if g := got[0]; g.Courier != want.Courier || !g.Time.Equal(want.Time) || !g.Received.Equal(want.Received) ||
		geo.Distance(g.Point, want.Point) > 0.2 || math.Abs(g.Accuracy-want.Accuracy) > 0.1 ||
		!same(g.Speed, want.Speed) || !same(g.Heading, want.Heading) {
		t.Errorf("got %+v, want %+v", g, want)
	}
}

func same(a, b *float64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return math.Abs(*a-*b) < 0.06
}

// patience is how long a condition may take to come true before a test
// fails; no test that passes waits for it.
const patience = 20 * time.Second

func withPatience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
