package web

import (
	"math"
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/tracking"
)

// The longest periods that one answer may be about.
const (
	maxReplayOrders   = 50 * time.Hour // a day and what hangs over it
	maxReplayCouriers = time.Hour
	maxStep           = 600 // seconds
)

// replayCourier is where a courier went in a period. The numbers of a way are
// each the difference from the one before it, so that they are short.
type replayCourier struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	Vehicle geo.Vehicle `json:"vehicle"`
	Way     way         `json:"way"`
	Duty    []dutyStep  `json:"duty,omitempty"`
}

// dutyStep is what duty a courier had from then on.
type dutyStep struct {
	At   int64         `json:"at"` // seconds after the period's start; under 0: before it
	Duty dispatch.Duty `json:"duty"`
}

type way struct {
	At  []int64 `json:"at"`  // seconds, the first after the period's start
	Lat []int64 `json:"lat"` // 1e-5 degrees
	Lng []int64 `json:"lng"`
}

// replayCouriers is where everyone was in a period, page by page of couriers.
func (s *Server) replayCouriers(c *call) (answer, error) {
	q, err := newQuery(c.Request, "from", "to", "step", "limit", "cursor")
	if err != nil {
		return answer{}, err
	}
	from, to := q.period(maxReplayCouriers)
	step := time.Duration(q.number("step", 1, maxStep, 10)) * time.Second
	wanted := dispatch.CourierQuery{Limit: q.number("limit", 1, 500, 200), Cursor: q.cursor()}
	if err := q.err(); err != nil {
		return answer{}, err
	}
	page, next, err := s.deps.Dispatch.Couriers(c.Context(), wanted)
	if err != nil {
		return answer{}, err
	}
	couriers := make([]replayCourier, 0, len(page))
	for _, courier := range page {
		fixes, err := s.deps.Trails.Between(c.Context(), courier.ID, from, to)
		if err != nil {
			return answer{}, err
		}
		w := wayOf(fixes, from, step)
		if len(w.At) == 0 {
			continue
		}
		changes, err := s.deps.Dispatch.Duties(c.Context(), courier.ID, from, to)
		if err != nil {
			return answer{}, err
		}
		couriers = append(couriers, replayCourier{courier.ID, courier.Name, courier.Vehicle, w, dutiesOf(changes, from)})
	}
	return answer{body: struct {
		Couriers []replayCourier `json:"couriers"`
		Next     string          `json:"next"`
	}{couriers, next}}, nil
}

func dutiesOf(changes []dispatch.DutyChange, from time.Time) []dutyStep {
	steps := make([]dutyStep, len(changes))
	for i, c := range changes {
		steps[i] = dutyStep{int64(c.At.Sub(from).Seconds()), c.Duty}
	}
	return steps
}

// wayOf thins fixes to one each step, and the last.
func wayOf(fixes []tracking.Fix, from time.Time, step time.Duration) way {
	var w way
	var at, lat, lng int64
	var kept time.Time
	for i, f := range fixes {
		if i > 0 && i < len(fixes)-1 && f.Time.Sub(kept) < step {
			continue
		}
		kept = f.Time
		a, y, x := int64(f.Time.Sub(from)/time.Second), int64(math.Round(f.Lat*1e5)), int64(math.Round(f.Lng*1e5))
		w.At, w.Lat, w.Lng = append(w.At, a-at), append(w.Lat, y-lat), append(w.Lng, x-lng)
		at, lat, lng = a, y, x
	}
	return w
}

// replayOrder is what became of an order, and when.
type replayOrder struct {
	ID        string       `json:"id"`
	Reference string       `json:"reference,omitempty"`
	Pickup    geo.Point    `json:"pickup"`
	Dropoff   geo.Point    `json:"dropoff"`
	Due       time.Time    `json:"due,omitzero"`
	Steps     []replayStep `json:"steps"`
}

type replayStep struct {
	At      int64           `json:"at"` // seconds after the period's start
	Status  dispatch.Status `json:"status"`
	Courier string          `json:"courier,omitempty"` // whom it is offered to or who has it, from here on
}

// replayOrders is what became of the orders of a period, page by page.
func (s *Server) replayOrders(c *call) (answer, error) {
	q, err := newQuery(c.Request, "from", "to", "limit", "cursor")
	if err != nil {
		return answer{}, err
	}
	from, to := q.period(maxReplayOrders)
	limit, cursor := q.number("limit", 1, 500, 200), q.cursor()
	if err := q.err(); err != nil {
		return answer{}, err
	}
	page, next, err := s.deps.Dispatch.History(c.Context(), from, to, limit, cursor)
	if err != nil {
		return answer{}, err
	}
	orders := make([]replayOrder, 0, len(page))
	for _, h := range page {
		o := h.Order
		orders = append(orders, replayOrder{o.ID, o.Reference, o.Pickup.Point, o.Dropoff.Point, o.Due(), stepsOf(h.Events, from)})
	}
	return answer{body: struct {
		Orders []replayOrder `json:"orders"`
		Next   string        `json:"next"`
	}{orders, next}}, nil
}

// stepsOf leaves out the events after which nothing is different on a map.
func stepsOf(events []dispatch.Event, from time.Time) []replayStep {
	steps := make([]replayStep, 0, len(events))
	courier := ""
	for _, e := range events {
		switch e.Status {
		case dispatch.Offered, dispatch.Assigned:
			if e.Data.Courier != "" && e.Type != dispatch.EventPinned {
				courier = e.Data.Courier
			}
		case dispatch.Placed, dispatch.Searching, dispatch.Unassignable, dispatch.Cancelled:
			courier = ""
		}
		step := replayStep{int64(e.Time.Sub(from) / time.Second), e.Status, courier}
		if n := len(steps); n > 0 && steps[n-1].Status == step.Status && steps[n-1].Courier == step.Courier {
			continue
		}
		steps = append(steps, step)
	}
	return steps
}
