package tracking

import (
	"context"
	"time"

	"courier/geo"
)

// Index knows where every live courier is: the newest fix of each, by the
// fix's own time. It is disposable: fixes refill it. It keeps no slice that
// it is given, and all of each fix.
type Index interface {
	// Move takes each courier's fix if it is newer than the one held.
	Move(ctx context.Context, fixes []Fix) error
	// Remove forgets couriers; unknown ones are no error.
	Remove(ctx context.Context, couriers ...string) error
	// Last returns the held fixes of those couriers that have one, in no
	// order.
	Last(ctx context.Context, couriers ...string) ([]Fix, error)
	// Near returns at most limit fixes within radius metres, nearest first,
	// ties by courier id.
	Near(ctx context.Context, at geo.Point, radius float64, limit int) ([]Fix, error)
	// Within returns at most limit fixes inside the box, by courier id.
	Within(ctx context.Context, box geo.Bounds, limit int) ([]Fix, error)
	// Stale returns at most limit couriers last received before a time.
	Stale(ctx context.Context, before time.Time, limit int) ([]string, error)
}

// Feed carries accepted fixes to whoever watches their region. It may lose
// what is not watched and what is overtaken by a newer fix, nothing else. It
// keeps no slice that it is given.
type Feed interface {
	Publish(ctx context.Context, fixes []Fix) error
	// Subscribe opens a watcher that sees nothing until Watch.
	Subscribe() Watcher
}

// Watcher is one subscriber's window on the feed.
type Watcher interface {
	// Watch replaces the regions (cells of geo.RegionResolution) watched.
	// The zero cell stands for all of them.
	Watch(regions ...geo.Cell)
	// Fixes yields batches. A slow reader gets fewer, larger ones with only
	// the newest fix of each courier; it is closed by Close. Batches may be
	// shared: do not change them.
	Fixes() <-chan []Fix
	// Close ends the watcher; closing again does nothing.
	Close()
}

// TrailStore keeps where couriers have been.
type TrailStore interface {
	AppendTrail(ctx context.Context, chunks []Chunk) error
	// Trail returns the chunks of a courier that overlap [from, to), oldest
	// first.
	Trail(ctx context.Context, courier string, from, to time.Time) ([]Chunk, error)
}

// Chunk is a compact run of a courier's fixes.
type Chunk struct {
	Courier  string
	From, To time.Time // of the first and last fix by time
	Count    int
	Data     []byte // see EncodeChunk
}
