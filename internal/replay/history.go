package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/internal/clock"
	"courier/tracking"
)

// Records is where a period's history is read: a store, or a part of it.
type Records interface {
	Orders(ctx context.Context, q dispatch.OrderQuery) (page []dispatch.Order, next string, err error)
	Events(ctx context.Context, order string, after int64) ([]dispatch.Event, error)
	Couriers(ctx context.Context, q dispatch.CourierQuery) (page []dispatch.Courier, next string, err error)
	Trail(ctx context.Context, courier string, from, to time.Time) ([]tracking.Chunk, error)
}

// History is what a store tells of a period.
type History struct {
	From, To time.Time
	Orders   []dispatch.Order  // placed within the period, by that time
	Workers  []Worker          // by id; their duty is followed until the end
	work     map[string][]span // by courier: when it had an order
}

// after is how long what was placed in a period is followed beyond it: an
// order of the last minute shall have its courier too.
const after = 2 * time.Hour

func (h *History) end() time.Time { return h.To.Add(after) }

// Worker is a courier and when it was on duty.
//
// Duty itself is kept nowhere. A courier sends fixes while it is on duty, so
// its trail tells the spans; a silence of half an hour ends one. Whatever an
// order's events show it at work at belongs to a span too. With neither, the
// shift in its record counts, from the first pickup of the day.
type Worker struct {
	dispatch.Courier
	Spans []Span
	path  float64 // metres of the trail
}

// Span is a time on duty, and where it began.
type Span struct {
	From, To time.Time
	At       geo.Point
}

type span struct{ from, to time.Time }

// silence ends a span of duty.
const silence = 30 * time.Minute

// ReadHistory reads what was placed in [from, to), and who worked then.
func ReadHistory(ctx context.Context, r Records, from, to time.Time) (*History, error) {
	h := &History{From: from, To: to, work: map[string][]span{}}
	if !from.Before(to) {
		return nil, fmt.Errorf("replay: the period ends at %v, not after %v", to, from)
	}
	q := dispatch.OrderQuery{PlacedFrom: from, PlacedTo: to, Limit: 1000}
	for {
		page, next, err := r.Orders(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read orders: %w", err)
		}
		h.Orders = append(h.Orders, page...)
		if q.Cursor = next; next == "" {
			break
		}
	}
	if len(h.Orders) == 0 {
		return nil, errors.New("replay: no order was placed in the period")
	}
	slices.SortFunc(h.Orders, func(a, b dispatch.Order) int {
		return cmp.Or(a.Times[dispatch.Placed].Compare(b.Times[dispatch.Placed]), cmp.Compare(a.ID, b.ID))
	})
	pickups := map[string][]Span{} // where and when events put couriers
	for i := range h.Orders {
		events, err := r.Events(ctx, h.Orders[i].ID, 0)
		if err != nil {
			return nil, fmt.Errorf("read events of order %s: %w", h.Orders[i].ID, err)
		}
		h.witness(&h.Orders[i], events, pickups)
	}
	return h, h.readWorkers(ctx, r, pickups)
}

// witness notes who had the order when.
func (h *History) witness(o *dispatch.Order, events []dispatch.Event, pickups map[string][]Span) {
	courier, since := "", time.Time{}
	end := func(at time.Time) {
		if courier != "" {
			h.work[courier] = append(h.work[courier], span{since, at})
			pickups[courier] = append(pickups[courier], Span{since, at, o.Pickup.Point})
		}
		courier = ""
	}
	for _, e := range events {
		switch e.Type {
		case dispatch.EventAssigned:
			end(e.Time)
			courier, since = e.Data.Courier, e.Time
		case dispatch.EventUnassigned, dispatch.EventDelivered, dispatch.EventReturned, dispatch.EventCancelled, dispatch.EventFailed:
			end(e.Time)
		}
	}
	if len(events) > 0 {
		end(events[len(events)-1].Time)
	}
}

func (h *History) readWorkers(ctx context.Context, r Records, pickups map[string][]Span) error {
	q := dispatch.CourierQuery{Limit: 1000}
	for {
		page, next, err := r.Couriers(ctx, q)
		if err != nil {
			return fmt.Errorf("read couriers: %w", err)
		}
		for _, c := range page {
			w := Worker{Courier: c}
			chunks, err := r.Trail(ctx, c.ID, h.From, h.end())
			if err != nil {
				return fmt.Errorf("read the trail of courier %s: %w", c.ID, err)
			}
			if err := w.walk(h, chunks, pickups[c.ID]); err != nil {
				return fmt.Errorf("read the trail of courier %s: %w", c.ID, err)
			}
			if len(w.Spans) > 0 {
				h.Workers = append(h.Workers, w)
			}
		}
		if q.Cursor = next; next == "" {
			break
		}
	}
	slices.SortFunc(h.Workers, func(a, b Worker) int { return cmp.Compare(a.ID, b.ID) })
	if len(h.Workers) == 0 {
		return errors.New("replay: nobody was on duty in the period")
	}
	return nil
}

// walk finds the spans of duty.
func (w *Worker) walk(h *History, chunks []tracking.Chunk, work []Span) error {
	seen := slices.Clone(work)
	var fixes []tracking.Fix
	for _, c := range chunks {
		more, err := tracking.DecodeChunk(c)
		if err != nil {
			return err
		}
		fixes = append(fixes, more...)
	}
	slices.SortFunc(fixes, func(a, b tracking.Fix) int { return a.Time.Compare(b.Time) })
	var last tracking.Fix
	for _, f := range fixes {
		if f.Time.Before(h.From) || !f.Time.Before(h.end()) {
			continue
		}
		if !last.Time.IsZero() && f.Time.Sub(last.Time) <= silence {
			w.path += geo.Distance(last.Point, f.Point)
		}
		seen = append(seen, Span{f.Time, f.Time, f.Point})
		last = f
	}
	if len(seen) == 0 && w.Shift != nil && len(h.Orders) > 0 {
		seen = append(seen, Span{w.Shift.From, w.Shift.To, h.Orders[0].Pickup.Point})
	}
	slices.SortStableFunc(seen, func(a, b Span) int { return a.From.Compare(b.From) })
	for _, s := range seen {
		s.From, s.To = clock.Later(s.From, h.From), clock.Earlier(s.To, h.end())
		if s.To.Before(s.From) {
			continue
		}
		if n := len(w.Spans); n > 0 && s.From.Sub(w.Spans[n-1].To) <= silence {
			w.Spans[n-1].To = clock.Later(w.Spans[n-1].To, s.To)
			continue
		}
		w.Spans = append(w.Spans, s)
	}
	return nil
}

// overlap is how much of the work is within the spans. Work that overlaps
// counts once.
func overlap(spans []Span, work []span) time.Duration {
	work = slices.Clone(work)
	slices.SortFunc(work, func(a, b span) int { return a.from.Compare(b.from) })
	sum, done := time.Duration(0), time.Time{}
	for _, w := range work {
		w.from = clock.Later(w.from, done)
		for _, s := range spans {
			sum += max(0, clock.Earlier(w.to, s.To).Sub(clock.Later(w.from, s.From)))
		}
		done = clock.Later(done, w.to)
	}
	return sum
}
