// Package geo knows places: points, distances, H3 cells, polygons, travel
// times, and an in-memory index from cells to whatever stands in them. It is
// the only package that imports H3.
//
//	Point → Cell → CellIndex.Near
//	Point, Point → Router.Travel
package geo

import (
	"errors"
	"fmt"
	"math"
)

// EarthRadius is the mean radius of the Earth in metres (IUGG R1).
const EarthRadius = 6371008.8

// ErrRange says that a coordinate is no place on Earth.
var ErrRange = errors.New("coordinate out of range")

// Point is a place in WGS 84 degrees.
type Point struct {
	Lat float64 `json:"lat"`
	Lng float64 `json:"lng"`
}

// Validate returns ErrRange unless both coordinates are finite and in range.
// H3 gives a cell even for latitude 91 and NaN, so check before asking it.
func (p Point) Validate() error {
	if !(p.Lat >= -90 && p.Lat <= 90) {
		return fmt.Errorf("latitude %v: %w", p.Lat, ErrRange)
	}
	if !(p.Lng >= -180 && p.Lng <= 180) {
		return fmt.Errorf("longitude %v: %w", p.Lng, ErrRange)
	}
	return nil
}

// Distance is the great-circle distance in metres (haversine).
func Distance(a, b Point) float64 {
	lat, dLat, dLng := radians(a.Lat), radians(b.Lat-a.Lat), radians(b.Lng-a.Lng)
	if math.Abs(dLat) < smallAngle && math.Abs(dLng) < smallAngle {
		// Series are as exact here, and several times cheaper.
		s, t := sine(dLat/2), sine(dLng/2)
		sin, cos := math.Sincos(lat)
		h := s*s + cos*(cos*cosine(dLat)-sin*sine(dLat))*t*t
		root := math.Sqrt(h)
		return 2 * EarthRadius * root * (1 + h/6*(1+h*9/20))
	}
	s, t := math.Sin(dLat/2), math.Sin(dLng/2)
	h := s*s + math.Cos(lat)*math.Cos(lat+dLat)*t*t
	return 2 * EarthRadius * math.Asin(math.Min(1, math.Sqrt(h)))
}

// smallAngle is an angle in radians, 64 km on the ground, under which the series of
// sine, cosine and arcsine to the fifth power err by less than 1e-12.
const smallAngle = 0.01

func sine(x float64) float64 { return x * (1 - x*x/6*(1-x*x/20)) }

func cosine(x float64) float64 { return 1 - x*x/2*(1-x*x/12) }

// Bearing is the initial course from a to b in degrees clockwise from north,
// in [0, 360).
func Bearing(a, b Point) float64 {
	lat1, lat2, d := radians(a.Lat), radians(b.Lat), radians(b.Lng-a.Lng)
	y := math.Sin(d) * math.Cos(lat2)
	x := math.Cos(lat1)*math.Sin(lat2) - math.Sin(lat1)*math.Cos(lat2)*math.Cos(d)
	return math.Mod(math.Atan2(y, x)*180/math.Pi+360, 360)
}

// Offset is the point that lies east and north metres from p: as far away as
// the two make together, on the course that they set out on. Longitudes wrap.
func (p Point) Offset(east, north float64) Point {
	angle := math.Hypot(east, north) / EarthRadius
	if angle == 0 {
		return p
	}
	course := math.Atan2(east, north)
	sinLat, cosLat := math.Sincos(radians(p.Lat))
	sinAngle, cosAngle := math.Sincos(angle)
	sin := sinLat*cosAngle + cosLat*sinAngle*math.Cos(course)
	lat := math.Asin(min(max(sin, -1), 1))
	lng := p.Lng + degrees(math.Atan2(math.Sin(course)*sinAngle*cosLat, cosAngle-sinLat*sin))
	switch {
	case lng > 180:
		lng -= 360
	case lng < -180:
		lng += 360
	}
	return Point{Lat: degrees(lat), Lng: lng}
}

// Lerp is the point a share f in [0, 1] of the way from a to b, along a
// straight line in degrees: meant for streets and steps, not for oceans.
func Lerp(a, b Point, f float64) Point {
	return Point{Lat: a.Lat + (b.Lat-a.Lat)*f, Lng: a.Lng + (b.Lng-a.Lng)*f}
}

// Bounds is a box in degrees that does not cross the antimeridian.
type Bounds struct {
	South float64 `json:"south"`
	West  float64 `json:"west"`
	North float64 `json:"north"`
	East  float64 `json:"east"`
}

// Contains says whether p lies in the box or on its edge.
func (b Bounds) Contains(p Point) bool {
	return p.Lat >= b.South && p.Lat <= b.North && p.Lng >= b.West && p.Lng <= b.East
}

// Validate returns ErrRange unless both corners are on Earth and ordered.
func (b Bounds) Validate() error {
	if err := errors.Join((Point{b.South, b.West}).Validate(), (Point{b.North, b.East}).Validate()); err != nil {
		return err
	}
	if b.South > b.North || b.West > b.East {
		return fmt.Errorf("south over north or west over east: %w", ErrRange)
	}
	return nil
}

func radians(deg float64) float64 { return deg * math.Pi / 180 }

func degrees(rad float64) float64 { return rad * 180 / math.Pi }
