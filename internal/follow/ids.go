package follow

import (
	"context"
	"encoding/binary"
	"math/rand/v2"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Header is the name of the W3C header with a Parent, on HTTP and on the bus.
const Header = "traceparent"

// Parent is the span in ctx as text, for others to continue; "" if there is
// none.
func Parent(ctx context.Context) string { return ParentOf(trace.SpanFromContext(ctx)) }

// ParentOf is Parent for a span that is at hand.
func ParentOf(span trace.Span) string {
	if !span.SpanContext().IsSampled() {
		return ""
	}
	c := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpan(context.Background(), span), c)
	return c[Header]
}

// Parse reads what Parent wrote, or a caller's header. What it cannot read is
// no span.
func Parse(parent string) trace.SpanContext {
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{Header: parent})
	return trace.SpanContextFromContext(ctx)
}

// IDs gives a Follower's spans their ids: the SDK's IDGenerator.
type IDs struct{}

type firstKey struct{}

type first struct {
	trace trace.TraceID
	span  trace.SpanID
}

// NewIDs are those of a trace's first span.
func (i IDs) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if f, given := ctx.Value(firstKey{}).(first); given {
		return f.trace, f.span
	}
	var t trace.TraceID
	binary.BigEndian.PutUint64(t[:8], random())
	binary.BigEndian.PutUint64(t[8:], random())
	return t, i.NewSpanID(ctx, t)
}

// NewSpanID is one of a span that is not the first.
func (IDs) NewSpanID(context.Context, trace.TraceID) (s trace.SpanID) {
	binary.BigEndian.PutUint64(s[:], random())
	return s
}

// random is never 0, which is no id.
func random() uint64 { return rand.Uint64() | 1<<63 } //nolint:gosec // no secret
