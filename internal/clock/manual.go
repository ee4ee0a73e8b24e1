package clock

import (
	"sync"
	"time"
)

// Manual is a clock for tests: it stands still until it is moved. Its
// tickers and timers never fire.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// NewManual is a clock that stands at a time.
func NewManual(now time.Time) *Manual { return &Manual{now: now.UTC()} }

// Now implements Clock.
func (c *Manual) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock on.
func (c *Manual) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Rate implements Clock.
func (c *Manual) Rate() float64 { return 1 }

// Ticker implements Clock.
func (c *Manual) Ticker(time.Duration) *time.Ticker {
	t := time.NewTicker(time.Hour)
	t.Stop()
	return t
}

// Timer implements Clock.
func (c *Manual) Timer(time.Duration) *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}
