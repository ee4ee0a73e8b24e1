package geo

import "math"

// vector is a point on the sphere as seen from the Earth's centre, in metres.
// Straight lines between vectors obey the triangle inequality and grow with
// the great-circle distance, and cost no trigonometry.
type vector struct{ x, y, z float64 }

func vectorOf(p Point) vector {
	sinLat, cosLat := math.Sincos(radians(p.Lat))
	sinLng, cosLng := math.Sincos(radians(p.Lng))
	return vector{EarthRadius * cosLat * cosLng, EarthRadius * cosLat * sinLng, EarthRadius * sinLat}
}

// chord is the straight line through the Earth from v to w in metres.
func (v vector) chord(w vector) float64 {
	x, y, z := v.x-w.x, v.y-w.y, v.z-w.z
	return math.Sqrt(x*x + y*y + z*z)
}

// chordOf is the chord that spans a great-circle distance, both in metres.
func chordOf(distance float64) float64 {
	if distance >= math.Pi*EarthRadius {
		return 2 * EarthRadius
	}
	return 2 * EarthRadius * math.Sin(distance/(2*EarthRadius))
}
