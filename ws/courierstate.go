package ws

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"

	"courier/dispatch"
)

// lookBack is how many of an order's newest events may hold the one by which
// a courier lost it a moment ago.
const lookBack = 8

// seqFrame is a frame of a courier whose seq is set when it is sent.
type seqFrame interface{ setSeq(int64) }

func (f *plan) setSeq(n int64)        { f.Seq = n }
func (f *offer) setSeq(n int64)       { f.Seq = n }
func (f *offerClosed) setSeq(n int64) { f.Seq = n }
func (f *orderLost) setSeq(n int64)   { f.Seq = n }

// refresh re-reads the courier and sends what the client does not know. It
// is called for every message, action and sweep; most find nothing new.
func (s *courierSession) refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.live || s.conn.over() {
		return nil
	}
	now, open, err := s.hub.Service.CourierState(ctx, s.id)
	if err != nil {
		return fmt.Errorf("read courier: %w", err)
	}
	if err := s.over(now); err != nil {
		return err
	}
	if now.Version <= s.sent.Version {
		return nil
	}
	before := s.sent
	var frames []seqFrame
	if s.planChanged(before, now) {
		frames = append(frames, s.planFrame(now, open))
	}
	if before.offer != "" && (open == nil || open.ID != before.offer) {
		if frames, err = s.closed(ctx, frames, before.offer); err != nil {
			return err
		}
	}
	if frames, err = s.lost(ctx, frames, before.Plan, now.Plan); err != nil {
		return err
	}
	if open != nil && open.ID != before.offer {
		frames = append(frames, &offer{Type: "offer", Offer: *open})
	}
	if len(frames) == 0 { // the version moved: so must the client's cursor
		frames = append(frames, s.planFrame(now, open))
	}
	s.send(frames, before.Version, now.Version)
	s.remember(now, open)
	if before.Duty != dispatch.Off && now.Duty == dispatch.Off {
		if err := s.hub.Tracker.Forget(ctx, s.id); err != nil {
			s.hub.Log.LogAttrs(ctx, slog.LevelWarn, "courier not taken off the map", slog.String("courier_id", s.id), slog.Any("err", err))
		}
	}
	return nil
}

// remember takes note of what the client has been sent.
func (s *courierSession) remember(c dispatch.Courier, open *dispatch.Offer) {
	s.sent = courierSent{Courier: c}
	if open != nil {
		s.sent.offer = open.ID
	}
	s.fences = fencesOf(c.Plan, s.hub.Geofence)
}

// send gives the frames their seqs and queues them. The last one has the
// courier's version; those before count down to it as far as the versions
// since the client's last leave room. So a client that ignores what is not
// over its last seq misses nothing of consequence: the plan goes first.
func (s *courierSession) send(frames []seqFrame, last, version int64) {
	for i, f := range frames {
		room := version - last - 1
		f.setSeq(version - min(int64(len(frames)-1-i), max(room, 0)))
		s.hub.push(s.conn, f)
	}
}

// planChanged leaves out what an offer alone moves.
func (s *courierSession) planChanged(before courierSent, now dispatch.Courier) bool {
	a, b := before.Courier, now
	a.Version, a.Epoch, a.Offer = b.Version, b.Epoch, b.Offer
	return !reflect.DeepEqual(a, b)
}

func (s *courierSession) planFrame(c dispatch.Courier, open *dispatch.Offer) *plan {
	if c.Plan.Stops == nil {
		c.Plan.Stops = []dispatch.Stop{}
	}
	state := dispatch.Free
	switch {
	case c.Duty == dispatch.Off:
		state = dispatch.Offline
	case c.Duty == dispatch.Break:
		state = dispatch.OnBreak
	case open != nil:
		state = dispatch.HasOffer
	case len(c.Plan.Stops) > 0:
		state = dispatch.Busy
	}
	return &plan{Type: "plan", Duty: c.Duty, Courier: dispatch.CourierView{Courier: c, State: state}, Plan: c.Plan}
}

// closed says what became of an offer.
func (s *courierSession) closed(ctx context.Context, frames []seqFrame, id string) ([]seqFrame, error) {
	o, err := s.hub.Service.Offer(ctx, id)
	switch {
	case errors.Is(err, dispatch.ErrNotFound):
		o = dispatch.Offer{ID: id, State: dispatch.OfferWithdrawn}
	case err != nil:
		return nil, fmt.Errorf("read offer: %w", err)
	case o.State == dispatch.OfferOpen: // read before the courier was
		return nil, fmt.Errorf("offer %s is open and not the courier's", id)
	}
	frame := &offerClosed{Type: "offer.closed", Offer: id, State: o.State, Reason: o.Reason}
	if o.State == dispatch.OfferWithdrawn && len(o.Orders) > 0 {
		// Cancelled, or somebody else's by now: what the courier wants to know.
		if first, err := s.hub.Service.Order(ctx, dispatch.Scope{}, o.Orders[0]); err == nil {
			frame.Status = first.Status
		}
	}
	return append(frames, frame), nil
}

// lost says why orders have left the plan, other than by being done.
func (s *courierSession) lost(ctx context.Context, frames []seqFrame, before, now dispatch.Plan) ([]seqFrame, error) {
	var seen []string
	for _, stop := range before.Stops {
		if slices.Contains(seen, stop.Order) || slices.ContainsFunc(now.Stops, func(s dispatch.Stop) bool { return s.Order == stop.Order }) {
			continue
		}
		seen = append(seen, stop.Order)
		o, err := s.hub.Service.Order(ctx, dispatch.Scope{}, stop.Order)
		switch {
		case errors.Is(err, dispatch.ErrNotFound):
			continue
		case err != nil:
			return nil, fmt.Errorf("read order: %w", err)
		case o.Courier == s.id && (o.Status == dispatch.Delivered || o.Status == dispatch.Returned) && s.did[o.ID]:
			delete(s.did, o.ID)
			continue
		}
		by, reason := s.changed(ctx, o, true)
		if o.Reason != "" {
			reason = o.Reason
		}
		frames = append(frames, &orderLost{Type: "order", Order: o.ID, Status: o.Status, By: by, Reason: reason})
	}
	return frames, nil
}

// changed is the role of whoever last moved an order that this courier has or
// had, and the reason given if it was taken from the courier; of an order that
// it never had, nothing. RoleCourier is the courier itself: what others do
// with the order later is theirs.
func (s *courierSession) changed(ctx context.Context, o dispatch.Order, had bool) (by dispatch.Role, reason string) {
	events, err := s.hub.Service.Events(ctx, dispatch.Scope{}, o.ID, max(o.Version-lookBack, 0))
	if err != nil {
		return "", ""
	}
	had = had || o.Courier == s.id
	for _, e := range events {
		own := e.Actor.Role == dispatch.RoleCourier && e.Actor.ID == s.id
		had = had || own || e.Data.Courier == s.id
		switch {
		case e.Type == dispatch.EventUnassigned && e.Data.Courier == s.id:
			by, reason = e.Actor.Role, e.Data.Reason
		case own, e.Actor.Role != dispatch.RoleCourier && slices.Contains(ends, e.Type):
			by = e.Actor.Role
		}
	}
	if !had {
		return "", ""
	}
	return by, reason
}

// ends are the events by which an order leaves a plan whoever has it.
var ends = []dispatch.EventType{dispatch.EventCancelled, dispatch.EventFailed, dispatch.EventReturned, dispatch.EventDelivered}

// stopOf undoes the id of a fence.
func stopOf(fence string) (order string, kind dispatch.StopKind) {
	order, word, _ := strings.Cut(fence, "/")
	return order, dispatch.StopKind(word)
}
