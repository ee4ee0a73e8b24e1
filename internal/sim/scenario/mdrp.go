package scenario

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"courier/geo"
	"courier/internal/mdrp"
	"courier/internal/sim/city"
)

// MDRPConfig names an instance of the Meal Delivery Routing Problem (Reyes,
// Erera, Savelsbergh, Sahasrabudhe, O'Neil 2018) and lays it on the map.
type MDRPConfig struct {
	Dir      string
	Center   geo.Point   // where the middle of the instance's kitchens goes
	Capacity int         // of every courier; default 10, the instances know no limit
	Vehicle  geo.Vehicle // default car
}

// MDRP is one instance: straight travel in whole minutes, four minutes'
// service at each end.
type MDRP struct {
	couriers []Courier
	orders   []Order
	next     int
	speed    float64 // metres a minute
	service  map[string]Service
	place    projection
}

// projection lays the instance's metres on the map.
type projection struct {
	plane city.Plane
	x, y  float64 // of its centre
}

func (p projection) point(x, y float64) geo.Point { return p.plane.Point(x-p.x, y-p.y) }

func (p projection) metres(g geo.Point) (x, y float64) {
	east, north := p.plane.Metres(g)
	return p.x + east, p.y + north
}

// NewMDRP reads the instance.
func NewMDRP(c MDRPConfig) (*MDRP, error) {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("Dir: missing"))
	}
	if err := c.Center.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("Center: %w", err))
	}
	if c.Capacity < 0 {
		errs = append(errs, fmt.Errorf("Capacity: %d is under 0", c.Capacity))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if c.Capacity == 0 {
		c.Capacity = 10
	}
	if c.Vehicle == "" {
		c.Vehicle = geo.Car
	}
	day, err := mdrp.Read(c.Dir)
	if err != nil {
		return nil, err
	}
	m := &MDRP{speed: day.Speed, place: projection{plane: city.Plane{Center: c.Center}}, service: map[string]Service{}}
	half := func(minutes float64) Service { return Service{m.minutes(minutes / 2), m.minutes(minutes / 2)} }
	m.service["pickup"], m.service["dropoff"] = half(day.Pickup), half(day.Dropoff)
	for _, k := range day.Restaurants {
		n := float64(len(day.Restaurants))
		m.place.x, m.place.y = m.place.x+k.At.X/n, m.place.y+k.At.Y/n
	}
	m.fill(c, day)
	return m, nil
}

func (m *MDRP) minutes(n float64) time.Duration { return time.Duration(n * float64(time.Minute)) }

// fill counts time from a minute before the first thing that happens.
func (m *MDRP) fill(c MDRPConfig, day *mdrp.Instance) {
	first := math.MaxInt
	for _, o := range day.Orders {
		first = min(first, o.Placed)
	}
	for _, d := range day.Couriers {
		first = min(first, d.On)
	}
	first--
	since := func(minute int) time.Duration { return m.minutes(float64(minute - first)) }
	for _, d := range day.Couriers {
		m.couriers = append(m.couriers, Courier{
			Name: "Courier " + number(d.ID), Vehicle: c.Vehicle, Capacity: c.Capacity,
			At: m.place.point(d.At.X, d.At.Y), From: since(d.On), To: since(d.Off),
		})
	}
	for _, o := range day.Orders {
		k := day.Restaurants[o.Restaurant]
		kitchen := "Restaurant " + number(k.ID)
		m.orders = append(m.orders, Order{
			At: since(o.Placed), Name: o.ID,
			Pickup:  Door{Point: m.place.point(k.At.X, k.At.Y), Address: kitchen, Name: kitchen},
			Dropoff: Door{Point: m.place.point(o.At.X, o.At.Y), Address: "Home of order " + number(o.ID)},
			Ready:   since(o.Ready), DeliverBy: since(o.Placed) + m.minutes(day.Target), Size: 1, Floor: m.minutes(day.Floor(o)),
		})
	}
	slices.SortStableFunc(m.orders, func(a, b Order) int { return int(a.At - b.At) })
}

// number is an id less its letter, as of r12.
func number(id string) string { return strings.TrimLeft(id, "abcdefghijklmnopqrstuvwxyz") }

// travel is in whole minutes, rounded up. Places come back from the map a
// hair off.
func (m *MDRP) travel(metres float64) time.Duration {
	return m.minutes(math.Ceil(metres/m.speed - 1e-6))
}

// Speed is how fast couriers travel, in m/s as the crow flies.
func (m *MDRP) Speed() float64 { return m.speed / 60 }

// Couriers implements Source.
func (m *MDRP) Couriers() []Courier { return m.couriers }

// Next implements Source.
func (m *MDRP) Next() (Order, bool) {
	if m.next == len(m.orders) {
		return Order{}, false
	}
	m.next++
	return m.orders[m.next-1], true
}

// Leg implements Source.
func (m *MDRP) Leg(from, to geo.Point, _ geo.Vehicle) Leg {
	ax, ay := m.place.metres(from)
	bx, by := m.place.metres(to)
	return Leg{Path: []geo.Point{from, to}, Time: m.travel(math.Hypot(bx-ax, by-ay))}
}

// Service implements Source.
func (m *MDRP) Service(kind string) Service {
	if s, ok := m.service[kind]; ok {
		return s
	}
	return m.service["pickup"]
}

// Roam implements Source: couriers wait where they finish.
func (m *MDRP) Roam(geo.Point, float64) (geo.Point, bool) { return geo.Point{}, false }

// Undelivered implements Source.
func (m *MDRP) Undelivered() time.Duration { return 150 * time.Minute }
