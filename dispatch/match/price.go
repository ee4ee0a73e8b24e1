package match

import (
	"math"
	"time"
)

// A price is what a plan with new work costs more than the plan without.
type price struct {
	Parts
	setOut time.Duration // latest time to set out for the first new pickup
}

func (p price) total() float64 { return p.Travel + p.Wait + p.Late }

// pricer prices insertions of one bundle into one rider's plan after the
// other. It is scratch space: one to a goroutine.
type pricer struct {
	o     *Options
	r     *rider
	jobs  []*job
	nodes []node          // the rider's, then pickup and drop-off of each job
	legs  []time.Duration // travel between nodes, filled when asked; start is the last
	width int
	w     walk
	came  []time.Duration // by job: when the courier comes to its pickup
	seq   []int           // being tried
	plan  []int           // made by insert
	best  []int           // the cheapest, made by price
	leg   func(from, to int) time.Duration
}

func newPricer(o *Options) *pricer {
	p := &pricer{o: o}
	p.leg = p.travel
	return p
}

// price finds the cheapest way to put the jobs, in this order of drop-offs,
// into the rider's plan. Afterwards best holds the plan, as indices of nodes.
func (p *pricer) price(r *rider, jobs []*job) (price, refusal) {
	if f := p.load(r, jobs); f.why != fine {
		return price{}, f
	}
	n := len(r.nodes)
	p.seq = p.seq[:0]
	for i := range n {
		p.seq = append(p.seq, i)
	}
	for k := range jobs {
		p.seq = append(p.seq, n+2*k)
	}
	for k := range jobs {
		p.seq = append(p.seq, n+2*k+1)
	}
	found, f := p.try(n)
	p.best = append(p.best[:0], p.seq...)
	if n == 0 || p.o.AppendOnly || r.fixed == n {
		return found, f
	}
	if inserted, ok := p.insert(); ok && (f.why != fine || inserted.total() < found.total()) {
		p.best = append(p.best[:0], p.plan...)
		return inserted, refusal{}
	}
	return found, f
}

func (p *pricer) load(r *rider, jobs []*job) refusal {
	p.r, p.jobs, p.w.begin = r, jobs, r.begin
	p.came = append(p.came[:0], make([]time.Duration, len(jobs))...)
	p.nodes = append(p.nodes[:0], r.nodes...)
	if len(p.nodes)+2*len(jobs) > p.o.MaxStops {
		return refusal{why: planFull}
	}
	for _, j := range jobs {
		p.nodes = append(p.nodes, j.pickup, j.dropoff)
	}
	p.width = len(p.nodes) + 1
	if need := p.width * p.width; cap(p.legs) < need {
		p.legs = make([]time.Duration, need)
	} else {
		p.legs = p.legs[:need]
	}
	for i := range p.legs {
		p.legs[i] = -1
	}
	for i, d := range r.legs {
		p.legs[(i+p.width-1)%p.width*p.width+i] = d
	}
	for k, j := range jobs {
		pickup := len(r.nodes) + 2*k
		p.legs[pickup*p.width+pickup+1] = j.direct[r.kind]
	}
	return refusal{}
}

// travel is the leg between two nodes, from memory after the first time.
func (p *pricer) travel(from, to int) time.Duration {
	row := from
	if from == start {
		row = p.width - 1
	}
	leg := &p.legs[row*p.width+to]
	if *leg == -1 {
		at := p.r.At
		if from != start {
			at = p.nodes[from].at
		}
		*leg = p.o.Router.Travel(at, p.nodes[to].at, p.r.Vehicle)
	}
	return *leg
}

