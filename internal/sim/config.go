// Package sim makes a city's day happen against a running server: couriers
// who drive, customers who order and watch, and a ledger of every promise.
// It speaks only the public protocol.
//
//	scenario ─► customers ─ place, track ─► server ◄─ fixes, stops ─ couriers ◄─ scenario
//	                  └────────► ledger ◄────────────────────┘
//	                               └► Check ─► Report
package sim

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"courier/geo"
	"courier/internal/sim/city"
	"courier/internal/sim/client"
	"courier/internal/sim/scenario"
)

// Config says what to simulate, and where. Durations are of the server's
// time unless they say otherwise. A zero field takes its default.
type Config struct {
	Server     string // base URL
	AdminToken string // a staff token that may make couriers and API keys
	Seed       uint64

	// The source: MDRP or Traces, if either is named, else the made city.
	MDRP         string        // a directory with one instance
	Traces       string        // a file of cab fixes
	TracesFrom   time.Duration // the window of it: where it starts
	TracesWindow time.Duration // and how long it is; 0: to the end
	Center       geo.Point     // of the made city or the instance; default 52.0, 4.3

	Couriers      int           // made city; default 40
	OrdersPerHour float64       // made city, the day's mean; default 2.5 a courier
	Flat          bool          // made city without rush hours
	DayFrom       time.Duration // made city: the hour of its day at the start; 0: the server's
	AtOnce        int           // made city: orders that wait at the start already
	Skills        []string      // made city: what some couriers can and some orders need
	Cities        int           // made cities that share the couriers and orders, 80 km from each other; default 1
	Capacity      int           // of each courier of an instance or trace; default 10 and 1

	Duration time.Duration // how long orders are placed; 0: until the source or ctx ends
	Grace    time.Duration // how long open orders may take after that; default 1 h

	DeclineShare float64 // of offers
	IgnoreShare  float64 // of offers, left to expire
	FailShare    float64 // of stops that fail
	CancelShare  float64 // of orders cancelled by their merchant
	FollowShare  float64 // of customers who watch; default 1. Those with a PIN always do
	RepeatShare  float64 // of orders that their merchant sends twice; half of them once more with other contents, which is to be refused
	SpyShare     float64 // of orders at which another merchant tries to look
	QuietShare   float64 // of couriers whose phone says nothing, for a quarter of an hour in each hour

	FixEvery time.Duration // default 5 s
	Noise    float64       // metres a fix is off, typically; default 3

	OpenFrom   string        // the status from which the server shows customers the courier; default picked_up
	StallAfter time.Duration // an order to which nothing has happened for so long counts as silent; default 15 min
	Lead       time.Duration // real time between hiring and the start of the day, for couriers to come on duty; default 2 s
	Settle     time.Duration // real time left for the last frames before the check; default 1 s
	CheckFor   time.Duration // real time the check may take; default 2 min
	LinkGrace  time.Duration // how long the server lets links outlive their order; 0: not checked
	StaleAfter time.Duration // the server gives no work to couriers silent for so long (I10); 0: not checked
	Staff      []string      // admins' tokens among whom what is asked of the server is shared, as one may not ask so often; default AdminToken
	Watch      Watch

	Log           *slog.Logger
	Progress      func(Figures) // called now and then
	ProgressEvery time.Duration // real time; default 5 s
}

