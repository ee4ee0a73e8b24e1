// Package clock is where time comes from. Domain code takes a Clock; a
// scaled one lets a whole day pass in minutes with every deadline kept.
package clock

import "time"

// Clock tells the time and waits in it.
type Clock interface {
	// Now is the clock's time, in UTC.
	Now() time.Time
	// Rate is how many of its seconds pass in a real one.
	Rate() float64
	// Ticker ticks every d of its time, never faster than once a real
	// millisecond.
	Ticker(d time.Duration) *time.Ticker
	// Timer fires once after d of its time.
	Timer(d time.Duration) *time.Timer
}

type scaled struct {
	origin time.Time
	rate   float64
}

// New is a clock that agrees with the real one at origin and runs rate times
// as fast; at rate 1 it is the real one. Rate must be over 0. Processes given
// the same origin and rate agree, also after a restart.
func New(origin time.Time, rate float64) Clock { return scaled{origin: origin, rate: rate} }

func (c scaled) Now() time.Time {
	if c.rate == 1 {
		return time.Now().UTC()
	}
	return c.origin.Add(time.Duration(float64(time.Since(c.origin)) * c.rate)).UTC().Round(0)
}

func (c scaled) Rate() float64 { return c.rate }

func (c scaled) Ticker(d time.Duration) *time.Ticker { return time.NewTicker(c.real(d)) }

func (c scaled) Timer(d time.Duration) *time.Timer {
	return time.NewTimer(time.Duration(float64(d) / c.rate))
}

func (c scaled) real(d time.Duration) time.Duration {
	return max(time.Duration(float64(d)/c.rate), time.Millisecond)
}
