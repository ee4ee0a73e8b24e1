package match

import (
	"math/rand/v2"
	"slices"
	"time"
)

// search improves the couriers' routes by large neighbourhood search: it
// takes some orders out, puts them back in where they cost least, and keeps
// what is no worse.
//
//	last round's intents, or the assignment → routes ⇄ ruin, recreate → plan
//
// A search costs no allocation once its buffers have grown.
type search struct {
	o       *Options
	legs    *legs
	dice    *rand.Rand
	lots    *rand.Rand // what is drawn to come
	orders  []target
	nodes   []visitNode // pickup and drop-off of each order, then committed stops
	runners []runner
	routes  []route
	stamp   []uint32 // by courier: of its route, apart as it is looked at most
	stamps  uint32
	free    []int32 // orders on no route
	cost    int64   // of all routes, and of the orders on none

	sought []float64 // by courier: of the recent orders, how many would have been its
	asks   []ask

	pickService, dropService time.Duration
	stand                    int64
	came                     []time.Duration // by order: when its courier comes to the pickup, of the last walk
	kept                     uint32          // routes up to this stamp are of the kept plan
	saved                    []route         // routes changed since, as they were
	savedAs                  []int32
	savedN                   int
	changed                  []bool // by courier
	trial                    []int32
	out                      []int32 // orders taken out
	bids                     []bid   // for them
	mates                    []int32 // kept copy of free
	real                     crowd   // the orders but for those drawn
	drawn                    crowd   // with them
	met                      []other // by one that looks for those alike
}

// target is an order as the search sees it.
type target struct {
	riders []int32 // who may take it, by the least that each can ask, the least sought first
	least  []int64 // its own waiting and lateness if it comes first with each
	memo   []memo  // two for each of them
	alone  int64   // what leaving it costs
	on     int32   // whose route it is on, or none
	last   int32   // whose it was meant to be, or none
	churn  int64   // what another one costs
	near   []int32 // orders alike, by nearness, once asked for
	asked  bool
	ghost  bool
}

// memo remembers where an order costs least in a route, and how much.
type memo struct {
	cost  int64
	stamp uint32
	i, j  int32 // positions of its stops, before either is in
}

func (s *search) surcharge(k, r int32) int64 {
	t, run := &s.orders[k], &s.runners[r]
	extra := run.extra
	if run.lost > 0 {
		extra += s.nodes[2*k+1].wait * ms(run.lost)
	}
	if t.last != none && t.last != r {
		extra += t.churn
	}
	return extra
}

// place finds the cheapest place of an order in a courier's route.
func (s *search) place(k int32, slot int) memo {
	t := &s.orders[k]
	r := t.riders[slot]
	stamp := s.stamp[r]
	two := t.memo[2*slot : 2*slot+2]
	if two[0].stamp == stamp {
		return two[0]
	}
	if two[1].stamp == stamp {
		return two[1]
	}
	found := s.cheapest(k, r)
	if stamp > s.kept { // of a plan that may be dropped: the kept one's memo stays
		two[1] = found
	} else {
		two[0] = found
	}
	return found
}

func (s *search) cheapest(k, r int32) memo {
	rt, run := &s.routes[r], &s.runners[r]
	found := memo{cost: unpayable, stamp: rt.stamp}
	n := len(rt.seq)
	if rt.dead || n+2 > s.o.MaxStops {
		return found
	}
	pickup := 2 * k
	extra := s.surcharge(k, r)
	apart := !s.o.Interleave
	for i := n; i >= run.lo; i-- {
		from := rt.back[i]
		if i > 0 && s.nodes[rt.seq[i-1]].pickup {
			if from = rt.back[i-1]; i < n && s.joins(pickup, rt.seq[i-1]) && s.joins(pickup, rt.seq[i]) {
				continue // later in the same visit is the same
			}
		}
		if apart && int(rt.back[i]) != i && !s.joins(pickup, rt.seq[i-1]) {
			continue
		}
		m := rt.marks[from]
		for j := i; j <= n; j++ {
			seq := append(s.trial[:0], rt.seq[:i]...)
			seq = append(seq, pickup)
			seq = append(seq, rt.seq[i:j]...)
			seq = append(seq, pickup+1)
			seq = append(seq, rt.seq[j:]...)
			s.trial = seq
			if cost, ok := s.walk(r, seq, int(from), m, j+2, false, found.cost-extra+rt.cost); ok {
				if cost += extra - rt.cost; cost < found.cost {
					found = memo{cost, rt.stamp, int32(i), int32(j)}
				}
			}
			if apart && j < n && s.nodes[rt.seq[j]].pickup && s.nodes[rt.seq[j]].order >= 0 {
				break
			}
		}
	}
	return found
}

