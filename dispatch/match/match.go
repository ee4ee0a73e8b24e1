// Package match decides who carries what: a pure function from a snapshot to
// assignments, with the reasons. It has no clock and no randomness of its
// own: the same snapshot and options give the same result.
//
//	Snapshot → candidates (H3 rings) → costs → assignment ⇄ bundles → Result
//
// Schedule and PeakLoad, which the costs rest on, serve whoever needs the
// times or the load of a plan.
package match

import (
	"time"

	"courier/geo"
)

// StopKind is what happens at a stop.
type StopKind string

// The kinds of stop. A return brings failed goods back to the pickup.
const (
	Pickup  StopKind = "pickup"
	Dropoff StopKind = "dropoff"
	Return  StopKind = "return"
)

// Snapshot is the world at one moment, as far as the matcher may know it. Ids
// are unique among the orders and among the couriers.
type Snapshot struct {
	Now      time.Time
	Orders   []Order   // waiting, in any order
	Couriers []Courier // on duty and live, or soon to be, in any order

	Seed  uint64   // of the search's dice
	Last  []Intent // what the last round intended and nobody has been told of; who or what is gone is skipped
	Votes []Vote   // what the rounds before have voted
	Past  []Demand // orders of the last hour from this area, placed before Now, whatever became of them; may be empty
}

// Intent is what a round plans for a courier and does not tell it yet: the
// stops from the first new one on, in order, committed ones between them
// included.
type Intent struct {
	Courier string
	Stops   []StopRef
}

// Vote is what the rounds so far have voted on an order that waits, the older
// ones for less: see Futures.Memory.
type Vote struct {
	Order string
	At    time.Time // of the last round
	Start float64   // for giving it out
	All   float64
}

// StopRef names a stop.
type StopRef struct {
	Order string
	Kind  StopKind
}

// Demand is an order of the past, from which the search draws what may come.
type Demand struct {
	Placed  time.Time
	Ready   time.Time
	Pickup  geo.Point
	Dropoff geo.Point
	Size    int
}

// Order is one that waits for a courier.
type Order struct {
	ID       string
	Pickup   geo.Point
	Dropoff  geo.Point
	Placed   time.Time
	Ready    time.Time // known or estimated
	From     time.Time // earliest drop-off promised; zero: none
	Due      time.Time // latest drop-off promised; zero: none
	Size     int
	Vehicles []geo.Vehicle // any of; empty: all
	Skills   []string      // all of
	Priority int           // 0-9
	Pinned   string        // the only courier allowed; empty: any
	Refused  []string      // couriers not to ask now
}

// Courier is one who may get work.
type Courier struct {
	ID         string
	At         geo.Point
	Vehicle    geo.Vehicle
	Capacity   int
	Onboard    int // units in the bag now
	Skills     []string
	ShiftStart time.Time // from when it takes work; zero or past: now
	ShiftEnd   time.Time // no pickup after; zero: none
	Leaves     time.Time // it stays where it is until then, as after a hand-over; zero or past: no longer
	Earned     float64   // this shift, in any unit: see Options.FairWeight
	Declines   float64   // the chance that it declines an offer or lets it run out, 0 to 1: see Options.DeclineTime
	Closed     bool      // takes no new work now (an open offer), plan still counts
	Stops      []Stop    // the committed plan
}

// Stop is one visit of a plan.
type Stop struct {
	Order   string
	Kind    StopKind
	At      geo.Point
	Size    int
	Ready   time.Time // pickups; zero: at once
	From    time.Time // drop-offs: not handed over before; zero: none
	Due     time.Time // drop-offs; zero: none
	Arrived bool      // the courier stands there
	Since   time.Time // and has stood there from then on; zero or to come: from now on
	Arrive  time.Time // worked out by Schedule
	Depart  time.Time // worked out by Schedule
}

// Result is what one round decided.
type Result struct {
	Assignments []Assignment // by courier id; each courier at most once
	Decisions   []Decision   // one for each order of the snapshot, by order id
	Intents     []Intent     // by courier id: the next snapshot's Last
	Votes       []Vote       // by order id: the next snapshot's
}

// Assignment gives a bundle of orders to a courier, with its whole new plan.
type Assignment struct {
	Courier string
	Orders  []string // in drop-off order
	Stops   []Stop   // committed ones and new ones, with times
}

// Decision is what was decided about one order, and why.
type Decision struct {
	Order      string      `json:"order"`
	Round      time.Time   `json:"round"`
	Outcome    Outcome     `json:"outcome"`
	Courier    string      `json:"courier,omitempty"`
	Bundle     []string    `json:"bundle,omitempty"`
	Cost       float64     `json:"cost"` // seconds
	Parts      Parts       `json:"parts,omitzero"`
	Candidates []Candidate `json:"candidates"` // cheapest first, bounded
	Why        string      `json:"why"`
}

// Outcome is how a round left an order.
type Outcome string

// The outcomes; the loop turns OutcomeAssigned into OutcomeOffered in offer
// mode.
const (
	OutcomeAssigned Outcome = "assigned"
	OutcomeOffered  Outcome = "offered"
	OutcomeWaiting  Outcome = "waiting"
)

// Parts are the terms of a cost, in weighted seconds. They compare the plan
// with the new work to the plan without it, so that a term falls below zero
// where the new work fills time that the courier would have stood waiting.
type Parts struct {
	Travel float64 `json:"travel"` // and what an order costs more with the kind of vehicle
	Wait   float64 `json:"wait"`
	Late   float64 `json:"late"`
}

// Candidate is a courier that was looked at for an order.
type Candidate struct {
	Courier string  `json:"courier"`
	Cost    float64 `json:"cost,omitempty"` // seconds; only where it could be worked out
	Parts   Parts   `json:"parts,omitzero"`
	Chosen  bool    `json:"chosen"`
	Why     string  `json:"why,omitempty"` // why not
}
