package scenario

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"courier/geo"
	"courier/internal/sim/city"
)

// CityConfig sets the made city's day.
type CityConfig struct {
	City          *city.City
	Seed          uint64
	Couriers      int
	OrdersPerHour float64       // the mean over a day, or throughout if Flat
	Flat          bool          // no peaks
	Start         time.Time     // the server's time at the start: which hour of the day it is
	DayFrom       time.Duration // the hour of the city's day at the start, where that is not the server's; 0: it is
	AtOnce        int           // orders that wait at the start already
	Duration      time.Duration
	Skills        []string // cold boxes and the like that some couriers have and some orders need
}

// City is the made city's day.
type City struct {
	c        CityConfig
	rng      *rand.Rand
	couriers []Courier
	hour     func(time.Duration) float64 // local hour of the day
	at       time.Duration
	made     int
	customer func() string
}

// NewCity reports every wrong field.
func NewCity(c CityConfig) (*City, error) {
	var errs []error
	if c.City == nil {
		errs = append(errs, errors.New("City: missing"))
	}
	if c.Couriers < 0 {
		errs = append(errs, fmt.Errorf("Couriers: %d is under 0", c.Couriers))
	}
	if !(c.OrdersPerHour >= 0) || math.IsInf(c.OrdersPerHour, 0) {
		errs = append(errs, fmt.Errorf("OrdersPerHour: %v is no rate", c.OrdersPerHour))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s := &City{c: c, rng: rand.New(rand.NewPCG(c.Seed, 0xda1)), customer: people(rand.New(rand.NewPCG(c.Seed, 0xbeef)))}
	sun := time.Duration(c.City.Center().Lng / 15 * float64(time.Hour)) // local time by the sun
	s.hour = func(d time.Duration) float64 {
		t := c.Start.Add(d + sun).UTC()
		if c.DayFrom != 0 {
			t = time.Time{}.Add(c.DayFrom + d)
		}
		return float64(t.Hour()) + float64(t.Minute())/60
	}
	s.hire()
	return s, nil
}

func (s *City) hire() {
	names := people(rand.New(rand.NewPCG(s.c.Seed, 0xfee7)))
	kinds := []struct {
		vehicle  geo.Vehicle
		capacity int
		share    float64
	}{{geo.Bicycle, 3, 0.5}, {geo.Scooter, 4, 0.3}, {geo.Car, 6, 0.15}, {geo.Foot, 2, 0.05}}
	for range s.c.Couriers {
		kind, dice := kinds[0], s.rng.Float64()
		for _, k := range kinds {
			if kind = k; dice < k.share {
				break
			}
			dice -= k.share
		}
		c := Courier{Name: names(), Vehicle: kind.vehicle, Capacity: kind.capacity, At: s.kitchen().Point, From: seconds(s.rng.Float64() * 20)}
		for _, skill := range s.c.Skills {
			if s.rng.Float64() < 0.4 {
				c.Skills = append(c.Skills, skill)
			}
		}
		s.couriers = append(s.couriers, c)
	}
}

func (s *City) kitchen() city.Place {
	return s.c.City.Restaurants[s.rng.IntN(len(s.c.City.Restaurants))]
}

// Couriers implements Source.
func (s *City) Couriers() []Courier { return s.couriers }

// Rhythm is how busy an hour of the day is: about 1 on average, with peaks
// at lunch and dinner.
func Rhythm(hour float64) float64 {
	bell := func(at, width float64) float64 { return math.Exp(-(hour - at) * (hour - at) / (2 * width * width)) }
	return 0.25 + 1.9*bell(12.6, 1.1) + 2.6*bell(19.2, 1.6) + 0.35*bell(15.5, 2)
}

const maxRhythm = 2.9

// Next implements Source: a Poisson process, thinned to the rhythm.
func (s *City) Next() (Order, bool) {
	if s.made < s.c.AtOnce {
		return s.order(), true
	}
	if s.c.OrdersPerHour == 0 {
		return Order{}, false
	}
	peak := s.c.OrdersPerHour
	if !s.c.Flat {
		peak *= maxRhythm
	}
	for {
		s.at += seconds(s.rng.ExpFloat64() * 3600 / peak)
		if s.c.Duration > 0 && s.at >= s.c.Duration {
			return Order{}, false
		}
		if s.c.Flat || s.rng.Float64()*maxRhythm < Rhythm(s.hour(s.at)) {
			return s.order(), true
		}
	}
}

func (s *City) order() Order {
	s.made++
	from := s.kitchen()
	to := s.c.City.Homes[s.rng.IntN(len(s.c.City.Homes))]
	for range 8 { // people order from near by, mostly
		if geo.Distance(from.Point, to.Point) < 2600 {
			break
		}
		to = s.c.City.Homes[s.rng.IntN(len(s.c.City.Homes))]
	}
	o := Order{
		At: s.at, Name: fmt.Sprintf("A-%d", s.made),
		Pickup:  Door{Point: from.Point, Address: from.Address, Name: from.Name, Phone: phone(s.rng)},
		Dropoff: Door{Point: to.Point, Address: to.Address, Name: s.customer(), Phone: phone(s.rng)},
		Ready:   s.at + time.Duration(6+s.rng.IntN(13))*time.Minute,
		Size:    1, Items: meal(s.rng), PIN: s.rng.Float64() < 0.2,
	}
	if s.rng.Float64() < 0.15 {
		o.Size = 2
	}
	if s.rng.Float64() < 0.1 {
		o.DeliverBy = o.Ready + 40*time.Minute
	}
	if s.rng.Float64() < 0.15 {
		o.Dropoff.Note = []string{"ring twice", "third floor", "leave it at the door", "blue door"}[s.rng.IntN(4)]
	}
	if len(s.c.Skills) > 0 && s.rng.Float64() < 0.05 {
		o.Skills = []string{s.c.Skills[s.rng.IntN(len(s.c.Skills))]}
	}
	return o
}

// Leg implements Source: along the streets.
func (s *City) Leg(from, to geo.Point, by geo.Vehicle) Leg {
	speed := map[geo.Vehicle]float64{geo.Foot: 1.5, geo.Bicycle: 4.6, geo.Scooter: 7.4, geo.Car: 7.6, geo.Van: 6.8}[by]
	l := Leg{Path: s.c.City.Route(from, to)}
	l.Time = seconds(l.Length() / speed)
	return l
}

// Service implements Source.
func (s *City) Service(kind string) Service {
	if kind == "pickup" {
		return Service{Before: 40 * time.Second, After: 30 * time.Second}
	}
	return Service{Before: 45 * time.Second, After: 25 * time.Second}
}

// Roam implements Source: idle couriers drift to a kitchen near by.
func (s *City) Roam(from geo.Point, pick float64) (geo.Point, bool) {
	var near []geo.Point
	for _, r := range s.c.City.Restaurants {
		if d := geo.Distance(from, r.Point); d > 60 && d < 900 {
			near = append(near, r.Point)
		}
	}
	if len(near) == 0 {
		return geo.Point{}, false
	}
	return near[int(pick*float64(len(near)))], true
}

// Undelivered implements Source.
func (s *City) Undelivered() time.Duration { return 0 }
