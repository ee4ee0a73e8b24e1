package match

import "time"

// The search weighs with whole numbers, so that sums do not depend on their
// order: milliseconds by thousandths of a weight, which are microseconds.
const (
	perWeight = 1000
	perSecond = 1_000_000
	unpayable = int64(1) << 60
)

func weighed(weight float64) int64 { return int64(weight*perWeight + 0.5) }

func ms(d time.Duration) int64 { return int64(d / time.Millisecond) }

// visitNode is a stop as the search sees it. Of a committed drop-off, best is when
// it is handed over without new work, and latest when at the latest with it.
type visitNode struct {
	place   int32
	order   int32 // of the search; none: committed
	size    int32
	pickup  bool
	arrived bool
	solo    bool // may only come: never with other new orders
	open    time.Duration
	since   time.Duration // pickups: nobody sets out before
	came    time.Duration // if arrived: when
	due     time.Duration
	best    time.Duration
	latest  time.Duration
	wait    int64 // weight of a millisecond beyond best
	late    int64 // and beyond due
	broken  int64 // what being beyond due costs besides
}

// route is what one courier is to do: the committed stops and, after or
// between them, those of the plan.
type route struct {
	seq   []int32
	marks []mark  // by position, the end included; meaningful where back is the position itself
	back  []int32 // by position: the last one up to it where no new order is on board
	cost  int64
	stood int64  // what standing about costs of it
	stamp uint32 // of this very sequence, no other has had it
	dead  bool   // the committed plan breaks a rule by itself: nothing is added
}

// mark is how things stand before a visit.
type mark struct {
	t     time.Duration
	cost  int64
	stood int64
	load  int32
	at    int32
}

// runner is a courier's part in the search.
type runner struct {
	*rider
	start  mark
	lo     int   // new stops come after this many
	extra  int64 // what each new order costs with this courier besides
	travel int64 // weight of a millisecond
}

// never2 is a position beyond every sequence.
const never2 = int(^uint(0) >> 1)

// walk works out what the sequence costs from a position on, where things
// stand as marked, and whether it keeps the hard rules. From position same on
// it is that of the route but for two stops put in before. With keep it
// becomes the route's. A cost of limit or more need not be worked out.
func (s *search) walk(r int32, seq []int32, from int, m mark, same int, keep bool, limit int64) (int64, bool) {
	run, rt, o := &s.runners[r], &s.routes[r], s.o
	t, at, load, cost, stood := m.t, m.at, m.load, m.cost, m.stood
	open, block, last, solo, busy := 0, 0, int32(from), false, false
	for i := from; i < len(seq); {
		first := &s.nodes[seq[i]]
		if open == 0 {
			if keep {
				last = int32(i)
				rt.marks[i] = mark{t, cost, stood, load, at}
			} else if i >= same {
				if old := i - 2; int(rt.back[old]) == old && rt.marks[old].at == at {
					was := &rt.marks[old]
					if was.t == t {
						return cost + rt.cost - was.cost, true
					}
					// Whoever comes later stands about less, and all else
					// costs no less.
					if was.t < t && cost+rt.cost-rt.stood-was.cost+was.stood >= limit {
						return 0, false
					}
				}
			}
		}
		service, before := s.dropService, open
		if first.pickup {
			service = s.pickService
			busy = i > 0 && t > o.BusyAhead
			if first.order >= 0 {
				t = max(t, first.since)
			}
		}
		if !first.arrived {
			d := s.legs.travel(run.kind, at, first.place)
			t += d
			cost += run.travel * ms(d)
		} else {
			t = min(t, first.came)
		}
		door := t + service/2
		hand, j := max(door, first.open), i+1
		for ; j < len(seq); j++ {
			n := &s.nodes[seq[j]]
			if n.pickup != first.pickup || !s.together(first, n) {
				break
			}
			hand = max(hand, n.open)
		}
		if hand > door {
			wait := s.stand * ms(hand-door)
			cost, stood = cost+wait, stood+wait
		}
		for k := i; k < j; k++ {
			n := &s.nodes[seq[k]]
			if keep {
				rt.back[k] = last
			}
			if n.pickup {
				if load += n.size; int(load) > run.Capacity {
					return 0, false
				}
				if n.order < 0 {
					if hand > n.latest {
						return 0, false
					}
					continue
				}
				if busy || hand > run.end || before > 0 && !o.Interleave || block >= o.MaxBundle {
					return 0, false
				}
				if block > 0 && (n.solo || solo) {
					return 0, false
				}
				solo = n.solo
				s.came[n.order] = t
				open++
				block++
				continue
			}
			load -= n.size
			if n.order < 0 {
				if delay := hand - n.best; delay > 0 {
					if hand > n.latest {
						return 0, false
					}
					cost += n.wait * ms(delay)
				}
				continue
			}
			if hand >= noWay || block > 1 && hand-s.alone(run.kind, n) > o.MaxDelay {
				return 0, false
			}
			cost += n.wait * ms(hand-n.best)
			if late := hand - max(n.due, n.best); late > 0 {
				cost += n.late*ms(late) + n.broken
			}
			if open--; open == 0 {
				block = 0
			}
		}
		t, at = max(hand+service-service/2, run.start.t), s.nodes[seq[j-1]].place
		i = j
	}
	if keep {
		rt.marks[len(seq)], rt.back[len(seq)] = mark{t, cost, stood, load, at}, int32(len(seq))
		rt.stood = stood
	}
	return cost, true
}

// alone is when the order with this drop-off would be handed over had its
// courier taken nothing else.
func (s *search) alone(kind int, drop *visitNode) time.Duration {
	pickup := &s.nodes[2*drop.order]
	picked := max(s.came[drop.order]+s.pickService/2, pickup.open)
	leave := picked + s.pickService - s.pickService/2
	return max(leave+s.legs.travel(kind, pickup.place, drop.place)+s.dropService/2, drop.open)
}

// together says whether two stops of a kind are one visit.
func (s *search) together(a, b *visitNode) bool {
	return a.place == b.place || within(s.legs.points[a.place], s.legs.points[b.place], s.o.BundleRadius)
}

// put makes a sequence the courier's route.
func (s *search) put(r int32, seq []int32) bool {
	rt := &s.routes[r]
	rt.seq = append(rt.seq[:0], seq...)
	for len(rt.marks) <= len(seq) {
		rt.marks = append(rt.marks, mark{})
		rt.back = append(rt.back, 0)
	}
	s.stamps++
	rt.stamp, s.stamp[r] = s.stamps, s.stamps
	cost, ok := s.walk(r, rt.seq, 0, s.runners[r].start, never2, true, unpayable)
	rt.cost = cost
	return ok
}
