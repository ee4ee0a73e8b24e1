package city

import "math"

// vec is a place on the city's own plane: metres east and north of its
// centre.
type vec struct{ X, Y float64 }

func (a vec) add(b vec) vec       { return vec{a.X + b.X, a.Y + b.Y} }
func (a vec) sub(b vec) vec       { return vec{a.X - b.X, a.Y - b.Y} }
func (a vec) mul(f float64) vec   { return vec{a.X * f, a.Y * f} }
func (a vec) dot(b vec) float64   { return a.X*b.X + a.Y*b.Y }
func (a vec) cross(b vec) float64 { return a.X*b.Y - a.Y*b.X }
func (a vec) len() float64        { return math.Hypot(a.X, a.Y) }
func (a vec) angle() float64      { return math.Atan2(a.Y, a.X) }

// unit is a at length 1, or nothing if a is.
func (a vec) unit() vec {
	if l := a.len(); l > 0 {
		return a.mul(1 / l)
	}
	return vec{}
}

// left is a turned a quarter counter-clockwise.
func (a vec) left() vec { return vec{-a.Y, a.X} }

func polar(angle, r float64) vec { return vec{r * math.Cos(angle), r * math.Sin(angle)} }

// nearestOn is the share of the way from a to b that lies nearest to p, and
// the distance from there.
func nearestOn(p, a, b vec) (share, distance float64) {
	d := b.sub(a)
	if l := d.dot(d); l > 0 {
		share = min(1, max(0, p.sub(a).dot(d)/l))
	}
	return share, p.sub(a.add(d.mul(share))).len()
}

// meet says where along a-b and c-d the two segments cross.
func meet(a, b, c, d vec) (s, t float64, ok bool) {
	r, q := b.sub(a), d.sub(c)
	den := r.cross(q)
	if math.Abs(den) < 1e-9 {
		return 0, 0, false
	}
	s, t = c.sub(a).cross(q)/den, c.sub(a).cross(r)/den
	return s, t, s >= 0 && s <= 1 && t >= 0 && t <= 1
}

// simplify drops the points of a line that lie within tolerance of what is
// left (Douglas-Peucker).
func simplify(line []vec, tolerance float64) []vec {
	if len(line) < 3 {
		return line
	}
	worst, at := 0.0, 0
	for i := 1; i < len(line)-1; i++ {
		if _, d := nearestOn(line[i], line[0], line[len(line)-1]); d > worst {
			worst, at = d, i
		}
	}
	if worst <= tolerance {
		return []vec{line[0], line[len(line)-1]}
	}
	head := simplify(line[:at+1], tolerance)
	return append(head[:len(head):len(head)], simplify(line[at:], tolerance)[1:]...)
}

// area is positive for a ring that runs counter-clockwise. The ring is not
// closed.
func area(ring []vec) float64 {
	sum := 0.0
	for i, p := range ring {
		sum += p.cross(ring[(i+1)%len(ring)])
	}
	return sum / 2
}

func centroid(ring []vec) vec {
	var c vec
	sum := 0.0
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		w := p.cross(q)
		c, sum = c.add(p.add(q).mul(w)), sum+w
	}
	if sum == 0 {
		return ring[0]
	}
	return c.mul(1 / (3 * sum))
}

// inset moves every side of a counter-clockwise ring inwards. It returns nil
// when nothing is left.
func inset(ring []vec, by float64) []vec {
	n := len(ring)
	out := make([]vec, 0, n)
	for i := range ring {
		in, to := ring[i].sub(ring[(i+n-1)%n]).unit(), ring[(i+1)%n].sub(ring[i]).unit()
		normal := in.left().add(to.left())
		scale := 1 + in.dot(to)
		if scale < 0.3 { // a needle: a full mitre would shoot out of the block
			scale = 0.3
		}
		p := ring[i].add(normal.mul(by / scale))
		out = append(out, p)
	}
	if a := area(out); a < 150 || a > area(ring) {
		return nil
	}
	for i := range out { // a side that turned round has eaten its neighbours
		if out[(i+1)%n].sub(out[i]).dot(ring[(i+1)%n].sub(ring[i])) < 0 {
			return nil
		}
	}
	return out
}
