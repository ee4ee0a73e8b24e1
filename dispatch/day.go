package dispatch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"courier/geo"
)

// MaxDay is the longest span of a Day.
const MaxDay = 7 * 24 * time.Hour

// Money is an amount in the smallest unit of its currency, such as cents.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"` // ISO 4217: three capital letters
}

// maxPay keeps sums within what every client counts exactly.
const maxPay = 1_000_000_000

func (f *faults) money(field string, m *Money) {
	if m == nil {
		return
	}
	if m.Amount < 0 || m.Amount > maxPay {
		f.add(field+".amount", "must be between 0 and %d", maxPay)
	}
	letters := len(m.Currency) == 3
	for _, c := range []byte(m.Currency) {
		letters = letters && c >= 'A' && c <= 'Z'
	}
	if !letters {
		f.add(field+".currency", "must be three capital letters, as in ISO 4217")
	}
}

// Day is what became of a courier's orders in a span of time.
type Day struct {
	From      time.Time  `json:"from"`
	To        time.Time  `json:"to"`
	Delivered int        `json:"delivered"`
	Failed    int        `json:"failed"`   // returned ones too
	Distance  float64    `json:"distance"` // metres from pickups to drop-offs of the delivered, straight
	Earned    []Money    `json:"earned"`   // of the delivered that carry pay, by currency
	Duty      []DutySpan `json:"duty"`     // times on duty and breaks until now, oldest first
	Orders    []DayOrder `json:"orders"`   // newest end first
}

// DayOrder is an order that ended while it was the courier's.
type DayOrder struct {
	Order     string    `json:"order"`
	Reference string    `json:"reference,omitempty"`
	Status    Status    `json:"status"`
	At        time.Time `json:"at"`
	Pickup    string    `json:"pickup,omitempty"`  // address
	Dropoff   string    `json:"dropoff,omitempty"` // address
	Distance  float64   `json:"distance"`          // metres, straight
	Pay       *Money    `json:"pay,omitempty"`
	Late      bool      `json:"late"` // delivered after its promise
	Reason    string    `json:"reason,omitempty"`
	Proof     *Proof    `json:"proof,omitempty"`
}

// Day is what a courier did in [from, to), at most MaxDay.
func (s *Service) Day(ctx context.Context, courier string, from, to time.Time) (Day, error) {
	day := Day{From: from, To: to, Earned: []Money{}, Orders: []DayOrder{}}
	changes, err := s.Duties(ctx, courier, from, to)
	if err != nil {
		return Day{}, err
	}
	until := to
	if now := s.Clock.Now(); now.Before(to) {
		until = now
	}
	day.Duty = dutySpans(changes, from, until)
	q := OrderQuery{
		Courier: courier, Statuses: []Status{Delivered, Failed, Returned, Cancelled}, ChangedFrom: from,
		// Nothing waits longer than it may be placed ahead, so the rest of a
		// courier's years need not be read.
		PlacedFrom: from.Add(-maxAhead - MaxDay), PlacedTo: to, Limit: 200,
	}
	for {
		page, next, err := s.Store.Orders(ctx, q)
		if err != nil {
			return Day{}, fmt.Errorf("list a courier's day: %w", err)
		}
		for _, o := range page {
			day.add(o)
		}
		if q.Cursor = next; next == "" {
			break
		}
	}
	slices.SortFunc(day.Orders, func(a, b DayOrder) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Order, a.Order))
	})
	return day, nil
}

func (d *Day) add(o Order) {
	at := o.Times[o.Status]
	if at.Before(d.From) || !at.Before(d.To) {
		return
	}
	one := DayOrder{
		Order: o.ID, Reference: o.Reference, Status: o.Status, At: at, Pickup: o.Pickup.Address, Dropoff: o.Dropoff.Address,
		Distance: geo.Distance(o.Pickup.Point, o.Dropoff.Point), Pay: o.Pay, Reason: o.Reason, Proof: o.Proof,
	}
	switch o.Status {
	case Delivered:
		one.Late = !o.Due().IsZero() && at.After(o.Due())
		d.Delivered++
		d.Distance += one.Distance
		d.earn(o.Pay)
	case Failed, Returned:
		d.Failed++
	}
	d.Orders = append(d.Orders, one)
}

func (d *Day) earn(pay *Money) {
	if pay == nil {
		return
	}
	for i, m := range d.Earned {
		if m.Currency == pay.Currency {
			d.Earned[i].Amount += pay.Amount
			return
		}
	}
	d.Earned = append(d.Earned, *pay)
}
