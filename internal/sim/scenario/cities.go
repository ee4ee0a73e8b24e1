package scenario

import (
	"errors"
	"time"

	"courier/geo"
)

// Cities are several cities' days at once: so far apart that each has its own
// couriers, and that they may be matched by different nodes.
type Cities struct {
	parts   []Source
	centers []geo.Point
	next    []Order // of each part; its own when has
	has     []bool
	drained []bool
}

// NewCities merges sources, each around its center.
func NewCities(parts []Source, centers []geo.Point) (*Cities, error) {
	if len(parts) == 0 || len(parts) != len(centers) {
		return nil, errors.New("as many centers are needed as cities, one at least")
	}
	n := len(parts)
	return &Cities{parts, centers, make([]Order, n), make([]bool, n), make([]bool, n)}, nil
}

// Couriers implements Source.
func (s *Cities) Couriers() []Courier {
	var all []Courier
	for i := range s.parts {
		all = append(all, s.parts[i].Couriers()...)
	}
	return all
}

// Next implements Source.
func (s *Cities) Next() (Order, bool) {
	first := -1
	for i, part := range s.parts {
		if !s.has[i] && !s.drained[i] {
			s.next[i], s.has[i] = part.Next()
			s.drained[i] = !s.has[i]
		}
		if s.has[i] && (first < 0 || s.next[i].At < s.next[first].At) {
			first = i
		}
	}
	if first < 0 {
		return Order{}, false
	}
	s.has[first] = false
	o := s.next[first]
	o.Name = string(rune('A'+first%26)) + o.Name
	return o, true
}

func (s *Cities) at(p geo.Point) Source {
	best := 0
	for i, c := range s.centers {
		if geo.Distance(p, c) < geo.Distance(p, s.centers[best]) {
			best = i
		}
	}
	return s.parts[best]
}

// Leg implements Source.
func (s *Cities) Leg(from, to geo.Point, by geo.Vehicle) Leg { return s.at(from).Leg(from, to, by) }

// Service implements Source.
func (s *Cities) Service(kind string) Service { return s.parts[0].Service(kind) }

// Roam implements Source.
func (s *Cities) Roam(from geo.Point, pick float64) (geo.Point, bool) {
	return s.at(from).Roam(from, pick)
}

// Undelivered implements Source.
func (s *Cities) Undelivered() time.Duration { return s.parts[0].Undelivered() }
