package match

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"courier/geo"
)

// The checker knows the rules from the documents of Options and nothing of
// how plans are made: it rides each route by a clock of its own.

// visited is a stop as the checker's courier lives it, counted from now.
type visited struct {
	came, hand, left time.Duration
	free             time.Duration // when it was done with the visit before
	visit            int           // the number of its first stop
}

// lived rides the stops one after the other.
func lived(s Snapshot, o Options, c Courier, stops []Stop) []visited {
	clock, at := max(0, c.ShiftStart.Sub(s.Now)), c.At
	if c.ShiftStart.IsZero() {
		clock = 0
	}
	if len(c.Stops) == 0 {
		clock = max(clock, o.AnswerTime)
	}
	if !c.Leaves.IsZero() {
		clock = max(clock, c.Leaves.Sub(s.Now))
	}
	begin := clock
	var out []visited
	for i := 0; i < len(stops); {
		first, free := stops[i], clock
		if !first.Arrived {
			clock += ride(o, at, first.At, c.Vehicle)
		} else {
			clock = min(clock, 0)
		}
		service := o.DropoffService
		if first.Kind == Pickup {
			service = o.PickupService
		}
		hand, j := clock+service/2, i
		for ; j < len(stops) && stops[j].Kind == first.Kind && geo.Distance(first.At, stops[j].At) <= o.BundleRadius; j++ {
			opens := stops[j].Ready
			if first.Kind != Pickup {
				opens = stops[j].From
			}
			if first.Kind != Return && !opens.IsZero() {
				hand = max(hand, opens.Sub(s.Now))
			}
		}
		came := clock
		clock = max(hand+service-service/2, begin)
		for range j - i {
			out = append(out, visited{came, hand, clock, free, i})
		}
		at, i = stops[j-1].At, j
	}
	return out
}

// ride is what the router says, with four weeks for a way that there is not.
func ride(o Options, from, to geo.Point, v geo.Vehicle) time.Duration {
	const month = 28 * 24 * time.Hour
	if d := o.Router.Travel(from, to, v); d >= 0 {
		return min(d, month)
	}
	return month
}

func orderIn(s Snapshot, id string) (Order, bool) {
	i := slices.IndexFunc(s.Orders, func(o Order) bool { return o.ID == id })
	if i < 0 {
		return Order{}, false
	}
	return s.Orders[i], true
}

func courierOf(t rapid.TB, s Snapshot, id string) Courier {
	i := slices.IndexFunc(s.Couriers, func(c Courier) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("courier %s is not in the snapshot", id)
	}
	return s.Couriers[i]
}

// routesOf is what each courier with new work is to do if all is told that is
// intended: the committed stops, those told, and the intended ones behind.
func routesOf(t rapid.TB, s Snapshot, res Result) map[string][]Stop {
	out, on := map[string][]Stop{}, map[string]string{}
	claim := func(order, courier string) {
		if other, taken := on[order]; taken && other != courier {
			t.Fatalf("order %s is planned with %s and %s", order, other, courier)
		}
		on[order] = courier
	}
	for _, a := range res.Assignments {
		out[a.Courier] = a.Stops
		for _, id := range a.Orders {
			claim(id, a.Courier)
		}
	}
	last := ""
	for _, in := range res.Intents {
		if in.Courier <= last {
			t.Fatalf("intents of %s after %s", in.Courier, last)
		}
		last = in.Courier
		have, told := out[in.Courier]
		if !told {
			have = courierOf(t, s, in.Courier).Stops
		}
		var route []Stop
		for _, ref := range in.Stops {
			if o, ok := orderIn(s, ref.Order); ok {
				claim(o.ID, in.Courier)
				st := Stop{Order: o.ID, Kind: Pickup, At: o.Pickup, Size: o.Size, Ready: o.Ready}
				if ref.Kind == Dropoff {
					st = Stop{Order: o.ID, Kind: Dropoff, At: o.Dropoff, Size: o.Size, From: o.From, Due: o.Due}
				}
				route = append(route, st)
				continue
			}
			// A committed stop: what comes before it, comes first.
			at := slices.IndexFunc(have, func(st Stop) bool { return st.Order == ref.Order && st.Kind == ref.Kind })
			if at < 0 {
				t.Fatalf("%s intends %v, which it does not have: %v", in.Courier, ref, have)
			}
			mine := len(route) // what was intended since the last committed one
			for mine > 0 && !slices.ContainsFunc(courierOf(t, s, in.Courier).Stops, func(st Stop) bool {
				return st.Order == route[mine-1].Order && st.Kind == route[mine-1].Kind
			}) {
				mine--
			}
			route = slices.Insert(route, mine, have[:at]...)
			route, have = append(route, have[at]), have[at+1:]
		}
		// Of what is left, the committed stops and the told ones come before
		// what is intended since.
		mine := len(route)
		for mine > 0 && orderIs(s, route[mine-1].Order) {
			mine--
		}
		out[in.Courier] = slices.Insert(route, mine, have...)
	}
	return out
}

