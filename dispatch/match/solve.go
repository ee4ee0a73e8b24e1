package match

import (
	"cmp"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"courier/geo"
)

// Solve works out one round: who carries which of the waiting orders, and
// why. It is pure and deterministic; the order of the snapshot's slices does
// not matter. Options must pass Validate.
//
// Committed stops keep their order and none is dropped; new ones come after
// the stop where the courier stands. A courier gets at most one bundle a
// round, an order at most one courier.
func Solve(s Snapshot, o Options) Result {
	o.Router = bounded{o.Router}
	w := newRound(s, &o)
	pl := newPool(w.awake, w.riders, w.o)
	var p *plan
	if o.Search == (Search{}) && o.Futures.Count == 0 || len(w.awake) == 0 || len(w.riders) == 0 {
		p = w.oneShot(pl, pl.solve())
	} else {
		p = w.search(pl)
	}
	return w.result(p)
}

// round is a snapshot made ready.
type round struct {
	s      Snapshot
	o      *Options
	p      *pricer
	field  *field
	riders []*rider
	rider  map[string]int32 // by id
	jobs   []*job           // all
	awake  []*job           // those that take part
	kinds  []geo.Vehicle
}

func newRound(s Snapshot, o *Options) *round {
	w := &round{s: s, o: o, p: newPricer(o), rider: make(map[string]int32, len(s.Couriers))}
	orders, couriers := slices.Clone(s.Orders), slices.Clone(s.Couriers)
	slices.SortFunc(orders, func(a, b Order) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(couriers, func(a, b Courier) int { return cmp.Compare(a.ID, b.ID) })
	couriers = slices.DeleteFunc(couriers, func(c Courier) bool { return sinceOr(c.ShiftStart, s.Now, 0) > o.LookAhead })
	for i := range couriers {
		if !slices.Contains(w.kinds, couriers[i].Vehicle) {
			w.kinds = append(w.kinds, couriers[i].Vehicle)
		}
		w.rider[couriers[i].ID] = int32(i)
	}
	w.riders, w.jobs = make([]*rider, len(couriers)), make([]*job, len(orders))
	forAll(len(couriers), func(i int) {
		w.riders[i] = newRider(&couriers[i], slices.Index(w.kinds, couriers[i].Vehicle), s.Now, o)
	})
	forAll(len(orders), func(i int) { w.jobs[i] = newJob(&orders[i], s.Now, w.kinds, o) })
	w.field = newField(w.riders, o.MaxRadius)
	for _, j := range w.jobs {
		if !j.nowhere && !j.asleep {
			w.awake = append(w.awake, j)
		}
	}
	places := byPickup(w.awake)
	w.each(len(places), func(i int, f *seeker, p *pricer) {
		for _, j := range places[i] {
			j.search(f, w.rider, p)
		}
	})
	return w
}

// byPickup puts the jobs together that are picked up at one point.
func byPickup(jobs []*job) (places [][]*job) {
	sorted := slices.SortedStableFunc(slices.Values(jobs), func(a, b *job) int {
		return cmp.Or(cmp.Compare(a.Pickup.Lat, b.Pickup.Lat), cmp.Compare(a.Pickup.Lng, b.Pickup.Lng))
	})
	for begin, i := 0, 1; i <= len(sorted); i++ {
		if i == len(sorted) || sorted[i].Pickup != sorted[begin].Pickup {
			places = append(places, sorted[begin:i])
			begin = i
		}
	}
	return places
}

// each does n tasks that look for couriers, some at a time. One must not
// touch what another does.
func (w *round) each(n int, do func(i int, f *seeker, p *pricer)) {
	parallel(n, func() func(int) {
		f, p := w.field.seeker(), newPricer(w.o)
		return func(i int) { do(i, f, p) }
	})
}

// fewTasks are not worth another goroutine.
const fewTasks = 32

// parallel does n tasks on all cores: each worker gets its own way to do one.
func parallel(n int, worker func() func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n/fewTasks+1)
	var next atomic.Int64
	work := func() {
		do := worker()
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			do(i)
		}
	}
	for range workers - 1 {
		defer beside(work)()
	}
	work()
}

// both does two things side by side, and returns or panics when both have
// ended.
func both(one, other func()) {
	defer beside(other)()
	one()
}

