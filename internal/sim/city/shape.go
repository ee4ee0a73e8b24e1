package city

import (
	"math"
	"math/rand/v2"
)

// wobble is a closed curve round the centre: a superellipse with a few slow
// waves on it.
type wobble struct {
	a, b, power float64
	size, phase [3]float64
}

func newWobble(rng *rand.Rand, a, b, power, noise float64) wobble {
	w := wobble{a: a, b: b, power: power}
	for i := range w.size {
		w.size[i] = noise * (0.5 + rng.Float64()) / float64(i+1)
		w.phase[i] = rng.Float64() * 2 * math.Pi
	}
	return w
}

// radius is how far the curve is from the centre in a direction.
func (w wobble) radius(angle float64) float64 {
	c, s := math.Abs(math.Cos(angle))/w.a, math.Abs(math.Sin(angle))/w.b
	r := math.Pow(math.Pow(c, w.power)+math.Pow(s, w.power), -1/w.power)
	for i := range w.size {
		r *= 1 + w.size[i]*math.Sin(float64(i+2)*angle+w.phase[i])
	}
	return r
}

// share is 0 at the centre, 1 on the curve, more outside.
func (w wobble) share(p vec) float64 { return p.len() / w.radius(p.angle()) }

// ring is the curve at a share of its size, closed.
func (w wobble) ring(share float64, points int) []vec {
	out := make([]vec, 0, points+1)
	for i := range points {
		angle := 2 * math.Pi * float64(i) / float64(points)
		out = append(out, polar(angle, share*w.radius(angle)))
	}
	return append(out, out[0])
}

// blob is a wobble that stands somewhere else: a park or a pond.
type blob struct {
	at    vec
	shape wobble
}

func (b blob) contains(p vec) bool { return b.shape.share(p.sub(b.at)) < 1 }

func (b blob) ring(points int) []vec {
	out := b.shape.ring(1, points)
	for i := range out {
		out[i] = out[i].add(b.at)
	}
	return out
}

// river runs from west to east, south of the old town.
type river struct {
	y, phase, slow float64
}

func newRiver(rng *rand.Rand) river {
	return river{y: -1240 - 60*rng.Float64(), phase: rng.Float64() * 2 * math.Pi, slow: rng.Float64() * 2 * math.Pi}
}

func (r river) at(x float64) vec {
	return vec{x, r.y + 150*math.Sin(x/480+r.phase) + 130*math.Sin(x/1500+r.slow)}
}

func (r river) width(x float64) float64 { return 110 + 18*math.Sin(x/830+r.slow) }

// line is the river's middle, moved sideways by so many half widths and
// metres.
func (r river) line(halves, more float64) []vec {
	var out []vec
	for x := -3700.0; x <= 3700; x += 40 {
		along := r.at(x + 1).sub(r.at(x - 1)).unit()
		side := halves*r.width(x)/2 + more
		out = append(out, r.at(x).add(along.left().mul(side)))
	}
	return out
}

// distance is how far p is from the river's bank; negative is in the water.
func (r river) distance(p vec) float64 {
	best := math.Inf(1)
	for dx := -240.0; dx <= 240; dx += 40 {
		_, d := nearestOn(p, r.at(p.X+dx), r.at(p.X+dx+40))
		best = min(best, d)
	}
	return best - r.width(p.X)/2
}

func (r river) polygon() []vec {
	out := r.line(-1, 0)
	north := r.line(1, 0)
	for i := len(north) - 1; i >= 0; i-- {
		out = append(out, north[i])
	}
	return append(out, out[0])
}