// insert looks for a cheaper way than after everything else: each job in
// turn where it costs least, the pickups together. plan then holds it.
func (p *pricer) insert() (price, bool) {
	n := len(p.r.nodes)
	cur := p.plan[:0]
	for i := range n {
		cur = append(cur, i)
	}
	var found price
	at := 0 // where the last pickup went
	for k := range p.jobs {
		lo, hi := p.r.fixed, n
		if k > 0 {
			lo, hi = at+1, at+1
		}
		cheapest, pos, posDrop := math.Inf(1), -1, -1
		// From the end, as of equal ones the least disturbing is best.
		for i := hi; i >= lo; i-- {
			for j := len(cur); j >= i; j-- {
				p.seq = append(append(append(append(append(p.seq[:0], cur[:i]...), n+2*k), cur[i:j]...), n+2*k+1), cur[j:]...)
				if got, f := p.try(i); f.why == fine && got.total() < cheapest {
					cheapest, pos, posDrop, found = got.total(), i, j, got
				}
			}
		}
		if pos < 0 {
			return price{}, false
		}
		cur = append(cur, 0, 0)
		copy(cur[posDrop+2:], cur[posDrop:])
		copy(cur[pos+1:posDrop+1], cur[pos:posDrop])
		cur[pos], cur[posDrop+1] = n+2*k, n+2*k+1
		at = pos
	}
	p.plan = cur
	return found, true
}

// try prices the sequence at hand, whose first new pickup is at a position,
// or says which hard rule it breaks.
func (p *pricer) try(pickup int) (price, refusal) {
	p.w.run(p.nodes, p.seq, p.leg, p.o)
	o, n := p.o, len(p.r.nodes)
	base := &p.r.base
	if visit := p.w.visit[pickup]; visit > 0 && p.w.depart[visit-1] > o.BusyAhead {
		return price{}, refusal{why: busyLong}
	}
	var out price
	load := p.r.Onboard
	for pos, k := range p.seq {
		node, hand := &p.nodes[k], p.w.hand[pos]
		fresh := k >= n
		if node.kind == Pickup {
			if load += node.size; load > p.r.Capacity {
				return price{}, refusal{why: noRoom, units: load - p.r.Capacity}
			}
			if fresh && hand >= noWay {
				return price{}, refusal{why: noRoute}
			}
			if hand > p.r.end && (fresh || base.hand[k] <= p.r.end) {
				return price{}, refusal{why: shiftOver}
			}
			if fresh {
				p.came[(k-n)/2] = p.w.arrive[pos]
			}
			continue
		}
		load -= node.size
		if fresh {
			if hand >= noWay {
				return price{}, refusal{why: noRoute}
			}
			j := p.jobs[(k-n)/2]
			if len(p.jobs) > 1 && hand-p.alone(p.came[(k-n)/2], k, j) > o.MaxDelay {
				return price{}, refusal{why: breaksPromise}
			}
			out.Travel += p.r.each.Seconds()
			out.Wait += j.urgency(o) * o.WaitWeight * (hand - node.best + p.r.lost).Seconds()
			if late := hand - max(node.due, node.best); late > 0 {
				out.Late += j.urgency(o) * (o.LateWeight*late.Seconds() + j.broken(o).Seconds())
			}
			continue
		}
		if delay := hand - base.hand[k]; delay > 0 {
			if delay > o.MaxDelay || hand > node.due {
				return price{}, refusal{why: breaksPromise}
			}
			out.Wait += o.WaitWeight * delay.Seconds()
		}
	}
	out.Travel += p.r.travel * (p.w.travel - base.travel).Seconds()
	out.Wait += o.StandWeight * (p.w.stand - base.stand).Seconds()
	out.setOut = p.w.setOut(p.nodes, p.seq, pickup)
	return out, refusal{}
}

// alone is when the job with drop-off node k would be handed over if the
// courier who comes to the pickup at a time took nothing else.
func (p *pricer) alone(arrive time.Duration, k int, j *job) time.Duration {
	picked := max(arrive+p.o.PickupService/2, j.pickup.open)
	leave := picked + p.o.PickupService - p.o.PickupService/2
	return max(leave+p.travel(k-1, k)+p.o.DropoffService/2, j.dropoff.open)
}
