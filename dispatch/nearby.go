package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"courier/geo"
)

const (
	// maxNearby bounds the couriers around one place that a round looks at.
	maxNearby = 20_000
	// maxPlaces is how many places a round asks about, as long as they are
	// not larger than an area: pickups near each other are one.
	maxPlaces = 64
	// farReach in metres is so far, and manyRegions are so many, that a
	// mirror of everything is less work.
	farReach    = 200_000
	manyRegions = 8000
	// coverWithin is the real time that a mirror has to read new regions.
	coverWithin = 2 * time.Second
)

// locator is whom the loop asks.
func (l *Loop) locator() Locator {
	if l.Mirror != nil {
		return l.Mirror
	}
	return l.Locator
}

// cover is what the mirror was last told to hold.
type cover struct {
	areas   []string
	regions map[string][]geo.Cell // of each of the areas
}

// look has the mirror hold what lies around the areas. One that cannot read
// it now goes on with what it has and hears.
func (c *cover) look(ctx context.Context, l *Loop, areas map[string]int64) {
	names := slices.Sorted(maps.Keys(areas))
	if l.Mirror == nil || slices.Equal(names, c.areas) {
		return
	}
	before := c.regions
	c.areas, c.regions = names, make(map[string][]geo.Cell, len(names))
	all := map[geo.Cell]struct{}{}
	for _, name := range names {
		regions, known := before[name]
		if !known {
			regions = l.regions(name)
		}
		c.regions[name] = regions
		for _, region := range regions {
			all[region] = struct{}{}
		}
	}
	if len(all) > manyRegions {
		all = map[geo.Cell]struct{}{0: {}}
	}
	within, cancel := context.WithTimeout(ctx, coverWithin)
	defer cancel()
	if err := l.Mirror.Cover(within, slices.Collect(maps.Keys(all))...); err != nil && ctx.Err() == nil {
		l.Log.LogAttrs(ctx, slog.LevelWarn, "new areas not mirrored, going on with what is known", slog.Any("err", err))
	}
}

// regions are those that couriers for an area's orders may be in.
func (l *Loop) regions(area string) []geo.Cell {
	cell, err := geo.ParseCell(area)
	if err != nil {
		return nil // no order lies there
	}
	reach := l.Match.Reach(cell.Center())
	if reach > farReach {
		return []geo.Cell{0}
	}
	return cell.Regions(reach)
}

// place stands for the pickups of some orders.
type place struct {
	at     geo.Point
	spread float64 // metres to the farthest of them
}

// placesOf gathers pickups into few places: what is found around one should
// not be much more than what is around its pickups, nor found again and again
// around many.
func placesOf(orders map[string]Order, reach float64) []place {
	resolution := geo.SearchResolution
	for edge := 200.; resolution > geo.AreaResolution && edge < reach/8; edge *= 2.65 { // as H3's are
		resolution--
	}
	for ; ; resolution-- {
		places := map[geo.Cell]*place{}
		for _, o := range orders {
			cell, err := geo.CellOf(o.Pickup.Point, resolution)
			if err != nil {
				continue
			}
			if places[cell] == nil {
				places[cell] = &place{at: cell.Center()}
			}
			p := places[cell]
			p.spread = max(p.spread, geo.Distance(p.at, o.Pickup.Point))
		}
		if len(places) > maxPlaces && resolution > geo.AreaResolution {
			continue
		}
		out := make([]place, 0, len(places))
		for _, p := range places {
			out = append(out, *p)
		}
		return out
	}
}

// nearby are the fixes of the couriers who may take the snapshot's orders: of
// those near a pickup, of those who are farther away but may stop near one
// (far), and of those whom orders are pinned to. All were heard of lately
// (I10).
func (l *Loop) nearby(ctx context.Context, s *snapshot) (far map[string]bool, err error) {
	where := geo.Point{}
	for id, o := range s.orders {
		if s.pickups.Set(id, o.Pickup.Point) == nil { // else it is nowhere
			where = o.Pickup.Point
		}
	}
	far = map[string]bool{}
	reach := l.Match.Reach(where)
	for _, p := range placesOf(s.orders, reach) {
		fixes, err := l.locator().Near(ctx, p.at, reach+p.spread, maxNearby)
		if err != nil {
			return nil, fmt.Errorf("locate couriers: %w", err)
		}
		for _, f := range fixes {
			if _, known := s.fixes[f.Courier]; known || !l.fresh(f, s.Now) {
				continue
			}
			s.fixes[f.Courier] = f
			far[f.Courier] = !s.near(f.Point, l.Match.MaxRadius)
		}
	}
	var pinned []string
	for _, o := range s.orders {
		if o.Pinned == "" {
			continue
		}
		far[o.Pinned] = false
		if _, known := s.fixes[o.Pinned]; !known {
			pinned = append(pinned, o.Pinned)
		}
	}
	if len(pinned) == 0 {
		return far, nil
	}
	// They may be anywhere: not only where the mirror looks.
	within, cancel := context.WithTimeout(ctx, askIndex)
	defer cancel()
	for _, f := range l.positions(within, l.Locator, pinned...) {
		if l.fresh(f, s.Now) {
			s.fixes[f.Courier] = f
		}
	}
	return far, nil
}
