// Package mdrp reads instances of the Meal Delivery Routing Problem (Reyes,
// Erera, Savelsbergh, Sahasrabudhe, O'Neil 2018): days of orders,
// restaurants and couriers' shifts on a plane, in whole minutes.
//
//	orders.txt, restaurants.txt, couriers.txt, instance_parameters.txt ─► Read ─► Instance
package mdrp

import "math"

// At is a place on the plane, in metres.
type At struct{ X, Y float64 }

// Order is one to be carried from a restaurant to its own place. Times are in
// minutes of the day.
type Order struct {
	ID         string
	At         At
	Placed     int
	Restaurant int // index into Instance.Restaurants
	Ready      int
}

// Restaurant is where orders are picked up.
type Restaurant struct {
	ID string
	At At
}

// Courier works from On to Off, in minutes of the day: it picks nothing up
// after Off.
type Courier struct {
	ID      string
	At      At // where it goes on duty
	On, Off int
}

// Instance is one day.
type Instance struct {
	Name        string // of its folder
	Orders      []Order
	Restaurants []Restaurant
	Couriers    []Courier
	Speed       float64 // metres a minute
	Pickup      float64 // minutes of service, half before the hand-over and half after
	Dropoff     float64
	Target      float64 // minutes from placement to drop-off; later is late
}

// Travel is how many minutes there are between two places: whole ones, rounded
// up.
//
// With coordinates in whole metres the square root is exact where it can be,
// so that no ceiling is off by the last bit.
func (in *Instance) Travel(a, b At) int {
	dx, dy := a.X-b.X, a.Y-b.Y
	return int(math.Ceil(math.Sqrt(dx*dx+dy*dy) / in.Speed))
}

// Floor is the least click-to-door that an order can have, in minutes: a
// courier stands at its restaurant when it is ready.
func (in *Instance) Floor(o Order) float64 {
	return float64(o.Ready-o.Placed) + in.Pickup/2 + float64(in.Travel(in.Restaurants[o.Restaurant].At, o.At)) + in.Dropoff/2
}
