package replay

import (
	"cmp"
	"slices"
	"time"

	"courier/dispatch/match"
	"courier/internal/clock"
)

// Nearest is what matching is measured against: orders one by one, each to
// the nearest courier, as a dispatcher without a matcher does it. It serves
// whoever is ready first. An order is due once the nearest free courier who
// may carry it has to set out to be there in time, and goes to that courier
// at once; nothing is bundled, nothing is planned ahead, nothing is changed.
//
// If nobody is free, the order waits for the next who is; with Queue it is
// put behind the plan of the permitted courier who can be there soonest.
// The rules of the matcher hold: vehicle, skills, capacity, the end of the
// shift, the longest plan, and the widest radius.
type Nearest struct {
	Queue bool
}

// solve decides a round. Of the options it knows the router, the service
// times, MaxRadius, MaxStops and CommitAhead: what is due before a round so
// far ahead is due now.
func (n Nearest) solve(s match.Snapshot, o match.Options) match.Result {
	orders := slices.Clone(s.Orders)
	slices.SortFunc(orders, func(a, b match.Order) int { return cmp.Or(a.Ready.Compare(b.Ready), cmp.Compare(a.ID, b.ID)) })
	couriers := slices.Clone(s.Couriers)
	slices.SortFunc(couriers, func(a, b match.Courier) int { return cmp.Compare(a.ID, b.ID) })
	given := map[string][]string{}
	for _, order := range orders {
		best, soonest := -1, time.Time{}
		idle := false
		for i := range couriers {
			c := &couriers[i]
			there, may := reaches(s.Now, c, order, o)
			free := len(c.Stops) == 0
			if !may || !free && !n.Queue {
				continue
			}
			if best < 0 || free && !idle || free == idle && there.Before(soonest) {
				best, soonest, idle = i, there, free
			}
		}
		if best < 0 || order.Ready.Sub(soonest.Add(o.PickupService/2)) > o.CommitAhead {
			continue
		}
		c := &couriers[best]
		stops := append(slices.Clone(c.Stops),
			match.Stop{Order: order.ID, Kind: match.Pickup, At: order.Pickup, Size: order.Size, Ready: order.Ready},
			match.Stop{Order: order.ID, Kind: match.Dropoff, At: order.Dropoff, Size: order.Size, From: order.From, Due: order.Due})
		c.Stops = match.Schedule(s.Now, *c, stops, o)
		given[c.ID] = append(given[c.ID], order.ID)
	}
	var out match.Result
	for _, c := range couriers {
		if ids := given[c.ID]; ids != nil {
			out.Assignments = append(out.Assignments, match.Assignment{Courier: c.ID, Orders: ids, Stops: c.Stops})
		}
	}
	return out
}

// reaches is when the courier is at the order's pickup, after all else it has
// to do, and whether it may have the order.
func reaches(now time.Time, c *match.Courier, order match.Order, o match.Options) (time.Time, bool) {
	at, free := c.At, now
	if len(c.Stops) > 0 {
		last := c.Stops[len(c.Stops)-1] // with its times, as the replay keeps them
		at, free = last.At, last.Depart
	}
	there := free.Add(o.Router.Travel(at, order.Pickup, c.Vehicle))
	may := !c.Closed && order.Size <= c.Capacity && len(c.Stops)+2 <= o.MaxStops &&
		(order.Pinned == "" || order.Pinned == c.ID) && !slices.Contains(order.Refused, c.ID) &&
		(len(order.Vehicles) == 0 || slices.Contains(order.Vehicles, c.Vehicle)) &&
		!slices.ContainsFunc(order.Skills, func(skill string) bool { return !slices.Contains(c.Skills, skill) }) &&
		(c.ShiftEnd.IsZero() || !clock.Later(there, order.Ready).After(c.ShiftEnd)) && near(at, order.Pickup, o.MaxRadius)
	return there, may
}
