package match

import (
	"math"
	"slices"
	"time"

	"courier/geo"
)

// rider is a courier made ready for a round: its plan walked once, its places
// in the index.
type rider struct {
	*Courier
	nodes []node          // the committed stops
	legs  []time.Duration // to each of them from the one before
	base  walk            // the committed plan's times
	fixed int             // new stops come after this many: the courier stands there
	kind  int             // of its vehicle, among those of the round
	end   time.Duration   // of the shift; no pickup after
	known bool            // its position is a place on Earth
	begin time.Duration   // of the shift, or when it has answered or may leave; nothing is done before
	off   bool            // not on shift yet

	travel float64       // weight of its travel
	each   time.Duration // what each order costs more with it
	lost   time.Duration // by how much a decline holds an order up on average
}

func newRider(c *Courier, number int, now time.Time, o *Options) *rider {
	r := &rider{Courier: c, kind: number, nodes: make([]node, len(c.Stops)), end: sinceOr(c.ShiftEnd, now, never)}
	r.known = c.At.Validate() == nil
	kind := o.kind(c.Vehicle)
	r.travel, r.each = o.TravelWeight*kind.Travel, kind.Order
	if c.Declines > 0 {
		r.lost = time.Duration(min(c.Declines, 1) * float64(o.DeclineTime)).Round(time.Second)
	}
	r.begin = max(0, sinceOr(c.ShiftStart, now, 0))
	if r.off = r.begin > 0; len(c.Stops) == 0 {
		r.begin = max(r.begin, o.AnswerTime)
	}
	r.begin = max(r.begin, sinceOr(c.Leaves, now, 0))
	r.base.begin = r.begin
	at, seq := c.At, make([]int, len(c.Stops))
	for i, s := range c.Stops {
		r.nodes[i], seq[i] = nodeOf(s, now), i
		r.legs = append(r.legs, o.Router.Travel(at, s.At, c.Vehicle))
		at = s.At
		if s.Arrived {
			r.fixed = i + 1
		}
	}
	r.base.run(r.nodes, seq, func(_, to int) time.Duration { return r.legs[to] }, o)
	return r
}

// reaches is a quick estimate of when the rider can be at a point: from where
// it is now, or from the committed stop that is best to go on from.
func (r *rider) reaches(p geo.Point, o *Options) time.Duration {
	last := len(r.nodes) - 1
	if last < 0 {
		return r.begin + o.Router.Travel(r.At, p, r.Vehicle)
	}
	best := r.base.depart[last] + o.Router.Travel(r.nodes[last].at, p, r.Vehicle)
	if o.AppendOnly {
		return best
	}
	if r.fixed == 0 {
		best = min(best, r.begin+o.Router.Travel(r.At, p, r.Vehicle))
	}
	for i := max(0, r.fixed-1); i < last; i++ {
		if r.base.depart[i] < best {
			best = min(best, r.base.depart[i]+o.Router.Travel(r.nodes[i].at, p, r.Vehicle))
		}
	}
	return best
}

// field finds riders near a place. Each stands in the cells of its position
// and of its stops, at several resolutions: the wider the search, the coarser
// the cells that it looks at. A few have no cells and are looked at one by one.
type field struct {
	riders []*rider
	layers []layer
}

// fewRiders are sooner looked at than the cells around a place.
const fewRiders = 256

// seeker searches a field. It is scratch space: one to a goroutine.
type seeker struct {
	*field
	stamp  []int32 // by rider: the last search that met it
	search int32
	disks  map[disk][]geo.Cell

	met    []reached // by the last search
	at     geo.Point // of which place
	radius float64   // 0: there was none
}

func (f *field) seeker() *seeker {
	return &seeker{field: f, stamp: make([]int32, len(f.riders)), disks: map[disk][]geo.Cell{}}
}

type layer struct {
	resolution int
	reach      float64 // metres that one more ring is sure to cover
	cells      map[geo.Cell][]int32
}

// rings are how many around a place's cell a search up to a radius has to look
// at. Wherever the place is in the cell, and whether or not the cell is only
// the parent of its own, k rings were seen to cover k-0.6 times the reach (7.5
// million random places, all layers).
func (l layer) rings(radius float64) int { return int(radius/l.reach + 1.7) }

type disk struct {
	cell geo.Cell
	k    int
}

// maxRings is the widest disk asked of a layer that has a coarser one above.
const maxRings = 6

