package tracking

import (
	"context"
	"fmt"
	"sync"
	"time"

	"courier/internal/clock"
)

// LastKnown tells people where couriers were last, also those who have gone
// silent and left the index, and all of them right after a restart. It is
// for showing, not for deciding who gets work: what comes from the trail has
// the fix's own time as its time of receipt.
type LastKnown struct {
	index Index
	store TrailStore
	clock clock.Clock

	mu    sync.Mutex
	known map[string]Fix // by courier; the zero Fix: the trail has none
}

// lookBack is how far back the trail is searched.
const lookBack = 12 * time.Hour

// maxKnown bounds what is remembered; when it is full, it starts anew.
const maxKnown = 100_000

// NewLastKnown reads an index, and a trail store for whom the index has not.
func NewLastKnown(index Index, store TrailStore, clk clock.Clock) *LastKnown {
	return &LastKnown{index: index, store: store, clock: clk, known: map[string]Fix{}}
}

// Last returns the newest known fix of those couriers that have one, in no
// order. With an error from the index, that is what it had last.
func (l *LastKnown) Last(ctx context.Context, couriers ...string) ([]Fix, error) {
	fixes, err := l.index.Last(ctx, couriers...)
	if err != nil {
		return l.remembered(couriers), err
	}
	if len(fixes) == len(couriers) {
		l.remember(fixes...)
		return fixes, nil
	}
	held := make(map[string]bool, len(fixes))
	for i := range fixes {
		held[fixes[i].Courier] = true
	}
	l.remember(fixes...)
	for _, courier := range couriers {
		if held[courier] {
			continue
		}
		fix, err := l.recall(ctx, courier)
		if err != nil {
			return nil, err
		}
		if fix.Courier != "" {
			fixes = append(fixes, fix)
		}
	}
	return fixes, nil
}

func (l *LastKnown) remembered(couriers []string) (fixes []Fix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, courier := range couriers {
		if fix := l.known[courier]; fix.Courier != "" {
			fixes = append(fixes, fix)
		}
	}
	return fixes
}

func (l *LastKnown) remember(fixes ...Fix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) > maxKnown {
		clear(l.known)
	}
	for i := range fixes {
		l.known[fixes[i].Courier] = fixes[i]
	}
}

// Forget reads couriers from the trail anew when they are next asked for. A
// Tracker's Config.Stale calls it: what was shown last may not be the newest.
func (l *LastKnown) Forget(couriers []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, courier := range couriers {
		delete(l.known, courier)
	}
}

func (l *LastKnown) recall(ctx context.Context, courier string) (Fix, error) {
	l.mu.Lock()
	fix, known := l.known[courier]
	l.mu.Unlock()
	if known {
		return fix, nil
	}
	now := l.clock.Now()
	chunks, err := l.store.Trail(ctx, courier, now.Add(-lookBack), now)
	if err != nil {
		return Fix{}, fmt.Errorf("last known fix of courier %s: %w", courier, err)
	}
	for i := range chunks {
		trail, err := DecodeChunk(chunks[i])
		if err != nil {
			return Fix{}, fmt.Errorf("last known fix of courier %s: %w", courier, err)
		}
		for j := range trail {
			if trail[j].Time.After(fix.Time) {
				fix = trail[j]
				fix.Courier, fix.Received = courier, fix.Time
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known[courier] = fix
	return fix, nil
}
