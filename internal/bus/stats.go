package bus

import "sync/atomic"

// Meter tells a bus's figures.
type Meter interface {
	Stats() Stats // at any time
}

// Stats are figures since the start; what one kind of bus cannot suffer
// stays 0.
type Stats struct {
	Connected   bool   // events go out and come in now
	Published   uint64 // messages taken
	Failed      uint64 // calls of Publish that failed
	Refused     uint64 // messages that the broker did not confirm
	Returned    uint64 // messages that came back: exchanges were not as declared
	Reconnects  uint64 // connections made again
	Blocked     uint64 // alarms under which the broker took nothing
	Delivered   uint64 // messages put before subscriptions
	Lost        uint64 // times that a subscription was told of a loss
	WorkDone    uint64 // messages whose effect is kept
	WorkFailed  uint64 // tries that failed
	WorkParked  uint64 // messages parked by this process
	WorkWaiting int    // messages in this process's queues, on the broker, some seconds ago
	ParkedDepth int    // messages parked by all, on the broker, some seconds ago
}

// Counters are the counting part of Stats, for whoever implements a bus.
type Counters struct {
	Published, Failed, Refused, Returned, Reconnects, Blocked atomic.Uint64
	Delivered, Lost, WorkDone, WorkFailed, WorkParked         atomic.Uint64
}

// Stats reads them.
func (c *Counters) Stats() Stats {
	return Stats{
		Published: c.Published.Load(), Failed: c.Failed.Load(), Refused: c.Refused.Load(), Returned: c.Returned.Load(),
		Reconnects: c.Reconnects.Load(), Blocked: c.Blocked.Load(), Delivered: c.Delivered.Load(), Lost: c.Lost.Load(),
		WorkDone: c.WorkDone.Load(), WorkFailed: c.WorkFailed.Load(), WorkParked: c.WorkParked.Load(),
	}
}
