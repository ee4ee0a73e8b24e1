package match

import (
	"errors"
	"fmt"
	"math"
	"time"

	"courier/geo"
)

// Options are the figures that Solve and Schedule work with. Take
// DefaultOptions and change what differs; both functions expect options that
// Validate accepts.
type Options struct {
	// Router estimates travel.
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

	// Unserved is what leaving an order without a courier costs, in
	// seconds; it is high, so that as many as possible are served. AgeWeight
	// adds to it for each second that the order has been ready, and
	// PriorityCost for each step of its priority. For an order that can
	// still wait without loss, Patience takes Unserved's place.
	Unserved     time.Duration
	AgeWeight    float64
	PriorityCost time.Duration
	Patience     time.Duration

	// MaxExplained bounds the candidates named in a decision.
	MaxExplained int
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
		Patience:       15 * time.Minute,
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
)
