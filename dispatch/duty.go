package dispatch

import (
	"context"
	"fmt"
	"time"
)

// DutyChange is what duty a courier has from a time on.
type DutyChange struct {
	Courier string
	Version int64 // of the courier: the change was a part of its
	Duty    Duty
	At      time.Time
}

// DutySpan is a time on duty or on a break.
type DutySpan struct {
	Duty Duty      `json:"duty"` // available or break
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Duties are the changes of a courier's duty in [from, to), oldest first, and
// before them the last one until from. What was before the first change that
// is known, is not.
func (s *Service) Duties(ctx context.Context, courier string, from, to time.Time) ([]DutyChange, error) {
	changes, err := s.Store.Duties(ctx, courier, from, to)
	if err != nil {
		return nil, fmt.Errorf("read a courier's duties: %w", err)
	}
	return changes, nil
}

// dutySpans are the times on duty that lie in [from, to).
func dutySpans(changes []DutyChange, from, to time.Time) []DutySpan {
	spans := []DutySpan{}
	for i, c := range changes {
		begin, end := c.At, to
		if begin.Before(from) {
			begin = from
		}
		if i+1 < len(changes) && changes[i+1].At.Before(to) {
			end = changes[i+1].At
		}
		if c.Duty != Off && begin.Before(end) {
			spans = append(spans, DutySpan{c.Duty, begin, end})
		}
	}
	return spans
}
