package redis

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"courier/geo"
	"courier/tracking"
)

var morning = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// TestIndexAgainstMemory wants the answers of tracking.Memory, at odd places
// of the world too.
func TestIndexAgainstMemory(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(t testing.TB) *DB) {
		for name, at := range map[string]geo.Point{
			"town":         {Lat: 52.1, Lng: 4.3},
			"equator":      {Lat: 0, Lng: 0},
			"antimeridian": {Lat: -17, Lng: 180},
			"GEO's limit":  {Lat: 85.05, Lng: 20},
			"north pole":   {Lat: 90, Lng: 0},
			"south":        {Lat: -85.06, Lng: -180},
			"pentagon":     {Lat: 64.7, Lng: 10.536},
		} {
			t.Run(name, func(t *testing.T) { compare(t, NewIndex(open(t)), at) })
		}
	})
}

func compare(t *testing.T, x *Index, at geo.Point) {
	r := rand.New(rand.NewPCG(1, 2))
	model := tracking.NewMemory()
	anywhere := func(metres float64) geo.Point {
		return at.Offset((r.Float64()*2-1)*metres, (r.Float64()*2-1)*metres)
	}
	same := func(what string, got, want []tracking.Fix, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		name := func(f tracking.Fix) string { return fmt.Sprint(f.Courier, f.Time.UnixMilli()) }
		a, b := make([]string, len(got)), make([]string, len(want))
		for i := range got {
			a[i] = name(got[i])
		}
		for i := range want {
			b[i] = name(want[i])
		}
		if !slices.Equal(a, b) {
			t.Errorf("%s: %v, want %v", what, a, b)
		}
	}
	for round := range 15 {
		var fixes []tracking.Fix
		for range 60 {
			when := morning.Add(time.Duration(r.IntN(1000*(round+1))) * time.Millisecond)
			fixes = append(fixes, tracking.Fix{
				Courier: fmt.Sprint("c", r.IntN(80)), Time: when, Received: when, Point: anywhere([]float64{2000, 40_000}[r.IntN(2)]),
			})
		}
		gone := fmt.Sprint("c", r.IntN(80))
		for _, y := range []tracking.Index{x, model} {
			if err := y.Move(t.Context(), fixes); err != nil {
				t.Fatal(err)
			}
			if err := y.Remove(t.Context(), gone); err != nil {
				t.Fatal(err)
			}
		}
		for _, radius := range []float64{0, 700, 5000, 20_000, 100_000, 2e7} {
			for _, limit := range []int{3, 100} {
				p := anywhere(20_000)
				got, err := x.Near(t.Context(), p, radius, limit)
				want, _ := model.Near(t.Context(), p, radius, limit)
				same(fmt.Sprintf("near %v, %v m, %d", p, radius, limit), got, want, err)
			}
		}
		for _, half := range []float64{0.01, 0.1, 0.9, 20} {
			c := anywhere(10_000)
			box := geo.Bounds{
				South: max(c.Lat-half, -90), North: min(c.Lat+half, 90),
				West: max(c.Lng-2*half, -180), East: min(c.Lng+2*half, 180),
			}
			for _, limit := range []int{3, 100} {
				got, err := x.Within(t.Context(), box, limit)
				want, _ := model.Within(t.Context(), box, limit)
				same(fmt.Sprintf("within %v, %d", box, limit), got, want, err)
			}
		}
	}
}

