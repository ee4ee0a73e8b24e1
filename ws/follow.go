package ws

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"courier/dispatch"
	"courier/internal/bus"
	"courier/internal/follow"
	"courier/tracking"
)

// heard is a followed message on its way to the sockets that wait for it.
type heard struct {
	version int64
	ctx     context.Context // of its span
	span    trace.Span
	before  *heard
}

// hears takes a message of the order. If that is followed, the span lasts
// until everybody here who looks at the order has it in its queue.
func (w *orderWatch) hears(m bus.Message) {
	// Who is just being sent a version may have it, and answer it, before the
	// watch says so: the one after the next counts too.
	has := w.version.Load()
	if told := w.told.Load(); m.Version > has && (told == nil || told.Version <= has) {
		w.told.Store(&m)
	}
	if m.Trace == "" {
		return
	}
	ctx, span := w.hub.Follow.Continue(context.Background(), m.Trace, "process "+m.Topic, trace.SpanKindConsumer)
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(attribute.String("messaging.operation.name", "process"), attribute.String("messaging.operation.type", "process"),
		attribute.String("messaging.destination.name", m.Topic), attribute.String("messaging.message.id", m.ID), follow.OrderID(m.Key))
	if m.Version <= w.version.Load() {
		span.SetAttributes(attribute.Bool("courier.told_before", true))
		span.End()
		return
	}
	w.keep(&heard{version: m.Version, ctx: ctx, span: span})
}

func (w *orderWatch) keep(one *heard) {
	for one.before = w.heard.Load(); !w.heard.CompareAndSwap(one.before, one); one.before = w.heard.Load() {
	}
}

// news takes what was heard up to a version.
func (w *orderWatch) news(version int64) (news *heard) {
	for h := w.heard.Swap(nil); h != nil; {
		next := h.before
		if h.version > version {
			w.keep(h)
		} else {
			h.before, news = news, h
		}
		h = next
	}
	return news
}

// of is what was heard of a version, or nil.
func (h *heard) of(version int64) *heard {
	for ; h != nil; h = h.before {
		if h.version == version {
			return h
		}
	}
	return nil
}

// end ends the spans of all that was heard.
func (h *heard) end(err error) {
	for ; h != nil; h = h.before {
		if err != nil {
			h.span.SetStatus(codes.Error, err.Error())
		}
		h.span.End()
	}
}

// send pushes a frame whose way is followed to the socket; h may be nil.
func (h *heard) send(hub *Hub, c *conn, f frame, what string) {
	if h == nil {
		c.push(f)
		return
	}
	c.pushSent(f, begin(h.ctx, hub, c, what))
}

// sendNewest is send for a frame of a slot.
func (h *heard) sendNewest(hub *Hub, c *conn, s slot, f frame, what string) {
	if h == nil {
		c.pushSlot(s, f)
		return
	}
	c.pushSlotSent(s, f, begin(h.ctx, hub, c, what))
}

// sees takes a followed fix of the order's courier, whose span lasts until it
// is shown, or a newer one is.
func (w *orderWatch) sees(f tracking.Fix) {
	ctx, span := w.hub.Follow.Continue(context.Background(), f.Trace, "process fix", trace.SpanKindConsumer)
	if span.IsRecording() {
		span.SetAttributes(follow.OrderID(w.order), attribute.String("courier.id", f.Courier))
		w.seen.Swap(&heard{version: f.Time.UnixNano(), ctx: ctx, span: span}).end(errOvertaken)
	}
}

// shown takes the followed fix that a view shows, or has left behind; nil:
// there is none.
func (w *orderWatch) shown(view dispatch.View) *heard {
	last := w.seen.Load()
	if last == nil || view.Fix != nil && view.Fix.Time.UnixNano() < last.version || !w.seen.CompareAndSwap(last, nil) {
		return nil
	}
	return last
}

// followFixes begins the span of a courier's message with fixes, if it is one
// of the few that are followed.
func (h *Hub) followFixes(ctx context.Context, courier string, fixes int) (context.Context, trace.Span) {
	ctx, span := h.Follow.Fixes(ctx, "courier fixes")
	if span.IsRecording() {
		span.SetAttributes(attribute.String("courier.id", courier), attribute.Int("courier.fixes", fixes))
	}
	return ctx, span
}

// sent is the span of a followed frame, which ends once the frame is written.
type sent struct{ trace.Span }

func begin(ctx context.Context, hub *Hub, c *conn, what string) *sent {
	_, span := hub.Follow.Child(ctx, "send "+what, trace.SpanKindServer)
	span.SetAttributes(attribute.String("courier.socket", c.kind.String()), attribute.String("courier.frame", what))
	return &sent{span}
}

// errNotSent is what becomes of a frame whose connection ends before it.
var errNotSent = errors.New("the connection ended before it was sent")

// errOvertaken is what becomes of a frame that a newer one has made
// worthless.
var errOvertaken = errors.New("a newer frame took its place")

func (s *sent) end(err error) {
	if s == nil {
		return
	}
	if err != nil {
		s.SetStatus(codes.Error, err.Error())
	}
	s.End()
}

// sentOf are the followed frames among some: nil, almost always.
func sentOf(entries []entry) (all []*sent) {
	for i := range entries {
		if entries[i].sent != nil {
			all = append(all, entries[i].sent)
		}
	}
	return all
}

func endAll(all []*sent, err error) {
	for _, s := range all {
		s.end(err)
	}
}

// actAs is what a courier's action on an order is done in: the span of the
// frame, if the order is followed.
func (h *Hub) actAs(ctx context.Context, a dispatch.Action) (context.Context, trace.Span) {
	ctx, span := h.Follow.Begin(ctx, "courier", trace.SpanKindServer, follow.Origin{ID: a.Order, Order: true})
	if span.IsRecording() {
		span.SetName("courier " + string(a.Type))
	}
	return ctx, span
}
