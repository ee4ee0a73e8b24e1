package tracking

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"courier/geo"
)

// fixes draws what phones send, and what they should not.
func fixes() *rapid.Generator[Fix] {
	return rapid.Custom(func(t *rapid.T) Fix {
		f := at(time.Duration(rapid.IntRange(-30, 70).Draw(t, "seconds"))*time.Second,
			rapid.Float64Range(-400, 400).Draw(t, "east"))
		switch rapid.IntRange(0, 12).Draw(t, "fault") {
		case 0:
			f.Lat = math.NaN()
		case 1:
			f.Point = geo.Point{}
		case 2:
			f.Accuracy = 500
		case 3:
			f.Time = f.Time.Add(-48 * time.Hour)
		case 4:
			f.Point = f.Offset(50_000, 0)
		}
		return f
	})
}

func TestMarkersNeverMoveBackAndEveryFixCounts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t, Config{TrailChunk: 3})
		watcher := r.feed.Subscribe()
		defer watcher.Close()
		watcher.Watch(0)
		var sent, accepted, rejected, late uint64
		newest, shown := map[string]time.Time{}, map[string]time.Time{}
		for range rapid.IntRange(1, 25).Draw(rt, "frames") {
			courier := rapid.SampledFrom([]string{"c1", "c2"}).Draw(rt, "courier")
			batch := rapid.SliceOfN(fixes(), 0, 6).Draw(rt, "fixes")
			result, err := r.Ingest(t.Context(), courier, batch, nil)
			if err != nil {
				rt.Fatal(err)
			}
			if result.Accepted+len(result.Rejected) != len(batch) {
				rt.Fatalf("%d fixes, answered %+v", len(batch), result)
			}
			sent += uint64(len(batch))
			accepted += uint64(result.Accepted)
			rejected += uint64(len(result.Rejected))
			late += uint64(len(result.Late))
			r.clock.pass(time.Duration(rapid.IntRange(0, 20).Draw(rt, "pause")) * time.Second)
			if rapid.Bool().Draw(rt, "evicted") {
				r.shard(courier).couriers = map[string]*state{} // as after a restart
				r.shard(courier).moved, r.shard(courier).full, r.shard(courier).trailing = nil, nil, nil
			}
			for _, id := range []string{"c1", "c2"} {
				if f, there := r.marker(t, id); there {
					if f.Time.Before(newest[id]) {
						rt.Fatalf("%s moved back from %v to %v", id, newest[id], f.Time)
					}
					newest[id] = f.Time
				}
			}
			select {
			case batch := <-watcher.Fixes():
				for _, f := range batch {
					if f.Time.Before(shown[f.Courier]) {
						rt.Fatalf("%s shown moving back from %v to %v", f.Courier, shown[f.Courier], f.Time)
					}
					shown[f.Courier] = f.Time
				}
			default:
			}
		}
		stats := r.Stats()
		var counted uint64
		for _, n := range stats.Rejected {
			counted += n
		}
		if stats.Accepted != accepted || stats.Late != late || counted != rejected || accepted+rejected != sent {
			rt.Fatalf("sent %d, answered %d + %d, %d late, counted %+v", sent, accepted, rejected, late, stats)
		}
	})
}

func TestTrailHoldsEveryAcceptedFixOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t, Config{TrailChunk: rapid.IntRange(1, 5).Draw(rt, "chunk")})
		trails := NewTrails(r.store, r.Tracker)
		want := map[int64]bool{}
		for range rapid.IntRange(1, 15).Draw(rt, "frames") {
			batch := rapid.SliceOfN(fixes(), 0, 6).Draw(rt, "fixes")
			result, err := r.Ingest(t.Context(), "c1", batch, nil)
			if err != nil {
				rt.Fatal(err)
			}
			bad := map[int]bool{}
			for _, rejection := range result.Rejected {
				bad[rejection.Index] = true
			}
			for i, f := range batch {
				if !bad[i] {
					want[f.Time.UnixMilli()] = true
				}
			}
			r.store.fail(nil)
			if rapid.Bool().Draw(rt, "down") {
				r.store.fail(fmt.Errorf("down"))
			}
			if rapid.Bool().Draw(rt, "write") {
				_ = r.writeTrails(t.Context(), rapid.Bool().Draw(rt, "all"))
			}
			got, err := trails.Between(t.Context(), "c1", noon.Add(-24*time.Hour), noon.Add(24*time.Hour))
			if err != nil {
				rt.Fatal(err)
			}
			if len(got) != len(want) {
				rt.Fatalf("the trail holds %d fixes, want %d", len(got), len(want))
			}
			for i, f := range got {
				if !want[f.Time.UnixMilli()] || i > 0 && !got[i-1].Time.Before(f.Time) {
					rt.Fatalf("out of place in the trail: %v", f)
				}
			}
		}
		r.store.fail(nil)
		if err := r.writeTrails(t.Context(), true); err != nil {
			rt.Fatal(err)
		}
		if waiting := r.Stats().TrailWaiting; waiting != 0 || r.store.count() != len(want) {
			rt.Fatalf("%d wait, %d of %d stored", waiting, r.store.count(), len(want))
		}
	})
}
