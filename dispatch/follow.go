package dispatch

import (
	"context"

	"go.opentelemetry.io/otel/attribute"

	"courier/internal/follow"
)

// follow begins the span of an order's change, which ends with its commit.
func (w *work) follow(ctx context.Context, o *held[Order]) {
	ctx, span := w.s.Follow.Change(ctx, o.value.ID, "order.changed")
	if !span.IsRecording() {
		return
	}
	if len(o.events) > 0 {
		last := o.events[len(o.events)-1]
		span.SetName("order." + string(last.Type))
		span.SetAttributes(attribute.String("order.status", string(last.Status)), attribute.Int64("order.version", last.Version),
			attribute.String("order.by", string(last.Actor.Role)))
	}
	if o.value.Courier != "" {
		span.SetAttributes(attribute.String("courier.id", o.value.Courier))
	}
	mark(ctx, o.events)
	w.spans = append(w.spans, span)
}

// followed ends the spans of a transaction; a nil one has none.
func (w *work) followed(err error) {
	if w == nil {
		return
	}
	follow.End(err, w.spans...)
	w.spans = nil
}

// mark names the span in ctx to whoever hears of the events.
func mark(ctx context.Context, events []Event) {
	if parent := follow.Parent(ctx); parent != "" {
		for i := range events {
			events[i].Trace = parent
		}
	}
}
