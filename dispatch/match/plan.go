package match

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// newSearch makes the round's search, with every courier on its committed
// stops and no order on any route. There is room for so many drawn orders.
func newSearch(s Snapshot, o *Options, jobs []*job, riders []*rider, past []*job, l *legs, ghosts int) *search {
	se := &search{
		o: o, legs: l, dice: rand.New(rand.NewPCG(s.Seed, uint64(len(jobs)))), lots: rand.New(rand.NewPCG(s.Seed, 0)),
		orders:  make([]target, len(jobs), len(jobs)+ghosts),
		nodes:   make([]visitNode, 2*(len(jobs)+ghosts)),
		runners: make([]runner, len(riders)), routes: make([]route, len(riders)), stamp: make([]uint32, len(riders)), changed: make([]bool, len(riders)),
		pickService: o.PickupService, dropService: o.DropoffService, stand: weighed(o.StandWeight),
		came: make([]time.Duration, len(jobs)+ghosts), sought: sought(past, len(riders)),
	}
	for i, r := range riders {
		se.runners[i].rider = r
	}
	for k, j := range jobs {
		se.addOrder(int32(k), j, 1, 0)
	}
	for _, j := range past {
		l.place(j.Pickup)
		l.place(j.Dropoff)
	}
	l.wide()
	least := 0.
	for i, r := range riders {
		if i == 0 || r.Earned < least {
			least = r.Earned
		}
	}
	for i, r := range riders {
		run := &se.runners[i]
		*run = runner{rider: r, travel: weighed(r.travel), lo: r.fixed}
		if o.AppendOnly {
			run.lo = len(r.nodes)
		}
		run.extra = int64(min((r.Earned-least)*o.FairWeight, maxDuration.Seconds())*perWeight*1000) + ms(r.each)*perWeight
		run.start = mark{t: r.begin, load: int32(r.Onboard), at: l.place(r.At)}
		for k := range r.nodes {
			se.addCommitted(r, k)
		}
	}
	l.ready()
	at := int32(2 * (len(jobs) + ghosts))
	for i, r := range riders {
		seq := se.trial[:0]
		for range r.nodes {
			seq = append(seq, at)
			at++
		}
		se.trial = seq
		se.routes[i].dead = !se.put(int32(i), seq)
		se.cost += se.routes[i].cost
	}
	for _, t := range se.orders {
		se.cost += t.alone
	}
	se.real = se.crowd()
	return se
}

// addOrder numbers a job's stops. One that may only come weighs less, and
// nobody sets out for it before it is placed.
func (s *search) addOrder(k int32, j *job, weight float64, since time.Duration) {
	s.nodes[2*k] = visitNode{place: s.legs.place(j.Pickup), order: k, size: int32(j.Size), pickup: true, open: j.pickup.open, since: since}
	s.nodes[2*k+1] = visitNode{
		place: s.legs.place(j.Dropoff), order: k, size: int32(j.Size), open: j.dropoff.open, due: j.dropoff.due, best: j.dropoff.best,
		wait: weighed(weight * j.urgency(s.o) * s.o.WaitWeight), late: weighed(weight * j.urgency(s.o) * s.o.LateWeight),
		broken: int64(weight * j.urgency(s.o) * j.broken(s.o).Seconds() * perSecond),
	}
	t := &s.orders[k]
	*t = target{on: none, last: none, alone: int64(math.Round(weight * j.worth(s.o) * perSecond))}
	s.asks = s.asks[:0]
	for _, a := range j.able {
		s.asks = append(s.asks, ask{a.rider, s.least(k, j, max(a.reach, since), a.rider)})
	}
	slices.SortStableFunc(s.asks, func(a, b ask) int {
		return cmp.Or(cmp.Compare(a.least, b.least), cmp.Compare(s.sought[a.rider], s.sought[b.rider]))
	})
	for _, a := range s.asks {
		t.riders, t.least = append(t.riders, a.rider), append(t.least, a.least)
	}
	t.memo = make([]memo, 2*len(t.riders))
	s.free = append(s.free, k)
}

// least is what an order costs at least with a courier who is at its pickup
// at a time.
func (s *search) least(k int32, j *job, at time.Duration, r int32) int64 {
	n, o := &s.nodes[2*k+1], s.o
	hand := max(max(at+o.PickupService/2, j.pickup.open)+o.PickupService-o.PickupService/2+j.direct[s.runners[r].kind]+o.DropoffService/2, n.open)
	cost := n.wait * ms(max(0, hand-n.best))
	if late := hand - max(n.due, n.best); late > 0 {
		cost += n.late*ms(late) + n.broken
	}
	return cost
}

// ask is the least that a courier can ask for an order.
type ask struct {
	rider int32
	least int64
}

// maxGhostRiders is the most couriers that an order which only may come is
// planned on: a rough idea of it is enough.
const maxGhostRiders = 12

// worth is what leaving the job off every route costs, in seconds. It is over
// its dearest option, so that an order is never left because its only courier
// is a bad one.
func (j *job) worth(o *Options) float64 {
	dearest := 0.
	if n := len(j.options); n > 0 {
		dearest = seconds(j.options[n-1].cost)
	}
	waited := max(0, -max(j.ready, -maxDuration)).Seconds()
	return dearest + o.Unserved.Seconds() + o.AgeWeight*waited + float64(j.Priority)*o.PriorityCost.Seconds()
}

