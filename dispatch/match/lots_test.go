package match

import (
	"testing"
	"time"
)

// An order leads the only courier away from where most of the last hour's came
// from: whether it starts hangs on what is drawn. Rounds of the same lots
// agree, whatever their dice.
func TestRoundsOfTheSameLotsDrawAlike(t *testing.T) {
	o := DefaultOptions()
	o.TravelWeight, o.StandWeight, o.LateWeight, o.Patience = 0, 0, 0, 4*time.Hour
	o.Futures.Count, o.Futures.Weight = 1, 1
	s := Snapshot{Now: noon, Couriers: []Courier{courier("c", 0)}, Orders: []Order{order("away", 0, 4000)}}
	for i := range 6 {
		placed := noon.Add(time.Duration(-i*9) * time.Minute)
		s.Past = append(s.Past, Demand{Placed: placed, Ready: placed, Pickup: s.Orders[0].Pickup, Dropoff: order("near", 0, 100).Dropoff, Size: 1})
	}
	started := 0
	for lots := range uint64(40) {
		s.Lots = lots
		votes := 0
		for seed := range uint64(5) {
			s.Seed = seed
			votes += len(Solve(s, o).Assignments)
		}
		if votes != 0 && votes != 5 {
			t.Errorf("lots %d: %d of 5 rounds start it", lots, votes)
		}
		started += votes
	}
	if started == 0 || started == 200 {
		t.Errorf("%d of 200 rounds start it: the draw decides nothing", started)
	}
}
