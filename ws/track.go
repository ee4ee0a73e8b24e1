package ws

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"courier/dispatch"
	"courier/internal/bus"
	"courier/tracking"
)

// orders are the orders that customers of this node look at.
type orders struct {
	hub *Hub

	mu        sync.RWMutex
	byID      map[string]*orderWatch
	byCourier map[string]map[*orderWatch]struct{} // who carries them
}

func (o *orders) len() int {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return len(o.byID)
}

func (o *orders) ids() []string {
	o.mu.RLock()
	defer o.mu.RUnlock()
	ids := make([]string, 0, len(o.byID))
	for id := range o.byID {
		ids = append(ids, id)
	}
	return ids
}

// changed wakes the watch of an order that has got to a version; false if
// nobody here looks at it or all have seen it.
func (o *orders) changed(id string, version int64) bool {
	o.mu.RLock()
	w := o.byID[id]
	o.mu.RUnlock()
	if w == nil || version <= w.version.Load() {
		return false
	}
	o.hub.work.add(&w.catch)
	return true
}

// hear notes a message with the order that it is about, before that is woken.
func (o *orders) hear(m bus.Message) {
	o.mu.RLock()
	w := o.byID[m.Key]
	o.mu.RUnlock()
	if w != nil {
		w.hears(m)
	}
}

// moved wakes the watches of the orders that couriers carry.
func (o *orders) moved(fixes []tracking.Fix) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, f := range fixes {
		for w := range o.byCourier[f.Courier] {
			if f.Trace != "" {
				w.sees(f)
			}
			w.moved()
		}
	}
}

// quiet has orders looked at whose courier is not heard of in the regions
// watched: the estimate moves with time, and the courier may be elsewhere.
func (o *orders) quiet() {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, carried := range o.byCourier {
		for w := range carried {
			w.quiet()
		}
	}
}

// join returns the watch of an order, counted for one viewer.
func (o *orders) join(id string) *orderWatch {
	o.mu.Lock()
	defer o.mu.Unlock()
	w := o.byID[id]
	if w == nil {
		w = newOrderWatch(o.hub, id)
		o.byID[id] = w
	}
	w.viewing++
	return w
}

// leave undoes join.
func (o *orders) leave(w *orderWatch) {
	o.mu.Lock()
	w.viewing--
	last := w.viewing == 0
	if last {
		delete(o.byID, w.order)
		o.carryLocked(w, "")
	}
	o.mu.Unlock()
	if last {
		w.close()
	}
}

// carry notes who carries the order; "" is nobody.
func (o *orders) carry(w *orderWatch, courier string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byID[w.order] == w { // else it has no viewers any more
		o.carryLocked(w, courier)
	}
}

func (o *orders) carryLocked(w *orderWatch, courier string) {
	if w.courier == courier {
		return
	}
	if set := o.byCourier[w.courier]; set != nil {
		if delete(set, w); len(set) == 0 {
			delete(o.byCourier, w.courier)
		}
	}
	if w.courier = courier; courier == "" {
		return
	}
	set := o.byCourier[courier]
	if set == nil {
		set = map[*orderWatch]struct{}{}
		o.byCourier[courier] = set
	}
	set[w] = struct{}{}
}

// trackSession is one customer's socket.
type trackSession struct {
	hub   *Hub
	conn  *conn
	order string
	link  string
	watch *orderWatch
	place int // among the watch's viewers; guarded by its mu
}

func (s *trackSession) newest(ctx context.Context) (int64, error) {
	v, err := s.hub.Service.View(ctx, s.order)
	if err != nil {
		return 0, fmt.Errorf("read view: %w", err)
	}
	return v.Version, nil
}

func (s *trackSession) resume(ctx context.Context, seq int64) error {
	s.watch = s.hub.orders.join(s.order)
	s.hub.wait(ctx, s.watch.ready)
	return s.watch.add(ctx, s, seq)
}

func (s *trackSession) receive(context.Context, any) error {
	return &closeError{codeBadFrame, "invalid", "auth and resume come once"}
}

func (s *trackSession) end() {
	if s.watch != nil {
		s.watch.remove(s)
		s.hub.orders.leave(s.watch)
	}
}

func (s *trackSession) revoked(reason string) {
	s.hub.push(s.conn, &trackEnded{Type: "ended", Reason: reason})
	s.conn.close(codeNormal, "", reason)
}

// endOf is the reason of the ended frame; "" while the order goes on.
func endOf(v dispatch.View) string {
	switch v.Status {
	case dispatch.Delivered, dispatch.Returned, dispatch.Cancelled:
		return string(v.Status)
	case dispatch.Failed:
		if _, picked := v.Steps[dispatch.PickedUp]; !picked { // else it is to be returned
			return string(v.Status)
		}
	}
	return ""
}

func step(e dispatch.Event) dispatch.HistoryStep {
	return dispatch.HistoryStep{Seq: e.Version, Status: dispatch.PublicStatus(e.Status), Time: e.Time}
}

// errGap says that the events read do not follow each other: versions have
// no gaps, so a read was cut short or has overtaken a commit.
var errGap = errors.New("events are missing")

// gapless checks that the events continue from a version.
func gapless(events []dispatch.Event, after int64) error {
	for i, e := range events {
		if e.Version != after+1+int64(i) {
			return fmt.Errorf("%w: version %d after %d", errGap, e.Version, after+int64(i))
		}
	}
	return nil
}
