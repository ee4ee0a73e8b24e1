package replay

import (
	"time"

	"courier/internal/mdrp"
)

// undelivered is what an order counts in avoidable minutes if nobody delivers
// it, and the most that one counts that is delivered.
const undelivered = 150

// Score is how well orders were served. Times are in minutes.
type Score struct {
	Name          string
	Orders        int
	Undelivered   int
	Late          float64 // percent of all orders
	ClickToDoor   float64 // mean over the delivered
	ReadyToPickup float64 // mean over the delivered
	Avoidable     float64 // click-to-door over the order's floor, mean over all orders
	Took          time.Duration
}

// UndeliveredPercent is of all orders.
func (s Score) UndeliveredPercent() float64 { return 100 * float64(s.Undelivered) / float64(s.Orders) }

func (s Solution) byOrder() map[string]mdrp.Order {
	out := make(map[string]mdrp.Order, len(s.Instance.Orders))
	for _, o := range s.Instance.Orders {
		out[o.ID] = o
	}
	return out
}

// Score works the figures out.
func (s Solution) Score() Score {
	in := s.Instance
	t := NewTally(in.Name, len(in.Orders))
	byID := s.byOrder()
	for _, task := range s.Tasks {
		for _, d := range task.Drops {
			o := byID[d.Order]
			click := float64(d.At - o.Placed)
			t.Delivered(click, in.Floor(o), float64(task.Pickup-o.Ready), click > in.Target)
		}
	}
	sc := t.Score()
	sc.Took = s.Took
	return sc
}

// Tally adds up a score, order by order.
type Tally struct {
	sum    Score
	onTime int
}

// NewTally counts so many orders as undelivered.
func NewTally(name string, orders int) *Tally {
	return &Tally{sum: Score{Name: name, Orders: orders, Undelivered: orders}}
}

// Delivered adds an order, in minutes: click-to-door, the least that it could
// have been, and ready-to-pickup.
func (t *Tally) Delivered(click, floor, waited float64, late bool) {
	t.sum.Undelivered--
	t.sum.ClickToDoor += click
	t.sum.ReadyToPickup += waited
	t.sum.Avoidable += min(undelivered, click-floor)
	if !late {
		t.onTime++
	}
}

// Score is that of the orders added.
func (t *Tally) Score() Score {
	s, n := t.sum, float64(t.sum.Orders)
	done := max(1, n-float64(s.Undelivered))
	s.Avoidable = (s.Avoidable + undelivered*float64(s.Undelivered)) / n
	s.ClickToDoor, s.ReadyToPickup, s.Late = s.ClickToDoor/done, s.ReadyToPickup/done, 100*(n-float64(t.onTime))/n
	return s
}
