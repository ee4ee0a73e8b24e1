package sim

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"courier/internal/sim/client"
)

// Figures are the state of the simulation at a moment.
type Figures struct {
	Now        time.Time `json:"now"` // the server's time
	Rate       float64   `json:"rate"`
	Couriers   int       `json:"couriers"` // connected
	OnDuty     int       `json:"on_duty"`
	Placed     int       `json:"placed"`
	Delivered  int       `json:"delivered"` // as their customers saw it
	Failed     int       `json:"failed"`
	Cancelled  int       `json:"cancelled"`
	Watching   int       `json:"watching"` // customers with an open page
	PagesUp    int       `json:"pages_up"` // of them connected
	Fixes      int       `json:"fixes"`
	Positions  int       `json:"positions"` // shown to customers
	Reconnects int       `json:"reconnects"`
}

func (f Figures) String() string {
	return fmt.Sprintf("%s  couriers %d  placed %d  delivered %d  failed %d  cancelled %d  watching %d  fixes %d  reconnects %d",
		f.Now.Format("15:04:05"), f.Couriers, f.Placed, f.Delivered, f.Failed, f.Cancelled, f.Watching, f.Fixes, f.Reconnects)
}

// counters are added to from everywhere.
type counters struct {
	online, placed, watching, pagesUp, fixes, positions atomic.Int64
	reconnects, pagesLost                               atomic.Int64
	delivered, failed, cancelled                        atomic.Int64

	mu            sync.Mutex
	accepted      int
	late          int
	rejected      map[string]int
	refusals      map[string]int // refused actions, by type and code
	ordersRefused map[string]int
	onDuty        map[string]bool
}

func newCounters() *counters {
	return &counters{rejected: map[string]int{}, refusals: map[string]int{}, ordersRefused: map[string]int{}, onDuty: map[string]bool{}}
}

func (c *counters) fixesAcked(a client.Ack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !a.OK {
		c.rejected["frame_"+a.Code] += len(a.Action.Fixes)
		return
	}
	c.accepted += a.Accepted
	c.late += a.Late
	for reason, n := range a.Rejected {
		c.rejected[reason] += n
	}
}

func (c *counters) refused(action, code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusals[action+" "+code]++
}

func (c *counters) orderRefused(code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ordersRefused[code]++
}

func (c *counters) duty(courier, duty string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if duty == "available" {
		c.onDuty[courier] = true
	} else {
		delete(c.onDuty, courier)
	}
}

// moved counts an order that a customer saw end. A failed one may be
// returned after: it has been counted.
func (c *counters) moved(from, to string) {
	switch to {
	case "delivered":
		c.delivered.Add(1)
	case "failed":
		c.failed.Add(1)
	case "returned":
		if from != "failed" {
			c.failed.Add(1)
		}
	case "cancelled":
		c.cancelled.Add(1)
	}
}

// Figures may be called from any goroutine while Run runs.
func (s *Sim) Figures() Figures {
	c := s.figures
	f := Figures{
		Couriers: int(c.online.Load()), Placed: int(c.placed.Load()), Delivered: int(c.delivered.Load()),
		Failed: int(c.failed.Load()), Cancelled: int(c.cancelled.Load()), Watching: int(c.watching.Load()), PagesUp: int(c.pagesUp.Load()),
		Fixes: int(c.fixes.Load()), Positions: int(c.positions.Load()), Reconnects: int(c.reconnects.Load() + c.pagesLost.Load()),
	}
	if s.clock.now.Load() != nil {
		f.Now, f.Rate = s.clock.Now(), s.clock.Rate()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f.OnDuty = len(c.onDuty)
	return f
}
