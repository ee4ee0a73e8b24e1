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
	sc := Score{Name: in.Name, Orders: len(in.Orders), Undelivered: len(in.Orders), Took: s.Took}
	byID, late := s.byOrder(), len(in.Orders)
	for _, t := range s.Tasks {
		for _, d := range t.Drops {
			o := byID[d.Order]
			click := float64(d.At - o.Placed)
			sc.Undelivered--
			if click <= in.Target {
				late--
			}
			sc.ClickToDoor += click
			sc.ReadyToPickup += float64(t.Pickup - o.Ready)
			sc.Avoidable += min(undelivered, click-in.Floor(o))
		}
	}
	n := float64(sc.Orders)
	done := max(1, n-float64(sc.Undelivered))
	sc.Avoidable = (sc.Avoidable + undelivered*float64(sc.Undelivered)) / n
	sc.ClickToDoor, sc.ReadyToPickup, sc.Late = sc.ClickToDoor/done, sc.ReadyToPickup/done, 100*float64(late)/n
	return sc
}
