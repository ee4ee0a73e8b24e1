package redis

import (
	"fmt"
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

// BenchmarkPublish is a flush to nobody, and one to another node.
func BenchmarkPublish(b *testing.B) {
	open := opener(b, false)
	for _, watched := range []bool{false, true} {
		b.Run(fmt.Sprintf("fixes=1000/watched=%t", watched), func(b *testing.B) {
			db := open(b)
			from, to := NewFeed(db), NewFeed(db)
			defer from.Close()
			defer to.Close()
			if watched {
				w := to.Subscribe()
				defer w.Close()
				w.Watch(0)
			}
			fixes := crowd(1000, 20_000)
			b.ReportAllocs()
			for b.Loop() {
				if err := from.Publish(b.Context(), fixes); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*1000)/b.Elapsed().Seconds(), "fixes/s")
		})
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
	l := NewLimiter(opener(b, false)(b))
	for b.Loop() {
		if _, err := l.Take(b.Context(), "k", 1e6, 1e6); err != nil {
			b.Fatal(err)
		}
	}
}