func (s *search) joins(pickup, other int32) bool {
	n := &s.nodes[other]
	return n.pickup && s.together(n, &s.nodes[pickup])
}

// insert puts an order where the memo says, and says whether it may be there:
// what was worked out from the place on may not hold of the whole route where
// stops take no time.
func (s *search) insert(k, r int32, m memo) bool {
	s.touch(r)
	rt := &s.routes[r]
	old := rt.cost
	seq := append(s.trial[:0], rt.seq[:m.i]...)
	seq = append(seq, 2*k)
	seq = append(seq, rt.seq[m.i:m.j]...)
	seq = append(seq, 2*k+1)
	seq = append(seq, rt.seq[m.j:]...)
	s.trial = seq
	if !s.put(r, seq) {
		rt.cost = old
		s.remove(r)
		return false
	}
	t := &s.orders[k]
	t.on = r
	s.cost += rt.cost - old + s.surcharge(k, r) - t.alone
	return true
}

// remove takes the orders that are marked as on no courier off a route.
func (s *search) remove(r int32) {
	s.touch(r)
	rt := &s.routes[r]
	old := rt.cost
	seq := s.trial[:0]
	for _, n := range rt.seq {
		if k := s.nodes[n].order; k < 0 || s.orders[k].on == r {
			seq = append(seq, n)
		}
	}
	s.trial = seq
	if !s.put(r, seq) && !rt.dead {
		// Fewer stops may break a rule where the way by a stop is shorter
		// than the straight one.
		seq = seq[:0]
		for _, n := range s.trial[:len(rt.seq)] {
			if k := s.nodes[n].order; k < 0 {
				seq = append(seq, n)
			} else if n%2 == 0 {
				s.drop(k)
			}
		}
		s.put(r, seq)
	}
	s.cost += rt.cost - old
}

// drop marks an order as on no courier; remove has to follow.
func (s *search) drop(k int32) {
	t := &s.orders[k]
	s.cost += t.alone - s.surcharge(k, t.on)
	t.on = none
	s.out = append(s.out, k)
}

// touch keeps a route as it is before it is first changed.
func (s *search) touch(r int32) {
	if s.changed[r] {
		return
	}
	s.changed[r] = true
	if s.savedN == len(s.saved) {
		s.saved = append(s.saved, route{})
		s.savedAs = append(s.savedAs, 0)
	}
	to, from := &s.saved[s.savedN], &s.routes[r]
	to.seq = append(to.seq[:0], from.seq...)
	to.marks = append(to.marks[:0], from.marks...)
	to.back = append(to.back[:0], from.back...)
	to.cost, to.stood, to.stamp, to.dead = from.cost, from.stood, from.stamp, from.dead
	s.savedAs[s.savedN] = r
	s.savedN++
}

// keep makes the routes as they are the kept plan.
func (s *search) keep() {
	for _, r := range s.savedAs[:s.savedN] {
		s.changed[r] = false
	}
	s.savedN, s.kept = 0, s.stamps
}

// restore goes back to the kept plan, whose cost was as given.
func (s *search) restore(cost int64) {
	for i, r := range s.savedAs[:s.savedN] {
		for _, n := range s.routes[r].seq {
			if k := s.nodes[n].order; k >= 0 {
				s.orders[k].on = none
			}
		}
		s.routes[r], s.saved[i] = s.saved[i], s.routes[r]
		s.stamp[r] = s.routes[r].stamp
		s.changed[r] = false
	}
	for _, r := range s.savedAs[:s.savedN] {
		for _, n := range s.routes[r].seq {
			if k := s.nodes[n].order; k >= 0 {
				s.orders[k].on = r
			}
		}
	}
	s.savedN, s.cost, s.kept = 0, cost, s.stamps
	s.free = append(s.free[:0], s.mates...)
}

