package ws

import (
	"context"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gorilla/websocket"

	"courier/dispatch"
	"courier/geo"
)

// fleetSession is one dispatcher's socket. Its fields but the first two are
// guarded by fleet.mu.
type fleetSession struct {
	hub  *Hub
	conn *conn

	joined   bool // counted
	joinedAt time.Time
	live     bool // has had its snapshot
	orders   int64
	couriers int64
	alerts   int64
	cells    bool
	bounds   *geo.Bounds         // nil before a view
	looked   bool                // bounds are new, or have just been read
	inside   map[string]struct{} // couriers last sent inside bounds

	regions []geo.Cell // of the feed, for bounds; nil before a view
	moved   bool       // regions are new
	unread  int        // readings of the index to come, the next at readAt
	readAt  time.Time
}

// resumeSlack covers clocks of nodes that differ, and commits that were
// under way when a cursor was given out.
const resumeSlack = 5000 // ms

func newFleetSession(h *Hub, c *conn) *fleetSession {
	return &fleetSession{hub: h, conn: c, inside: map[string]struct{}{}}
}

func (s *fleetSession) newest(context.Context) (int64, error) {
	return s.hub.Clock.Now().UnixMilli(), nil
}

func (s *fleetSession) resume(ctx context.Context, seq int64) error {
	f := s.hub.fleet
	f.mu.Lock()
	f.viewers[s] = struct{}{}
	s.joined, s.joinedAt, f.turned = true, time.Now(), true
	f.mu.Unlock()
	watched := s.hub.interest.addAll()
	f.poke()
	s.hub.wait(ctx, watched)
	if err := f.load(ctx, false); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	since := seq - resumeSlack
	partial := seq > 0 && since >= f.since && seq <= f.seq+resumeSlack
	if !partial {
		since = 0
	}
	s.conn.push(f.snapshotLocked(since, partial))
	if gone := f.goneLocked(since); partial && len(gone) > 0 {
		s.conn.push(listFrame("couriers", f.seq, "couriers", nil, gone))
	}
	s.orders, s.couriers, s.alerts = f.seq, f.seq, f.seq
	for id := range f.couriers {
		s.inside[id] = struct{}{} // before a view, all are
	}
	s.live = true
	return nil
}

func (s *fleetSession) receive(_ context.Context, frame any) error {
	view, ok := frame.(*viewIn)
	if !ok {
		return &closeError{codeBadFrame, "invalid", "auth and resume come once"}
	}
	f, regions := s.hub.fleet, regionsIn(view.Bounds)
	f.mu.Lock()
	defer f.mu.Unlock()
	s.bounds, s.cells, s.looked = &view.Bounds, view.Cells, true
	s.regions, s.moved, f.turned = regions, true, true
	return nil
}

func (s *fleetSession) end() {
	f := s.hub.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	if !s.joined {
		return
	}
	delete(f.viewers, s)
	s.hub.interest.dropAll()
	f.turned = true
	if len(f.viewers) == 0 { // nobody is left to do it at the next tick
		f.watchLocked(nil)
		f.clear()
	}
}

func (s *fleetSession) revoked(reason string) {
	why := errRevoked
	if reason == "expired" {
		why = errExpired
	}
	s.conn.close(why.code, why.fault, why.detail)
}

// shows decides whether a dispatcher is sent a courier: its place has
// changed and is, or was, in view; or anything else has.
func (s *fleetSession) shows(c *fleetCourier) bool {
	in := s.bounds == nil || c.Fix != nil && s.bounds.Contains(c.Fix.Point)
	_, was := s.inside[c.ID]
	if !(c.seq > s.couriers || c.moved > s.couriers && (in || was) || s.looked && in) {
		return false
	}
	if in {
		s.inside[c.ID] = struct{}{}
	} else {
		delete(s.inside, c.ID)
	}
	return true
}

func (f *fleet) courierFrameLocked(v *fleetSession, seq int64) frame {
	var list []jsontext.Value
	for _, c := range f.couriers {
		if v.shows(c) {
			list = append(list, f.courierLocked(c))
		}
	}
	gone := f.goneLocked(v.couriers)
	for _, id := range gone {
		delete(v.inside, id)
	}
	v.couriers, v.looked = seq, false
	if len(list)+len(gone) == 0 {
		return nil
	}
	return listFrame("couriers", seq, "couriers", list, gone)
}

// courierLocked encodes a courier once for all dispatchers.
func (f *fleet) courierLocked(c *fleetCourier) jsontext.Value {
	if c.raw == nil {
		raw, err := json.Marshal(c.FleetCourier)
		if err != nil {
			f.warn(f.hub.ctx, err)
			raw, _ = json.Marshal(dispatch.FleetCourier{ID: c.ID})
		}
		c.raw = raw
	}
	return c.raw
}

func (f *fleet) goneLocked(cursor int64) []string {
	var gone []string
	for id, seq := range f.removed {
		if seq > cursor {
			gone = append(gone, id)
		}
	}
	return gone
}

func (f *fleet) orderFrameLocked(cursor, seq int64) frame {
	var list []jsontext.Value
	for _, o := range f.orders {
		if o.seq > cursor {
			list = append(list, o.raw)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return listFrame("orders", seq, "orders", list, nil)
}

func (f *fleet) snapshotLocked(since int64, partial bool) frame {
	w := writer{make([]byte, maxHeader, 64<<10)}
	w.b = append(w.b, `{"type":"snapshot","seq":`...)
	w.b = strconv.AppendInt(w.b, f.seq, 10)
	w.b = append(w.b, `,"partial":`...)
	w.b = strconv.AppendBool(w.b, partial)
	var orders, couriers []jsontext.Value
	for _, o := range f.orders {
		if o.seq > since {
			orders = append(orders, o.raw)
		}
	}
	for _, c := range f.couriers {
		if max(c.seq, c.moved) > since {
			couriers = append(couriers, f.courierLocked(c))
		}
	}
	alerts := []dispatch.Alert{}
	for _, a := range f.alerts {
		if a.seq > since && (a.Active || partial) {
			alerts = append(alerts, a.Alert)
		}
	}
	w.list("orders", orders)
	w.list("couriers", couriers)
	w.b = append(w.b, `,"alerts":`...)
	f.warn(f.hub.ctx, json.MarshalWrite(&w, alerts))
	w.b = append(w.b, `,"stats":`...)
	f.warn(f.hub.ctx, json.MarshalWrite(&w, f.stats))
	w.b = append(w.b, '}')
	return newFrame(websocket.TextMessage, w.b)
}

// listFrame puts together what is encoded already.
func listFrame(typ string, seq int64, name string, list []jsontext.Value, gone []string) frame {
	w := writer{make([]byte, maxHeader, 1<<10)}
	w.b = append(w.b, `{"type":"`...)
	w.b = append(w.b, typ...)
	w.b = append(w.b, `","seq":`...)
	w.b = strconv.AppendInt(w.b, seq, 10)
	w.list(name, list)
	if typ == "couriers" {
		w.b = append(w.b, `,"removed":[`...)
		for i, id := range gone {
			if i > 0 {
				w.b = append(w.b, ',')
			}
			w.b, _ = jsontext.AppendQuote(w.b, id) // an id of ours is UTF-8
		}
		w.b = append(w.b, ']')
	}
	w.b = append(w.b, '}')
	return newFrame(websocket.TextMessage, w.b)
}

func (w *writer) list(name string, values []jsontext.Value) {
	w.b = append(w.b, `,"`...)
	w.b = append(w.b, name...)
	w.b = append(w.b, `":[`...)
	for i, v := range values {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, v...)
	}
	w.b = append(w.b, ']')
}
