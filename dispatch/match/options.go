package match

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"courier/geo"
)

// Options are the figures that Solve and Schedule work with. Take
// DefaultOptions and change what differs; both functions expect options that
// Validate accepts.
type Options struct {
	// Router estimates travel. Ways need be neither as long there as back nor
	// shorter than those by another place; a time below zero, or of four
	// weeks and more, says that there is no way. A router that answers
	// differently each time gives plans whose times are not to be relied on.
	Router geo.Router

	// PickupService and DropoffService are the time at a stop, half of it
	// before the goods change hands (parking, the stairs), half after. Stops
	// of one kind that follow each other at one place share it.
	PickupService  time.Duration
	DropoffService time.Duration

	// MinRadius is how far from a pickup, in metres as the crow flies, the
	// search for couriers begins. It doubles until MaxCandidates are found
	// or MaxRadius is reached. A courier is near if it is now, or will stop,
	// within the radius.
	MinRadius float64
	MaxRadius float64
	// MaxCandidates bounds the couriers that are priced for an order.
	MaxCandidates int

	// MaxBundle is the most orders in a bundle (1: none are bundled), at
	// most 5; their pickups are within BundleRadius metres of the first.
	MaxBundle    int
	BundleRadius float64
	// MaxDelay is how much later an order may be handed over because of
	// others: those of its bundle, or new ones put into its courier's plan.
	MaxDelay time.Duration
	// MaxStops is the most stops in a courier's plan, committed ones
	// included, that new work may lead to.
	MaxStops int
	// AppendOnly puts new stops after all committed ones, never between.
	AppendOnly bool

	// LookAhead is how long before it is ready an order begins to take part;
	// with an earliest drop-off, before it has to be picked up.
	LookAhead time.Duration
	// BusyAhead is how far ahead the matcher counts on couriers who have
	// other stops to make before they can set out for a pickup. Too short,
	// and an order is given to whoever is free although a busy courier would
	// be there sooner; too long, and the matcher plans on guesses.
	BusyAhead time.Duration
	// CommitAhead is how early work is given out: a courier who has to set
	// out for the pickup only later than this from now does not get it yet,
	// because a later round may know better and nothing is lost by waiting.
	CommitAhead time.Duration

	// Weights of a second: the courier's travel, its standing and waiting,
	// an order's waiting beyond the earliest thinkable hand-over, and its
	// lateness beyond the promise.
	TravelWeight float64
	StandWeight  float64
	WaitWeight   float64
	LateWeight   float64
	// LateCost is what a broken promise costs besides, however short the
	// delay; nothing where it cannot be kept any more.
	LateCost time.Duration

	// Unserved is what leaving an order without a courier costs, in
	// seconds; it is high, so that as many as possible are served. AgeWeight
	// adds to it for each second that the order has been ready, and
	// PriorityCost for each step of its priority. For an order that can
	// still wait without loss, Patience takes Unserved's place.
	Unserved     time.Duration
	AgeWeight    float64
	PriorityCost time.Duration
	Patience     time.Duration

	// PriorityWeight is by how much of themselves the weights of an order's
	// waiting and lateness grow with each step of its priority, so that of
	// two orders for one courier the urgent one comes first.
	PriorityWeight float64

	// OneTask gives a courier nothing while it has any committed stop. It
	// still takes part in the plan, with the place and time where it will be
	// free.
	OneTask bool
	// Interleave lets new orders of several places be under way together.
	// Without it a courier who carries a new order fetches no other one but
	// at the place where it stands.
	Interleave bool

	// Search is how long the plan is improved. Without any rounds a round's
	// plan is the cheapest assignment of bundles to couriers, one each.
	Search Search
	// Futures are the orders that may come, drawn from those of the past.
	Futures Futures
	// Stop, if set, is asked now and then whether to end the search early.
	// Whoever sets it to watch a clock gives up that a snapshot decides the
	// result.
	Stop func() bool

	// ChurnCost is what it costs to plan an order with another courier than
	// the last round did: plans are steadier, a little worse.
	ChurnCost time.Duration
	// FairWeight is what an order costs more, in seconds, with a courier for
	// each unit that it has earned more than the one who has earned least.
	FairWeight float64
	// AnswerTime is how long a courier without a plan takes to answer an
	// offer, and so to set out.
	AnswerTime time.Duration
	// DeclineTime is how long an offer that is declined or runs out holds its
	// orders up. An order costs more with a courier by so much waiting, times
	// the chance that it declines (Courier.Declines).
	DeclineTime time.Duration
	// Kinds are what couriers cost by vehicle; one that is not named costs
	// what the weights say.
	Kinds map[geo.Vehicle]Kind

	// MaxExplained bounds the candidates named in a decision.
	MaxExplained int
}

