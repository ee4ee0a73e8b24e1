package match

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// recent are the orders of the past that count, oldest first.
func recent(s Snapshot, o *Options) []Demand {
	var out []Demand
	for _, d := range s.Past {
		if age := s.Now.Sub(d.Placed); age >= 0 && age <= o.Futures.Window && d.Pickup.Validate() == nil && d.Dropoff.Validate() == nil {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b Demand) int {
		return cmp.Or(a.Placed.Compare(b.Placed), a.Ready.Compare(b.Ready),
			cmp.Compare(a.Pickup.Lat, b.Pickup.Lat), cmp.Compare(a.Pickup.Lng, b.Pickup.Lng),
			cmp.Compare(a.Dropoff.Lat, b.Dropoff.Lat), cmp.Compare(a.Dropoff.Lng, b.Dropoff.Lng), cmp.Compare(a.Size, b.Size))
	})
	return out
}

// sought shares the recent orders out among the couriers near each, the more
// to one the sooner it can be there. Where several couriers cost an order the
// same, who is sought least takes it: those who stand where the next orders
// come from are kept for them, and those who are far off come back by the way.
func sought(past []*job, riders int) []float64 {
	const fade = 5 * time.Minute // so much farther off, a courier gets 1/e of the share
	out := make([]float64, riders)
	for _, j := range past {
		var share [maxGhostRiders]float64
		sum := 0.
		for i, a := range j.able { // the soonest is first, and stands for 1
			share[i] = math.Exp(float64(j.able[0].reach-a.reach) / float64(fade))
			sum += share[i]
		}
		for i, a := range j.able {
			out[a.rider] += share[i] / sum
		}
	}
	return out
}

// imagine adds drawn orders to the plan. They are as many as the past
// foretells, give or take what chance does, and at most most.
func (s *search) imagine(past []*job, lead []time.Duration, most int) {
	f := &s.o.Futures
	n := s.poisson(float64(len(past)) * f.Ahead.Seconds() / f.Window.Seconds())
	for range min(n, most) {
		i := s.lots.IntN(len(past))
		placed := time.Duration(s.lots.Int64N(int64(f.Ahead)))
		j := *past[i]
		j.ready = placed + lead[i]
		j.pickup.open = j.ready
		j.dropoff.best += j.ready
		k := int32(len(s.orders))
		s.orders = s.orders[:k+1]
		s.addOrder(k, &j, f.Weight, placed)
		s.orders[k].ghost = true
		s.nodes[2*k].solo = true
		s.cost += s.orders[k].alone
	}
	s.drawn = s.crowd()
}

func (s *search) poisson(mean float64) int {
	// The sum of independent ones, as e^-mean is 0 for a large mean.
	n := 0
	for ; mean > 0; mean -= 16 {
		least, p := math.Exp(-min(mean, 16)), s.lots.Float64()
		for ; p > least; n++ {
			p *= s.lots.Float64()
		}
	}
	return n
}

// image is a plan put aside.
type image struct {
	routes []route
	on     []int32
	free   []int32
	cost   int64
}

func (s *search) image() *image {
	m := &image{routes: make([]route, len(s.routes)), free: slices.Clone(s.free), cost: s.cost}
	for r := range s.routes {
		m.routes[r] = s.routes[r].clone()
	}
	for k := range s.orders {
		m.on = append(m.on, s.orders[k].on)
	}
	return m
}

func (rt *route) clone() route {
	out := *rt
	out.seq, out.marks, out.back = slices.Clone(rt.seq), slices.Clone(rt.marks), slices.Clone(rt.back)
	return out
}

// show goes back to a plan; drawn orders that it does not know are gone.
func (s *search) show(m *image) {
	for r := range m.routes {
		if s.routes[r].stamp != m.routes[r].stamp {
			s.routes[r] = m.routes[r].clone()
			s.stamp[r] = s.routes[r].stamp
		}
	}
	s.orders = s.orders[:len(m.on)]
	for k := range s.orders {
		s.orders[k].on = m.on[k]
	}
	s.free, s.cost = append(s.free[:0], m.free...), m.cost
	s.keep()
}

// vote plans with each future in turn, from the plan as it is, and elects the
// tasks to start now. It leaves the plan of the real orders, with those tasks.
func (s *search) vote(past []*job, lead []time.Duration, before []Vote, starts func(task) bool) (*ballot, []task) {
	real, f := len(s.orders), &s.o.Futures
	b := &ballot{asked: make([]bool, real), order: make([]int, real), all: f.Count, before: before}
	begin := s.image()
	s.starting(starts, b.ask)
	for range f.Count {
		s.imagine(past, lead, cap(s.orders)-real)
		s.fill()
		s.improve(f.Search.rounds(real), f.Search.idle(real), s.o.Stop)
		s.starting(starts, b.cast)
		s.show(begin)
	}
	return b, slices.DeleteFunc(b.elect(), func(t task) bool { return !s.enact(t) })
}

// starting does something with each courier's first task that starts now.
func (s *search) starting(starts func(task) bool, do func(task)) {
	for r := range s.routes {
		if t, ok := s.first(int32(r)); ok && starts(t) {
			do(t)
		}
	}
}

// enact makes an elected task the only one of its courier, and says whether
// it may be.
func (s *search) enact(t task) bool {
	if have, ok := s.first(t.rider); ok && slices.Equal(have.seq, t.seq) {
		return true
	}
	s.keep()
	s.out = s.out[:0]
	for _, k := range t.orders {
		s.mark(k)
	}
	// What the courier was to do else comes later, or with others.
	s.touch(t.rider)
	s.empty(t.rider)
	s.clear()
	s.free = append(s.free, s.out...)
	s.out = s.out[:0]
	s.keep()
	defer s.keep()
	defer s.settle()
	return s.adopt(t.rider, t.seq, t.orders)
}
