package geo

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Vehicle is how a courier moves.
type Vehicle string

// The vehicles Courier knows.
const (
	Foot    Vehicle = "foot"
	Bicycle Vehicle = "bicycle"
	Scooter Vehicle = "scooter"
	Car     Vehicle = "car"
	Van     Vehicle = "van"
)

// Vehicles lists them all, slowest first.
func Vehicles() []Vehicle { return []Vehicle{Foot, Bicycle, Scooter, Car, Van} }

// Valid says whether v is one of Vehicles.
func (v Vehicle) Valid() bool {
	switch v {
	case Foot, Bicycle, Scooter, Car, Van:
		return true
	}
	return false
}

// Router estimates travel. Implementations are safe for concurrent use and
// answer from memory or within a bound of their own.
type Router interface {
	// Travel is the time from one point to another.
	Travel(from, to Point, by Vehicle) time.Duration
}

// StraightLine estimates travel as the great-circle distance, stretched by a
// detour factor, at one mean speed a vehicle.
type StraightLine struct {
	speeds map[Vehicle]float64
	detour float64
	step   time.Duration
}

// StraightLineConfig sets the figures; a zero field takes its default.
type StraightLineConfig struct {
	Detour float64             // road distance over straight distance, at least 1; default 1.3
	Speeds map[Vehicle]float64 // m/s, over 0; default walking 1.4, bicycle 4.2, scooter 6.9, car 6.9, van 6.1
	Step   time.Duration       // times are whole steps, rounded up from a thousandth of one; default none
}

// NewStraightLine checks the figures and reports every wrong one.
func NewStraightLine(c StraightLineConfig) (*StraightLine, error) {
	r := &StraightLine{detour: 1.3, speeds: map[Vehicle]float64{Foot: 1.4, Bicycle: 4.2, Scooter: 6.9, Car: 6.9, Van: 6.1}}
	var errs []error
	if r.step = c.Step; c.Step < 0 {
		errs = append(errs, fmt.Errorf("Step: %v is under 0", c.Step))
	}
	if c.Detour != 0 {
		r.detour = c.Detour
	}
	if !(r.detour >= 1 && r.detour <= math.MaxFloat32) {
		errs = append(errs, fmt.Errorf("Detour: %v is no finite factor from 1", c.Detour))
	}
	for v, s := range c.Speeds {
		if !v.Valid() || !(s > 0 && s <= math.MaxFloat32) {
			errs = append(errs, fmt.Errorf("Speeds: %s at %v m/s", v, s))
		}
		r.speeds[v] = s
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("straight-line router: %w", err)
	}
	return r, nil
}

// Travel implements Router. What is no vehicle walks.
func (r *StraightLine) Travel(from, to Point, by Vehicle) time.Duration {
	speed, ok := r.speeds[by]
	if !ok {
		speed = r.speeds[Foot]
	}
	t := time.Duration(Distance(from, to) * r.detour / speed * float64(time.Second))
	if r.step == 0 {
		return t
	}
	return (t + r.step - r.step/1000 - 1) / r.step * r.step
}
