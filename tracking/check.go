package tracking

import (
	"math"
	"time"

	"courier/geo"
)

const (
	// nullIsland is how near 0°, 0° a fix counts as "no position".
	nullIsland = 100 // metres
	// maxSpeed is what a phone can mean to report; no plane flies faster.
	maxSpeed = 1000 // m/s
	// minStep stands for the time between two fixes that are closer: clocks
	// of phones are coarse, and 2 fixes of one moment differ by noise.
	minStep = time.Second
	// fenceSlack is how much of a fix's inaccuracy helps it into a fence.
	fenceSlack = 25 // metres
)

// check is the reason to reject a fix for what it says by itself, or "".
func (c Config) check(f *Fix, now time.Time) Reason {
	switch {
	case f.Validate() != nil,
		!inRange(f.Accuracy, math.MaxFloat64),
		f.Speed != nil && !inRange(*f.Speed, maxSpeed),
		f.Heading != nil && !(*f.Heading >= 0 && *f.Heading < 360):
		return OutOfRange
	case math.Abs(f.Lat) < 0.01 && math.Abs(f.Lng) < 0.01 && geo.Distance(f.Point, geo.Point{}) <= nullIsland:
		return NullIsland
	case f.Accuracy > c.Accuracy:
		return Inaccurate
	case f.Time.Sub(now) > c.Ahead:
		return Future
	case now.Sub(f.Time) > c.Age:
		return Old
	}
	return ""
}

// inRange says whether v is a number in [0, most].
func inRange(v, most float64) bool { return v >= 0 && v <= most }

// reachable says whether a courier may have been at both fixes. Their radii
// count in the courier's favour, as does minStep.
func (c Config) reachable(a, b *Fix) bool {
	took := max(a.Time.Sub(b.Time).Abs(), minStep)
	far := c.Speed*took.Seconds() + a.Accuracy + b.Accuracy
	// A degree of latitude is 111 km: most steps need no trigonometry.
	if d := math.Abs(a.Lat-b.Lat) + math.Abs(a.Lng-b.Lng); d*112_000 <= far {
		return true
	}
	return geo.Distance(a.Point, b.Point) <= far
}

// inside says whether a fix shows that its courier is in a fence.
func (c Config) inside(f *Fix, fence *Fence) bool {
	return f.Accuracy <= c.FenceAccuracy &&
		geo.Distance(f.Point, fence.At)-min(f.Accuracy, fenceSlack) <= fence.Radius
}
