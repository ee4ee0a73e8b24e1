package match

import (
	"cmp"
	"slices"
)

// plan is what a round has settled on, before it is told.
type plan struct {
	w      *round
	stages []*stage       // by courier: its first new work; nil: none
	behind map[*job]int32 // planned after that: whose
	tails  [][]StopRef    // by courier: all new work, as an intent
	voted  bool           // held work waits for orders that may come
	ballot *ballot        // nil: none was held
	fell   map[*job]look  // planned, and refused when it was to be told: the courier, and why
}

// fall takes jobs off the plan that their courier cannot do after all. That
// takes a router whose detours are shortcuts, or one that answers differently
// each time.
func (p *plan) fall(rider int32, jobs []*job, why refusal) {
	for _, j := range jobs {
		p.fell[j] = look{rider, why}
	}
}

// stage is one piece of work for one courier: orders that are under way
// together.
type stage struct {
	jobs    []*job // in drop-off order
	options []option
	chosen  option
	seq     []int // the courier's stops, then two for each job, by number
	given   bool
}

// due says whether it is time to give the work out.
func (w *round) due(st *stage) bool {
	return st.chosen.setOut <= w.o.CommitAhead && w.listens(w.riders[st.chosen.rider])
}

// listens says whether a courier may be told of work now.
func (w *round) listens(r *rider) bool {
	return !r.off && !r.Closed && !(w.o.OneTask && len(r.nodes) > 0)
}

// oneShot is the plan that an assignment of the pool's bundles makes.
func (w *round) oneShot(pl *pool, a assignment) *plan {
	p := w.newPlan()
	for r, i := range a.row {
		if i == none {
			continue
		}
		b := pl.bundles[i]
		if _, no := w.p.price(w.riders[r], b.jobs); no.why != fine {
			p.fall(int32(r), b.jobs, no)
			continue
		}
		at := slices.IndexFunc(b.options, func(op option) bool { return op.rider == int32(r) })
		st := &stage{jobs: b.jobs, options: b.options, chosen: b.options[at], seq: slices.Clone(w.p.best)}
		st.given = w.due(st)
		p.stages[r] = st
		p.tails[r] = w.refs(int32(r), st)
	}
	return p
}

func (w *round) newPlan() *plan {
	return &plan{w: w, stages: make([]*stage, len(w.riders)), behind: map[*job]int32{}, fell: map[*job]look{}, tails: make([][]StopRef, len(w.riders))}
}

// refs names the stops of a stage from the first new one on.
func (w *round) refs(r int32, st *stage) []StopRef {
	rd := w.riders[r]
	var out []StopRef
	for _, k := range st.seq {
		if n := len(rd.nodes); k >= n {
			kind := Pickup
			if (k-n)%2 == 1 {
				kind = Dropoff
			}
			out = append(out, StopRef{st.jobs[(k-n)/2].ID, kind})
		} else if len(out) > 0 {
			out = append(out, StopRef{rd.Stops[k].Order, rd.Stops[k].Kind})
		}
	}
	return out
}

// intents are the plan's, by courier; without those given out if so told.
func (p *plan) intents(held bool) []Intent {
	var out []Intent
	for r, tail := range p.tails {
		if held && p.stages[r] != nil && p.stages[r].given {
			tail = slices.DeleteFunc(slices.Clone(tail), func(ref StopRef) bool {
				return slices.ContainsFunc(p.stages[r].jobs, func(j *job) bool { return j.ID == ref.Order })
			})
			if !slices.ContainsFunc(tail, func(ref StopRef) bool { _, ok := p.w.number(ref.Order); return ok }) {
				continue
			}
		}
		if len(tail) > 0 {
			out = append(out, Intent{Courier: p.w.riders[r].ID, Stops: tail})
		}
	}
	return out
}

// number finds a job by its order.
func (w *round) number(id string) (int, bool) {
	return slices.BinarySearchFunc(w.jobs, id, func(j *job, id string) int { return cmp.Compare(j.ID, id) })
}

// planOf reads the plan off the search's routes. With voted, only the elected
// tasks are given out.
func (w *round) planOf(se *search, elected []task, voted bool) *plan {
	p := w.newPlan()
	p.voted = voted
	for r := range se.routes {
		first, ok := se.first(int32(r))
		if !ok {
			continue
		}
		st, no := w.stageOf(se, first)
		if no.why != fine {
			for _, n := range se.routes[r].seq { // what comes behind it, too
				if k := se.nodes[n].order; k >= 0 {
					p.fall(int32(r), w.awake[k:k+1], no)
				}
			}
			continue
		}
		st.given = w.due(st)
		if voted {
			st.given = slices.ContainsFunc(elected, func(t task) bool { return t.rider == int32(r) })
		}
		p.stages[r] = st
		p.tails[r] = se.refs(w, int32(r))
		for _, n := range se.routes[r].seq {
			if k := se.nodes[n].order; k >= 0 && n%2 == 0 && !slices.Contains(first.orders, k) {
				p.behind[w.awake[k]] = int32(r)
			}
		}
	}
	parallel(len(p.stages), func() func(int) {
		pricer := newPricer(w.o)
		return func(r int) {
			if st := p.stages[r]; st != nil {
				w.bid(st, pricer)
			}
		}
	})
	return p
}

// stageOf prices a task of the search, or says which rule it breaks by itself.
func (w *round) stageOf(se *search, t task) (*stage, refusal) {
	rd, st := w.riders[t.rider], &stage{}
	n := len(rd.nodes)
	for _, k := range t.orders {
		st.jobs = append(st.jobs, w.awake[k])
	}
	w.p.load(rd, st.jobs)
	pickup, committed := -1, 0
	for i, node := range t.seq {
		k := se.nodes[node].order
		if k < 0 {
			st.seq = append(st.seq, committed)
			committed++
			continue
		}
		if pickup < 0 {
			pickup = i
		}
		st.seq = append(st.seq, n+2*slices.Index(t.orders, k)+int(node%2))
	}
	w.p.seq = append(w.p.seq[:0], st.seq...)
	got, no := w.p.try(pickup)
	if no.why != fine {
		return nil, no
	}
	st.chosen = newOption(t.rider, got)
	return st, refusal{}
}

// bid fills in what other couriers would ask for a stage's work.
func (w *round) bid(st *stage, p *pricer) {
	if len(st.jobs) == 1 {
		st.options = slices.Clone(st.jobs[0].options)
	} else {
		for _, c := range st.jobs[0].able[:min(len(st.jobs[0].able), w.o.MaxExplained)] {
			r := w.riders[c.rider]
			if slices.ContainsFunc(st.jobs, func(j *job) bool { return permits(r, j).why != fine }) {
				continue
			}
			if got, no := p.price(r, st.jobs); no.why == fine {
				st.options = append(st.options, newOption(c.rider, got))
			}
		}
	}
	st.options = slices.DeleteFunc(st.options, func(op option) bool { return op.rider == st.chosen.rider })
	st.options = append(st.options, st.chosen)
	sortOptions(st.options)
}

// refs names the stops of a route from the first new one on.
func (s *search) refs(w *round, r int32) []StopRef {
	var out []StopRef
	committed := 0
	for _, n := range s.routes[r].seq {
		switch k := s.nodes[n].order; {
		case k < 0:
			if len(out) > 0 {
				st := w.riders[r].Stops[committed]
				out = append(out, StopRef{st.Order, st.Kind})
			}
			committed++
		case n%2 == 0:
			out = append(out, StopRef{w.awake[k].ID, Pickup})
		default:
			out = append(out, StopRef{w.awake[k].ID, Dropoff})
		}
	}
	return out
}
