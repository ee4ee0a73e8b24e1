// Package follow says which orders and which fixes traces follow, and begins
// their spans. It knows OpenTelemetry's API and nothing of where spans go.
//
//	request, action, match → Follower → span → traceparent → outbox, bus, feed → Follower.Continue
//
// An order's trace has the order's id, so that whoever knows the order can
// open it, and every node knows by the id whether the order is followed: none
// has to tell another. The first span's id is the id's second half, under
// which every later change of the order is found.
//
// What is not followed costs nothing: a nil *Follower follows nothing, and
// where there is no span none is begun, without an allocation.
package follow

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Scope names the instrumentation in every span.
const Scope = "courier"

// OrderID is the attribute by which all spans of an order are found, also in
// a trace that a caller has begun.
func OrderID(id string) attribute.KeyValue { return attribute.String("order.id", id) }

// Follower begins spans of what it follows. It is safe for concurrent use; a
// nil one follows nothing.
type Follower struct {
	tracer trace.Tracer
	orders uint64 // ids whose random part is under it are followed
	fixes  float64
}

// idBits is how many bits at an id's end are random: as in a trace's id.
const idBits = 56

// New follows a share of all orders, and one of all messages with fixes, each
// within 0 and 1. The tracer's ids must come from IDs.
func New(tracer trace.Tracer, orders, fixes float64) (*Follower, error) {
	share := func(name string, v float64) error {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("follow: %s: %v is not within 0 and 1", name, v)
		}
		return nil
	}
	if err := errors.Join(share("orders", orders), share("fixes", fixes)); err != nil {
		return nil, err
	}
	return &Follower{tracer: tracer, orders: uint64(math.Ldexp(orders, idBits)), fixes: fixes}, nil
}

// Origin is where something followed comes from.
type Origin struct {
	ID     string            // of the order or, if it is about none, of the request: its trace's
	Order  bool              // ID is an order's
	New    bool              // ID begins here: the span is the first of its trace
	Caller trace.SpanContext // as the caller says
	// Trusted says that the caller may decide: what it follows is followed, as
	// a part of its own trace. Any other caller's span is linked to, and
	// decides nothing.
	Trusted bool
	Since   time.Time // zero: now
}

// Begin begins a span of what came in, if that is followed.
func (f *Follower) Begin(ctx context.Context, name string, kind trace.SpanKind, o Origin) (context.Context, trace.Span) {
	if f == nil {
		return ctx, none()
	}
	own, root, followed := f.own(o.ID)
	asked := o.Trusted && o.Caller.IsSampled()
	if !followed && !asked {
		return ctx, none()
	}
	of := o.ID
	options := []trace.SpanStartOption{trace.WithSpanKind(kind)}
	if !o.Since.IsZero() {
		options = append(options, trace.WithTimestamp(o.Since))
	}
	switch {
	case asked:
		ctx, of = trace.ContextWithRemoteSpanContext(ctx, o.Caller), everyOrder
	case o.New:
		ctx = context.WithValue(ctx, firstKey{}, first{own, root})
		options = append(options, trace.WithNewRoot(), linkTo(o.Caller))
	default:
		ctx = under(ctx, own, root)
		options = append(options, linkTo(o.Caller))
	}
	if o.Order {
		ctx = context.WithValue(ctx, orderKey{}, of)
		options = append(options, trace.WithAttributes(OrderID(o.ID)))
	} else if of == everyOrder {
		ctx = context.WithValue(ctx, orderKey{}, of)
	}
	return f.tracer.Start(ctx, name, options...)
}

// Change begins the span of a change to an order, if that is followed: under
// the span in ctx if it is of this order, else in the order's own trace, with
// a link to what has led to it.
func (f *Follower) Change(ctx context.Context, order, name string) (context.Context, trace.Span) {
	if f == nil {
		return ctx, none()
	}
	active := trace.SpanFromContext(ctx)
	of, _ := ctx.Value(orderKey{}).(string)
	if active.IsRecording() && (of == order || of == everyOrder) {
		return f.tracer.Start(ctx, name, trace.WithAttributes(OrderID(order)))
	}
	own, root, followed := f.own(order)
	if !followed {
		return ctx, none()
	}
	return f.tracer.Start(under(ctx, own, root), name, trace.WithAttributes(OrderID(order)), linkTo(active.SpanContext()))
}

// Fixes begins the span of a message with a courier's fixes, if it is one of
// the few that are followed.
func (f *Follower) Fixes(ctx context.Context, name string) (context.Context, trace.Span) {
	if f == nil || f.fixes == 0 || rand.Float64() >= f.fixes { //nolint:gosec // no secret
		return ctx, none()
	}
	return f.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer))
}

// Continue begins a span under one of another goroutine or node, if there is
// one: parent is what Parent gave there.
func (f *Follower) Continue(ctx context.Context, parent, name string, kind trace.SpanKind) (context.Context, trace.Span) {
	if f == nil || parent == "" {
		return ctx, none()
	}
	caller := Parse(parent)
	if !caller.IsSampled() {
		return ctx, none()
	}
	return f.tracer.Start(trace.ContextWithRemoteSpanContext(ctx, caller), name, trace.WithSpanKind(kind))
}

// Child begins a span under the one in ctx, if there is one.
func (f *Follower) Child(ctx context.Context, name string, kind trace.SpanKind) (context.Context, trace.Span) {
	if f == nil || !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, none()
	}
	return f.tracer.Start(ctx, name, trace.WithSpanKind(kind))
}

// End ends spans, as failed if err is not nil.
func End(err error, spans ...trace.Span) {
	for _, span := range spans {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}
}

// own says whether an order or request is followed, and what its trace's and
// its first span's ids are.
func (f *Follower) own(id string) (trace.TraceID, trace.SpanID, bool) {
	u, err := uuid.Parse(id)
	if err != nil || binary.BigEndian.Uint64(u[8:])&(1<<idBits-1) >= f.orders {
		return trace.TraceID{}, trace.SpanID{}, false
	}
	return trace.TraceID(u), trace.SpanID(u[8:]), true
}

// everyOrder is whose a trace is that a trusted caller has begun: all that
// the request changes is a part of it.
const everyOrder = "*"

// orderKey finds in a context the order that its span is of.
type orderKey struct{}

// under is a context whose next span has the first one of a trace as parent.
func under(ctx context.Context, own trace.TraceID, root trace.SpanID) context.Context {
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: own, SpanID: root, TraceFlags: trace.FlagsSampled, Remote: true,
	}))
}

func linkTo(other trace.SpanContext) trace.SpanStartOption {
	if !other.IsValid() {
		return trace.WithLinks()
	}
	return trace.WithLinks(trace.Link{SpanContext: other})
}

// none is a span that does nothing.
func none() trace.Span { return trace.SpanFromContext(context.Background()) }
