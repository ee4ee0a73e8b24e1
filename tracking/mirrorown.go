package tracking

import (
	"context"
	"log/slog"
)

// Own is the index for this node's Tracker: what goes through it shows in
// the mirror at once, removals too, and also while the index is away.
func (m *Mirror) Own() Index { return ownIndex{m.index, m} }

type ownIndex struct {
	Index
	mirror *Mirror
}

// Move implements Index.
func (o ownIndex) Move(ctx context.Context, fixes []Fix) error {
	if err := o.mirror.keep(ctx, fixes); err != nil {
		o.mirror.log.LogAttrs(ctx, slog.LevelWarn, "fix not mirrored", slog.Any("err", err))
	}
	return o.Index.Move(ctx, fixes)
}

// Remove implements Index.
func (o ownIndex) Remove(ctx context.Context, couriers ...string) error {
	_ = o.mirror.held.Remove(ctx, couriers...) // memory does not fail
	return o.Index.Remove(ctx, couriers...)
}
