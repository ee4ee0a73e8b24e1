package tracking

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"courier/geo"
)

// MemoryFeed is a Feed in this process. It starts no goroutine; a watcher
// that is not read holds at most one fix of each courier.
type MemoryFeed struct {
	mu      sync.RWMutex
	regions map[geo.Cell]map[*memoryWatcher]struct{}
}

// NewMemoryFeed is a feed without watchers.
func NewMemoryFeed() *MemoryFeed {
	return &MemoryFeed{regions: make(map[geo.Cell]map[*memoryWatcher]struct{})}
}

// Publish implements Feed. It waits for no reader and fails only for what is
// no place on Earth.
func (f *MemoryFeed) Publish(_ context.Context, fixes []Fix) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	f.toEveryone(fixes)
	if f.someRegions() {
		groups, err := ByRegion(fixes)
		if err != nil {
			return err
		}
		f.toRegions(groups)
	}
	return nil
}

// PublishGroups is Publish for who has the fixes by region already, which is
// most of the work. The slices may be handed to watchers as they are.
func (f *MemoryFeed) PublishGroups(fixes []Fix, groups map[geo.Cell][]Fix) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	f.toEveryone(fixes)
	if f.someRegions() {
		f.toRegions(groups)
	}
}

// ByRegion sorts fixes into the regions that they lie in: cells of
// geo.RegionResolution. It fails for what is no place on Earth.
func ByRegion(fixes []Fix) (map[geo.Cell][]Fix, error) {
	groups := make(map[geo.Cell][]Fix)
	for i := range fixes {
		region, err := geo.CellOf(fixes[i].Point, geo.RegionResolution)
		if err != nil {
			return nil, fmt.Errorf("region of a fix of courier %s: %w", fixes[i].Courier, err)
		}
		groups[region] = append(groups[region], fixes[i])
	}
	return groups, nil
}

// someRegions says whether any region is watched by itself.
func (f *MemoryFeed) someRegions() bool {
	regions := len(f.regions)
	if len(f.regions[0]) > 0 {
		regions--
	}
	return regions > 0
}

func (f *MemoryFeed) toEveryone(fixes []Fix) {
	if everyone := f.regions[0]; len(everyone) > 0 {
		all := slices.Clone(fixes)
		for w := range everyone {
			w.offer(all)
		}
	}
}

func (f *MemoryFeed) toRegions(groups map[geo.Cell][]Fix) {
	for region, group := range groups {
		for w := range f.regions[region] {
			if _, twice := f.regions[0][w]; !twice {
				w.offer(group)
			}
		}
	}
}

// Subscribe implements Feed.
func (f *MemoryFeed) Subscribe() Watcher {
	return &memoryWatcher{feed: f, out: make(chan []Fix, 1)}
}

type memoryWatcher struct {
	feed    *MemoryFeed
	regions []geo.Cell // under feed.mu
	closed  bool       // under feed.mu

	mu    sync.Mutex
	out   chan []Fix     // at most one batch; only the holder of mu sends
	own   bool           // the waiting batch is not shared and places is true of it
	place map[string]int // of each courier in the waiting batch
}

// Watch implements Watcher. Watching after Close does nothing.
func (w *memoryWatcher) Watch(regions ...geo.Cell) {
	w.feed.mu.Lock()
	defer w.feed.mu.Unlock()
	if w.closed {
		return
	}
	w.leave()
	w.regions = slices.Clone(regions)
	for _, region := range regions {
		if w.feed.regions[region] == nil {
			w.feed.regions[region] = make(map[*memoryWatcher]struct{})
		}
		w.feed.regions[region][w] = struct{}{}
	}
}

// leave takes w off its regions, under feed.mu.
func (w *memoryWatcher) leave() {
	for _, region := range w.regions {
		delete(w.feed.regions[region], w)
		if len(w.feed.regions[region]) == 0 {
			delete(w.feed.regions, region)
		}
	}
	w.regions = nil
}

// Fixes implements Watcher.
func (w *memoryWatcher) Fixes() <-chan []Fix { return w.out }

// Close implements Watcher. A batch that waits can still be read.
func (w *memoryWatcher) Close() {
	w.feed.mu.Lock() // no Publish is under way
	defer w.feed.mu.Unlock()
	if !w.closed {
		w.closed = true
		w.leave()
		close(w.out)
	}
}

// offer hands fixes to the reader, or adds them to the batch that it has not
// taken yet. fixes may be shared with other watchers.
func (w *memoryWatcher) offer(fixes []Fix) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var waiting []Fix
	select {
	case waiting = <-w.out:
	default: // taken, or never any: the common case
		w.own = false
		w.out <- fixes
		return
	}
	if !w.own {
		w.own = true
		clear(w.place)
		if w.place == nil {
			w.place = make(map[string]int, len(waiting)+len(fixes))
		}
		shared := waiting
		waiting = make([]Fix, 0, len(shared)+len(fixes))
		waiting = w.merge(waiting, shared)
	}
	w.out <- w.merge(waiting, fixes)
}

// merge adds fixes to a batch of w's own, newest of each courier.
func (w *memoryWatcher) merge(batch, fixes []Fix) []Fix {
	for i := range fixes {
		at, there := w.place[fixes[i].Courier]
		switch {
		case !there:
			w.place[fixes[i].Courier] = len(batch)
			batch = append(batch, fixes[i])
		case fixes[i].Time.After(batch[at].Time):
			batch[at] = fixes[i]
		}
	}
	return batch
}
