package bench

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latency is a distribution in milliseconds.
type Latency struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// recorder takes latencies from many goroutines, each in a lane, to 3 digits
// between a microsecond and ten minutes.
type recorder struct {
	window window
	shards [16]shard
}

type shard struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
	_  [40]byte // a cache line of its own
}

func newRecorder(w window) *recorder {
	r := &recorder{window: w}
	for i := range r.shards {
		r.shards[i].h = hdrhistogram.New(1, 10*time.Minute.Microseconds(), 3)
	}
	return r
}

// record counts how long after it was due something was done, if it was due
// in the measured time.
func (r *recorder) record(lane int, due, done time.Time) {
	if r.window.counts(due) {
		r.add(lane, done.Sub(due))
	}
}

func (r *recorder) add(lane int, took time.Duration) {
	s := &r.shards[lane%len(r.shards)]
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.h.RecordValue(min(max(took.Microseconds(), 1), s.h.HighestTrackableValue()))
}

func (r *recorder) merged() *hdrhistogram.Histogram {
	all := hdrhistogram.New(1, 10*time.Minute.Microseconds(), 3)
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		all.Merge(s.h)
		s.mu.Unlock()
	}
	return all
}

func (r *recorder) total() float64 { return float64(r.merged().TotalCount()) }

func (r *recorder) latency() *Latency {
	h := r.merged()
	if h.TotalCount() == 0 {
		return nil
	}
	ms := func(percent float64) float64 { return float64(h.ValueAtPercentile(percent)) / 1000 }
	return &Latency{P50: ms(50), P99: ms(99), P999: ms(99.9), Max: float64(h.Max()) / 1000}
}
