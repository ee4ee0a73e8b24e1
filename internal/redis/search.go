package redis

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/redis/go-redis/v9"

	"courier/geo"
	"courier/tracking"
)

const (
	// geoLimit is the latitude beyond which Redis keeps no place. Who is
	// beyond stands on it; regions that reach there are read whole.
	geoLimit = 85.05112877
	// wholeLat and wholeLng: regions with a centre beyond are read whole,
	// because of the limit and of the antimeridian.
	wholeLat, wholeLng = 84.5, 178.5

	// A step on the grid of regions is at least so many metres, and no point
	// of a region is farther from its centre than regionReach.
	gridStep    = 3500.
	regionReach = 8000.
	// maxSteps around a point are taken as they come; for more, Redis is
	// asked which regions have couriers at all.
	maxSteps = 8

	// Redis takes the Earth for 0.03 % larger and keeps places to 0.6 m.
	redisShare, redisMetres = 1.002, 3.
)

// candidate may be near; distance is as Redis sees it, 0 if not asked.
type candidate struct {
	courier  string
	region   geo.Cell
	distance float64
}

// Near implements tracking.Index.
func (x *Index) Near(ctx context.Context, at geo.Point, radius float64, limit int) (out []tracking.Fix, err error) {
	if at.Validate() != nil || !(radius >= 0) || limit < 1 {
		return nil, nil
	}
	defer func() { _ = x.count.done(err) }()
	regions, err := x.regionsAround(ctx, at, radius)
	if err != nil {
		return nil, fmt.Errorf("regions near %v: %w", at, err)
	}
	found, err := x.candidates(ctx, regions, at, radius)
	if err != nil {
		return nil, fmt.Errorf("couriers near %v: %w", at, err)
	}
	slices.SortFunc(found, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var best []near
	for len(found) > 0 {
		// Nobody of the rest is nearer than the worst of enough.
		if len(best) == limit && found[0].distance/redisShare-redisMetres > best[limit-1].distance {
			break
		}
		some := found[:min(len(found), max(2*limit, 64), scriptFixes)]
		found = found[len(some):]
		fixes, err := x.confirm(ctx, some)
		if err != nil {
			return nil, fmt.Errorf("couriers near %v: %w", at, err)
		}
		for _, f := range fixes {
			if d := geo.Distance(at, f.Point); d <= radius {
				best = append(best, near{f, d})
			}
		}
		slices.SortFunc(best, near.compare)
		best = best[:min(len(best), limit)]
	}
	out = make([]tracking.Fix, len(best))
	for i := range best {
		out[i] = best[i].fix
	}
	return out, nil
}

type near struct {
	fix      tracking.Fix
	distance float64
}

func (n near) compare(o near) int {
	return cmp.Or(cmp.Compare(n.distance, o.distance), cmp.Compare(n.fix.Courier, o.fix.Courier))
}

// Within implements tracking.Index.
func (x *Index) Within(ctx context.Context, box geo.Bounds, limit int) (out []tracking.Fix, err error) {
	if box.Validate() != nil || limit < 1 {
		return nil, nil
	}
	defer func() { _ = x.count.done(err) }()
	regions, err := x.regionsOver(ctx, box)
	if err != nil {
		return nil, fmt.Errorf("regions of a box: %w", err)
	}
	at := geo.Point{Lat: (box.South + box.North) / 2, Lng: (box.West + box.East) / 2}
	radius := math.Inf(1)
	if box.North-box.South < 2 && box.East-box.West < 2 {
		radius = 0 // a small box is hardly bent: its corners are the farthest
		for _, lat := range []float64{box.South, box.North} {
			radius = max(radius, geo.Distance(at, geo.Point{Lat: lat, Lng: box.West})*1.01)
		}
	}
	found, err := x.candidates(ctx, regions, at, radius)
	if err != nil {
		return nil, fmt.Errorf("couriers in a box: %w", err)
	}
	slices.SortFunc(found, func(a, b candidate) int { return cmp.Compare(a.courier, b.courier) })
	for some := range slices.Chunk(found, min(max(2*limit, 64), scriptFixes)) {
		fixes, err := x.confirm(ctx, some)
		if err != nil {
			return nil, fmt.Errorf("couriers in a box: %w", err)
		}
		for _, f := range fixes {
			if len(out) < limit && box.Contains(f.Point) {
				out = append(out, f)
			}
		}
		if len(out) == limit {
			break
		}
	}
	return out, nil
}

// confirm is the fixes of the candidates whose records say that they are in
// that region, in their order.
func (x *Index) confirm(ctx context.Context, some []candidate) ([]tracking.Fix, error) {
	ids := make([]string, len(some))
	for i := range some {
		ids[i] = some[i].courier
	}
	records, err := x.records(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]tracking.Fix, 0, len(some))
	for _, c := range some {
		if r, ok := records[c.courier]; ok && r.region == c.region {
			out = append(out, r.fix)
		}
	}
	return out, nil
}

