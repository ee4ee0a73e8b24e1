package city

import (
	"math"

	"courier/geo"
)

// Plane maps metres to degrees around a centre, linearly, so that both ways
// are exact inverses. A dozen kilometres out, lengths are a thousandth off.
type Plane struct{ Center geo.Point }

const perDegree = geo.EarthRadius * math.Pi / 180 // metres of latitude

func (p Plane) perLng() float64 { return perDegree * math.Cos(p.Center.Lat*math.Pi/180) }

// Point is so many metres east and north of the centre.
func (p Plane) Point(east, north float64) geo.Point {
	return geo.Point{Lat: p.Center.Lat + north/perDegree, Lng: p.Center.Lng + east/p.perLng()}
}

// Metres undoes Point.
func (p Plane) Metres(g geo.Point) (east, north float64) {
	return (g.Lng - p.Center.Lng) * p.perLng(), (g.Lat - p.Center.Lat) * perDegree
}
