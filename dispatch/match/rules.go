package match

import (
	"fmt"
	"slices"
	"time"
)

// reason is why a courier cannot take a bundle.
type reason uint8

const (
	fine reason = iota
	otherPinned
	declined
	offerOpen
	wrongVehicle
	noSkill
	noRoom
	planFull
	busyLong
	shiftOver
	breaksPromise
	noRoute
	reasons // how many there are
)

// refusal is a reason with what it is about.
type refusal struct {
	why   reason
	units int    // noRoom: how many more
	skill string // noSkill
}

// permits applies the hard rules that need no plan, for one order.
func permits(r *rider, j *job) refusal {
	switch {
	case j.Pinned != "" && j.Pinned != r.ID:
		return refusal{why: otherPinned}
	case slices.Contains(j.Refused, r.ID):
		return refusal{why: declined}
	case len(j.Vehicles) > 0 && !slices.Contains(j.Vehicles, r.Vehicle):
		return refusal{why: wrongVehicle}
	}
	for _, skill := range j.Skills {
		if !slices.Contains(r.Skills, skill) {
			return refusal{why: noSkill, skill: skill}
		}
	}
	switch {
	case max(j.Size, r.Onboard) > r.Capacity:
		return refusal{why: noRoom, units: j.Size}
	case r.Closed:
		return refusal{why: offerOpen}
	}
	return refusal{}
}

// String says it of one courier.
func (f refusal) String() string {
	switch f.why {
	case otherPinned:
		return "the order is pinned to another courier"
	case declined:
		return "declined lately"
	case offerOpen:
		return "busy with an open offer"
	case wrongVehicle:
		return "wrong vehicle"
	case noSkill:
		return "needs skill " + f.skill
	case noRoom:
		return fmt.Sprintf("no room for %d more %s", f.units, plural(f.units, "unit"))
	case planFull:
		return "its plan is full"
	case busyLong:
		return "busy with other stops for too long"
	case shiftOver:
		return "shift ends before the pickup"
	case breaksPromise:
		return "other orders would come too late"
	case noRoute:
		return "there is no way for it"
	}
	return ""
}

// said says a reason of n couriers, who come before it: "2 are full". skill is
// one that they lack.
func (r reason) said(n int, skill string) string {
	one := n == 1
	pick := func(singular, several string) string {
		if one {
			return singular
		}
		return several
	}
	switch r {
	case otherPinned:
		return pick("is not the one it is pinned to", "are not the one it is pinned to")
	case declined:
		return "declined lately"
	case offerOpen:
		return pick("has an open offer", "have open offers")
	case wrongVehicle:
		return pick("has the wrong vehicle", "have the wrong vehicle")
	case noSkill:
		return pick("lacks skill ", "lack skill ") + skill
	case noRoom, planFull:
		return pick("is full", "are full")
	case busyLong:
		return pick("is busy with other stops for too long", "are busy with other stops for too long")
	case shiftOver:
		return pick("ends its shift before the pickup", "end their shift before the pickup")
	case breaksPromise:
		return "would bring other orders too late"
	case noRoute:
		return pick("has no way there", "have no way there")
	}
	return ""
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// inWords rounds to what a dispatcher cares for: seconds under two minutes,
// else minutes.
func inWords(d time.Duration) string {
	if d = d.Round(time.Second); d < 2*time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
}
