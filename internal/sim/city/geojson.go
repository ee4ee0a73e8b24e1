package city

import (
	"encoding/json"
	"math"

	"courier/geo"
)

type feature struct {
	Type       string            `json:"type"`
	Properties map[string]string `json:"properties"`
	Geometry   geometry          `json:"geometry"`
}

type geometry struct {
	Type        string `json:"type"`
	Coordinates any    `json:"coordinates"`
}

// GeoJSON is the city as a FeatureCollection (RFC 7946), in the order in
// which it is drawn. The property kind is area, park, block, water or street;
// streets also have a class, major or minor, and a name.
func (c *City) GeoJSON() ([]byte, error) {
	var out []feature
	polygon := func(kind string, ring []vec) {
		if area(ring) < 0 { // outlines run counter-clockwise
			ring = reversed(ring)
		}
		if ring[0] != ring[len(ring)-1] {
			ring = append(ring[:len(ring):len(ring)], ring[0])
		}
		out = append(out, feature{"Feature", map[string]string{"kind": kind}, geometry{"Polygon", [][][2]float64{c.positions(ring)}}})
	}
	polygon("area", c.draft.outline.ring(1, 160))
	for _, ring := range c.parks {
		polygon("park", ring)
	}
	for _, ring := range c.blocks {
		polygon("block", ring)
	}
	polygon("water", c.draft.river.polygon())
	for _, pond := range c.draft.ponds {
		polygon("water", pond.ring(40))
	}
	for _, class := range []string{"minor", "major"} {
		for i, s := range c.draft.streets {
			if s.major != (class == "major") {
				continue
			}
			for _, line := range c.standing(i) {
				out = append(out, feature{"Feature", map[string]string{"kind": "street", "class": class, "name": s.name},
					geometry{"LineString", c.positions(line)}})
			}
		}
	}
	return json.Marshal(struct {
		Type     string    `json:"type"`
		Features []feature `json:"features"`
	}{"FeatureCollection", out})
}

// standing is what was built of a street: its chain, cut where a stretch is
// gone.
func (c *City) standing(street int) [][]vec {
	var lines [][]vec
	var line []vec
	flush := func() {
		if len(line) > 1 {
			lines = append(lines, line)
		}
		line = nil
	}
	chain := c.net.chains[street]
	for i := 1; i < len(chain); i++ {
		if c.net.gone[pair(chain[i-1], chain[i])] {
			flush()
			continue
		}
		if line == nil {
			line = append(line, c.net.nodes[chain[i-1]])
		}
		line = append(line, c.net.nodes[chain[i]])
	}
	flush()
	return lines
}

func (c *City) positions(line []vec) [][2]float64 {
	out := make([][2]float64, len(line))
	for i, v := range line {
		p := c.point(v)
		out[i] = [2]float64{round(p.Lng), round(p.Lat)}
	}
	return out
}

// round keeps a tenth of a metre.
func round(deg float64) float64 { return math.Round(deg*1e6) / 1e6 }

func reversed(ring []vec) []vec {
	out := make([]vec, len(ring))
	for i, v := range ring {
		out[len(ring)-1-i] = v
	}
	return out
}

// Bounds is the box that holds the whole city.
func (c *City) Bounds() geo.Bounds {
	sw, ne := c.point(vec{-3150, -2650}), c.point(vec{3150, 2650})
	return geo.Bounds{South: sw.Lat, West: sw.Lng, North: ne.Lat, East: ne.Lng}
}
