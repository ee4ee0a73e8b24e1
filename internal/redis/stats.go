package redis

import (
	"sync/atomic"
	"time"
)

// CallStats counts since the start of the process.
type CallStats struct {
	Calls    uint64 // of whatever is asked of Redis
	Failures uint64 // of those
}

// callCounters are read by Stats.
type callCounters struct{ calls, failures atomic.Uint64 }

// done counts a call that ended with err, and returns err.
func (c *callCounters) done(err error) error {
	c.calls.Add(1)
	if err != nil {
		c.failures.Add(1)
	}
	return err
}

func (c *callCounters) stats() CallStats {
	return CallStats{Calls: c.calls.Load(), Failures: c.failures.Load()}
}

// FeedStats is what a Feed has done since its start.
type FeedStats struct {
	CallStats        // Publish
	Sent      uint64 // messages, one a region and flush; the empty ones too
	Received  uint64 // messages, this node's own too
	Broken    uint64 // connections that broke, or could not be made
	Channels  int    // wanted now
	// Away is for how long a channel that is wanted has not been heard; 0: all
	// are.
	Away time.Duration
}

// feedCounters are read by Stats.
type feedCounters struct {
	callCounters
	sent, received, broken atomic.Uint64
}

// Stats is a snapshot; its figures are not of one instant.
func (f *Feed) Stats() FeedStats {
	s := FeedStats{
		CallStats: f.count.stats(),
		Sent:      f.count.sent.Load(), Received: f.count.received.Load(), Broken: f.count.broken.Load(),
	}
	for _, l := range f.lanes {
		s.Channels += len(l.channels())
		s.Away = max(s.Away, l.away())
	}
	return s
}

// LimiterStats is what a Limiter has done since its start.
type LimiterStats struct {
	CallStats        // of Redis
	Alone     bool   // this node counts for itself: Redis does not answer
	Local     uint64 // answers that this node gave for itself
}

// Stats is a snapshot; its figures are not of one instant.
func (l *Limiter) Stats() LimiterStats {
	return LimiterStats{CallStats: l.count.stats(), Alone: time.Now().UnixNano() < l.until.Load(), Local: l.localAnswers.Load()}
}

// Stats is a snapshot; its figures are not of one instant.
func (x *Index) Stats() CallStats { return x.count.stats() }
