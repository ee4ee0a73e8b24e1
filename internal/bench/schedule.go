package bench

import (
	"context"
	"time"
)

// Schedule says when work is due. Whoever is late with it does not move what
// comes after: that is what makes the load open.
type Schedule struct {
	Start time.Time
	Rate  float64 // a second
}

// Due is when item n is, the first being 0.
func (s Schedule) Due(n int64) time.Time {
	return s.Start.Add(time.Duration(float64(n) / s.Rate * float64(time.Second)))
}

// Part is the share of one of several who take items in turn.
func (s Schedule) Part(i, of int) Schedule {
	return Schedule{Start: s.Due(int64(i)), Rate: s.Rate / float64(of)}
}

// Run does each item that is due before until at its time, or at once if it
// is late. It ends with the first error of do.
func (s Schedule) Run(ctx context.Context, until time.Time, do func(n int64, due time.Time) error) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := int64(0); ; n++ {
		due := s.Due(n)
		if !due.Before(until) {
			return nil
		}
		if wait := time.Until(due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-timer.C:
			}
		} else if n%64 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := do(n, due); err != nil {
			return err
		}
	}
}

// window is the time of a run: what is due before from warms up and is not
// counted.
type window struct{ start, from, until time.Time }

func newWindow(start time.Time, warm, measured time.Duration) window {
	return window{start, start.Add(warm), start.Add(warm + measured)}
}

func (w window) counts(due time.Time) bool { return !due.Before(w.from) && due.Before(w.until) }

func (w window) seconds() float64 { return w.until.Sub(w.from).Seconds() }

// sleep is false if ctx ends before the time has come.
func sleep(ctx context.Context, until time.Time) bool {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