// beside does something beside what follows, until wait is called, which
// panics if it has.
func beside(do func()) (wait func()) {
	fault := make(chan any, 1)
	go func() {
		defer func() { fault <- recover() }()
		do()
	}()
	return func() {
		if f := <-fault; f != nil {
			panic(f)
		}
	}
}

// forAll does n tasks on all cores that need nothing of their worker.
func forAll(n int, do func(i int)) { parallel(n, func() func(int) { return do }) }

// search plans by search, from what the last round intended, or else from
// the one-shot assignment.
func (w *round) search(pl *pool) *plan {
	s, o := w.s, w.o
	var past []*job
	var demand []Demand
	if o.Futures.Count > 0 && slices.ContainsFunc(w.riders, w.listens) {
		demand = recent(s, o)
	}
	for i := range demand {
		d := &demand[i]
		past = append(past, newJob(&Order{Pickup: d.Pickup, Dropoff: d.Dropoff, Ready: s.Now, Size: d.Size}, s.Now, w.kinds, o))
	}
	kitchens := byPickup(past)
	w.each(len(kitchens), func(i int, f *seeker, _ *pricer) {
		for _, j := range kitchens[i] {
			j.able = j.ask(f, w.rider, maxGhostRiders, o)
		}
	})
	ghosts := 2*int(float64(len(past))*o.Futures.Ahead.Seconds()/max(1, o.Futures.Window.Seconds())) + 8
	if len(past) == 0 {
		ghosts = 0
	}
	var se *search
	var first assignment
	both(func() { se = newSearch(s, o, w.awake, w.riders, past, newLegs(o.Router, w.kinds), ghosts) }, func() {
		if len(s.Last) == 0 {
			first = pl.solve()
		}
	})
	number := make(map[string]int32, len(w.awake))
	for k, j := range w.awake {
		number[j.ID] = int32(k)
	}
	if len(s.Last) == 0 {
		se.resume(w.oneShot(pl, first).intents(false), number, w.rider, 0)
	} else {
		last := slices.SortedStableFunc(slices.Values(s.Last), func(a, b Intent) int { return cmp.Compare(a.Courier, b.Courier) })
		se.resume(last, number, w.rider, o.ChurnCost)
	}
	se.fill()
	se.improve(o.Search.rounds(len(w.awake)), o.Search.idle(len(w.awake)), o.Stop)
	starts := func(t task) bool {
		st, no := w.stageOf(se, t)
		return no.why == fine && w.due(st)
	}
	asked := !w.voted()
	se.starting(starts, func(task) { asked = true })
	if len(past) == 0 || !asked {
		return w.planOf(se, nil, false)
	}
	lead := make([]time.Duration, len(past))
	for i := range demand {
		lead[i] = max(0, min(demand[i].Ready.Sub(demand[i].Placed), maxDuration))
	}
	ballot, elected := se.vote(past, lead, w.remembered(), starts)
	p := w.planOf(se, elected, true)
	p.ballot = ballot
	return p
}

// result turns the plan into what to tell.
func (w *round) result(p *plan) Result {
	var out Result
	for r, st := range p.stages {
		if st != nil && st.given {
			out.Assignments = append(out.Assignments, w.assignment(int32(r), st))
		}
	}
	t := newTelling(w, p)
	out.Decisions = make([]Decision, len(w.jobs))
	forAll(len(w.jobs), func(i int) { out.Decisions[i] = t.decision(w.jobs[i]) })
	out.Intents = p.intents(true)
	out.Votes = p.votes()
	return out
}

// assignment writes a courier's new plan out.
func (w *round) assignment(r int32, st *stage) Assignment {
	rd := w.riders[r]
	n := len(rd.nodes)
	stops, orders := make([]Stop, 0, len(st.seq)), []string(nil)
	for _, k := range st.seq {
		if k < n {
			stops = append(stops, rd.Stops[k])
			continue
		}
		j := st.jobs[(k-n)/2]
		pickup, dropoff := j.stops()
		if (k-n)%2 == 0 {
			stops = append(stops, pickup)
		} else {
			stops = append(stops, dropoff)
			orders = append(orders, j.ID)
		}
	}
	return Assignment{Courier: rd.ID, Orders: orders, Stops: Schedule(w.s.Now, *rd.Courier, stops, *w.o)}
}
