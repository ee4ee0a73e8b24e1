package geo_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"courier/geo"
)

// TestCellsOfABox wants every point of a box in one of its cells, anywhere
// on Earth, and no cell that lies far from it.
func TestCellsOfABox(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for name, at := range map[string]geo.Point{
		"town":              {Lat: 52.1, Lng: 4.3},
		"equator":           {Lat: 0, Lng: 0},
		"east of the line":  {Lat: -17, Lng: -179.9},
		"west of the line":  {Lat: 66, Lng: 179.95},
		"pentagon":          {Lat: 64.7, Lng: 10.536},
		"far north":         {Lat: 84, Lng: 20},
		"pole":              {Lat: 89.95, Lng: 0},
		"south":             {Lat: -78, Lng: 166},
		"a face's far edge": {Lat: 37.4, Lng: -122},
	} {
		t.Run(name, func(t *testing.T) {
			for range 40 {
				box := geo.Bounds{South: at.Lat, North: at.Lat, West: at.Lng, East: at.Lng}.Grow(r.Float64() * 15_000)
				cells, ok := box.Cells(geo.RegionResolution, 100_000)
				if !ok {
					t.Fatalf("%+v has no cells", box)
				}
				held := map[geo.Cell]bool{}
				for _, c := range cells {
					if held[c] {
						t.Fatalf("%v twice", c)
					}
					held[c] = true
				}
				for range 300 {
					p := geo.Point{Lat: box.South + r.Float64()*(box.North-box.South), Lng: box.West + r.Float64()*(box.East-box.West)}
					if c, _ := geo.CellOf(p, geo.RegionResolution); !held[c] {
						t.Fatalf("%v in %+v is in none of %d cells", p, box, len(cells))
					}
				}
				for _, c := range cells {
					if p := c.Center(); at.Lat < 80 && !box.Grow(10_000).Contains(p) && p.Lng*at.Lng > 0 {
						t.Errorf("%+v has the cell of %v", box, p)
					}
				}
			}
		})
	}
}

func TestCellsOfABoxAreBounded(t *testing.T) {
	world := geo.Bounds{South: -90, West: -180, North: 90, East: 180}
	if cells, ok := world.Cells(geo.RegionResolution, 500); ok || cells != nil {
		t.Errorf("the world has %d regions", len(cells))
	}
	dot := geo.Bounds{South: 52.1, West: 4.3, North: 52.1, East: 4.3}
	if cells, ok := dot.Cells(geo.RegionResolution, 500); !ok || len(cells) > 12 {
		t.Errorf("a point has %d regions, %v", len(cells), ok)
	}
	wrong := geo.Bounds{South: 53, North: 52}
	if _, ok := wrong.Cells(geo.RegionResolution, 500); ok {
		t.Error("a box upside down has cells")
	}
}

func TestGrow(t *testing.T) {
	for _, at := range []geo.Point{{Lat: 52, Lng: 4}, {Lat: 0, Lng: 100}, {Lat: -70, Lng: -60}} {
		box := geo.Bounds{South: at.Lat, North: at.Lat, West: at.Lng, East: at.Lng}.Grow(2000)
		for _, p := range []geo.Point{at.Offset(1990, 0), at.Offset(-1990, 0), at.Offset(0, 1990), at.Offset(0, -1990)} {
			if !box.Contains(p) {
				t.Errorf("%v grown by 2 km has not %v", at, p)
			}
		}
		for _, p := range []geo.Point{at.Offset(2100, 0), at.Offset(0, 2010)} {
			if box.Contains(p) {
				t.Errorf("%v grown by 2 km has %v", at, p)
			}
		}
	}
	if world := (geo.Bounds{South: -89.99, West: -179.99, North: 89.99, East: 179.99}).Grow(5000); world.Validate() != nil {
		t.Errorf("beyond the Earth: %+v", world)
	}
}

func BenchmarkCells(b *testing.B) {
	for _, km := range []float64{10, 30, 60} {
		b.Run(fmt.Sprintf("half=%vkm", km), func(b *testing.B) {
			box := geo.Bounds{South: 52.1, North: 52.1, West: 4.3, East: 4.3}.Grow(km * 1000)
			n := 0
			for b.Loop() {
				cells, _ := box.Cells(geo.RegionResolution, 10_000)
				n = len(cells)
			}
			b.ReportMetric(float64(n), "cells")
		})
	}
}
