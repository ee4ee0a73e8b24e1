package match

import (
	"cmp"
	"math"
	"slices"
)

// ballot is what the futures say should start now.
type ballot struct {
	tasks  []task
	votes  []int
	asked  []bool // by order: whether it could start now, as planned or in a future
	order  []int  // by order: in how many futures it starts now
	all    int    // futures
	before []Vote // by order: what has been voted lately, as far as it counts
}

// ask puts the orders of a task to the vote.
func (b *ballot) ask(t task) {
	for _, k := range t.orders {
		b.asked[k] = true
	}
}

func (b *ballot) cast(t task) {
	b.ask(t)
	for _, k := range t.orders {
		b.order[k]++
	}
	for i := range b.tasks {
		if b.tasks[i].rider == t.rider && slices.Equal(b.tasks[i].seq, t.seq) {
			b.votes[i]++
			return
		}
	}
	b.tasks, b.votes = append(b.tasks, t), append(b.votes, 1)
}

// elect lists the tasks that start now: of orders that at least half of the
// votes start now, by this round's votes, each order and courier once.
func (b *ballot) elect() []task {
	rank := make([]int, len(b.tasks))
	for i := range rank {
		rank[i] = i
	}
	slices.SortStableFunc(rank, func(x, y int) int { return cmp.Compare(b.votes[y], b.votes[x]) })
	riders, orders := map[int32]bool{}, map[int32]bool{}
	var out []task
	for _, i := range rank {
		t := b.tasks[i]
		if riders[t.rider] || slices.ContainsFunc(t.orders, func(k int32) bool { return orders[k] || !b.starts(k) }) {
			continue
		}
		riders[t.rider] = true
		for _, k := range t.orders {
			orders[k] = true
		}
		out = append(out, t)
	}
	return out
}

// starts says that at least half of what counts starts an order now.
func (b *ballot) starts(k int32) bool {
	v := b.sum(k)
	return 2*v.Start >= v.All
}

// sum is what has been voted on an order that is asked about, this round
// included.
func (b *ballot) sum(k int32) Vote {
	return Vote{Start: b.before[k].Start + float64(b.order[k]), All: b.before[k].All + float64(b.all)}
}

// known are the rounds' votes before this one that make sense, by order.
func (w *round) known() map[string]Vote {
	known := make(map[string]Vote, len(w.s.Votes))
	for _, v := range w.s.Votes {
		if v.All > 0 && v.All <= maxVotes && v.Start >= 0 && v.Start <= v.All {
			known[v.Order] = v
		}
	}
	return known
}

// voted says whether the last vote still counts, for a seventh at least: until
// it does not, rounds whose plan has nothing start now need no other.
func (w *round) voted() bool {
	for _, v := range w.known() {
		if age := w.s.Now.Sub(v.At); age >= 0 && age < 2*w.o.Futures.Memory {
			return true
		}
	}
	return false
}

// remembered is what the rounds before have voted, as far as it counts, by job
// that takes part.
func (w *round) remembered() []Vote {
	out := make([]Vote, len(w.awake))
	memory := w.o.Futures.Memory
	if memory == 0 {
		return out
	}
	known := w.known()
	for k, j := range w.awake {
		v := known[j.ID]
		keep := math.Exp(-max(0, w.s.Now.Sub(v.At).Seconds()) / memory.Seconds())
		out[k] = Vote{Start: v.Start * keep, All: v.All * keep}
	}
	return out
}

// votes are what the next round is told. Of an order that was not asked about
// a round passes on what it was told: that it was too early then is no vote
// for waiting now.
func (p *plan) votes() []Vote {
	if p.w.o.Futures.Memory == 0 {
		return nil
	}
	var out []Vote
	known := p.w.known()
	for k, j := range p.w.awake {
		if p.ballot == nil || !p.ballot.asked[k] {
			if v, ok := known[j.ID]; ok {
				out = append(out, v)
			}
			continue
		}
		v := p.ballot.sum(int32(k))
		v.Order, v.At = j.ID, p.w.s.Now
		out = append(out, v)
	}
	return out
}
