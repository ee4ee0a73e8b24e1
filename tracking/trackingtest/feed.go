package trackingtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"courier/geo"
	"courier/tracking"
)

// TestFeed holds a Feed to its port. open returns one that nobody else
// publishes to; what it needs to be closed goes to t.Cleanup. A watch may
// take effect some time after Watch returns: the tests publish until the
// first fix arrives.
func TestFeed(t *testing.T, open func(t *testing.T) tracking.Feed) {
	for name, test := range map[string]func(*testing.T, tracking.Feed){
		"a fix arrives whole":                       arrivesWhole,
		"a watcher sees only its regions":           onlyRegions,
		"a watcher sees nothing before Watch":       nothingBeforeWatch,
		"Watch replaces what was watched":           watchReplaces,
		"the zero cell stands for all regions":      allRegions,
		"a fix comes once to who watches all twice": watchesTwice,
		"every watcher of a region gets its fixes":  everyWatcher,
		"a slow reader gets the newest, in few":     slowReader,
		"a publisher never waits for readers":       neverWaits,
		"Close closes the channel, also twice":      closes,
		"no use of a closed watcher does harm":      closedWatcher,
		"watchers come and go while fixes flow":     comeAndGo,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func regionOf(t *testing.T, p geo.Point) geo.Cell {
	t.Helper()
	cell, err := geo.CellOf(p, geo.RegionResolution)
	if err != nil {
		t.Fatal(err)
	}
	return cell
}

func publish(t *testing.T, feed tracking.Feed, fixes ...tracking.Fix) {
	t.Helper()
	if err := feed.Publish(t.Context(), fixes); err != nil {
		t.Fatal(err)
	}
}

// subscribe opens a watcher that the test closes.
func subscribe(t *testing.T, feed tracking.Feed, regions ...geo.Cell) tracking.Watcher {
	t.Helper()
	w := feed.Subscribe()
	t.Cleanup(w.Close)
	if len(regions) > 0 {
		w.Watch(regions...)
	}
	return w
}

// await publishes a fix, a millisecond newer each time, until the watcher
// yields one of the same courier. It returns all that came by then.
func await(t *testing.T, feed tracking.Feed, w tracking.Watcher, f tracking.Fix) []tracking.Fix {
	t.Helper()
	ctx := withPatience(t)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	var got []tracking.Fix
	for publish(t, feed, f); ; {
		select {
		case batch, open := <-w.Fixes():
			if !open {
				t.Fatal("the watcher is closed")
			}
			got = append(got, batch...)
			for _, one := range batch {
				if one.Courier == f.Courier {
					return got
				}
			}
		case <-again.C:
			f.Time = f.Time.Add(time.Millisecond)
			publish(t, feed, f)
		case <-ctx.Done():
			t.Fatalf("no fix of %s arrived", f.Courier)
		}
	}
}

func wantNone(t *testing.T, fixes []tracking.Fix, courier string) {
	t.Helper()
	for _, f := range fixes {
		if f.Courier == courier {
			t.Errorf("a fix of %s arrived", courier)
		}
	}
}

func arrivesWhole(t *testing.T, feed tracking.Feed) {
	speed, heading := 6.25, 90.5
	f := fixAt("c1", 100, 0, 0)
	w := subscribe(t, feed, regionOf(t, f.Point))
	await(t, feed, w, fixAt("first", 100, 0, 0))
	f.Speed, f.Heading = &speed, &heading
	f.Received = f.Received.Add(time.Second)
	got := await(t, feed, w, f)
	for _, g := range got {
		if g.Courier == "c1" {
			f.Time = g.Time // await may have made it newer
			wantFix(t, []tracking.Fix{g}, f)
		}
	}
}

func onlyRegions(t *testing.T, feed tracking.Feed) {
	here, there := fixAt("here", 0, 0, 0), fixAt("there", 30_000, 0, 0)
	w := subscribe(t, feed, regionOf(t, here.Point))
	await(t, feed, w, here)
	publish(t, feed, there)
	wantNone(t, await(t, feed, w, fixAt("after", 0, 0, 0)), "there")
}

func nothingBeforeWatch(t *testing.T, feed tracking.Feed) {
	w := subscribe(t, feed)
	other := subscribe(t, feed, regionOf(t, center))
	early := map[time.Time]bool{} // what had come to this node before Watch; more may be under way to it
	for _, f := range await(t, feed, other, fixAt("early", 0, 0, 0)) {
		early[f.Time] = true
	}
	w.Watch(regionOf(t, center))
	for _, f := range await(t, feed, w, fixAt("after", 0, 0, 0)) {
		if f.Courier == "early" && early[f.Time] {
			t.Error("a fix that came before Watch arrived")
		}
	}
}

func watchReplaces(t *testing.T, feed tracking.Feed) {
	here, there := fixAt("here", 0, 0, 0), fixAt("there", 30_000, 0, 0)
	w := subscribe(t, feed, regionOf(t, here.Point))
	await(t, feed, w, here)
	w.Watch(regionOf(t, there.Point))
	await(t, feed, w, there)
	publish(t, feed, fixAt("unseen", 0, 0, 0))
	wantNone(t, await(t, feed, w, fixAt("after", 30_000, 0, 0)), "unseen")
	w.Watch(regionOf(t, here.Point), regionOf(t, there.Point))
	await(t, feed, w, fixAt("both", 0, 0, 0))
	await(t, feed, w, fixAt("still", 30_000, 0, 0))
}

func allRegions(t *testing.T, feed tracking.Feed) {
	w := subscribe(t, feed, 0)
	for i := range 5 {
		await(t, feed, w, fixAt(fmt.Sprint("c", i), float64(i)*200_000, 0, 0))
	}
}

func watchesTwice(t *testing.T, feed tracking.Feed) {
	w := subscribe(t, feed, 0, regionOf(t, center), regionOf(t, center))
	await(t, feed, w, fixAt("first", 0, 0, 0))
	seen := map[time.Time]int{}
	for _, f := range append(await(t, feed, w, fixAt("c1", 0, 0, 0)), await(t, feed, w, fixAt("after", 0, 0, 0))...) {
		if f.Courier != "c1" {
			continue
		}
		if seen[f.Time]++; seen[f.Time] > 1 {
			t.Errorf("the fix of %v arrived %d times", f.Time, seen[f.Time])
		}
	}
}

func everyWatcher(t *testing.T, feed tracking.Feed) {
	var all []tracking.Watcher
	for range 20 {
		w := subscribe(t, feed, regionOf(t, center))
		await(t, feed, w, fixAt("first", 0, 0, 0))
		all = append(all, w)
	}
	for i, w := range all {
		await(t, feed, w, fixAt(fmt.Sprint("c", i), 0, 0, 0))
	}
}

func slowReader(t *testing.T, feed tracking.Feed) {
	w := subscribe(t, feed, 0)
	await(t, feed, w, fixAt("first", 0, 0, 0))
	for nap := range 3 { // a reader that wakes and sleeps again
		slowRounds(t, feed, w, fmt.Sprintf("nap%d-", nap))
	}
}

// slowRounds publishes many batches before it reads one. The last is sent
// again while it has not come: a feed may lose what is under way.
func slowRounds(t *testing.T, feed tracking.Feed, w tracking.Watcher, names string) {
	const rounds, n = 100, 10
	batchOf := func(round int) []tracking.Fix {
		fixes := make([]tracking.Fix, n)
		for i := range fixes {
			fixes[i] = fixAt(fmt.Sprint(names, i), float64(round), 0, time.Duration(round)*time.Second)
		}
		return fixes
	}
	for round := range rounds {
		publish(t, feed, batchOf(round)...)
	}
	ctx := withPatience(t)
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	newest := map[string]time.Time{}
	end := start.Add((rounds - 1) * time.Second)
	for published, batches := rounds, 0; ; {
		select {
		case batch := <-w.Fixes():
			batches++
			inBatch := map[string]bool{}
			for _, f := range batch {
				if inBatch[f.Courier] {
					t.Fatalf("courier %s twice in a batch", f.Courier)
				}
				inBatch[f.Courier] = true
				newest[f.Courier] = f.Time
			}
		case <-again.C:
			published++
			publish(t, feed, batchOf(rounds-1)...)
		case <-ctx.Done():
			t.Fatalf("the newest fixes never came; got %v", newest)
		}
		done := 0
		for i := range n {
			if newest[fmt.Sprint(names, i)].Equal(end) {
				done++
			}
		}
		if done == n {
			return
		}
		if batches > published+1 {
			t.Fatalf("more batches than were published: %d", batches)
		}
	}
}

func neverWaits(t *testing.T, feed tracking.Feed) {
	subscribe(t, feed, 0) // and nobody reads
	ctx := withPatience(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 2000 {
			_ = feed.Publish(ctx, []tracking.Fix{fixAt("c1", 0, 0, time.Duration(i)*time.Millisecond)})
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
		t.Fatal("Publish waits for a reader")
	}
}

func closes(t *testing.T, feed tracking.Feed) {
	w := feed.Subscribe()
	w.Watch(regionOf(t, center))
	await(t, feed, w, fixAt("c1", 0, 0, 0))
	w.Close()
	w.Close()
	drain(t, w)
}

// drain wants the channel closed.
func drain(t *testing.T, w tracking.Watcher) {
	t.Helper()
	ctx := withPatience(t)
	for {
		select {
		case _, open := <-w.Fixes():
			if !open {
				return
			}
		case <-ctx.Done():
			t.Fatal("the channel stays open after Close")
		}
	}
}

func closedWatcher(t *testing.T, feed tracking.Feed) {
	w := feed.Subscribe()
	w.Close()
	w.Watch(0, regionOf(t, center))
	publish(t, feed, fixAt("c1", 0, 0, 0))
	drain(t, w)
	await(t, feed, subscribe(t, feed, 0), fixAt("c2", 0, 0, 0))
}

func comeAndGo(t *testing.T, feed tracking.Feed) {
	ctx, cancel := context.WithCancel(withPatience(t))
	var publishers, readers sync.WaitGroup
	for p := range 2 {
		publishers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				_ = feed.Publish(ctx, []tracking.Fix{fixAt(fmt.Sprint("c", p), 0, 0, time.Duration(i)*time.Millisecond)})
			}
		})
	}
	for range 4 {
		readers.Go(func() {
			for i := range 20 {
				w := feed.Subscribe()
				w.Watch(regionOf(t, center))
				if i%2 == 0 {
					w.Watch(0)
				}
				select {
				case <-w.Fixes():
				case <-ctx.Done():
					t.Error("no fix arrived")
				}
				w.Close()
			}
		})
	}
	readers.Wait()
	cancel()
	publishers.Wait()
}
