// Package trackingtest holds every position index and every feed to what the
// ports of package tracking promise.
package trackingtest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"courier/geo"
	"courier/tracking"
)

// start is a time that any index can hold: whole milliseconds, UTC.
var start = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// center is a corner where three regions meet, so that a few hundred metres
// around it take several index sets and feed messages.
var center = func() geo.Point {
	cell, err := geo.CellOf(geo.Point{Lat: 52.1, Lng: 4.3}, geo.RegionResolution)
	if err != nil {
		panic(err)
	}
	return cell.Boundary()[0]
}()

// fixAt is a fix of a courier, some metres from the center, received at once.
func fixAt(courier string, east, north float64, at time.Duration) tracking.Fix {
	return tracking.Fix{
		Courier: courier, Time: start.Add(at), Received: start.Add(at),
		Point: center.Offset(east, north), Accuracy: 8,
	}
}

// TestIndex holds an Index to its port. open returns an empty one; what it
// needs to be closed goes to t.Cleanup.
func TestIndex(t *testing.T, open func(t *testing.T) tracking.Index) {
	for name, test := range map[string]func(*testing.T, tracking.Index){
		"a fix comes back whole":                 wholeFix,
		"newer fixes move a courier":             newerMoves,
		"older and equal fixes move nothing":     olderStays,
		"a batch moves to its newest fix":        newestOfBatch,
		"unknown couriers have no last fix":      unknownCouriers,
		"near means nearest first":               nearestFirst,
		"near breaks ties by courier":            nearTies,
		"near honours radius and limit":          nearBounds,
		"near sees across regions":               nearAcrossRegions,
		"a courier is in one place only":         onePlace,
		"within is the box, by courier":          within,
		"removed couriers are gone":              removed,
		"a removed courier may return":           returned,
		"stale goes by the time received":        stale,
		"stale honours its limit":                staleLimit,
		"an empty index answers with nothing":    empty,
		"no fixes and no couriers are no errors": nothing,
		"large batches are taken":                largeBatch,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func wholeFix(t *testing.T, x tracking.Index) {
	speed, heading := 6.25, 359.5
	want := fixAt("c1", 12, -7, 0)
	want.Time = want.Time.Add(123 * time.Millisecond)
	want.Received = want.Received.Add(2 * time.Second)
	want.Speed, want.Heading = &speed, &heading
	move(t, x, want, fixAt("c2", 0, 0, 0))
	wantFix(t, last(t, x, "c1"), want)
	for _, f := range near(t, x, center, 1000, 10) {
		if f.Courier == "c1" {
			wantFix(t, []tracking.Fix{f}, want)
		}
	}
	if f := last(t, x, "c2"); len(f) != 1 || f[0].Speed != nil || f[0].Heading != nil {
		t.Errorf("a fix without speed and heading comes back as %+v", f)
	}
}

func newerMoves(t *testing.T, x tracking.Index) {
	move(t, x, fixAt("c1", 0, 0, 0))
	move(t, x, fixAt("c1", 500, 0, time.Millisecond))
	wantFix(t, last(t, x, "c1"), fixAt("c1", 500, 0, time.Millisecond))
}

func olderStays(t *testing.T, x tracking.Index) {
	move(t, x, fixAt("c1", 0, 0, time.Second))
	move(t, x, fixAt("c1", 500, 0, 0))
	move(t, x, fixAt("c1", 500, 0, time.Second))
	wantFix(t, last(t, x, "c1"), fixAt("c1", 0, 0, time.Second))
	wantCouriers(t, near(t, x, center.Offset(500, 0), 100, 10))
}

func newestOfBatch(t *testing.T, x tracking.Index) {
	move(t, x, fixAt("c1", 0, 0, 0), fixAt("c1", 900, 0, 2*time.Second), fixAt("c1", 500, 0, time.Second))
	wantFix(t, last(t, x, "c1"), fixAt("c1", 900, 0, 2*time.Second))
	wantCouriers(t, near(t, x, center, 5000, 10), "c1")
}

func unknownCouriers(t *testing.T, x tracking.Index) {
	move(t, x, fixAt("c1", 0, 0, 0), fixAt("c2", 0, 50, 0))
	got := last(t, x, "c2", "nobody", "c1")
	slices.SortFunc(got, func(a, b tracking.Fix) int { return strings.Compare(a.Courier, b.Courier) })
	wantCouriers(t, got, "c1", "c2")
}

func nearestFirst(t *testing.T, x tracking.Index) {
	move(t, x, fixAt("far", 900, 0, 0), fixAt("mid", -400, 0, 0), fixAt("close", 0, 100, 0))
	wantCouriers(t, near(t, x, center, 2000, 10), "close", "mid", "far")
}

func nearTies(t *testing.T, x tracking.Index) {
	move(t, x, fixAt("b", 300, 0, 0), fixAt("c", 300, 0, 0), fixAt("a", 300, 0, 0))
	wantCouriers(t, near(t, x, center, 2000, 10), "a", "b", "c")
	wantCouriers(t, near(t, x, center, 2000, 2), "a", "b")
}

func nearBounds(t *testing.T, x tracking.Index) {
	for i := range 10 {
		move(t, x, fixAt(fmt.Sprint("c", i), float64(i)*100, 0, 0))
	}
	wantCouriers(t, near(t, x, center, 250, 10), "c0", "c1", "c2")
	wantCouriers(t, near(t, x, center, 5000, 2), "c0", "c1")
}

func nearAcrossRegions(t *testing.T, x tracking.Index) {
	var want []string
	for i := range 24 { // a spiral out to 24 km
		far, angle := float64(i+1)*1000, float64(i)
		name := fmt.Sprintf("c%02d", i)
		move(t, x, fixAt(name, far*math.Cos(angle), far*math.Sin(angle), 0))
		want = append(want, name)
	}
	wantCouriers(t, near(t, x, center, 30_000, 100), want...)
	wantCouriers(t, near(t, x, center, 30_000, 5), want[:5]...)
	wantCouriers(t, near(t, x, center, 12_500, 100), want[:12]...)
}

func onePlace(t *testing.T, x tracking.Index) {
	for i := range 12 { // 3 km a step, through several regions
		move(t, x, fixAt("c1", float64(i)*3000, 0, time.Duration(i)*time.Minute))
	}
	wantCouriers(t, near(t, x, center, 100_000, 100), "c1")
	wantCouriers(t, near(t, x, center, 20_000, 100))
	wantCouriers(t, inside(t, x, boxAround(center, 60_000), 100), "c1")
}

func within(t *testing.T, x tracking.Index) {
	move(t, x, fixAt("d", 900, 900, 0), fixAt("b", -900, 900, 0), fixAt("a", 0, -900, 0), fixAt("out", 1500, 0, 0))
	box := boxAround(center, 1000)
	wantCouriers(t, inside(t, x, box, 10), "a", "b", "d")
	some := inside(t, x, box, 2)
	if len(some) != 2 || some[0].Courier >= some[1].Courier {
		t.Errorf("2 of the box, by courier: %v", couriers(some))
	}
	wantFix(t, inside(t, x, boxAround(center.Offset(900, 900), 100), 10), fixAt("d", 900, 900, 0))
	wantCouriers(t, inside(t, x, boxAround(center.Offset(0, 9000), 1000), 10))
}

func removed(t *testing.T, x tracking.Index) {
	move(t, x, fixAt("c1", 0, 0, 0), fixAt("c2", 100, 0, 0), fixAt("c3", 200, 0, 0))
	remove(t, x, "c1", "nobody", "c3")
	wantCouriers(t, last(t, x, "c1", "c2", "c3"), "c2")
	wantCouriers(t, near(t, x, center, 1000, 10), "c2")
	wantCouriers(t, inside(t, x, boxAround(center, 1000), 10), "c2")
	if ids := staleOf(t, x, time.Hour, 10); !slices.Equal(ids, []string{"c2"}) {
		t.Errorf("stale: %v", ids)
	}
	remove(t, x, "c1")
}

func returned(t *testing.T, x tracking.Index) {
	move(t, x, fixAt("c1", 0, 0, time.Minute))
	remove(t, x, "c1")
	move(t, x, fixAt("c1", 300, 0, 0)) // older than what was forgotten
	wantFix(t, last(t, x, "c1"), fixAt("c1", 300, 0, 0))
	wantCouriers(t, near(t, x, center, 1000, 10), "c1")
}

func stale(t *testing.T, x tracking.Index) {
	late := fixAt("c3", 0, 0, 0) // an old fix, received just now
	late.Received = start.Add(time.Hour)
	early := fixAt("c1", 0, 0, 0)
	early.Received = start.Add(-time.Hour)
	move(t, x, late, fixAt("c2", 0, 0, 30*time.Second), early)
	for before, want := range map[time.Duration][]string{
		-2 * time.Hour:                  nil,
		0:                               {"c1"},
		30 * time.Second:                {"c1"}, // before, not at
		30*time.Second + 1e6:            {"c1", "c2"},
		time.Hour + time.Nanosecond*1e6: {"c1", "c2", "c3"},
	} {
		if got := staleOf(t, x, before, 10); !slices.Equal(got, want) {
			t.Errorf("stale before %v: %v, want %v", before, got, want)
		}
	}
	move(t, x, fixAt("c1", 10, 0, 2*time.Hour)) // heard again
	if got := staleOf(t, x, time.Minute, 10); !slices.Equal(got, []string{"c2"}) {
		t.Errorf("stale after a new fix: %v", got)
	}
}

func staleLimit(t *testing.T, x tracking.Index) {
	for i := range 7 {
		move(t, x, fixAt(fmt.Sprint("c", i), 0, 0, time.Duration(i)))
	}
	seen := map[string]bool{}
	for range 3 {
		ids := staleOf(t, x, time.Hour, 3)
		if len(ids) > 3 {
			t.Fatalf("%d of at most 3", len(ids))
		}
		for _, id := range ids {
			seen[id] = true
		}
		remove(t, x, ids...)
	}
	if len(seen) != 7 {
		t.Errorf("3 pages of 3 hold %d of 7 couriers", len(seen))
	}
}

func empty(t *testing.T, x tracking.Index) {
	wantCouriers(t, last(t, x, "c1"))
	wantCouriers(t, near(t, x, center, 10_000, 10))
	wantCouriers(t, inside(t, x, boxAround(center, 10_000), 10))
	if ids := staleOf(t, x, time.Hour, 10); len(ids) > 0 {
		t.Errorf("stale: %v", ids)
	}
}

func nothing(t *testing.T, x tracking.Index) {
	move(t, x)
	remove(t, x)
	wantCouriers(t, last(t, x))
}

func largeBatch(t *testing.T, x tracking.Index) {
	const n = 5000
	fixes, ids := make([]tracking.Fix, n), make([]string, n)
	for i := range fixes {
		ids[i] = fmt.Sprintf("c%04d", i)
		fixes[i] = fixAt(ids[i], float64(i%100)*100, float64(i/100)*100, 0)
	}
	move(t, x, fixes...)
	clear(fixes) // the index keeps no slice
	if got := last(t, x, ids...); len(got) != n {
		t.Errorf("%d of %d couriers held", len(got), n)
	}
	wantCouriers(t, near(t, x, center.Offset(0, 100), 50, 10), "c0100")
}
