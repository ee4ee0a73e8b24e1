package geo

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Area is a GeoJSON Polygon or MultiPolygon (RFC 7946): rings of [lng, lat]
// positions, the first of each polygon its outline, the others holes.
type Area struct {
	polygons [][][]Point
	raw      json.RawMessage
}

// maxAreaPoints bounds what one area may cost to ask.
const maxAreaPoints = 10_000

// ErrArea says that a GeoJSON value is no usable area.
var ErrArea = errors.New("not a GeoJSON Polygon or MultiPolygon")

// MarshalJSON gives back the GeoJSON that the area was read from.
func (a Area) MarshalJSON() ([]byte, error) {
	if a.raw == nil {
		return []byte("null"), nil
	}
	return a.raw, nil
}

// UnmarshalJSON reads and checks GeoJSON; errors wrap ErrArea or ErrRange.
func (a *Area) UnmarshalJSON(raw []byte) error {
	var g struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		return fmt.Errorf("%w: %w", ErrArea, err)
	}
	var coords [][][][]float64
	switch g.Type {
	case "Polygon":
		coords = make([][][][]float64, 1)
		if err := json.Unmarshal(g.Coordinates, &coords[0]); err != nil {
			return fmt.Errorf("%w: coordinates: %w", ErrArea, err)
		}
	case "MultiPolygon":
		if err := json.Unmarshal(g.Coordinates, &coords); err != nil {
			return fmt.Errorf("%w: coordinates: %w", ErrArea, err)
		}
	default:
		return fmt.Errorf("%w: type %q", ErrArea, g.Type)
	}
	polygons, err := polygonsOf(coords)
	if err != nil {
		return err
	}
	a.polygons, a.raw = polygons, append(json.RawMessage(nil), raw...)
	return nil
}

func polygonsOf(coords [][][][]float64) ([][][]Point, error) {
	var polygons [][][]Point
	total := 0
	for _, rings := range coords {
		if len(rings) == 0 {
			return nil, fmt.Errorf("%w: a polygon without a ring", ErrArea)
		}
		var polygon [][]Point
		for _, ring := range rings {
			if len(ring) < 4 {
				return nil, fmt.Errorf("%w: a ring of fewer than 4 positions", ErrArea)
			}
			points := make([]Point, len(ring))
			for i, pos := range ring {
				if len(pos) < 2 {
					return nil, fmt.Errorf("%w: a position of fewer than 2 numbers", ErrArea)
				}
				points[i] = Point{Lat: pos[1], Lng: pos[0]}
				if err := points[i].Validate(); err != nil {
					return nil, err
				}
			}
			if points[0] != points[len(points)-1] {
				return nil, fmt.Errorf("%w: a ring that does not close", ErrArea)
			}
			if total += len(points); total > maxAreaPoints {
				return nil, fmt.Errorf("%w: more than %d positions", ErrArea, maxAreaPoints)
			}
			polygon = append(polygon, points)
		}
		polygons = append(polygons, polygon)
	}
	if len(polygons) == 0 {
		return nil, fmt.Errorf("%w: empty", ErrArea)
	}
	return polygons, nil
}

// Contains says whether p lies in the area, by the even-odd rule. A point on
// an edge may fall to either side.
func (a Area) Contains(p Point) bool {
	for _, rings := range a.polygons {
		in := false
		for _, ring := range rings {
			for i := 1; i < len(ring); i++ {
				s, t := ring[i-1], ring[i]
				if (s.Lat > p.Lat) != (t.Lat > p.Lat) &&
					p.Lng < (t.Lng-s.Lng)*(p.Lat-s.Lat)/(t.Lat-s.Lat)+s.Lng {
					in = !in
				}
			}
		}
		if in {
			return true
		}
	}
	return false
}
