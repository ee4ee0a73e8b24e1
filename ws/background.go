package ws

import (
	"context"
	"fmt"
	"log/slog"

	"courier/dispatch"
	"courier/tracking"
)

// Background takes fixes that come beside a courier's sockets, from an app
// that goes on while the courier's page is off the screen. Off duty nothing
// of them is kept. dispatch.ErrStaleSession: the courier has signed in
// elsewhere since epoch.
func (h *Hub) Background(ctx context.Context, courier string, epoch int64, fixes []tracking.Fix) error {
	c, _, err := h.Service.CourierState(ctx, courier)
	switch {
	case err != nil:
		return fmt.Errorf("read courier: %w", err)
	case c.Epoch != epoch:
		return dispatch.ErrStaleSession
	case c.Duty == dispatch.Off:
		h.count.offDuty.Add(uint64(len(fixes)))
		return nil
	}
	ctx, span := h.followFixes(ctx, courier, len(fixes))
	defer span.End()
	result, err := h.Tracker.Ingest(ctx, courier, fixes, fencesOf(c.Plan, h.Geofence))
	if err != nil {
		return fmt.Errorf("take fixes: %w", err)
	}
	for _, fence := range result.Entered {
		order, kind := stopOf(fence)
		if err := h.Service.GeofenceArrive(ctx, courier, order, kind); err != nil {
			// The courier can still report it, and the next fix may enter again.
			h.Log.LogAttrs(ctx, slog.LevelWarn, "geofence arrival not recorded",
				slog.String("courier_id", courier), slog.String("order_id", order), slog.Any("err", err))
		}
	}
	return nil
}
