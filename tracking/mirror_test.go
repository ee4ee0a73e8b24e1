package tracking

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"courier/geo"
	"courier/internal/clock"
)

// Within fails while err is set.
func (b *broken) Within(ctx context.Context, box geo.Bounds, limit int) ([]Fix, error) {
	if err := b.fault(); err != nil {
		return nil, err
	}
	return b.Index.Within(ctx, box, limit)
}

type mirrorRig struct {
	*Mirror
	clock  *stopped
	shared *broken // the index of all nodes
	feed   *MemoryFeed
}

func newMirrorRig(t testing.TB) *mirrorRig {
	t.Helper()
	r := &mirrorRig{clock: newStopped(), shared: &broken{Index: NewMemory()}, feed: NewMemoryFeed()}
	var err error
	if r.Mirror, err = NewMirror(MirrorConfig{}, r.shared, r.feed, r.clock, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return r
}

// elsewhere is another node's courier: it goes to the index, and to the feed
// unless that is lost.
func (r *mirrorRig) elsewhere(t fataler, f Fix, lost bool) {
	f.Received = r.clock.Now()
	if err := r.shared.Index.Move(context.Background(), []Fix{f}); err != nil {
		t.Fatal(err)
	}
	if lost {
		return
	}
	if err := r.feed.Publish(context.Background(), []Fix{f}); err != nil {
		t.Fatal(err)
	}
}

type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// arrive takes what the feed has brought.
func (r *mirrorRig) arrive() {
	select {
	case fixes := <-r.watcher.Fixes():
		r.take(context.Background(), fixes)
	default:
	}
}

func (r *mirrorRig) everyone() map[string]Fix {
	all, _ := r.held.Within(context.Background(), geo.Bounds{South: -90, West: -180, North: 90, East: 180}, 1000)
	out := map[string]Fix{}
	for _, f := range all {
		out[f.Courier] = f
	}
	return out
}

func regionsAt(east ...float64) []geo.Cell {
	var out []geo.Cell
	for _, metres := range east {
		cell, err := geo.CellOf(home.Offset(metres, 0), geo.RegionResolution)
		if err != nil {
			panic(err)
		}
		out = append(out, cell)
	}
	return out
}

// Whatever moves, leaves, is lost or fails: after one good snapshot the
// mirror holds what the index holds of its regions, and nothing else.
func TestAMirrorConverges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ctx := t.Context()
		r := newMirrorRig(t)
		defer r.Close()
		own, regions := r.Own(), regionsAt(0)
		couriers := rapid.SampledFrom([]string{"c1", "c2", "c3", "c4", "c5"})
		place := rapid.SampledFrom([]float64{0, 500, -9000, 9000, 9500, 40_000}) // of four regions, one of another area
		if err := r.Cover(ctx, regions...); err != nil {
			rt.Fatal(err)
		}
		step := 0
		draw := func() Fix {
			step++
			f := at(time.Duration(step)*time.Second, place.Draw(rt, "east"))
			f.Courier, f.Received = couriers.Draw(rt, "courier"), r.clock.Now()
			if rapid.IntRange(0, 4).Draw(rt, "old") == 0 {
				f.Time = f.Time.Add(-3500 * time.Millisecond) // that of no other fix
			}
			return f
		}
		rt.Repeat(map[string]func(*rapid.T){
			"elsewhere": func(rt *rapid.T) { r.elsewhere(rt, draw(), rapid.Bool().Draw(rt, "lost")) },
			"own": func(*rapid.T) {
				f := draw()
				if err := own.Move(ctx, []Fix{f}); err == nil {
					_ = r.feed.Publish(ctx, []Fix{f})
				}
			},
			"leaves":      func(rt *rapid.T) { _ = r.shared.Remove(ctx, couriers.Draw(rt, "courier")) },
			"leaves here": func(rt *rapid.T) { _ = own.Remove(ctx, couriers.Draw(rt, "courier")) },
			"wiped":       func(*rapid.T) { r.shared.Index = NewMemory() },
			"arrives":     func(*rapid.T) { r.arrive() },
			"waits":       func(rt *rapid.T) { r.clock.pass(time.Duration(rapid.IntRange(1, 30).Draw(rt, "s")) * time.Second) },
			"expires":     func(*rapid.T) { r.expire() },
			"snapshot":    func(*rapid.T) { _ = r.snapshot(ctx) },
			"away":        func(*rapid.T) { r.shared.fail(errors.New("away")) },
			"back":        func(*rapid.T) { r.shared.fail(nil) },
			"cover": func(rt *rapid.T) {
				regions = regionsAt(rapid.SliceOfN(place, 0, 4).Draw(rt, "regions")...)
				if rapid.IntRange(0, 5).Draw(rt, "all") == 0 {
					regions = append(regions, 0)
				}
				_ = r.Cover(ctx, regions...)
			},
		})
		r.shared.fail(nil)
		r.arrive()
		r.clock.pass(r.grace() + time.Millisecond)
		if err := r.snapshot(ctx); err != nil {
			rt.Fatal(err)
		}
		r.expire()
		want := map[string]Fix{}
		shared, err := r.shared.Index.Last(ctx, "c1", "c2", "c3", "c4", "c5")
		if err != nil {
			rt.Fatal(err)
		}
		for _, f := range shared {
			region, err := geo.CellOf(f.Point, geo.RegionResolution)
			if err != nil {
				rt.Fatal(err)
			}
			fresh := !f.Received.Before(r.clock.Now().Add(-time.Minute))
			if fresh && (slices.Contains(regions, region) || slices.Contains(regions, geo.Cell(0))) {
				want[f.Courier] = f
			}
		}
		if got := r.everyone(); !reflect.DeepEqual(got, want) {
			rt.Fatalf("the mirror holds\n%v, want\n%v", got, want)
		}
		if got := r.Stats(); got.Couriers != len(want) || got.Regions > len(regions) || got.Last.IsZero() {
			rt.Fatalf("%+v, %d couriers", got, len(want))
		}
	})
}

