package ws

import (
	"context"
	"maps"
	"slices"
	"sync"

	"courier/geo"
	"courier/tracking"
)

// everywhere is the cell that stands for all regions of the feed.
const everywhere geo.Cell = 0

// regions counts who watches which regions of the feed, so that a node takes
// in no more of it than its viewers look at.
type regions struct {
	mu      sync.Mutex
	viewers map[geo.Cell]int
	changed chan struct{} // the feed is to be told
}

func newRegions() *regions {
	return &regions{viewers: map[geo.Cell]int{}, changed: make(chan struct{}, 1)}
}

// replace counts a viewer out of some regions and into others, each once.
func (r *regions) replace(before, after []geo.Cell) {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := false
	for _, cell := range after {
		if r.viewers[cell]++; r.viewers[cell] == 1 {
			changed = true
		}
	}
	for _, cell := range before {
		if r.viewers[cell]--; r.viewers[cell] == 0 {
			delete(r.viewers, cell)
			changed = true
		}
	}
	if changed {
		select {
		case r.changed <- struct{}{}:
		default:
		}
	}
}

func (r *regions) now() []geo.Cell {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.viewers[everywhere] > 0 {
		return []geo.Cell{everywhere}
	}
	return slices.Collect(maps.Keys(r.viewers))
}

// keep has the feed watched as it is wanted until ctx ends. It waits for no
// broker: positions flow whatever the bus does.
func (r *regions) keep(ctx context.Context, feed tracking.Watcher) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
			feed.Watch(r.now()...)
		}
	}
}
