package redis

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"courier/geo"
	"courier/tracking"
)

// crowd is n couriers over a town of so many metres across.
func crowd(n int, across float64) []tracking.Fix {
	at := geo.Point{Lat: 52.1, Lng: 4.3}
	fixes := make([]tracking.Fix, n)
	for i := range fixes {
		fixes[i] = tracking.Fix{
			Courier: fmt.Sprintf("courier-%06d", i), Time: morning, Received: morning,
			Point: at.Offset(float64(i%37)/37*across, float64(i%41)/41*across), Accuracy: 8,
		}
	}
	return fixes
}

func BenchmarkMove(b *testing.B) {
	for _, topology := range []string{"single", "cluster"} {
		open := opener(b, topology == "cluster")
		for _, n := range []int{100, 1000, 5000} {
			b.Run(fmt.Sprintf("%s/fixes=%d", topology, n), func(b *testing.B) {
				x, fixes := NewIndex(open(b)), crowd(n, 20_000)
				b.ReportAllocs()
				for b.Loop() {
					for i := range fixes {
						fixes[i].Time = fixes[i].Time.Add(time.Second)
						fixes[i].Received = fixes[i].Time
					}
					if err := x.Move(b.Context(), fixes); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "fixes/s")
			})
		}
	}
}

// BenchmarkPublish is a flush over a town, to nobody and to another node that
// watches it, region by region or as a part of everything; until the last
// message has come there.
func BenchmarkPublish(b *testing.B) {
	for _, topology := range []string{"single", "cluster"} {
		open := opener(b, topology == "cluster")
		for _, across := range []float64{20_000, 100_000} {
			fixes := crowd(1000, across)
			regions := map[geo.Cell]bool{}
			for _, f := range fixes {
				region, _ := geo.CellOf(f.Point, geo.RegionResolution)
				regions[region] = true
			}
			for _, watched := range []string{"nothing", "regions", "everything"} {
				b.Run(fmt.Sprintf("%s/fixes=1000/regions=%d/watched=%s", topology, len(regions), watched), func(b *testing.B) {
					db := open(b)
					from, to := NewFeed(db), NewFeed(db)
					defer from.Close()
					defer to.Close()
					w := to.Subscribe()
					defer w.Close()
					switch watched {
					case "regions":
						w.Watch(slices.Collect(maps.Keys(regions))...)
					case "everything":
						w.Watch(everywhere)
					}
					arrive := func() {}
					if watched != "nothing" {
						arrive = func() {
							for n := 0; n < len(fixes); {
								n += len(<-w.Fixes())
							}
						}
						for heard := 0; heard < len(fixes); { // until all channels are subscribed to
							_ = from.Publish(b.Context(), fixes)
							for quiet := false; !quiet; {
								select {
								case <-w.Fixes():
								case <-time.After(100 * time.Millisecond):
									quiet = true
								}
							}
							_ = from.Publish(b.Context(), fixes)
							for heard = 0; heard < len(fixes); {
								select {
								case some := <-w.Fixes():
									heard += len(some)
									continue
								case <-time.After(100 * time.Millisecond):
								}
								break
							}
						}
					}
					b.ReportAllocs()
					b.ResetTimer()
					for b.Loop() {
						if err := from.Publish(b.Context(), fixes); err != nil {
							b.Fatal(err)
						}
						arrive()
					}
					b.ReportMetric(float64(b.N*1000)/b.Elapsed().Seconds(), "fixes/s")
				})
			}
		}
	}
}

func BenchmarkNear(b *testing.B) {
	open := opener(b, false)
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("couriers=%d/radius=2km/limit=10", n), func(b *testing.B) {
			x, fixes := NewIndex(open(b)), crowd(n, 40_000)
			if err := x.Move(b.Context(), fixes); err != nil {
				b.Fatal(err)
			}
			at := fixes[n/2].Point
			for b.Loop() {
				if _, err := x.Near(b.Context(), at, 2000, 10); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTake(b *testing.B) {
	l := NewLimiter(opener(b, false)(b), nil)
	for b.Loop() {
		if _, err := l.Take(b.Context(), "k", 1e6, 1e6); err != nil {
			b.Fatal(err)
		}
	}
}
