// Package scenario says what there is to simulate: which couriers, where and
// when on duty; which orders, when; and how the ground is travelled.
//
//	made city ┐
//	MDRP files ├─► Source ─► Couriers, Next, Trip, Service
//	cab traces ┘
package scenario

import (
	"math"
	"time"

	"courier/geo"
)

// Courier is one who works. Times count from the start of the simulation.
type Courier struct {
	Name     string
	Vehicle  geo.Vehicle
	Capacity int
	Skills   []string
	At       geo.Point
	From     time.Duration // on duty
	To       time.Duration // off duty; 0: not before the end
	Trace    []Fix         // recorded positions to replay while without work
}

// Fix is a recorded position.
type Fix struct {
	At    time.Duration
	Point geo.Point
}

// Door is one end of an order.
type Door struct {
	Point   geo.Point
	Address string
	Name    string
	Phone   string
	Note    string
}

// Order is one to be placed.
type Order struct {
	At        time.Duration // when it is placed, from the start
	Name      string        // in the source, unique there
	Pickup    Door
	Dropoff   Door
	Ready     time.Duration
	DeliverBy time.Duration // 0: no promise
	Size      int
	Vehicles  []geo.Vehicle
	Skills    []string
	Items     string
	PIN       bool
	Floor     time.Duration // the least click-to-door there can be; 0: unknown
}

// Leg is a way and the time it takes.
type Leg struct {
	Path []geo.Point
	Time time.Duration
}

// Service is how long the courier stands: before the goods change hands and
// after.
type Service struct {
	Before, After time.Duration
}

// Source is what is simulated. Couriers and Next are called from one
// goroutine, the others from many.
type Source interface {
	Couriers() []Courier
	// Next is the next order to be placed, in order of time; false: none ever.
	Next() (Order, bool)
	// Leg is how a courier travels.
	Leg(from, to geo.Point, by geo.Vehicle) Leg
	// Service is how long a stop takes; kind as on the wire.
	Service(kind string) Service
	// Roam is where an idle courier might go; false: it stays.
	Roam(from geo.Point, pick float64) (geo.Point, bool)
	// Undelivered is what an undelivered order counts as avoidable time, and
	// the most that a delivered one does. It matters where orders have a Floor.
	Undelivered() time.Duration
}

// Position is where on the leg one is after a time, and the heading there.
func (l Leg) Position(after time.Duration) (geo.Point, float64) {
	last := l.Path[len(l.Path)-1]
	if len(l.Path) < 2 {
		return last, 0
	}
	if after >= l.Time {
		return last, geo.Bearing(l.Path[len(l.Path)-2], last)
	}
	total := l.Length()
	left := total * float64(max(after, 0)) / float64(l.Time)
	for i := 1; i < len(l.Path); i++ {
		d := geo.Distance(l.Path[i-1], l.Path[i])
		if left <= d && d > 0 {
			return geo.Lerp(l.Path[i-1], l.Path[i], left/d), geo.Bearing(l.Path[i-1], l.Path[i])
		}
		left -= d
	}
	return last, 0
}

// Length is in metres.
func (l Leg) Length() float64 {
	sum := 0.0
	for i := 1; i < len(l.Path); i++ {
		sum += geo.Distance(l.Path[i-1], l.Path[i])
	}
	return sum
}

// straight is a leg as the crow flies.
func straight(from, to geo.Point, speed float64) Leg {
	d := geo.Distance(from, to)
	return Leg{Path: []geo.Point{from, to}, Time: seconds(d / speed)}
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s*1e3)) * time.Millisecond }
