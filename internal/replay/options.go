package replay

import (
	"slices"
	"time"

	"courier/dispatch/match"
)

// MDRPOptions are the matcher's for every instance; the day gives the router
// and the service times.
func MDRPOptions() match.Options {
	o := match.DefaultOptions()
	// The rules of the problem.
	o.AppendOnly, o.OneTask, o.Interleave = true, true, false
	o.BundleRadius = 0 // bundles are of one restaurant
	o.MaxDelay, o.MaxStops = 4*time.Hour, 40
	// What is good by them is a sum of delays, and no courier's time counts.
	o.TravelWeight, o.StandWeight, o.WaitWeight, o.LateWeight = 0, 0, 1, 0
	o.LateCost = time.Minute // orders on time are counted besides
	o.Unserved, o.AgeWeight, o.Patience = 300*time.Minute, 0, 300*time.Minute
	o.MaxBundle = 5
	o.MaxRadius, o.MaxCandidates = 100_000, 40
	o.LookAhead, o.BusyAhead = 3*time.Hour, 5*time.Hour
	o.CommitAhead = time.Minute - 1 // whoever need not set out before the next round is not told yet
	// What a minute's round may cost offline.
	o.Search = match.Search{Base: 100, PerOrder: 5, Most: 500, Idle: 6}
	o.Futures.Count, o.Futures.Search = 4, match.Search{Base: 50, PerOrder: 3, Most: 250, Idle: 6}
	o.MaxExplained = 1
	return o
}

// LiveOptions are MDRPOptions for a service that has a round every so often,
// and whose couriers hear of their work after a delay.
func LiveOptions(every, delay time.Duration) match.Options {
	o := MDRPOptions()
	// Who finishes a task is to know the next, and two rounds and a message
	// take their while. Told sooner, a courier would be bound before orders are
	// known that a replay waits for.
	o.OneTask, o.CommitAhead = false, 2*every+delay
	// Each round goes on where the last one stopped, and what it takes longer
	// all orders wait.
	o.Search = match.Search{Base: 30, PerOrder: 2, Most: 150, Idle: 6}
	o.Futures.Search = match.Search{Base: 20, PerOrder: 1, Most: 80, Idle: 6}
	return o
}

// Settings are the assignments that make the default options these, for
// match.Set.
func Settings(o match.Options) []string {
	usual := match.Settings(match.DefaultOptions())
	return slices.DeleteFunc(match.Settings(o), func(s string) bool { return slices.Contains(usual, s) })
}