func orderIs(s Snapshot, id string) bool { _, ok := orderIn(s, id); return ok }

// wantPossible holds a route to every hard rule.
func wantPossible(t rapid.TB, s Snapshot, o Options, c Courier, stops []Stop) {
	if len(stops) > o.MaxStops {
		t.Fatalf("%d stops of %s, at most %d", len(stops), c.ID, o.MaxStops)
	}
	if peak := PeakLoad(c.Onboard, stops); peak > c.Capacity {
		t.Fatalf("%s carries %d, has room for %d", c.ID, peak, c.Capacity)
	}
	searched := o.Search != (Search{}) || o.Futures.Count > 0
	before, now := lived(s, o, c, c.Stops), lived(s, o, c, stops)
	committed, group, news := 0, map[string]bool{}, 0
	picked, dropped, since := map[string]int{}, map[string]bool{}, map[string]bool{}
	for i, st := range stops {
		v := now[i]
		order, fresh := orderIn(s, st.Order)
		if !fresh {
			if committed == len(c.Stops) || c.Stops[committed].Order != st.Order || c.Stops[committed].Kind != st.Kind {
				t.Fatalf("%s was to make stop %d at %v, not at %s %s", c.ID, committed, c.Stops, st.Kind, st.Order)
			}
			if news > 0 && (o.AppendOnly || st.Arrived) {
				t.Fatalf("%s: something new comes before committed %s %s", c.ID, st.Kind, st.Order)
			}
			was := before[committed]
			committed++
			switch delay := v.hand - was.hand; {
			case st.Kind == Pickup:
				if end := c.ShiftEnd.Sub(s.Now); !c.ShiftEnd.IsZero() && v.hand > end && was.hand <= end {
					t.Fatalf("%s picks committed %s up after its shift", c.ID, st.Order)
				}
			case delay > o.MaxDelay:
				t.Fatalf("committed %s comes %v later", st.Order, delay)
			case delay > 0 && !st.Due.IsZero() && v.hand > st.Due.Sub(s.Now):
				t.Fatalf("committed %s would not come in time any more", st.Order)
			}
			continue
		}
		if v.hand >= 28*24*time.Hour {
			t.Fatalf("%s %s by a way that there is not", st.Kind, st.Order)
		}
		if st.Kind == Dropoff {
			from, ok := picked[st.Order]
			if !ok || dropped[st.Order] {
				t.Fatalf("%s is dropped off without having been picked up, or twice", st.Order)
			}
			dropped[st.Order] = true
			delete(group, st.Order)
			if len(since) > 1 {
				got := max(now[from].came+o.PickupService/2, order.Ready.Sub(s.Now)) + o.PickupService - o.PickupService/2
				alone := got + ride(o, order.Pickup, order.Dropoff, c.Vehicle) + o.DropoffService/2
				if !order.From.IsZero() {
					alone = max(alone, order.From.Sub(s.Now))
				}
				if v.hand-alone > o.MaxDelay {
					t.Fatalf("%s comes %v later because of others", st.Order, v.hand-alone)
				}
			}
			if len(group) == 0 {
				clear(since)
			}
			continue
		}
		wantMayCarry(t, c, order)
		if order.Ready.Sub(s.Now) > o.LookAhead {
			t.Fatalf("%s takes part, ready at %v", st.Order, order.Ready)
		}
		if _, twice := picked[st.Order]; twice {
			t.Fatalf("%s is picked up twice", st.Order)
		}
		if !c.ShiftEnd.IsZero() && v.hand > c.ShiftEnd.Sub(s.Now) {
			t.Fatalf("%s is picked up after the shift of %s", st.Order, c.ID)
		}
		if (news == 0 || searched) && v.visit > 0 && v.free > o.BusyAhead {
			t.Fatalf("%s is busy until %v before it sets out for %s", c.ID, v.free, st.Order)
		}
		if !o.Interleave && len(group) > 0 && (stops[i-1].Kind != Pickup || geo.Distance(stops[i-1].At, st.At) > 2*o.BundleRadius) {
			t.Fatalf("%s fetches %s from elsewhere with %v on board", c.ID, st.Order, group)
		}
		news++
		picked[st.Order], group[st.Order], since[st.Order] = i, true, true
		if len(since) > o.MaxBundle {
			t.Fatalf("%s has %v under way together", c.ID, since)
		}
	}
	if len(group) > 0 || committed != len(c.Stops) {
		t.Fatalf("%s: %v stay on board, %d of %d committed stops are made", c.ID, group, committed, len(c.Stops))
	}
}