// An area and what is around it are about one question to the index, and two
// towns do not hold the land between them.
func TestAMirrorAsksInFewBoxes(t *testing.T) {
	var regions []geo.Cell
	for _, east := range []float64{0, 300_000} {
		area, err := geo.CellOf(home.Offset(east, 0), geo.AreaResolution)
		if err != nil {
			t.Fatal(err)
		}
		regions = append(regions, area.Regions(15_000)...)
	}
	boxes := boxesOver(regions)
	if n := len(boxes); n < 2 || n > 6 {
		t.Errorf("%d boxes around two towns", n)
	}
	between := home.Offset(150_000, 0)
	for _, b := range boxes {
		if b.Contains(between) {
			t.Errorf("%+v holds what is between", b)
		}
	}
	for _, region := range regions {
		if !slices.ContainsFunc(boxes, func(b geo.Bounds) bool { return b.Contains(region.Center()) }) {
			t.Fatalf("%v is in none of %+v", region.Center(), boxes)
		}
	}
	t.Logf("%d boxes around %d regions", len(boxes), len(regions))
}

func (r *mirrorRig) wantHeld(t *testing.T, when string, want ...string) {
	t.Helper()
	var got []string
	for courier := range r.everyone() {
		got = append(got, courier)
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Fatalf("%s: %v, want %v", when, got, want)
	}
}

func named(courier string, f Fix) Fix {
	f.Courier = courier
	return f
}

func TestWhileTheIndexIsAwayAMirrorHoldsWhatThisNodeBrings(t *testing.T) {
	r := newMirrorRig(t)
	defer r.Close()
	r.elsewhere(t, named("before", at(0, 0)), true)
	if err := r.Cover(t.Context(), regionsAt(0)...); err != nil {
		t.Fatal(err)
	}
	r.shared.fail(errors.New("away"))
	mine := named("mine", at(time.Second, 100))
	mine.Received = r.clock.Now()
	if err := r.Own().Move(t.Context(), []Fix{mine}); err == nil {
		t.Fatal("the tracker is not told that the index is away")
	}
	r.refresh(t.Context())
	r.refresh(t.Context())
	r.wantHeld(t, "away", "before", "mine")
	if s := r.Stats(); s.Failures != 2 {
		t.Errorf("%+v", s)
	}
	fixes, err := r.Near(t.Context(), home, 1000, 10)
	if err != nil || len(fixes) != 2 || fixes[1].Courier != "mine" {
		t.Errorf("near: %v, %v", fixes, err)
	}

	// The index comes back empty: couriers have a moment to fill it again.
	r.shared.Index = NewMemory()
	r.shared.fail(nil)
	r.refresh(t.Context())
	r.wantHeld(t, "back and empty", "before", "mine")
	r.clock.pass(r.grace() + time.Second)
	r.elsewhere(t, named("before", at(20*time.Second, 0)), true)
	r.refresh(t.Context())
	r.wantHeld(t, "later", "before")
}

