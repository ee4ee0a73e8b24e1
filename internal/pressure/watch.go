package pressure

import (
	"context"
	"math"
	"runtime/metrics"
	"time"
)

// How often Watch looks, and which wait of a goroutine for a processor is
// overload: where one in ten waits longer, whatever is done comes late.
const (
	look   = 100 * time.Millisecond
	late   = 20 * time.Millisecond
	share  = 0.9
	fewest = 50 // goroutines that ran between two looks, to judge by
)

// Watch looks until ctx ends at how long goroutines wait for a processor.
// Work that takes no slot, such as positions from sockets, shows in it.
func (g *Gate) Watch(ctx context.Context) error {
	if g.Slots == 0 {
		return nil
	}
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	tick := time.NewTicker(look)
	defer tick.Stop()
	var before []uint64
	for {
		metrics.Read(sample)
		waits := sample[0].Value.Float64Histogram()
		if wait := quantile(before, waits, share); wait > late.Seconds() {
			g.press(time.Now())
		}
		before = append(before[:0], waits.Counts...)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// quantile is that of what came since before, in seconds; 0 if too little did.
func quantile(before []uint64, now *metrics.Float64Histogram, q float64) float64 {
	if len(before) != len(now.Counts) {
		return 0
	}
	var total uint64
	for i, n := range now.Counts {
		total += n - before[i]
	}
	if total < fewest {
		return 0
	}
	rank := uint64(math.Ceil(q * float64(total)))
	var seen uint64
	for i, n := range now.Counts {
		if seen += n - before[i]; seen >= rank {
			return max(now.Buckets[i], 0) // its lower end; the first may be -Inf
		}
	}
	return 0
}