func (s *search) addCommitted(r *rider, k int) {
	n := &r.nodes[k]
	hand := r.base.hand[k]
	v := visitNode{
		place: s.legs.place(n.at), order: none, size: int32(n.size), pickup: n.kind == Pickup, arrived: n.arrived, came: n.came,
		open: n.open, due: n.due, best: hand, wait: weighed(s.o.WaitWeight),
	}
	if v.pickup {
		if v.latest = never; hand <= r.end {
			v.latest = r.end
		}
	} else {
		v.latest = max(hand, min(hand+s.o.MaxDelay, n.due))
	}
	s.nodes = append(s.nodes, v)
}

// resume puts the orders where the last round meant them to be, as far as
// that still holds. byJob and byRider find the search's numbers.
func (s *search) resume(last []Intent, byJob, byRider map[string]int32, churn time.Duration) {
	for _, in := range last {
		r, ok := byRider[in.Courier]
		if !ok {
			continue
		}
		rt, run := &s.routes[r], &s.runners[r]
		n := len(rt.seq) // committed stops
		var tail []int32
		picked := map[int32]bool{}
		ahead := n
		for _, ref := range in.Stops {
			if k, ok := byJob[ref.Order]; ok {
				if s.orders[k].on != none || !slices.Contains(s.orders[k].riders, r) {
					continue
				}
				if ref.Kind == Pickup && !picked[k] {
					picked[k] = true
					tail = append(tail, 2*k)
				} else if ref.Kind == Dropoff && picked[k] && !slices.Contains(tail, 2*k+1) {
					tail = append(tail, 2*k+1)
				}
				continue
			}
			if at := slices.IndexFunc(run.Stops, func(st Stop) bool { return st.Order == ref.Order && st.Kind == ref.Kind }); at >= 0 && len(tail) > 0 {
				if ahead == n {
					ahead = at
				}
				tail = append(tail, ^int32(at))
			}
		}
		// The committed stops from the first named one on, in their order.
		ahead = max(ahead, run.lo)
		done := ahead
		seq := slices.Clone(rt.seq[:ahead])
		for _, k := range tail {
			switch {
			case k >= 0 && (k%2 == 0 || picked[k/2]):
				seq = append(seq, k)
			case k < 0 && int(^k) == done:
				seq = append(seq, rt.seq[done])
				done++
			}
		}
		seq = append(seq, rt.seq[done:n]...)
		orders := make([]int32, 0, len(picked))
		for _, k := range seq {
			if s.nodes[k].order >= 0 && k%2 == 1 {
				orders = append(orders, k/2)
			}
		}
		if len(orders) != len(picked) {
			continue
		}
		s.adopt(r, seq, orders)
		for _, k := range orders {
			s.orders[k].last, s.orders[k].churn = r, churn.Milliseconds()*perWeight
		}
	}
	s.settle()
}

// settle leaves only orders on no route free.
func (s *search) settle() {
	s.free = slices.DeleteFunc(s.free, func(k int32) bool { return s.orders[k].on != none })
}

// adopt makes a sequence with more orders a courier's route, if it may be.
// Whoever calls it sees to free.
func (s *search) adopt(r int32, seq, orders []int32) bool {
	rt := &s.routes[r]
	if len(orders) == 0 || len(seq) > s.o.MaxStops || rt.dead {
		return false
	}
	old, was := slices.Clone(rt.seq), rt.cost
	if !s.put(r, seq) {
		s.put(r, old)
		return false
	}
	s.cost += rt.cost - was
	for _, k := range orders {
		s.orders[k].on = r
		s.cost += s.surcharge(k, r) - s.orders[k].alone
	}
	return true
}

// fill serves what is on no route, as far as it pays.
func (s *search) fill() {
	s.keep()
	free := slices.Clone(s.free)
	s.free = s.free[:0]
	slices.SortStableFunc(free, func(a, b int32) int { return int(min(1, max(-1, s.nodes[2*a].open-s.nodes[2*b].open))) })
	for _, k := range free {
		s.serve(k)
	}
	s.keep()
}

// task is the first new work on a route: orders that are under way together.
type task struct {
	rider  int32
	orders []int32 // as dropped off
	seq    []int32 // with all committed stops
}

// first is a courier's first task, false if there is none, or if it is
// of an order that only may come.
func (s *search) first(r int32) (task, bool) {
	t := task{rider: r}
	if len(s.routes[r].seq) == len(s.runners[r].nodes) {
		return t, false
	}
	open, ended := 0, false
	for _, n := range s.routes[r].seq {
		switch k := s.nodes[n].order; {
		case k < 0:
			t.seq = append(t.seq, n)
		case ended || s.orders[k].ghost && open == 0:
			if open, ended = 0, true; len(t.orders) == 0 {
				return t, false
			}
		case n%2 == 0:
			open++
			t.seq = append(t.seq, n)
		default:
			open--
			ended = open == 0
			t.seq = append(t.seq, n)
			t.orders = append(t.orders, k)
		}
	}
	return t, len(t.orders) > 0
}

// recount works the cost out anew.
func (s *search) recount() {
	s.cost = 0
	for r := range s.routes {
		s.cost += s.routes[r].cost
	}
	for k := range s.orders {
		if t := &s.orders[k]; t.on == none {
			s.cost += t.alone
		} else {
			s.cost += s.surcharge(int32(k), t.on)
		}
	}
}
