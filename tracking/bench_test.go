package tracking

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"courier/geo"
)

// BenchmarkIngest counts fixes, not frames.
func BenchmarkIngest(b *testing.B) {
	speed, heading := 6.1, 90.0
	for _, n := range []int{1_000, 10_000, 100_000} {
		for _, size := range []int{1, 10} {
			b.Run(fmt.Sprintf("couriers=%d/frame=%d", n, size), func(b *testing.B) {
				r := newRig(b, Config{TrailBuffer: 1 << 40})
				ctx, cancel := context.WithCancel(b.Context())
				ended := make(chan error, 1)
				go func() { ended <- r.Run(ctx) }()
				ids := make([]string, n)
				for i := range ids {
					ids[i] = fmt.Sprintf("courier-%06d", i)
				}
				fences := []Fence{{"pickup", home.Offset(900, 0), 80}, {"dropoff", home.Offset(4000, 0), 80}}
				for _, id := range ids { // all known, as they are after a minute
					if _, err := r.Ingest(ctx, id, []Fix{at(-time.Second, 0)}, nil); err != nil {
						b.Fatal(err)
					}
				}
				frame := make([]Fix, size)
				b.ReportAllocs()
				b.ResetTimer()
				for sent := 0; sent < b.N; sent += size {
					step := sent / size
					round := step / n
					for k := range frame {
						second := round*size + k
						frame[k] = Fix{
							Time: noon.Add(time.Duration(second) * time.Second), Accuracy: 8, Speed: &speed, Heading: &heading,
							Point: geo.Point{Lat: home.Lat, Lng: home.Lng + (1000-math.Abs(float64(second%2000-1000)))*8e-5},
						}
					}
					r.clock.pass(time.Duration(size) * time.Second / time.Duration(n))
					if result, err := r.Ingest(ctx, ids[step%n], frame, fences); err != nil || result.Accepted+len(result.Rejected) != size {
						b.Fatalf("%+v, %v", result, err)
					}
				}
				b.StopTimer()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "fixes/s")
				cancel()
				if err := <-ended; err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

// fleet spreads n couriers over a city 40 km across.
func fleet(n int) []Fix {
	random := rand.New(rand.NewPCG(1, 2))
	fixes := make([]Fix, n)
	for i := range fixes {
		fixes[i] = Fix{
			Courier: fmt.Sprintf("courier-%06d", i), Time: noon, Received: noon, Accuracy: 8,
			Point: home.Offset(random.Float64()*40_000, random.Float64()*40_000),
		}
	}
	return fixes
}

// BenchmarkMemoryMove counts fixes, in batches of a flush.
func BenchmarkMemoryMove(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("couriers=%d", n), func(b *testing.B) {
			fixes, m := fleet(n), NewMemory()
			b.ReportAllocs()
			b.ResetTimer()
			for moved := 0; moved < b.N; moved += 1000 {
				from := moved % n
				batch := fixes[from:min(from+1000, n)]
				for i := range batch {
					f := &batch[i]
					f.Time, f.Received = f.Time.Add(time.Second), f.Received.Add(time.Second)
					f.Lng += 1e-4
				}
				if err := m.Move(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMemoryNear(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("couriers=%d/limit=10", n), func(b *testing.B) {
			fixes, m := fleet(n), NewMemory()
			if err := m.Move(b.Context(), fixes); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := m.Near(b.Context(), fixes[i%n].Point, 5000, 10); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkMemoryFeedPublish(b *testing.B) {
	for _, watchers := range []int{0, 100, 10_000} {
		b.Run(fmt.Sprintf("fixes=1000/watchers=%d", watchers), func(b *testing.B) {
			feed, fixes := NewMemoryFeed(), fleet(1000)
			for i := range watchers {
				w := feed.Subscribe()
				defer w.Close()
				region, err := geo.CellOf(fixes[i%1000].Point, geo.RegionResolution)
				if err != nil {
					b.Fatal(err)
				}
				w.Watch(region)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := feed.Publish(b.Context(), fixes); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkChunk(b *testing.B) {
	fixes := make([]Fix, 100)
	for i := range fixes {
		fixes[i] = at(time.Duration(i)*time.Second, float64(i)*6)
	}
	b.Run("what=encode/fixes=100", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			EncodeChunk("c1", fixes)
		}
	})
	b.Run("what=decode/fixes=100", func(b *testing.B) {
		chunk := EncodeChunk("c1", fixes)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := DecodeChunk(chunk); err != nil {
				b.Fatal(err)
			}
		}
	})
}
