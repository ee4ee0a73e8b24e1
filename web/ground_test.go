package web_test

import (
	"testing"

	"courier/geo"
	"courier/web"
)

// Without a made city the ground is the area and its cells, each edge once.
func TestGroundWithoutACity(t *testing.T) {
	s := newSite(t, func(c *web.Config) { c.Basemap, c.Center = nil, geo.Point{Lat: 52, Lng: 4.3} })
	var ground struct {
		Features []struct {
			Properties struct{ Kind string }
			Geometry   struct {
				Type        string
				Coordinates [][][2]float64
			}
		}
	}
	w := s.do(request{path: "/v1/basemap"})
	decode(t, w, &ground)
	if len(ground.Features) != 2 || ground.Features[0].Properties.Kind != "area" || ground.Features[1].Properties.Kind != "cell" {
		t.Fatalf("the ground is %.200s", w.Body)
	}
	outline := ground.Features[0].Geometry.Coordinates[0]
	if len(outline) != 7 || outline[0] != outline[6] {
		t.Errorf("the area's outline is %v", outline)
	}
	seen := map[[2][2]float64]bool{}
	for _, line := range ground.Features[1].Geometry.Coordinates {
		for i := range line[1:] {
			a, b := line[i], line[i+1]
			if seen[[2][2]float64{a, b}] || seen[[2][2]float64{b, a}] {
				t.Fatalf("%v to %v is drawn twice", a, b)
			}
			seen[[2][2]float64{a, b}] = true
		}
	}
	// Of n rings around a cell, 9n² + 15n + 6 edges in all.
	if want := 9*22*22 + 15*22 + 6; len(seen) != want {
		t.Errorf("%d edges, want %d", len(seen), want)
	}
}
