package gather

import (
	"context"
	"time"
)

// Trips are round trips that those share who come while others are under way.
// A trip begins after all in it have asked, so it sees what was there by then.
type Trips[T any] struct {
	lanes   *Lanes[passenger[T]]
	most    int // trips at a time
	timeout time.Duration
	travel  func(ctx context.Context, all []T)
}

type passenger[T any] struct {
	one  T
	back chan struct{}
}

// NewTrips has so many trips under way at a time, of at most so many. travel
// makes one and writes into each what came of it. A shared one ends by the
// timeout, and by nobody's context: it goes on for those who have left, too.
func NewTrips[T any](lanes, most int, timeout time.Duration, travel func(ctx context.Context, all []T)) *Trips[T] {
	t := &Trips[T]{most: lanes, timeout: timeout, travel: travel}
	t.lanes = New(lanes, most, func(batch []passenger[T]) { go t.share(batch) })
	return t
}

// Join takes part in a trip. The error is that of a ctx that ended before it
// was over: one is not to be looked at then.
func (t *Trips[T]) Join(ctx context.Context, one T) error {
	p := passenger[T]{one, make(chan struct{})}
	if t.lanes.Enter(p) {
		defer t.lanes.Leave()
		t.travel(ctx, []T{one})
		return nil
	}
	select {
	case <-p.back:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *Trips[T]) share(batch []passenger[T]) {
	defer t.lanes.Leave()
	ctx, cancel := context.WithTimeout(context.Background(), t.timeout)
	defer cancel()
	all := make([]T, len(batch))
	for i, p := range batch {
		all[i] = p.one
	}
	t.travel(ctx, all)
	for _, p := range batch {
		close(p.back)
	}
}

// Waiting is how many wait for the next trip.
func (t *Trips[T]) Waiting() int { return t.lanes.Waiting() }

// Pause is for tests: while no trip is under way it lets none begin until
// resume, so that all who come wait.
func (t *Trips[T]) Pause() (resume func()) {
	for range t.most {
		if !t.lanes.Enter(passenger[T]{}) {
			panic("gather: a trip is under way")
		}
	}
	return func() {
		for range t.most {
			t.lanes.Leave()
		}
	}
}
