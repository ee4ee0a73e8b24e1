package tracking

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"time"

	"courier/internal/follow"
)

// Config sets a Tracker. A zero field takes its default. Durations are of the
// injected clock, which may run faster than real time, unless said otherwise.
type Config struct {
	Accuracy   float64       // metres; a fix less accurate is rejected; default 200
	Ahead      time.Duration // how far in the future a fix may be; default 60 s
	Age        time.Duration // how old a fix may be; default 24 h
	Speed      float64       // m/s; a fix that implies more is a jump; default 70
	Jumps      int           // so many jumps in a row that agree are the truth; default 3
	StaleAfter time.Duration // a courier not heard of for so long is stale; default 60 s

	FenceAccuracy float64 // metres; a fix less accurate enters no fence; default 100

	FlushEvery  time.Duration // between two updates of index and feed, by the clock if that is fast; default 100 ms
	TrailEvery  time.Duration // real time between two writes of trails; default 10 s
	TrailChunk  int           // so many fixes of a courier are written at once; default 100
	TrailBuffer int           // fixes that may wait while the store fails; default 1,000,000
	DrainWithin time.Duration // real time that Run takes at most to drain; default 5 s

	// Stale, if set, is told which couriers have just gone stale. It is
	// called from Run and must not block.
	Stale func(couriers []string)
	// Follow continues the spans of fixes; nil: none is followed.
	Follow *follow.Follower
}

func (c Config) withDefaults() Config {
	c.Accuracy = cmp.Or(c.Accuracy, 200)
	c.Ahead = cmp.Or(c.Ahead, time.Minute)
	c.Age = cmp.Or(c.Age, 24*time.Hour)
	c.Speed = cmp.Or(c.Speed, 70)
	c.Jumps = cmp.Or(c.Jumps, 3)
	c.StaleAfter = cmp.Or(c.StaleAfter, time.Minute)
	c.FenceAccuracy = cmp.Or(c.FenceAccuracy, 100)
	c.FlushEvery = cmp.Or(c.FlushEvery, 100*time.Millisecond)
	c.TrailEvery = cmp.Or(c.TrailEvery, 10*time.Second)
	c.TrailChunk = cmp.Or(c.TrailChunk, 100)
	c.TrailBuffer = cmp.Or(c.TrailBuffer, 1_000_000)
	c.DrainWithin = cmp.Or(c.DrainWithin, 5*time.Second)
	if c.Stale == nil {
		c.Stale = func([]string) {}
	}
	return c
}

func (c Config) validate() error {
	return errors.Join(
		positive("Accuracy", c.Accuracy),
		positive("Ahead", c.Ahead),
		positive("Age", c.Age),
		positive("Speed", c.Speed),
		positive("Jumps", c.Jumps),
		positive("StaleAfter", c.StaleAfter),
		positive("FenceAccuracy", c.FenceAccuracy),
		positive("FlushEvery", c.FlushEvery),
		positive("TrailEvery", c.TrailEvery),
		positive("TrailChunk", c.TrailChunk),
		positive("TrailBuffer", c.TrailBuffer),
		positive("DrainWithin", c.DrainWithin))
}

func positive[T int | float64 | time.Duration](name string, v T) error {
	if !(v > 0) || math.IsInf(float64(v), 0) {
		return fmt.Errorf("%s: %v is not over 0", name, v)
	}
	return nil
}

func given(name string, is bool) error {
	if !is {
		return fmt.Errorf("%s: missing", name)
	}
	return nil
}
