package ws

import (
	"context"
	"fmt"
	"time"

	"courier/geo"
	"courier/tracking"
)

// The feed brings a node the regions that its dispatchers' maps show. Of
// everyone else the picture has the place of its last reading, at most Reload
// old: the list beside the map, alerts and figures need no better, and what
// else changes of a courier comes by the bus.
const (
	// viewMargin is how many metres around a map are watched too: who leaves
	// the map is seen to leave, and who comes is there in time.
	viewMargin = 2000.
	// maxRegions is how many regions a node watches one by one. The feed of
	// all regions costs whoever publishes as much again, and a node that
	// watches it takes in every courier there is; a message for each region
	// costs some microseconds more than its fixes. 500 regions are 18,000 km²:
	// a city and all around it, and some maps of it.
	maxRegions = 500
	// settle is the time in which the feed has surely begun to bring what is
	// watched: what it missed until then is read once more.
	settle = time.Second
	// maxSeen bounds one reading of who is on a map.
	maxSeen = 20_000
)

// world is what a dispatcher sees who has shown no map.
var world = geo.Bounds{South: -90, West: -180, North: 90, East: 180}

// regionsIn covers a map.
func regionsIn(bounds geo.Bounds) []geo.Cell {
	if cells, ok := bounds.Grow(viewMargin).Cells(geo.RegionResolution, maxRegions); ok {
		return cells
	}
	return []geo.Cell{everywhere}
}

// look has the feed bring what the viewers look at, and reads who is where
// they have just turned to.
func (f *fleet) look(ctx context.Context) {
	now := time.Now()
	for _, v := range f.turn(now) {
		f.mu.Lock()
		box, first := world, v.unread == readings
		if v.bounds != nil {
			box = v.bounds.Grow(viewMargin)
		}
		f.mu.Unlock()
		fixes, err := f.hub.Index.Within(ctx, box, maxSeen)
		if err != nil { // tried again after settle
			f.warn(ctx, fmt.Errorf("read who is on a map: %w", err))
			continue
		}
		f.found(box, fixes)
		f.mu.Lock()
		v.unread--
		v.looked = v.looked || first // and is shown it at once
		f.mu.Unlock()
	}
}

// readings of a map that has moved: at once, and when the feed has settled.
const readings = 2

// turn brings the regions watched in line with the maps, and returns the
// viewers whose map is to be read now.
func (f *fleet) turn(now time.Time) (due []*fleetSession) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.turned {
		f.turned = false
		wanted := map[geo.Cell]struct{}{}
		for v := range f.viewers {
			if v.bounds == nil && v.regions == nil {
				if now.Sub(v.joinedAt) < f.hub.View {
					f.turned = true // its map may be on its way
					continue
				}
				v.regions, v.moved = []geo.Cell{everywhere}, true
			}
			if v.moved && !f.watches(v.regions) {
				v.unread, v.readAt = readings, now
			}
			v.moved = false
			for _, cell := range v.regions {
				wanted[cell] = struct{}{}
			}
		}
		f.watchLocked(wanted)
	}
	for v := range f.viewers {
		if v.unread > 0 && !now.Before(v.readAt) {
			v.readAt = now.Add(settle)
			due = append(due, v)
		}
	}
	return due
}

// watches says whether the feed brings all of some regions already.
func (f *fleet) watches(regions []geo.Cell) bool {
	if _, all := f.watched[everywhere]; all {
		return true
	}
	for _, cell := range regions {
		if _, ok := f.watched[cell]; !ok {
			return false
		}
	}
	return true
}

func (f *fleet) watchLocked(wanted map[geo.Cell]struct{}) {
	if _, all := wanted[everywhere]; all || len(wanted) > maxRegions {
		wanted = map[geo.Cell]struct{}{everywhere: {}}
	}
	var more, less []geo.Cell
	for cell := range wanted {
		if _, ok := f.watched[cell]; !ok {
			more = append(more, cell)
		}
	}
	for cell := range f.watched {
		if _, ok := wanted[cell]; !ok {
			less = append(less, cell)
		}
	}
	f.hub.regions.replace(less, more)
	f.watched = wanted
}

// found takes note of who is in a box. Whoever the picture has there and the
// index has not is asked for: it has moved on, or gone silent.
func (f *fleet) found(box geo.Bounds, fixes []tracking.Fix) {
	f.moved(fixes)
	if len(fixes) == maxSeen {
		return
	}
	there := make(map[string]struct{}, len(fixes))
	for i := range fixes {
		there[fixes[i].Courier] = struct{}{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, c := range f.couriers {
		if _, ok := there[id]; !ok && c.Fix != nil && box.Contains(c.Fix.Point) {
			f.dirtyCouriers[id] = struct{}{}
		}
	}
}
