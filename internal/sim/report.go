package sim

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"courier/internal/sim/client"
	"courier/internal/sim/ledger"
)

// Report is what came of it. Minutes are of the server's time.
type Report struct {
	Orders     OrderReport        `json:"orders"`
	Times      TimeReport         `json:"times"`
	Fixes      FixReport          `json:"fixes"`
	Reconnects int                `json:"reconnects"`
	Positions  int                `json:"positions"` // shown to customers
	Refusals   map[string]int     `json:"refusals"`  // of actions, by type and code
	Checked    bool               `json:"checked"`   // the ledger was compared with the server
	Violations []ledger.Violation `json:"violations"`
}

// OrderReport counts orders.
type OrderReport struct {
	Placed             int            `json:"placed"` // acknowledged
	Delivered          int            `json:"delivered"`
	Failed             int            `json:"failed"` // returned ones too
	FailedWhy          map[string]int `json:"failed_why"`
	Cancelled          int            `json:"cancelled"`
	Open               int            `json:"open"`
	OpenAs             map[string]int `json:"open_as"`
	Refused            map[string]int `json:"refused"` // never acknowledged
	UndeliveredPercent float64        `json:"undelivered_percent"`
	LatePercent        float64        `json:"late_percent"` // over 40 minutes, or past deliver_by
}

// TimeReport is about delivered orders, in minutes.
type TimeReport struct {
	ClickToDoor   Spread   `json:"click_to_door"`
	ReadyToPickup Spread   `json:"ready_to_pickup"`
	Avoidable     *float64 `json:"avoidable,omitempty"` // over the floor, mean; where the source knows the floor
}

// Spread is a distribution.
type Spread struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
}

// FixReport counts positions.
type FixReport struct {
	Sent     int            `json:"sent"`
	Accepted int            `json:"accepted"` // late ones too
	Late     int            `json:"late"`
	Rejected map[string]int `json:"rejected"`
}

// Clean says whether the server kept all its promises.
func (r Report) Clean() bool { return r.Checked && len(r.Violations) == 0 }

// How long a customer without a promise may wait.
const patience = 40 * time.Minute

func (s *Sim) report(f ledger.Facts, violations []ledger.Violation) Report {
	c := s.figures
	c.mu.Lock()
	r := Report{
		Fixes:      FixReport{int(c.fixes.Load()), c.accepted, c.late, maps.Clone(c.rejected)},
		Reconnects: int(c.reconnects.Load() + c.pagesLost.Load()), Positions: int(c.positions.Load()),
		Refusals: maps.Clone(c.refusals), Violations: violations,
		Orders: OrderReport{Refused: maps.Clone(c.ordersRefused), FailedWhy: map[string]int{}, OpenAs: map[string]int{}},
	}
	c.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Orders.Placed = len(s.placed)
	var door, wait, over []float64
	late := 0
	for id, o := range s.placed {
		order := f.Orders[id]
		r.Orders.count(order)
		took, delivered := clickToDoor(order)
		if delivered {
			door = append(door, took.Minutes())
			if at := order.Times["picked_up"]; !at.IsZero() && !order.ReadyAt.IsZero() {
				wait = append(wait, at.Sub(order.ReadyAt).Minutes())
			}
		}
		if isLate(order, f.Now) {
			late++
		}
		if o.Floor > 0 {
			most := s.source.Undelivered()
			avoidable := most
			if delivered {
				avoidable = min(took-o.Floor, most)
			}
			over = append(over, avoidable.Minutes())
		}
	}
	if n := r.Orders.Placed; n > 0 {
		r.Orders.UndeliveredPercent = 100 * float64(n-r.Orders.Delivered) / float64(n)
		if n -= r.Orders.Cancelled; n > 0 {
			r.Orders.LatePercent = 100 * float64(late) / float64(n)
		}
	}
	r.Times = TimeReport{ClickToDoor: spread(door), ReadyToPickup: spread(wait)}
	if len(over) > 0 {
		mean := spread(over).Mean
		r.Times.Avoidable = &mean
	}
	return r
}

func (r *OrderReport) count(o client.Order) {
	switch o.Status {
	case "delivered":
		r.Delivered++
	case "failed", "returned":
		r.Failed++
		r.FailedWhy[cmp.Or(o.Reason, "unknown")]++
	case "cancelled":
		r.Cancelled++
	default:
		r.Open++
		r.OpenAs[cmp.Or(o.Status, "unknown")]++
	}
}

func clickToDoor(o client.Order) (time.Duration, bool) {
	placed, delivered := o.Times["placed"], o.Times["delivered"]
	return delivered.Sub(placed), o.Status == "delivered" && !placed.IsZero() && !delivered.IsZero()
}

func isLate(o client.Order, now time.Time) bool {
	if o.Status == "cancelled" || o.ID == "" {
		return false
	}
	by := o.Times["placed"].Add(patience)
	if !o.DeliverBy.IsZero() {
		by = o.DeliverBy
	}
	if o.Status == "delivered" {
		return o.Times["delivered"].After(by)
	}
	return o.Over() || now.After(by)
}

// spread sorts in place. A percentile is the smallest value that so many
// percent are not over (nearest rank).
func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	slices.Sort(values)
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	rank := func(p float64) float64 {
		return values[max(0, int(math.Ceil(p/100*float64(len(values))))-1)]
	}
	return Spread{Mean: sum / float64(len(values)), P50: rank(50), P90: rank(90), P99: rank(99)}
}

// WriteText writes the report as a table for people.
func (r Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	o := r.Orders
	row("orders placed", "%d", o.Placed)
	row("  delivered", "%d (%.2f %% not)", o.Delivered, o.UndeliveredPercent)
	row("  failed", "%d%s", o.Failed, why(o.FailedWhy))
	row("  cancelled", "%d", o.Cancelled)
	row("  still open", "%d%s", o.Open, why(o.OpenAs))
	if len(o.Refused) > 0 {
		row("  refused", "%s", why(o.Refused))
	}
	row("  late", "%.1f %%", o.LatePercent)
	d := r.Times.ClickToDoor
	row("click to door", "mean %.2f min, p50 %.1f, p90 %.1f, p99 %.1f", d.Mean, d.P50, d.P90, d.P99)
	row("ready to pickup", "mean %.2f min", r.Times.ReadyToPickup.Mean)
	if r.Times.Avoidable != nil {
		row("avoidable", "%.2f min", *r.Times.Avoidable)
	}
	row("fixes sent", "%d", r.Fixes.Sent)
	row("  accepted", "%d (%d late)", r.Fixes.Accepted, r.Fixes.Late)
	row("  rejected", "%s", cmp.Or(why(r.Fixes.Rejected), "none"))
	row("positions shown", "%d", r.Positions)
	row("reconnects", "%d", r.Reconnects)
	if len(r.Refusals) > 0 {
		row("actions refused", "%s", why(r.Refusals))
	}
	switch {
	case !r.Checked:
		row("violations", "not checked")
	case len(r.Violations) == 0:
		row("violations", "none")
	default:
		row("violations", "%d", len(r.Violations))
		for i, v := range r.Violations {
			if i == 50 {
				row("", "and %d more", len(r.Violations)-i)
				break
			}
			row("  "+v.Kind, "%s", strings.TrimSpace(v.Order+" "+v.Courier+" "+v.Detail))
		}
	}
	return t.Flush()
}

// why lists counts, the largest first.
func why(counts map[string]int) string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	})
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = fmt.Sprintf("%s %d", k, counts[k])
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