// A courier of this node who leaves the regions, or the street, is gone at
// once.
func TestAMirrorSeesItsOwnLeave(t *testing.T) {
	r := newMirrorRig(t)
	defer r.Close()
	if err := r.Cover(t.Context(), regionsAt(0)...); err != nil {
		t.Fatal(err)
	}
	own := r.Own()
	for step, east := range []float64{0, 30_000} {
		for _, courier := range []string{"rides", "ends"} {
			f := named(courier, at(time.Duration(step)*time.Second, east))
			f.Received = r.clock.Now()
			if courier == "ends" && step == 1 {
				if err := own.Remove(t.Context(), courier); err != nil {
					t.Fatal(err)
				}
			} else if err := own.Move(t.Context(), []Fix{f}); err != nil {
				t.Fatal(err)
			}
		}
		if step == 0 {
			r.wantHeld(t, "here", "ends", "rides")
		}
	}
	r.wantHeld(t, "gone")
	if fixes, err := r.shared.Last(t.Context(), "rides", "ends"); err != nil || len(fixes) != 1 {
		t.Errorf("the index has %v, %v", fixes, err)
	}
}

func TestAMirrorLetsGoOfTheSilent(t *testing.T) {
	r := newMirrorRig(t)
	defer r.Close()
	if err := r.Cover(t.Context(), regionsAt(0)...); err != nil {
		t.Fatal(err)
	}
	r.shared.fail(errors.New("away")) // nobody else says that it is gone
	r.elsewhereOnFeed(t, named("silent", at(0, 0)))
	r.clock.pass(40 * time.Second)
	r.elsewhereOnFeed(t, named("heard", at(40*time.Second, 0)))
	r.wantHeld(t, "both", "heard", "silent")
	r.clock.pass(21 * time.Second)
	r.expire()
	r.wantHeld(t, "a minute later", "heard")
}

func (r *mirrorRig) elsewhereOnFeed(t *testing.T, f Fix) {
	t.Helper()
	f.Received = r.clock.Now()
	if err := r.feed.Publish(t.Context(), []Fix{f}); err != nil {
		t.Fatal(err)
	}
	r.arrive()
}

// Run alone heals what the feed has lost, also with a clock that is fast.
func TestARunningMirrorHeals(t *testing.T) {
	for _, rate := range []float64{1, 60} {
		t.Run(fmt.Sprintf("rate=%v", rate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared, feed := &broken{Index: NewMemory()}, NewMemoryFeed()
				clk := clock.New(time.Now(), rate)
				m, err := NewMirror(MirrorConfig{}, shared, feed, clk, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- m.Run(ctx) }()
				if err := m.Cover(ctx, regionsAt(0)...); err != nil {
					t.Fatal(err)
				}
				fix := Fix{Courier: "c1", Time: clk.Now(), Received: clk.Now(), Point: home}
				if err := shared.Move(ctx, []Fix{fix}); err != nil {
					t.Fatal(err)
				}
				ago := func(d time.Duration) { time.Sleep(time.Duration(float64(d) / rate)); synctest.Wait() }
				held := func() bool { got, _ := m.Last(ctx, "c1"); return len(got) == 1 }
				synctest.Wait()
				time.Sleep(1100 * time.Millisecond)
				if synctest.Wait(); !held() {
					t.Error("what the feed may have lost while it began is not there a second later")
				}
				if err := shared.Remove(ctx, "c1"); err != nil {
					t.Fatal(err)
				}
				ago(31 * time.Second)
				if held() {
					t.Error("who has left is still there")
				}
				fix.Time, fix.Received = clk.Now(), clk.Now()
				if err := shared.Move(ctx, []Fix{fix}); err != nil {
					t.Fatal(err)
				}
				if ago(16 * time.Second); !held() {
					t.Error("what the feed lost is not there after a snapshot")
				}
				if m.Blind() {
					t.Error("blind though the index is read")
				}
				shared.fail(errors.New("away"))
				if ago(90 * time.Second); held() {
					t.Error("who is silent is still there")
				}
				time.Sleep(15 * time.Second)
				if synctest.Wait(); !m.Blind() {
					t.Error("the index is away for long, and nobody is told")
				}
				shared.fail(nil)
				if ago(16 * time.Second); m.Blind() {
					t.Error("blind though the index is back")
				}
				shared.fail(errors.New("away"))
				fix.Time, fix.Received = clk.Now(), clk.Now()
				if err := feed.Publish(ctx, []Fix{fix}); err != nil {
					t.Fatal(err)
				}
				if ago(time.Second); !held() {
					t.Error("what the feed brings is not there")
				}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				m.Close()
			})
		})
	}
}
