package replay

import (
	"math"
	"time"

	"courier/geo"
	"courier/internal/mdrp"
)

// plane is the ground of an instance: a geo.Router whose times are those of
// the instance to the minute. Each place has a point on the map of its own,
// even where two share their metres: what the problem has at two doors, the
// matcher shall not take for one stop. Travel looks the metres up, so that no
// projection can push a ceiling over.
type plane struct {
	day *mdrp.Instance
	at  map[geo.Point]mdrp.At
}

// apart is how far places are moved from each other on the map, in metres.
const apart = 0.05

// put gives a place its point: metres around 0, 0, where a degree is as long
// each way.
func (p *plane) put(at mdrp.At) geo.Point {
	const perDegree = geo.EarthRadius * math.Pi / 180
	for shift := 0.0; ; shift += apart {
		g := geo.Point{Lat: at.Y / perDegree, Lng: (at.X + shift) / perDegree}
		if _, taken := p.at[g]; !taken {
			p.at[g] = at
			return g
		}
	}
}

// Travel implements geo.Router, for points that put has made.
func (p *plane) Travel(from, to geo.Point, _ geo.Vehicle) time.Duration {
	return time.Duration(p.day.Travel(p.at[from], p.at[to])) * time.Minute
}
