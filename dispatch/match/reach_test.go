package match

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"courier/geo"
)

// What a snapshot leaves out because it is beyond Reach would come to the
// pickup after BusyAhead.
func TestWhoIsBeyondReachComesLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		far := func(label string) float64 { return 1000 * float64(rapid.IntRange(-40, 40).Draw(t, label)) }
		o := options(func(o *Options) {
			o.BusyAhead = time.Duration(rapid.IntRange(0, 60).Draw(t, "busy ahead")) * time.Minute
			o.CommitAhead = maxDuration
		})
		s := Snapshot{Now: noon, Orders: []Order{order("o", 0, 1000)}}
		for i := range rapid.IntRange(1, 5).Draw(t, "couriers") {
			c := courier(fmt.Sprintf("c%d", i), far("at"))
			for k := range rapid.IntRange(0, 2).Draw(t, "stops") {
				carrying(fmt.Sprintf("old%d-%d", i, k), far("to"))(&c)
			}
			s.Couriers = append(s.Couriers, c)
		}
		for _, a := range Solve(s, o).Assignments {
			c := s.Couriers[slices.IndexFunc(s.Couriers, func(c Courier) bool { return c.ID == a.Courier })]
			if geo.Distance(c.At, town) <= o.Reach(town) {
				continue
			}
			pickup := a.Stops[slices.IndexFunc(a.Stops, func(s Stop) bool { return s.Order == "o" })]
			if pickup.Arrive.Before(noon.Add(o.BusyAhead)) {
				t.Fatalf("%.0f m away, beyond %.0f m, and at the pickup at %v", geo.Distance(c.At, town), o.Reach(town), pickup.Arrive)
			}
		}
	})
}
