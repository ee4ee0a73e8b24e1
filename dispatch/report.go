package dispatch

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"courier/geo"
)

// LongestReport is the longest span that one report tells of.
const LongestReport = 31 * 24 * time.Hour

// broughtBack is how long after it failed an order's goods may come back for
// the failure still to be found: an order is listed by its latest change.
const broughtBack = 7 * 24 * time.Hour

// ReportQuery says what a report is of.
type ReportQuery struct {
	From, To time.Time // [From, To), at most LongestReport
	Courier  string    // only the orders that this courier has or had last
}

// Report is how a span of time went: all together, hour by hour, and by
// courier.
type Report struct {
	From     time.Time        `json:"from"`
	To       time.Time        `json:"to"`
	Total    Figures          `json:"total"`
	Hours    []HourFigures    `json:"hours"`    // every one of the span, counted from its beginning
	Couriers []CourierFigures `json:"couriers"` // who ended an order in it, the busiest first
}

// Figures count each order in the span in which it was placed and in the one
// in which it ended.
type Figures struct {
	Placed                int     `json:"placed"`
	Delivered             int     `json:"delivered"`
	Failed                int     `json:"failed"`
	Cancelled             int     `json:"cancelled"`
	Promised              int     `json:"promised"` // of those delivered
	Late                  int     `json:"late"`     // of those promised
	MedianAssignSeconds   float64 `json:"median_assign_seconds"`
	MedianDeliverySeconds float64 `json:"median_delivery_seconds"` // from placing to the door
}

// HourFigures are those of one hour; the last may be cut short.
type HourFigures struct {
	From time.Time `json:"from"`
	Figures
}

// CourierFigures are those of the orders that one courier ended.
type CourierFigures struct {
	Courier string      `json:"courier"`
	Name    string      `json:"name"`
	Vehicle geo.Vehicle `json:"vehicle"`
	Figures
}

func (q ReportQuery) validate() error {
	var f faults
	switch span := q.To.Sub(q.From); {
	case span <= 0:
		f.add("to", "must be after from")
	case span > LongestReport:
		f.add("to", "must be at most 31 days after from")
	}
	return f.err()
}

// Report tells how a span of time went. It reads every order of the span, so
// only one is made at a time.
func (s *Service) Report(ctx context.Context, q ReportQuery) (Report, error) {
	if err := q.validate(); err != nil {
		return Report{}, err
	}
	select {
	case s.reporting <- struct{}{}:
		defer func() { <-s.reporting }()
	case <-ctx.Done():
		return Report{}, fmt.Errorf("wait for another report: %w", ctx.Err())
	}
	t := newTally(q.From, q.To)
	for _, part := range []struct {
		q   OrderQuery
		add func(Order)
	}{
		{OrderQuery{Courier: q.Courier, PlacedFrom: q.From, PlacedTo: q.To}, t.placed},
		{OrderQuery{Courier: q.Courier, Statuses: []Status{Delivered, Cancelled}, ChangedFrom: q.From, ChangedTo: q.To}, t.ended},
		{OrderQuery{Courier: q.Courier, Statuses: []Status{Failed, Returned}, ChangedFrom: q.From, ChangedTo: q.To.Add(broughtBack)}, t.ended},
	} {
		err := s.Store.EachOrder(ctx, part.q, func(o Order) error {
			part.add(o)
			return nil
		})
		if err != nil {
			return Report{}, fmt.Errorf("read the orders of a report: %w", err)
		}
	}
	couriers, err := s.Store.CouriersByID(ctx, slices.Collect(maps.Keys(t.couriers)))
	if err != nil {
		return Report{}, fmt.Errorf("read the couriers of a report: %w", err)
	}
	return t.report(couriers), nil
}

// tally counts a report's orders.
type tally struct {
	from, to time.Time
	total    counted
	hours    []counted
	couriers map[string]*counted
}

// counted are figures whose medians are not taken yet.
type counted struct {
	Figures
	assign, delivery []float64 // seconds
}

func newTally(from, to time.Time) *tally {
	hours := (to.Sub(from) + time.Hour - 1) / time.Hour
	return &tally{from: from, to: to, hours: make([]counted, hours), couriers: map[string]*counted{}}
}

// at are the figures that something at a time counts in; none outside the
// span.
func (t *tally) at(when time.Time, courier string) []*counted {
	if when.Before(t.from) || !when.Before(t.to) {
		return nil
	}
	in := []*counted{&t.total, &t.hours[when.Sub(t.from)/time.Hour]}
	if courier != "" {
		if t.couriers[courier] == nil {
			t.couriers[courier] = &counted{}
		}
		in = append(in, t.couriers[courier])
	}
	return in
}

func (t *tally) placed(o Order) {
	assigned, taken := o.Times[Assigned]
	for _, c := range t.at(o.Times[Placed], "") {
		c.Placed++
		if taken {
			c.assign = append(c.assign, assigned.Sub(o.Times[Placed]).Seconds())
		}
	}
}

func (t *tally) ended(o Order) {
	status := o.Status
	if status == Returned {
		status = Failed // that is how it ended for whom it was for
	}
	courier := o.Courier
	if status == Cancelled {
		courier = "" // nobody's doing on the road
	}
	when := o.Times[status]
	for _, c := range t.at(when, courier) {
		switch status {
		case Failed:
			c.Failed++
		case Cancelled:
			c.Cancelled++
		default:
			c.Delivered++
			c.delivery = append(c.delivery, when.Sub(o.Times[Placed]).Seconds())
			if due := o.Due(); !due.IsZero() {
				c.Promised++
				if when.After(due) {
					c.Late++
				}
			}
		}
	}
}

func (t *tally) report(couriers []Courier) Report {
	r := Report{From: t.from, To: t.to, Total: t.total.figures(), Hours: make([]HourFigures, len(t.hours)), Couriers: []CourierFigures{}}
	for i := range t.hours {
		r.Hours[i] = HourFigures{From: t.from.Add(time.Duration(i) * time.Hour), Figures: t.hours[i].figures()}
	}
	for _, c := range couriers {
		r.Couriers = append(r.Couriers, CourierFigures{Courier: c.ID, Name: c.Name, Vehicle: c.Vehicle, Figures: t.couriers[c.ID].figures()})
	}
	slices.SortFunc(r.Couriers, func(a, b CourierFigures) int {
		return cmp.Or(cmp.Compare(b.Delivered, a.Delivered), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Courier, b.Courier))
	})
	return r
}

func (c *counted) figures() Figures {
	f := c.Figures
	f.MedianAssignSeconds, f.MedianDeliverySeconds = median(c.assign), median(c.delivery)
	return f
}

// median sorts; it is 0 of nothing.
func median(of []float64) float64 {
	if len(of) == 0 {
		return 0
	}
	slices.Sort(of)
	return of[len(of)/2]
}
