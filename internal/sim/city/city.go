// Package city makes a city that does not exist: streets, blocks, parks, a
// river with bridges, kitchens and homes, all from one seed.
//
//	seed → draft (lines) → network (crossings) → blocks, graph, places
//	                                      GeoJSON ◄──┴──► Route
package city

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"courier/geo"
)

// Config says which city, and where.
type Config struct {
	Seed        uint64
	Center      geo.Point // of the city; the zero point stands for 52.0, 4.3
	Restaurants int       // default 120
	Homes       int       // default 4000
}

// Place is a door: a kitchen or a home.
type Place struct {
	Point   geo.Point
	Name    string // of the kitchen; homes have none
	Address string
}

// City is read-only once made and safe for concurrent use.
type City struct {
	center      geo.Point
	draft       *draft
	net         *network
	graph       *graph
	blocks      [][]vec
	parks       [][]vec
	Restaurants []Place
	Homes       []Place
}

// New makes the city. The same Config always makes the same one.
func New(c Config) (*City, error) {
	if c.Center == (geo.Point{}) {
		c.Center = geo.Point{Lat: 52.0, Lng: 4.3}
	}
	if c.Restaurants == 0 {
		c.Restaurants = 120
	}
	if c.Homes == 0 {
		c.Homes = 4000
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(c.Seed, 0xc17))
	city := &City{center: c.Center, draft: newDraft(rng)}
	city.net = join(city.draft.streets)
	city.net.prune(city.draft.streets)
	city.net.thin(city.draft.streets, rng, 0.06)
	city.net.prune(city.draft.streets)
	city.graph = newGraph(city.net)
	city.layBlocks()
	city.settle(rng, c.Restaurants, c.Homes)
	return city, nil
}

func (c Config) validate() error {
	var errs []error
	if err := c.Center.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("Center: %w", err))
	} else if c.Center.Lat > 80 || c.Center.Lat < -80 {
		errs = append(errs, errors.New("Center: within 10 degrees of a pole"))
	}
	if c.Restaurants < 0 {
		errs = append(errs, fmt.Errorf("Restaurants: %d is under 0", c.Restaurants))
	}
	if c.Homes < 0 {
		errs = append(errs, fmt.Errorf("Homes: %d is under 0", c.Homes))
	}
	return errors.Join(errs...)
}

// Center is the middle of the market square.
func (c *City) Center() geo.Point { return c.center }

func (c *City) point(v vec) geo.Point { return Plane{c.center}.Point(v.X, v.Y) }

func (c *City) vec(p geo.Point) vec {
	east, north := Plane{c.center}.Metres(p)
	return vec{east, north}
}

// Route is the quickest way along the streets, from door to door.
func (c *City) Route(from, to geo.Point) []geo.Point {
	a, b := c.vec(from), c.vec(to)
	path := c.graph.path(c.graph.nearest(a), c.graph.nearest(b))
	out := make([]geo.Point, 0, len(path)+2)
	out = append(out, from)
	for _, v := range path {
		out = append(out, c.point(v))
	}
	return append(out, to)
}

// layBlocks sorts the areas between the streets into blocks and parks.
func (c *City) layBlocks() {
	d := c.draft
	for _, face := range c.net.faces() {
		mid := centroid(face)
		park := mid.len() < 90 && area(face) > 15_000 // the market square
		park = park || area(face) > 90_000            // too large to build on without a street
		for _, p := range d.parks {
			park = park || p.contains(mid)
		}
		switch {
		case d.river.distance(mid) < 0:
		case park:
			if ring := inset(face, 7); ring != nil {
				c.parks = append(c.parks, ring)
			}
		case area(face) < 400_000:
			if ring := inset(face, 7.5); ring != nil {
				c.blocks = append(c.blocks, ring)
			}
		}
	}
}

// settle puts kitchens mostly in the middle and on main streets, and homes
// everywhere.
func (c *City) settle(rng *rand.Rand, restaurants, homes int) {
	names := restaurantNames(rng)
	for len(c.Restaurants) < restaurants {
		id := rng.IntN(len(c.net.edges))
		e := c.net.edges[id]
		weight := 0.12 + 0.88*max(0, 1-c.net.nodes[e.a].len()/1900)
		if !e.major {
			weight *= 0.55
		}
		if rng.Float64() < weight {
			place := c.door(rng, id)
			place.Name = names()
			c.Restaurants = append(c.Restaurants, place)
		}
	}
	for len(c.Homes) < homes {
		id := rng.IntN(len(c.net.edges))
		if e := c.net.edges[id]; e.major && rng.Float64() < 0.6 || c.bridge(e) {
			continue
		}
		c.Homes = append(c.Homes, c.door(rng, id))
	}
}

func (c *City) bridge(e edge) bool {
	return c.draft.river.distance(c.net.nodes[e.a].add(c.net.nodes[e.b]).mul(0.5)) < 12
}

// door is an address somewhere on an edge, a few steps off the street.
func (c *City) door(rng *rand.Rand, id int) Place {
	e := c.net.edges[id]
	a, b := c.net.nodes[e.a], c.net.nodes[e.b]
	share := 0.1 + 0.8*rng.Float64()
	side := 1 - 2*rng.IntN(2)
	at := a.add(b.sub(a).mul(share)).add(b.sub(a).unit().left().mul(11 * float64(side)))
	s := c.draft.streets[e.street]
	number := 1
	for i := 1; i < len(s.line); i++ {
		if f, d := nearestOn(at, s.line[i-1], s.line[i]); d < 30 {
			number += int(s.line[i].sub(s.line[i-1]).len() * f / 9)
			break
		}
		number += int(s.line[i].sub(s.line[i-1]).len() / 9)
	}
	if number = number*2 + (side+1)/2; number < 1 {
		number = 1
	}
	return Place{Point: c.point(at), Address: fmt.Sprintf("%s %d", s.name, number)}
}
