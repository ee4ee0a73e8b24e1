package outbox

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"courier/internal/bus"
	"courier/internal/follow"
)

// follow begins the spans of the messages that are followed; who receives one
// continues it.
func (r *Relay) follow(ctx context.Context, messages []bus.Message) (spans []trace.Span) {
	for i := range messages {
		m := &messages[i]
		if m.Trace == "" {
			continue
		}
		_, span := r.Follow.Continue(ctx, m.Trace, "publish "+m.Topic, trace.SpanKindProducer)
		if !span.IsRecording() {
			continue
		}
		span.SetAttributes(attribute.String("messaging.operation.name", "publish"), attribute.String("messaging.operation.type", "send"),
			attribute.String("messaging.destination.name", m.Topic), attribute.String("messaging.message.id", m.ID))
		m.Trace = follow.ParentOf(span)
		spans = append(spans, span)
	}
	return spans
}