// improve runs so many rounds of ruin and recreate, or until so many in a row
// have bettered nothing (0: all).
func (s *search) improve(rounds, idle int, stop func() bool) {
	if len(s.orders) == 0 {
		return
	}
	s.keep()
	since := 0
	for n := range rounds {
		if since++; idle > 0 && since > idle {
			return
		}
		if stop != nil && n%64 == 63 && stop() {
			return
		}
		before := s.cost
		s.mates = append(s.mates[:0], s.free...)
		s.out = s.out[:0]
		s.ruin()
		s.recreate()
		if s.cost < before {
			since = 0
		}
		if s.cost <= before {
			s.keep()
		} else {
			s.restore(before)
		}
	}
}

// recreate puts the orders that are out back in, one after the other.
func (s *search) recreate() {
	// Of many that are on no route, some get a chance.
	for n := min(len(s.free), maxOut); n > 0; n-- {
		i, last := s.dice.IntN(len(s.free)), len(s.free)-1
		s.out = append(s.out, s.free[i])
		s.free[i] = s.free[last]
		s.free = s.free[:last]
	}
	const (
		shuffled = iota
		byRegret
		byCost
		manners
	)
	manner := s.dice.IntN(manners)
	if manner == shuffled || len(s.out) > maxPicky {
		s.dice.Shuffle(len(s.out), func(i, j int) { s.out[i], s.out[j] = s.out[j], s.out[i] })
		for _, k := range s.out {
			s.serve(k)
		}
		s.out = s.out[:0]
		return
	}
	s.bids = s.bids[:0]
	for _, k := range s.out {
		s.bids = append(s.bids, s.offers(k, true))
	}
	for len(s.out) > 0 {
		pick, best := 0, -unpayable
		for i, k := range s.out {
			b := &s.bids[i]
			worth := -b.first
			if manner == byRegret {
				worth = min(b.second, s.orders[k].alone) - b.first
			}
			if b.slot < 0 {
				worth = -unpayable + 1
			}
			if worth > best {
				pick, best = i, worth
			}
		}
		k, b := s.out[pick], s.bids[pick]
		s.out, s.bids = slices.Delete(s.out, pick, pick+1), slices.Delete(s.bids, pick, pick+1)
		s.accept(k, b.slot)
		if b.slot < 0 {
			continue
		}
		r := s.orders[k].riders[b.slot]
		for i, k := range s.out { // only what this courier asks has changed
			s.bids[i] = s.askAgain(k, s.bids[i], r)
		}
	}
}

// maxPicky is the most orders out whose turn is chosen.
const maxPicky = 24

// bid is what the cheapest two couriers ask for an order, with the slots of
// both. Slot -1: leaving it is cheaper.
type bid struct {
	first, second int64
	slot, next    int
}

// offers asks the couriers. Only with both is the second cheapest sure.
func (s *search) offers(k int32, both bool) bid {
	t := &s.orders[k]
	b := bid{first: t.alone, second: unpayable, slot: -1, next: -1}
	for i := range t.riders {
		bound := b.first
		if both {
			bound = b.second
		}
		if least := t.least[i]; least >= bound {
			if s.stand == 0 {
				break
			}
			if least-s.routes[t.riders[i]].stood >= bound {
				continue
			}
		}
		b.take(s.place(k, i).cost, i)
	}
	return b
}

func (b *bid) take(cost int64, slot int) {
	switch {
	case cost < b.first:
		b.first, b.second, b.slot, b.next = cost, b.first, slot, b.slot
	case cost < b.second:
		b.second, b.next = cost, slot
	}
}

// askAgain brings a bid up to date after one courier's route has changed.
func (s *search) askAgain(k int32, b bid, r int32) bid {
	slot := slices.Index(s.orders[k].riders, r)
	switch {
	case slot < 0:
	case slot == b.slot || slot == b.next:
		return s.offers(k, true)
	default:
		b.take(s.place(k, slot).cost, slot)
	}
	return b
}

// serve gives an order to the courier who asks least, or leaves it.
func (s *search) serve(k int32) { s.accept(k, s.offers(k, false).slot) }

func (s *search) accept(k int32, slot int) {
	out := len(s.out)
	if slot < 0 || !s.insert(k, s.orders[k].riders[slot], s.place(k, slot)) {
		s.free = append(s.free, k)
	}
	// What a route could not keep when the order was taken back off it waits
	// for another round, as the order does.
	s.free = append(s.free, s.out[out:]...)
	s.out = s.out[:out]
}