// Kind is what couriers on one kind of vehicle cost beside the weights.
type Kind struct {
	Travel float64       // factor on TravelWeight; 0: travel costs nothing
	Order  time.Duration // what each order costs more, however far it goes
}

// kind is what a vehicle's couriers cost.
func (o *Options) kind(v geo.Vehicle) Kind {
	if k, ok := o.Kinds[v]; ok {
		return k
	}
	return Kind{Travel: 1}
}

// Search is a budget in rounds of taking some orders out of the plan and
// putting them back: so many, and so many for each waiting order, up to Most
// (0: no bound). It is counted, not timed, so that a snapshot decides the
// result on a machine of any speed.
type Search struct {
	Base     int
	PerOrder int
	Most     int
	// Idle ends the search once Idle times 10, and a quarter more for each
	// order, rounds in a row have bettered nothing. 0: never.
	Idle int
}

func (b Search) rounds(orders int) int {
	n := b.Base + b.PerOrder*orders
	if b.Most > 0 {
		n = min(n, b.Most)
	}
	return n
}

func (b Search) idle(orders int) int { return b.Idle * (10 + orders/4) }

// Futures are sampled: each draws as many orders as the past foretells for
// the time ahead, plans with them, and votes on what to give out now.
type Futures struct {
	Count  int           // how many; 0: the plan looks at real orders alone
	Window time.Duration // how much of the past is drawn from
	Ahead  time.Duration // how far ahead
	Weight float64       // of a drawn order, where a real one has 1
	Search Search        // the budget of each
	// Memory is in what time a vote comes to count 1/e as much. Rounds that
	// follow each other closely decide together: else work that a minority of
	// futures would start is started by one of many rounds. 0: each round
	// decides by itself.
	Memory time.Duration
}

// DefaultOptions suit couriers on bicycles and scooters in a city.
func DefaultOptions() Options {
	router, err := geo.NewStraightLine(geo.StraightLineConfig{})
	if err != nil { // its own defaults are sound
		panic(err)
	}
	return Options{
		Router:         router,
		PickupService:  2 * time.Minute,
		DropoffService: 2 * time.Minute,
		MinRadius:      500,
		MaxRadius:      6000,
		MaxCandidates:  24,
		MaxBundle:      3,
		BundleRadius:   30,
		MaxDelay:       10 * time.Minute,
		MaxStops:       8,
		LookAhead:      30 * time.Minute,
		BusyAhead:      30 * time.Minute,
		CommitAhead:    3 * time.Minute,
		TravelWeight:   0.15,
		StandWeight:    0.5,
		WaitWeight:     1,
		LateWeight:     2,
		Unserved:       4 * time.Hour,
		AgeWeight:      1,
		PriorityCost:   time.Hour,
		PriorityWeight: 0.5,
		DeclineTime:    30 * time.Second,
		Patience:       15 * time.Minute,
		Interleave:     true,
		Search:         Search{Base: 100, PerOrder: 10, Most: 600},
		Futures:        Futures{Window: time.Hour, Ahead: 20 * time.Minute, Weight: 0.4, Search: Search{Base: 100, PerOrder: 3, Most: 300}, Memory: 30 * time.Second},
		MaxExplained:   12,
	}
}

