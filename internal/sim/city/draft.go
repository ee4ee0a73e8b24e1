package city

import (
	"math"
	"math/rand/v2"
)

// street is one named line of the plan. Lines may cross; planar finds where.
type street struct {
	name  string
	major bool
	line  []vec
}

// draft is the plan of the city before its streets are joined.
type draft struct {
	rng      *rand.Rand
	outline  wobble
	oldTown  wobble
	river    river
	parks    []blob
	ponds    []blob
	streets  []street
	majors   int // how many of streets, from the start, nothing runs alongside
	nextName func() string
}

func newDraft(rng *rand.Rand) *draft {
	d := &draft{rng: rng, nextName: streetNames(rng)}
	d.outline = newWobble(rng, 3000, 2500, 2.6, 0.02)
	d.oldTown = newWobble(rng, 1050, 880, 2.2, 0.025)
	d.river = newRiver(rng)
	d.placeParks()
	d.rings()
	d.quays()
	d.radials()
	d.majors = len(d.streets)
	d.lanes()
	d.grid()
	d.placePonds()
	return d
}

// placeParks puts a few parks between the old town and the edge, away from
// each other and from the water.
func (d *draft) placeParks() {
	for try := 0; len(d.parks) < 7 && try < 500; try++ {
		at := polar(d.rng.Float64()*2*math.Pi, 1200+1200*d.rng.Float64())
		size := 190 + 130*d.rng.Float64()
		if len(d.parks) < 2 {
			size = 400 + 60*d.rng.Float64()
		}
		if d.outline.share(at) > 0.8 || d.oldTown.share(at) < 1.15+size/1000 || d.river.distance(at) < size*0.8 {
			continue
		}
		apart := true
		for _, other := range d.parks {
			apart = apart && at.sub(other.at).len() > size+other.shape.a+350
		}
		if !apart {
			continue
		}
		d.parks = append(d.parks, blob{at, newWobble(d.rng, size, size*(0.65+0.2*d.rng.Float64()), 2.4, 0.04)})
	}
}

// placePonds puts a pond into every park that has room for one between the
// streets that cross it.
func (d *draft) placePonds() {
	for _, park := range d.parks {
		var best vec
		room := 0.0
		for range 60 {
			at := park.at.add(polar(d.rng.Float64()*2*math.Pi, d.rng.Float64()*park.shape.a*0.7))
			if r := min(d.clear(at)-25, 130); park.shape.share(at.sub(park.at)) < 0.7 && r > room {
				best, room = at, r
			}
		}
		if room > 60 {
			d.ponds = append(d.ponds, blob{best, newWobble(d.rng, room*0.95, room*0.6, 2, 0.07)})
		}
	}
}

// clear is the distance from p to the nearest street.
func (d *draft) clear(p vec) float64 {
	best := math.Inf(1)
	for _, s := range d.streets {
		for i := 1; i < len(s.line); i++ {
			_, dist := nearestOn(p, s.line[i-1], s.line[i])
			best = min(best, dist)
		}
	}
	return best
}

func (d *draft) rings() {
	d.add(true, d.oldTown.ring(1, 160))
	d.add(true, d.outline.ring(0.78, 240))
}

// quays follow the river on both sides within the city.
func (d *draft) quays() {
	for _, side := range []float64{1, -1} {
		d.pieces(true, d.river.line(side, side*24), func(p, _ vec) bool { return d.outline.share(p) < 0.98 })
	}
}

// radials leave the market square; every sixth goes on as an avenue to the
// edge of the city, over the river where it must.
func (d *draft) radials() {
	const n = 30
	turn := d.rng.Float64()
	for i := range n {
		angle := 2 * math.Pi * (float64(i) + turn + 0.25*(d.rng.Float64()-0.5)) / n
		avenue := i%6 == 0
		bend := 0.3 * (d.rng.Float64() - 0.5)
		end := 1.03 * d.oldTown.radius(angle)
		if avenue {
			end = 2 * d.outline.radius(angle)
		}
		var line []vec
		start := 100.0
		if i%2 == 1 { // there is no room for all of them near the square
			start = 0.36 * d.oldTown.radius(angle)
		}
		for r := start; r < end; r += 25 {
			line = append(line, polar(angle+bend*r/2500, r))
		}
		d.pieces(avenue, line, func(p, _ vec) bool { return d.outline.share(p) < 0.99 })
	}
}

// lanes are the old town's inner rings, the market square among them.
func (d *draft) lanes() {
	for _, share := range []float64{0.13, 0.25, 0.37, 0.49, 0.61, 0.74, 0.87} {
		ring := d.oldTown.ring(share*(0.98+0.04*d.rng.Float64()), 90)
		d.add(false, ring)
	}
}

// grid covers the rest with bent lines, every fifth of them a main street
// with a bridge.
func (d *draft) grid() {
	turn := (d.rng.Float64() - 0.5) * 0.5
	p1, p2, p3 := d.rng.Float64()*6, d.rng.Float64()*6, d.rng.Float64()*6
	warp := func(v vec) vec {
		v = vec{
			v.X + 75*math.Sin(v.Y/720+p1) + 25*math.Sin(v.Y/270+p3),
			v.Y + 65*math.Sin(v.X/810+p2) + 20*math.Sin(v.X/310+p1),
		}
		return vec{v.X*math.Cos(turn) - v.Y*math.Sin(turn), v.X*math.Sin(turn) + v.Y*math.Cos(turn)}
	}
	for axis := range 2 {
		count := 0
		for u := -3900.0; u < 3900; u += 95 + 85*d.rng.Float64() {
			major := count%6 == 3
			count++
			var line []vec
			for t := -3900.0; t < 3900; t += 20 {
				if axis == 0 {
					line = append(line, warp(vec{u, t}))
				} else {
					line = append(line, warp(vec{t, u}))
				}
			}
			d.pieces(major, line, func(p, along vec) bool { return d.buildable(p, along, major) })
		}
	}
}

// buildable says whether a grid street may run at p in a direction.
func (d *draft) buildable(p, along vec, major bool) bool {
	if d.outline.share(p) > 0.99 || d.oldTown.share(p) < 0.98 {
		return false
	}
	if !major {
		if d.river.distance(p) < 12 {
			return false
		}
		for _, park := range d.parks {
			if park.contains(p) {
				return false
			}
		}
	}
	for _, s := range d.streets[:d.majors] {
		for i := 1; i < len(s.line); i++ {
			a, b := s.line[i-1], s.line[i]
			if math.Abs(p.X-a.X) > 220 || math.Abs(p.Y-a.Y) > 220 {
				continue
			}
			if _, dist := nearestOn(p, a, b); dist < 42 && math.Abs(b.sub(a).unit().dot(along)) > 0.86 {
				return false
			}
		}
	}
	return true
}

func (d *draft) add(major bool, line []vec) {
	d.streets = append(d.streets, street{name: d.nextName(), major: major, line: simplify(line, 1.5)})
}

// pieces adds the parts of a line where keep holds, each a street of its own
// with the same name.
func (d *draft) pieces(major bool, line []vec, keep func(p, along vec) bool) {
	name := d.nextName()
	var piece []vec
	flush := func() {
		if len(piece) > 2 {
			d.streets = append(d.streets, street{name: name, major: major, line: simplify(piece, 1.5)})
		}
		piece = nil
	}
	for i, p := range line {
		along := line[min(i+1, len(line)-1)].sub(line[max(i-1, 0)]).unit()
		if keep(p, along) {
			piece = append(piece, p)
		} else {
			flush()
		}
	}
	flush()
}
