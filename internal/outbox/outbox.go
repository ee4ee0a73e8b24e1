// Package outbox moves committed events to the bus: at least once, in the
// order of each key, and again after a crash.
//
//	Store.Update → outbox rows → Relay.Run → bus.Publish → Source.Done
package outbox

import (
	"context"

	"courier/internal/bus"
)

// Source is where committed rows wait.
type Source interface {
	// Pending returns at most limit rows that are not Done, oldest first.
	Pending(ctx context.Context, limit int) ([]Row, error)
	// Done marks rows as published.
	Done(ctx context.Context, rows []int64) error
	// Committed yields after commits that wrote rows; one signal may stand
	// for many.
	Committed() <-chan struct{}
}

// Row is one message that waits.
type Row struct {
	ID int64
	bus.Message
}