// Validate reports every fault at once.
func (o Options) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Router == nil {
		fail("Router: missing")
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"PickupService", o.PickupService}, {"DropoffService", o.DropoffService},
		{"MaxDelay", o.MaxDelay}, {"LookAhead", o.LookAhead}, {"CommitAhead", o.CommitAhead},
		{"BusyAhead", o.BusyAhead},
		{"Unserved", o.Unserved}, {"PriorityCost", o.PriorityCost}, {"Patience", o.Patience},
		{"ChurnCost", o.ChurnCost}, {"LateCost", o.LateCost}, {"AnswerTime", o.AnswerTime}, {"Futures.Window", o.Futures.Window}, {"Futures.Ahead", o.Futures.Ahead}, {"Futures.Memory", o.Futures.Memory},
	} {
		if d.value < 0 || d.value > maxDuration {
			fail("%s: %v is not within 0 and %v", d.name, d.value, maxDuration)
		}
	}
	for _, w := range []struct {
		name  string
		value float64
	}{
		{"TravelWeight", o.TravelWeight}, {"StandWeight", o.StandWeight}, {"WaitWeight", o.WaitWeight},
		{"LateWeight", o.LateWeight}, {"AgeWeight", o.AgeWeight},
		{"FairWeight", o.FairWeight}, {"PriorityWeight", o.PriorityWeight}, {"Futures.Weight", o.Futures.Weight},
	} {
		if !(w.value >= 0 && w.value <= maxWeight) {
			fail("%s: %v is not within 0 and %v", w.name, w.value, maxWeight)
		}
	}
	if !(o.MinRadius > 0) {
		fail("MinRadius: %v m is not over 0", o.MinRadius)
	}
	if !(o.MaxRadius >= o.MinRadius && o.MaxRadius <= maxRadius) {
		fail("MaxRadius: %v m is not within MinRadius (%v m) and %v m", o.MaxRadius, o.MinRadius, maxRadius)
	}
	if !(o.BundleRadius >= 0) || math.IsInf(o.BundleRadius, 0) {
		fail("BundleRadius: %v m is under 0", o.BundleRadius)
	}
	if o.MaxCandidates < 1 {
		fail("MaxCandidates: %d is under 1", o.MaxCandidates)
	}
	if o.MaxBundle < 1 || o.MaxBundle > maxBundle {
		fail("MaxBundle: %d is not within 1 and %d", o.MaxBundle, maxBundle)
	}
	if o.MaxStops < 2 {
		fail("MaxStops: %d is under 2", o.MaxStops)
	}
	for _, n := range []struct {
		name  string
		value int
	}{
		{"Search.Base", o.Search.Base}, {"Search.PerOrder", o.Search.PerOrder}, {"Search.Most", o.Search.Most}, {"Search.Idle", o.Search.Idle},
		{"Futures.Count", o.Futures.Count}, {"Futures.Search.Base", o.Futures.Search.Base},
		{"Futures.Search.PerOrder", o.Futures.Search.PerOrder}, {"Futures.Search.Most", o.Futures.Search.Most},
		{"Futures.Search.Idle", o.Futures.Search.Idle},
	} {
		if n.value < 0 || n.value > maxRounds {
			fail("%s: %d is not within 0 and %d", n.name, n.value, maxRounds)
		}
	}
	if o.DeclineTime < 0 || o.DeclineTime > maxDuration {
		fail("DeclineTime: %v is not within 0 and %v", o.DeclineTime, maxDuration)
	}
	for _, v := range slices.Sorted(maps.Keys(o.Kinds)) {
		k := o.Kinds[v]
		if !v.Valid() {
			fail("Kinds: no vehicle %q", v)
		}
		if !(k.Travel >= 0 && k.Travel*o.TravelWeight <= maxWeight) {
			fail("Kinds: %s: Travel: %v times TravelWeight is not within 0 and %v", v, k.Travel, maxWeight)
		}
		if k.Order < 0 || k.Order > maxDuration {
			fail("Kinds: %s: Order: %v is not within 0 and %v", v, k.Order, maxDuration)
		}
	}
	if o.Futures.Count > 0 && o.Futures.Window == 0 {
		fail("Futures.Window: missing, as Futures.Count is %d", o.Futures.Count)
	}
	if o.MaxExplained < 1 {
		fail("MaxExplained: %d is under 1", o.MaxExplained)
	}
	return errors.Join(errs...)
}

// Bounds of the options: they keep costs in range, and the search for
// couriers and for the order of a bundle's drop-offs short.
const (
	maxDuration = 7 * 24 * time.Hour
	maxWeight   = 1000.0
	maxRadius   = 100_000.0
	maxBundle   = 5
	maxRounds   = 1_000_000
	maxVotes    = 1e9
)