// wantNoneRefused says that nothing was planned that is refused in the end:
// with ways that are none the longer for a stop in between, what the search
// takes for possible has to be.
func wantNoneRefused(t rapid.TB, res Result) {
	for _, d := range res.Decisions {
		if strings.Contains(d.Why, "was found for it") {
			t.Fatalf("%s waits as %q", d.Order, d.Why)
		}
	}
}

// wantTrueReasons holds what is said of the orders that wait to what is
// planned.
func wantTrueReasons(t *rapid.T, s Snapshot, res Result) {
	routes := routesOf(t, s, res)
	planned := map[string]string{}
	for id, stops := range routes {
		for _, st := range stops {
			if orderIs(s, st.Order) {
				planned[st.Order] = id
			}
		}
	}
	for _, d := range res.Decisions {
		if d.Outcome != OutcomeWaiting {
			continue
		}
		o := orderOf(t, s, d.Order)
		whose, is := planned[d.Order]
		says := func(words ...string) bool { // all of them
			return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(d.Why, w) })
		}
		switch {
		case says("planned for courier") && !(is && says("courier "+whose+" after")),
			says("kept for courier") && !(is && says("courier "+whose)),
			says("its best courier sets out for it") && !is,
			says("was found for it") && (is || strings.HasSuffix(d.Why, ": ")),
			says("on a later round") && is,
			is && (says("given to other") || says("leaving it") || says("left for") || says("none of the") || says("no courier")):
			t.Fatalf("%s waits as %q, planned: %v %s", d.Order, d.Why, is, whose)
		case says("ready in") && !o.Ready.After(s.Now), says("to be picked up in") && !o.From.After(s.Now):
			t.Fatalf("%s waits as %q, ready %v, window from %v", d.Order, d.Why, o.Ready, o.From)
		}
		if says("given to other orders") || says("given to another order") {
			for _, c := range d.Candidates {
				if _, busy := routes[c.Courier]; c.Cost != 0 && !busy {
					t.Fatalf("%s waits as %q, but %s has nothing new", d.Order, d.Why, c.Courier)
				}
			}
		}
	}
}