func (c Config) withDefaults() Config {
	if c.Center == (geo.Point{}) {
		c.Center = geo.Point{Lat: 52.0, Lng: 4.3}
	}
	fill(&c.Couriers, 40)
	fill(&c.OrdersPerHour, 2.5*float64(c.Couriers))
	fill(&c.Grace, time.Hour)
	fill(&c.FollowShare, 1)
	fill(&c.FixEvery, 5*time.Second)
	fill(&c.Noise, 3)
	fill(&c.OpenFrom, "picked_up")
	fill(&c.StallAfter, 15*time.Minute)
	fill(&c.Lead, 2*time.Second)
	fill(&c.Settle, time.Second)
	fill(&c.Cities, 1)
	fill(&c.CheckFor, 2*time.Minute)
	fill(&c.ProgressEvery, 5*time.Second)
	if len(c.Staff) == 0 {
		c.Staff = []string{c.AdminToken}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// validate reports every wrong field. It runs after withDefaults.
func (c Config) validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.AdminToken == "" {
		wrong("AdminToken: missing")
	}
	if c.MDRP != "" && c.Traces != "" {
		wrong("MDRP, Traces: only one of them")
	}
	if err := c.Center.Validate(); err != nil {
		wrong("Center: %w", err)
	}
	if c.Couriers < 0 {
		wrong("Couriers: %d is under 0", c.Couriers)
	}
	if c.Cities < 1 || c.Cities > 20 {
		wrong("Cities: %d is not between 1 and 20", c.Cities)
	}
	if c.Capacity < 0 {
		wrong("Capacity: %d is under 0", c.Capacity)
	}
	if !(c.OrdersPerHour >= 0) || math.IsInf(c.OrdersPerHour, 0) {
		wrong("OrdersPerHour: %v is no rate", c.OrdersPerHour)
	}
	if !(c.Noise >= 0) || c.Noise > 1000 {
		wrong("Noise: %v is not between 0 and 1000", c.Noise)
	}
	for name, d := range map[string]time.Duration{
		"TracesFrom": c.TracesFrom, "TracesWindow": c.TracesWindow, "Duration": c.Duration, "Grace": c.Grace,
		"FixEvery": c.FixEvery, "StallAfter": c.StallAfter, "Lead": c.Lead, "Settle": c.Settle, "CheckFor": c.CheckFor, "ProgressEvery": c.ProgressEvery,
		"StaleAfter": c.StaleAfter,
	} {
		if d < 0 {
			wrong("%s: %v is under 0", name, d)
		}
	}
	for name, share := range map[string]float64{
		"DeclineShare": c.DeclineShare, "IgnoreShare": c.IgnoreShare, "FailShare": c.FailShare,
		"CancelShare": c.CancelShare, "FollowShare": c.FollowShare,
		"RepeatShare": c.RepeatShare, "SpyShare": c.SpyShare, "QuietShare": c.QuietShare,
	} {
		if !(share >= 0 && share <= 1) {
			wrong("%s: %v is not between 0 and 1", name, share)
		}
	}
	if c.DeclineShare+c.IgnoreShare > 1 {
		wrong("DeclineShare, IgnoreShare: together over 1")
	}
	if _, err := client.New(client.Config{Server: c.Server}); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// source reads or makes what is simulated.
func (c Config) source(start time.Time) (scenario.Source, error) {
	switch {
	case c.MDRP != "":
		return scenario.NewMDRP(scenario.MDRPConfig{Dir: c.MDRP, Center: c.Center, Capacity: c.Capacity})
	case c.Traces != "":
		return scenario.NewTraces(scenario.TracesConfig{File: c.Traces, From: c.TracesFrom, Window: c.TracesWindow, Capacity: c.Capacity})
	}
	parts, centers := make([]scenario.Source, c.Cities), make([]geo.Point, c.Cities)
	for i := range parts {
		var err error
		centers[i] = geo.Point{Lat: c.Center.Lat, Lng: c.Center.Lng}.Offset(float64(i)*cityEvery, 0)
		if parts[i], err = c.city(i, centers[i], start); err != nil {
			return nil, err
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return scenario.NewCities(parts, centers)
}

// cityEvery is how far the made cities are from each other, in metres.
const cityEvery = 80_000

// city makes one of the made cities, with its share of couriers and orders.
func (c Config) city(i int, center geo.Point, start time.Time) (scenario.Source, error) {
	seed := c.Seed + uint64(i)*7919 //nolint:gosec // not under 0
	made, err := city.New(city.Config{Seed: seed, Center: center})
	if err != nil {
		return nil, err
	}
	share := func(n int) int { return n/c.Cities + min(1, max(0, n%c.Cities-i)) }
	return scenario.NewCity(scenario.CityConfig{
		City: made, Seed: seed, Couriers: share(c.Couriers), OrdersPerHour: c.OrdersPerHour / float64(c.Cities), Flat: c.Flat,
		Start: start, DayFrom: c.DayFrom, AtOnce: share(c.AtOnce), Duration: c.Duration, Skills: c.Skills,
	})
}

// Watch is told what people live through, as it happens and from many
// goroutines. Any of it may be nil. Times are real ones, but where it says so.
type Watch struct {
	Placing func(number int, began time.Time)
	Placed  func(number int, began time.Time) // and it is acknowledged now
	// Shown: a status reached its customer; happened is in the server's time.
	Shown func(status string, happened time.Time)
}
