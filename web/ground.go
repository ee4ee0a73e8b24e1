package web

import (
	"encoding/json"
	"fmt"
	"math"

	"courier/geo"
)

// groundRings is how far the cells of a ground reach: 22 rings are 20 km.
const groundRings = 22

type feature struct {
	Type       string            `json:"type"`
	Properties map[string]string `json:"properties"`
	Geometry   geometry          `json:"geometry"`
}

type geometry struct {
	Type        string `json:"type"`
	Coordinates any    `json:"coordinates"`
}

type position [2]float64 // lng, lat

// groundAround is what pages draw where there are no tiles and no made city:
// the area that a place lies in, and the cells of supply and demand around
// it, which give movement a scale.
func groundAround(at geo.Point) ([]byte, error) {
	area, err := geo.CellOf(at, geo.AreaResolution)
	if err != nil {
		return nil, fmt.Errorf("ground around %v: %w", at, err)
	}
	middle, err := geo.CellOf(at, geo.DemandResolution)
	if err != nil {
		return nil, fmt.Errorf("ground around %v: %w", at, err)
	}
	outline := positions(area.Boundary())
	return json.Marshal(struct {
		Type     string    `json:"type"`
		Features []feature `json:"features"`
	}{"FeatureCollection", []feature{
		{"Feature", map[string]string{"kind": "area"}, geometry{"Polygon", [][]position{append(outline, outline[0])}}},
		{"Feature", map[string]string{"kind": "cell"}, geometry{"MultiLineString", edges(middle.Disk(groundRings))}},
	}})
}

// edges draws cells' outlines, what two cells share once.
func edges(cells []geo.Cell) [][]position {
	var lines [][]position
	drawn := map[[2]position]bool{}
	for _, cell := range cells {
		corners := positions(cell.Boundary())
		var line []position
		for i, a := range corners {
			b := corners[(i+1)%len(corners)]
			if drawn[[2]position{b, a}] {
				if len(line) > 1 {
					lines = append(lines, line)
				}
				line = nil
				continue
			}
			drawn[[2]position{a, b}] = true
			if line == nil {
				line = []position{a}
			}
			line = append(line, b)
		}
		if len(line) > 1 {
			lines = append(lines, line)
		}
	}
	return lines
}

// positions are rounded to a metre.
func positions(points []geo.Point) []position {
	out := make([]position, len(points))
	for i, p := range points {
		out[i] = position{round(p.Lng), round(p.Lat)}
	}
	return out
}

func round(degrees float64) float64 { return math.Round(degrees*1e5) / 1e5 }