// candidates are those that the regions' sets have within a radius, and some
// more.
func (x *Index) candidates(ctx context.Context, regions []geo.Cell, at geo.Point, radius float64) ([]candidate, error) {
	var out []candidate
	for some := range slices.Chunk(regions, scriptFixes) {
		pipe := x.db.client.Pipeline()
		whole := make(map[geo.Cell]*redis.StringSliceCmd)
		part := make(map[geo.Cell]*redis.GeoSearchLocationCmd)
		for _, region := range some {
			key, center := x.regionKeys(region)[0], region.Center()
			if math.Abs(center.Lat) > wholeLat || math.Abs(center.Lng) > wholeLng ||
				math.Abs(at.Lat) > wholeLat || math.Abs(at.Lng) > wholeLng || radius > 1e6 {
				whole[region] = pipe.ZRange(ctx, key, 0, -1)
				continue
			}
			part[region] = pipe.GeoSearchLocation(ctx, key, &redis.GeoSearchLocationQuery{
				GeoSearchQuery: redis.GeoSearchQuery{
					Longitude: at.Lng, Latitude: at.Lat,
					Radius: radius*redisShare + redisMetres, RadiusUnit: "m",
				},
				WithDist: true,
			})
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, err
		}
		for region, answer := range whole {
			for _, courier := range answer.Val() {
				out = append(out, candidate{courier, region, 0})
			}
		}
		for region, answer := range part {
			for _, l := range answer.Val() {
				out = append(out, candidate{l.Name, region, l.Dist})
			}
		}
	}
	return out, nil
}

// regionsAround are the regions that may hold something within the radius.
func (x *Index) regionsAround(ctx context.Context, at geo.Point, radius float64) ([]geo.Cell, error) {
	if steps := int(min(math.Ceil(radius/gridStep), maxSteps)) + 1; steps <= maxSteps {
		here, err := geo.CellOf(at, geo.RegionResolution)
		if err != nil {
			return nil, err
		}
		return here.Disk(steps), nil
	}
	return x.regions(ctx, func(c geo.Point) bool { return geo.Distance(at, c) <= radius+regionReach })
}

// regionsOver are the regions that may hold something inside the box.
func (x *Index) regionsOver(ctx context.Context, box geo.Bounds) ([]geo.Cell, error) {
	margin := regionReach / (geo.EarthRadius * math.Pi / 180)
	return x.regions(ctx, func(c geo.Point) bool {
		if c.Lat < box.South-margin || c.Lat > box.North+margin {
			return false
		}
		if math.Abs(c.Lat) > wholeLat || math.Abs(c.Lng) > wholeLng {
			return true // degrees of longitude say little here
		}
		wide := margin / math.Cos(c.Lat*math.Pi/180)
		return c.Lng >= box.West-wide && c.Lng <= box.East+wide
	})
}

// regions are those that have couriers and a centre to one's liking.
func (x *Index) regions(ctx context.Context, like func(center geo.Point) bool) ([]geo.Cell, error) {
	names, err := x.db.client.ZRange(ctx, x.regionsKey(), 0, -1).Result()
	if err != nil {
		return nil, err
	}
	var out []geo.Cell
	for _, name := range names {
		if cell, err := geo.ParseCell(name); err == nil && like(cell.Center()) {
			out = append(out, cell)
		}
	}
	return out, nil
}
