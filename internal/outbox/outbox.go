// Package outbox moves committed events to the bus: at least once, and again
// after a crash.
//
//	Store.Update → outbox rows → Relay.Run → bus.Publish → Source.Done
//
// Of nodes that share a database each publishes what it wrote, and what
// nodes wrote that do not live any more:
//
//	Live: this node lives        Adopt: theirs becomes ours
//
// What one node wrote of a key is published in order while that node lives.
// What another one wrote may overtake it: whoever consumes messages passes
// over versions that it has seen, and reads the truth from the store.
package outbox

import (
	"context"
	"time"

	"courier/internal/bus"
)

// Source is where committed rows wait.
type Source interface {
	// Pending returns at most limit rows of this node that are not Done,
	// oldest first.
	Pending(ctx context.Context, limit int) ([]Row, error)
	// Adopt makes the rows of nodes that do not live this node's own, and
	// says how many; no row becomes two nodes'. A node that was only paused
	// may have its rows published twice then.
	Adopt(ctx context.Context) (rows int, err error)
	// Live says that this node lives for a time to come, by the source's
	// clock. A ttl of 0: no more, others may adopt what it leaves.
	Live(ctx context.Context, ttl time.Duration) error
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
