package match

import (
	"cmp"
	"math"
	"slices"
	"time"

	"courier/geo"
)

// job is a waiting order made ready for a round.
type job struct {
	*Order
	cell    geo.Cell // of the pickup, at the finest layer of the field
	pickup  node
	dropoff node
	direct  []time.Duration // from pickup to drop-off, by kind of vehicle
	ready   time.Duration   // when it has to be picked up at the earliest
	asleep  bool            // ready too far ahead to take part
	nowhere bool            // an end of it is no place on Earth
	alone   int64           // what leaving it costs, in milliseconds
	looked  []look          // couriers that cannot take it, nearest first, bounded
	refused [reasons]int    // how many cannot, by reason
	lacking string          // the skill that the first unskilled one lacks
	able    []reached       // couriers that the rules permit, soonest there first
	options []option        // those that can take it now, cheapest first
}

// look is a courier that was looked at in vain.
type look struct {
	rider int32
	refusal
}

// option is a courier that can take a bundle, at a price.
type option struct {
	rider int32
	cost  int64 // milliseconds: whole numbers add up the same in any order
	price
}

func newJob(order *Order, now time.Time, vehicles []geo.Vehicle, o *Options) *job {
	j := &job{Order: order}
	cell, err := geo.CellOf(order.Pickup, geo.SearchResolution)
	if err != nil || order.Dropoff.Validate() != nil {
		j.nowhere = true
		return j
	}
	j.cell = cell
	pickup, dropoff := j.stops()
	j.pickup, j.dropoff = nodeOf(pickup, now), nodeOf(dropoff, now)

	// The earliest thinkable hand-over: a courier who stands at the pickup
	// when the order is ready and rides straight to the customer on the
	// fastest vehicle that may carry it.
	fastest := never
	j.direct = make([]time.Duration, len(vehicles))
	for i, v := range vehicles {
		j.direct[i] = o.Router.Travel(order.Pickup, order.Dropoff, v)
		if len(order.Vehicles) == 0 || slices.Contains(order.Vehicles, v) {
			fastest = min(fastest, j.direct[i])
		}
	}
	if fastest == never {
		fastest = 0 // nobody on duty may carry it
	}
	after := o.PickupService - o.PickupService/2 + fastest + o.DropoffService/2
	j.ready = max(j.pickup.open, j.dropoff.open-after)
	j.dropoff.best = max(j.ready, 0) + after
	j.asleep = j.ready > o.LookAhead
	return j
}

// urgency is the factor on the weights of the job's waiting and lateness.
func (j *job) urgency(o *Options) float64 { return 1 + o.PriorityWeight*float64(j.Priority) }

// broken is what being late costs besides, however short: nothing where the
// promise cannot be kept any more.
func (j *job) broken(o *Options) time.Duration {
	if j.dropoff.due < j.dropoff.best {
		return 0
	}
	return o.LateCost
}

func (j *job) stops() (pickup, dropoff Stop) {
	return Stop{Order: j.ID, Kind: Pickup, At: j.Pickup, Size: j.Size, Ready: j.Ready},
		Stop{Order: j.ID, Kind: Dropoff, At: j.Dropoff, Size: j.Size, From: j.From, Due: j.Due}
}

// refuse remembers why a courier cannot take the job.
func (j *job) refuse(rider int32, f refusal, o *Options) {
	j.refused[f.why]++
	if f.why == noSkill && j.lacking == "" {
		j.lacking = f.skill
	}
	if len(j.looked) < o.MaxExplained {
		j.looked = append(j.looked, look{rider, f})
	}
}

// search fills in the job's options: the couriers near its pickup that can
// take it, priced.
func (j *job) search(f *seeker, byID map[string]int32, p *pricer) {
	o := p.o
	j.able = j.ask(f, byID, o.MaxCandidates, o)
	first := never
	for _, c := range j.able {
		first = min(first, c.reach)
		got, no := p.price(f.riders[c.rider], []*job{j})
		if no.why != fine {
			j.refuse(c.rider, no, o)
			continue
		}
		j.options = append(j.options, newOption(c.rider, got))
	}
	sortOptions(j.options)
	j.alone = j.leaving(first, o)
}

// reached is a courier near a place, and when it can be there; below 0: not
// asked yet.
type reached struct {
	rider int32
	reach time.Duration
}

// ask lists the couriers near the pickup that the hard rules permit, soonest
// there first, at most so many.
func (j *job) ask(f *seeker, byID map[string]int32, most int, o *Options) []reached {
	var able []reached
	look := func(c *reached) {
		r := f.riders[c.rider]
		if no := permits(r, j); no.why != fine {
			j.refuse(c.rider, no, o)
			return
		}
		if c.reach < 0 {
			c.reach = r.reaches(j.Pickup, o)
		}
		able = append(able, *c)
	}
	if j.Pinned != "" {
		if i, ok := byID[j.Pinned]; ok && f.riders[i].known {
			look(&reached{i, -1})
		}
		return able
	}
	for radius := o.MinRadius; ; radius = min(2*radius, o.MaxRadius) {
		able, j.looked, j.refused = able[:0], j.looked[:0], [reasons]int{}
		met := f.around(j.Pickup, j.cell, radius)
		for i := range met {
			look(&met[i])
		}
		if len(able) >= most || radius >= o.MaxRadius {
			break
		}
	}
	slices.SortFunc(able, func(a, b reached) int {
		return cmp.Or(cmp.Compare(a.reach, b.reach), cmp.Compare(a.rider, b.rider))
	})
	return able[:min(len(able), most)]
}

// leaving is the cost of leaving the job to a later round, where first is the
// soonest that a courier can be at its pickup.
func (j *job) leaving(first time.Duration, o *Options) int64 {
	if len(j.options) == 0 {
		return 0
	}
	if j.ready-o.PickupService/2-first > o.CommitAhead {
		return j.options[0].cost + o.Patience.Milliseconds()
	}
	// Over its dearest option, so that an order is never left because its
	// only courier is a bad one.
	dearest := j.options[len(j.options)-1].cost
	waited := max(0, -max(j.ready, -maxDuration)).Milliseconds()
	priority := int64(j.Priority) * o.PriorityCost.Milliseconds()
	return dearest + o.Unserved.Milliseconds() + int64(o.AgeWeight*float64(waited)) + priority
}

func newOption(rider int32, p price) option {
	return option{rider: rider, cost: int64(math.Round(p.total() * 1000)), price: p}
}

func sortOptions(options []option) {
	slices.SortFunc(options, func(a, b option) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.rider, b.rider))
	})
}