// newField holds the riders for searches up to a radius in metres.
func newField(riders []*rider, radius float64) *field {
	f := &field{riders: riders}
	if len(riders) <= fewRiders {
		return f
	}
	// A ring adds at least 1.5 edge lengths; edges are down to 0.8 of the
	// resolution's mean.
	for _, l := range []layer{
		{resolution: geo.SearchResolution, reach: 1.2 * 200},
		{resolution: geo.DemandResolution, reach: 1.2 * 530},
		{resolution: geo.DemandResolution - 1, reach: 1.2 * 1400},
		{resolution: geo.RegionResolution, reach: 1.2 * 3700},
		{resolution: geo.AreaResolution, reach: 1.2 * 26000},
	} {
		l.cells = map[geo.Cell][]int32{}
		f.layers = append(f.layers, l)
		if l.rings(radius) <= maxRings {
			break
		}
	}
	fine := make([][]geo.Cell, len(riders)) // of each one's places
	forAll(len(riders), func(i int) { fine[i] = riders[i].places() })
	for i, cells := range fine {
		for _, cell := range cells {
			f.put(cell, int32(i))
		}
	}
	return f
}

// places are the cells, at the finest layer, where the rider is or will stop.
// A stop that is nowhere has none: the courier is found by its other places.
func (r *rider) places() []geo.Cell {
	if !r.known {
		return nil
	}
	cells := make([]geo.Cell, 0, 1+len(r.nodes))
	add := func(p geo.Point) {
		if cell, err := geo.CellOf(p, geo.SearchResolution); err == nil {
			cells = append(cells, cell)
		}
	}
	add(r.At)
	for i := range r.nodes {
		add(r.nodes[i].at)
	}
	return cells
}

func (f *field) put(fine geo.Cell, rider int32) {
	for _, l := range f.layers {
		// Nearly always the cell at the coarser resolution: see rings.
		cell := fine.Parent(l.resolution)
		if in := l.cells[cell]; !slices.Contains(in, rider) {
			l.cells[cell] = append(in, rider)
		}
	}
}

// around lists each rider that is or will be within radius metres of a place,
// in no particular but a fixed order. cell is the place's at the finest layer.
// Orders from one place that are searched for one after the other share the
// list, and what is asked of those on it.
func (f *seeker) around(p geo.Point, cell geo.Cell, radius float64) []reached {
	if f.at == p && f.radius == radius {
		return f.met
	}
	f.met, f.at, f.radius = f.met[:0], p, radius
	flat := newPlane(p)
	if len(f.layers) == 0 {
		for i, r := range f.riders {
			if r.known && r.passes(flat, radius) {
				f.met = append(f.met, reached{int32(i), -1})
			}
		}
		return f.met
	}
	f.search++
	l := f.layers[0]
	k := 0
	for _, l = range f.layers {
		if k = l.rings(radius); k <= maxRings {
			break
		}
	}
	key := disk{cell.Parent(l.resolution), k}
	cells, ok := f.disks[key]
	if !ok {
		cells = key.cell.Disk(k)
		f.disks[key] = cells
	}
	for _, cell := range cells {
		for _, i := range l.cells[cell] {
			if f.stamp[i] != f.search && f.riders[i].passes(flat, radius) {
				f.stamp[i] = f.search
				f.met = append(f.met, reached{i, -1})
			}
		}
	}
	return f.met
}

func (r *rider) passes(p plane, radius float64) bool {
	if p.within(r.At, radius) {
		return true
	}
	for i := range r.nodes {
		if p.within(r.nodes[i].at, radius) {
			return true
		}
	}
	return false
}

// plane touches the Earth at a point. Distances from there are good to about
// a percent within 100 km, and ten times cheaper than on the sphere.
type plane struct {
	at          geo.Point
	north, east float64 // metres in a degree
}

func newPlane(at geo.Point) plane {
	return plane{at, metresPerDegree, metresPerDegree * math.Cos(at.Lat*math.Pi/180)}
}

func (p plane) within(q geo.Point, radius float64) bool { return p.square(q) <= radius*radius }

// far is the distance to a point in metres.
func (p plane) far(q geo.Point) float64 { return math.Sqrt(p.square(q)) }

func (p plane) square(q geo.Point) float64 {
	degrees := math.Abs(p.at.Lng - q.Lng)
	if degrees > 180 { // across the antimeridian
		degrees = 360 - degrees
	}
	north, east := (p.at.Lat-q.Lat)*p.north, degrees*p.east
	return north*north + east*east
}
