package match

import (
	"math"
	"time"

	"courier/geo"
)

// Schedule returns the stops, in their order, with Arrive and Depart worked
// out: the courier travels from where it is once it may leave, waits at
// pickups for what is not ready and at drop-offs for what must not come early,
// and takes the service times, half of them before the hand-over. Where it
// already stands (Arrived), the stop began when it came (Since). Stops of one
// kind that follow each other within BundleRadius are one visit: they are done
// together, and left together.
//
// Only Router, the service times and BundleRadius matter of the options.
func Schedule(now time.Time, c Courier, stops []Stop, o Options) []Stop {
	o.Router = bounded{o.Router}
	out := append([]Stop(nil), stops...)
	nodes := make([]node, len(stops))
	for i, s := range stops {
		nodes[i] = nodeOf(s, now)
	}
	leg := func(from, to int) time.Duration {
		if from == start {
			return o.Router.Travel(c.At, nodes[to].at, c.Vehicle)
		}
		return o.Router.Travel(nodes[from].at, nodes[to].at, c.Vehicle)
	}
	seq := make([]int, len(nodes))
	for i := range seq {
		seq[i] = i
	}
	w := walk{begin: max(0, sinceOr(c.Leaves, now, 0))}
	w.run(nodes, seq, leg, &o)
	for i := range out {
		out[i].Arrive, out[i].Depart = now.Add(w.arrive[i]), now.Add(w.depart[i])
	}
	return out
}

// PeakLoad is the most units in the bag at any time along the stops.
func PeakLoad(onboard int, stops []Stop) int {
	load, peak := onboard, onboard
	for _, s := range stops {
		if s.Kind == Pickup {
			load += s.Size
		} else {
			load -= s.Size
		}
		peak = max(peak, load)
	}
	return peak
}

// node is a stop with its times counted from now.
type node struct {
	at      geo.Point
	kind    StopKind
	size    int
	open    time.Duration // the hand-over is not before
	due     time.Duration // drop-offs: promised until
	best    time.Duration // new drop-offs: the earliest thinkable hand-over
	arrived bool
	came    time.Duration // if arrived: when, at the latest now
}

// Times that stand for "always has been" and "never", with room to add to.
const (
	past  = time.Duration(math.MinInt64 / 4)
	never = time.Duration(math.MaxInt64 / 4)
)

func nodeOf(s Stop, now time.Time) node {
	n := node{at: s.At, kind: s.Kind, size: s.Size, open: past, due: never, arrived: s.Arrived}
	if s.Arrived {
		n.came = min(0, sinceOr(s.Since, now, 0))
	}
	switch s.Kind {
	case Pickup:
		n.open = sinceOr(s.Ready, now, past)
	case Dropoff:
		n.open, n.due = sinceOr(s.From, now, past), sinceOr(s.Due, now, never)
	}
	return n
}

// sinceOr is t counted from now, and none for the zero time.
func sinceOr(t, now time.Time, none time.Duration) time.Duration {
	if t.IsZero() {
		return none
	}
	return min(max(t.Sub(now), past), never)
}

// start is the index of where the courier is now, among nodes.
const start = -1

// walk is a plan with its times, counted from now, by position. It is
// reused between runs.
type walk struct {
	arrive, hand, depart []time.Duration
	stood                []time.Duration // standing and waiting in the whole visit
	visit                []int           // the position at which the visit begins
	travel, stand        time.Duration   // totals
	begin                time.Duration   // when it sets out at the earliest; stays between runs
}

// run works out the times of the nodes in the sequence seq. leg gives travel
// times between two nodes by index.
func (w *walk) run(nodes []node, seq []int, leg func(from, to int) time.Duration, o *Options) {
	w.reset(len(seq))
	t, from := w.begin, start
	for i := 0; i < len(seq); {
		first := &nodes[seq[i]]
		if !first.arrived {
			d := leg(from, seq[i])
			t += d
			w.travel += d
		} else {
			t = min(t, first.came)
		}
		service := o.DropoffService
		if first.kind == Pickup {
			service = o.PickupService
		}
		atDoor := t + service/2
		hand, j := max(atDoor, first.open), i+1
		for ; j < len(seq); j++ {
			n := &nodes[seq[j]]
			if n.kind != first.kind || !within(first.at, n.at, o.BundleRadius) {
				break
			}
			hand = max(hand, n.open)
		}
		w.stand += hand - atDoor
		depart := max(hand+service-service/2, w.begin)
		for begin := i; i < j; i++ {
			w.arrive[i], w.hand[i], w.depart[i] = t, hand, depart
			w.stood[i], w.visit[i] = hand-atDoor, begin
		}
		t, from = depart, seq[j-1]
	}
}

// setOut is the latest time to set out for the visit at a position without
// any hand-over to a customer becoming later.
func (w *walk) setOut(nodes []node, seq []int, pos int) time.Duration {
	pos = w.visit[pos]
	t := w.begin
	if pos > 0 {
		t = w.depart[pos-1]
	}
	for i := pos; i < len(seq); i++ {
		if w.visit[i] != i {
			continue
		}
		t += w.stood[i]
		if nodes[seq[i]].kind != Pickup {
			break
		}
	}
	return t
}

func (w *walk) reset(n int) {
	if cap(w.visit) < n {
		*w = walk{visit: make([]int, 2*n), begin: w.begin}
		for _, s := range []*[]time.Duration{&w.arrive, &w.hand, &w.depart, &w.stood} {
			*s = make([]time.Duration, 2*n)
		}
	}
	w.arrive, w.hand, w.depart, w.stood, w.visit = w.arrive[:n], w.hand[:n], w.depart[:n], w.stood[:n], w.visit[:n]
	w.travel, w.stand = 0, 0
}

// metresPerDegree is of latitude.
const metresPerDegree = geo.EarthRadius * math.Pi / 180

// within says whether two points are at most radius metres apart. The test
// on latitudes settles most cases without trigonometry.
func within(a, b geo.Point, radius float64) bool {
	if a == b {
		return true
	}
	if math.Abs(a.Lat-b.Lat)*metresPerDegree > radius+1 {
		return false
	}
	return geo.Distance(a, b) <= radius
}