// TestNodesMoveTheSameCouriers lets several nodes move couriers at once,
// between regions: each ends where its newest fix says, found there and
// nowhere else.
func TestNodesMoveTheSameCouriers(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(t testing.TB) *DB) {
		const nodes, rounds, n = 4, 40, 20
		db, at := open(t), geo.Point{Lat: 52.1, Lng: 4.3}
		fixAt := func(courier, round int) tracking.Fix {
			when := morning.Add(time.Duration(round) * time.Second)
			return tracking.Fix{
				Courier: fmt.Sprintf("c%02d", courier), Time: when, Received: when,
				Point: at.Offset(float64(round*7%5)*9000, float64(courier)),
			}
		}
		var all sync.WaitGroup
		for node := range nodes {
			x := NewIndex(db)
			all.Go(func() {
				for round := node; round < nodes*rounds; round += nodes {
					var fixes []tracking.Fix
					for c := range n {
						fixes = append(fixes, fixAt(c, round))
					}
					if err := x.Move(t.Context(), fixes); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		x := NewIndex(db)
		for spot := range 5 {
			center := at.Offset(float64(spot)*9000, 0)
			got, err := x.Near(t.Context(), center, 1000, 1000)
			if err != nil {
				t.Fatal(err)
			}
			want := 0
			if spot == (nodes*rounds-1)*7%5 {
				want = n
			}
			if len(got) != want {
				t.Errorf("spot %d: %d couriers, want %d", spot, len(got), want)
			}
			region, _ := geo.CellOf(center, geo.RegionResolution)
			size, err := db.client.ZCard(t.Context(), x.regionKeys(region)[0]).Result()
			if err != nil || int(size) != want {
				t.Errorf("spot %d: the set has %d couriers (%v), want %d", spot, size, err, want)
			}
		}
	})
}

// TestMembersEnd wants couriers that nobody renews dropped from keys that
// others renew.
func TestMembersEnd(t *testing.T) {
	db := opener(t, false)(t)
	db.config.Retention = time.Second
	x, at := NewIndex(db), geo.Point{Lat: 52.1, Lng: 4.3}
	for i := range 300 { // of all shards
		if err := x.Move(t.Context(), []tracking.Fix{{Courier: fmt.Sprint("old", i), Time: morning, Received: morning, Point: at}}); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(1100 * time.Millisecond) // of the server's clock
	later := morning.Add(2 * time.Second)
	for i := range 300 {
		if err := x.Move(t.Context(), []tracking.Fix{{Courier: fmt.Sprint("new", i), Time: later, Received: later, Point: at}}); err != nil {
			t.Fatal(err)
		}
	}
	region, _ := geo.CellOf(at, geo.RegionResolution)
	for _, key := range append(x.regionKeys(region), x.shardKeys(shardOf("new1"))[1]) {
		members, err := db.client.ZRange(t.Context(), key, 0, -1).Result()
		if err != nil || len(members) == 0 {
			t.Fatal(key, members, err)
		}
		for _, m := range members {
			if m[:3] == "old" {
				t.Fatalf("%s still has %s", key, m)
			}
		}
	}
}

// TestMoveTwice: go-redis repeats what it got no answer to.
func TestMoveTwice(t *testing.T) {
	x, at := NewIndex(opener(t, false)(t)), geo.Point{Lat: 52.1, Lng: 4.3}
	fix := tracking.Fix{Courier: "c1", Time: morning, Received: morning, Point: at}
	next := fix
	next.Time, next.Point = morning.Add(time.Second), at.Offset(30_000, 0)
	newest, err := newestOf([]tracking.Fix{next})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Move(t.Context(), []tracking.Fix{fix}); err != nil {
		t.Fatal(err)
	}
	// The shard takes the newer fix, and the regions do not hear of it.
	if err := x.db.run(t.Context(), x.moveCalls(newest).list()); err != nil {
		t.Fatal(err)
	}
	if got, err := x.Near(t.Context(), at, 1000, 10); err != nil || len(got) != 0 {
		t.Errorf("found where it was: %v, %v", got, err)
	}
	if err := x.Move(t.Context(), []tracking.Fix{next}); err != nil {
		t.Fatal(err)
	}
	if got, err := x.Near(t.Context(), next.Point, 1000, 10); err != nil || len(got) != 1 {
		t.Errorf("not found where it is: %v, %v", got, err)
	}
	region, _ := geo.CellOf(at, geo.RegionResolution)
	if size, err := x.db.client.ZCard(t.Context(), x.regionKeys(region)[0]).Result(); err != nil || size != 0 {
		t.Errorf("the old region still has %d couriers, %v", size, err)
	}
}

// TestRecordsOfAnotherVersion must not keep a courier from moving.
func TestRecordsOfAnotherVersion(t *testing.T) {
	db := opener(t, false)(t)
	x, at := NewIndex(db), geo.Point{Lat: 52.1, Lng: 4.3}
	if err := db.client.HSet(t.Context(), x.shardKeys(shardOf("c1"))[0], "c1", "what is this").Err(); err != nil {
		t.Fatal(err)
	}
	if got, err := x.Last(t.Context(), "c1"); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if err := x.Move(t.Context(), []tracking.Fix{{Courier: "c1", Time: morning, Received: morning, Point: at}}); err != nil {
		t.Fatal(err)
	}
	if got, err := x.Last(t.Context(), "c1"); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}
