package match

import (
	"testing"
	"time"

	"courier/geo"
)

// Two couriers can be at the kitchen long before the food is ready. The one
// who stands among the kitchens of the last hour is kept for what comes there.
func TestOfTwoInTimeTheOneLessSoughtGoes(t *testing.T) {
	centre := geo.Point{Lat: 48.2, Lng: 16.37}
	at := func(metres float64) geo.Point {
		return geo.Point{Lat: centre.Lat, Lng: centre.Lng + metres/(metresPerDegree*0.6665)}
	}
	o := DefaultOptions()
	o.TravelWeight, o.StandWeight, o.CommitAhead = 0, 0, time.Hour
	o.Futures.Count, o.Futures.Weight = 1, 0 // what is drawn decides nothing
	for name, order := range map[string][2]string{"by name": {"amid", "beyond"}, "the other way round": {"beyond", "amid"}} {
		t.Run(name, func(t *testing.T) {
			s := Snapshot{Now: noon, Couriers: []Courier{
				{ID: order[0], Vehicle: geo.Bicycle, Capacity: 1}, {ID: order[1], Vehicle: geo.Bicycle, Capacity: 1},
			}}
			for i := range s.Couriers {
				if s.Couriers[i].At = at(-1200); s.Couriers[i].ID == "amid" {
					s.Couriers[i].At = at(100)
				}
			}
			s.Orders = []Order{{ID: "a", Pickup: at(-300), Dropoff: at(-900), Placed: noon, Ready: noon.Add(25 * time.Minute), Size: 1}}
			for i := range 3 {
				s.Past = append(s.Past, Demand{Placed: noon.Add(time.Duration(-50-i) * time.Minute), Ready: noon, Pickup: at(200), Dropoff: at(900), Size: 1})
			}
			got := Solve(s, o)
			if len(got.Assignments) != 1 || got.Assignments[0].Courier != "beyond" {
				t.Errorf("the order goes to %+v, want beyond", got.Assignments)
			}
			s.Past = nil
			if got := Solve(s, o); len(got.Assignments) != 1 || got.Assignments[0].Courier != "amid" {
				t.Errorf("nothing is known of what may come: it goes to %+v, want the nearest", got.Assignments)
			}
		})
	}
}
