package ws

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/internal/bus"
)

// orderWatch is one order with the customers who look at it. All of them
// have been sent the same version, so what is new is read and encoded once.
type orderWatch struct {
	hub     *Hub
	order   string
	version atomic.Int64 // that all viewers have; written under mu
	catch   task
	told    atomic.Pointer[bus.Message] // of a version after that, the next if it has come
	ready   <-chan struct{}             // the bus watches the order

	viewing int    // guarded by orders.mu
	courier string // guarded by orders.mu

	looked atomic.Int64 // real time of the last position, in ns
	armed  atomic.Bool  // a timer will look at the position
	due    atomic.Bool  // the locator has it in hand

	heard atomic.Pointer[heard] // nil, unless the order is followed
	seen  atomic.Pointer[heard] // the last fix that is followed and not shown yet; its version is its time

	mu      sync.Mutex // held while reading and sending
	viewers []*trackSession
	regions []geo.Cell // watched
	fixed   time.Time  // of the last position sent
	at      geo.Point  // of the last position known
	eta     dispatch.Window
	before  int // stops before
}

func newOrderWatch(h *Hub, order string) *orderWatch {
	w := &orderWatch{hub: h, order: order, before: -1}
	w.ready = h.interest.addKey(order)
	w.catch = task{run: func(ctx context.Context) { w.do(ctx, w.catchUp) }}
	return w
}

// do runs a step under the lock. What fails is tried again by the sweeper.
func (w *orderWatch) do(ctx context.Context, step func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, w.hub.CallTimeout)
	defer cancel()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.viewers) == 0 {
		return
	}
	if err := step(ctx); err != nil && ctx.Err() == nil {
		w.hub.Log.LogAttrs(ctx, slog.LevelWarn, "order not refreshed", slog.String("order_id", w.order), slog.Any("err", err))
	}
}

// add sends a customer what it lacks and then whatever comes.
func (w *orderWatch) add(ctx context.Context, s *trackSession, seq int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.viewers) > 0 {
		if err := w.catchUp(ctx); err != nil { // those who are here stay at one version
			return err
		}
	}
	for {
		events, view, err := w.read(ctx, 0)
		if err != nil {
			return err
		}
		newest := int64(len(events)) // versions count 1, 2, 3 …
		if len(w.viewers) > 0 && newest != w.version.Load() {
			if err := w.catchUp(ctx); err != nil {
				return err
			}
			if newest != w.version.Load() {
				continue
			}
		}
		w.greet(s, seq, events, view)
		w.version.Store(newest)
		s.place = len(w.viewers)
		w.viewers = append(w.viewers, s)
		w.follow(view)
		w.finish(view, s)
		return nil
	}
}

// greet sends the snapshot, or each version after seq.
func (w *orderWatch) greet(s *trackSession, seq int64, events []dispatch.Event, view dispatch.View) {
	newest := int64(len(events))
	if seq <= 0 || seq > newest {
		history := make([]dispatch.HistoryStep, len(events))
		for i, e := range events {
			history[i] = step(e)
		}
		w.hub.push(s.conn, &trackSnapshot{Type: "snapshot", Seq: newest, View: view, History: history})
		return
	}
	for _, e := range events[seq:] {
		w.hub.push(s.conn, statusOf(e, view))
	}
	if view.ETA != nil {
		w.hub.push(s.conn, &trackETA{Type: "eta", ETA: view.ETA, StopsBefore: view.StopsBefore})
	}
	if view.Fix != nil {
		w.hub.push(s.conn, w.positionOf(view))
	}
}

func statusOf(e dispatch.Event, view dispatch.View) *trackStatus {
	h := step(e)
	return &trackStatus{Type: "status", Seq: h.Seq, Status: h.Status, Time: h.Time, View: view}
}

// read returns the events after a version and a view that is not older.
func (w *orderWatch) read(ctx context.Context, after int64) ([]dispatch.Event, dispatch.View, error) {
	const tries = 5 // an order does not change that often while it is read
	for range tries {
		events, err := w.hub.Service.Events(ctx, dispatch.Scope{}, w.order, after)
		if err != nil {
			return nil, dispatch.View{}, fmt.Errorf("read events: %w", err)
		}
		if err := gapless(events, after); err != nil {
			return nil, dispatch.View{}, err
		}
		view, err := w.hub.Service.View(ctx, w.order)
		if err != nil {
			return nil, dispatch.View{}, fmt.Errorf("read view: %w", err)
		}
		if view.Version == after+int64(len(events)) {
			return events, view, nil
		}
	}
	return nil, dispatch.View{}, fmt.Errorf("%w: events and view do not meet", errGap)
}

// next is what the viewers lack. Where that is one version whose message has
// come, the message has the event and only the view is read.
func (w *orderWatch) next(ctx context.Context) ([]dispatch.Event, dispatch.View, error) {
	after, m := w.version.Load(), w.told.Swap(nil)
	if m == nil || m.Version != after+1 {
		return w.read(ctx, after)
	}
	var e dispatch.Event
	if json.Unmarshal(m.Body, &e) != nil || e.Order != w.order || e.Version != after+1 {
		return w.read(ctx, after)
	}
	view, err := w.hub.Service.View(ctx, w.order)
	if err != nil {
		return nil, dispatch.View{}, fmt.Errorf("read view: %w", err)
	}
	if view.Version != e.Version {
		return w.read(ctx, after)
	}
	return []dispatch.Event{e}, view, nil
}

// catchUp sends every viewer each version that has come since.
func (w *orderWatch) catchUp(ctx context.Context) error {
	events, view, err := w.next(ctx)
	if err != nil {
		w.heard.Swap(nil).end(err)
		return err
	}
	news := w.news(view.Version) // what came while it was read too
	defer news.end(nil)
	if len(events) == 0 {
		return nil
	}
	frames := make([]frame, len(events))
	for i, e := range events {
		if frames[i], err = w.hub.scratch.encode(statusOf(e, view)); err != nil {
			return err
		}
	}
	for _, s := range w.viewers {
		s.conn.together(func() {
			for i, e := range events {
				news.of(e.Version).send(w.hub, s.conn, frames[i], "status")
			}
		})
	}
	w.version.Store(view.Version)
	if view.ETA != nil {
		w.eta, w.before = *view.ETA, view.StopsBefore // the status said so
	}
	w.follow(view)
	w.finish(view, w.viewers...)
	return nil
}

// follow watches the courier that carries the order now.
func (w *orderWatch) follow(view dispatch.View) {
	courier := ""
	if view.Courier != nil && endOf(view) == "" {
		courier = view.Courier.ID
	}
	w.hub.orders.carry(w, courier)
	switch {
	case courier == "":
		w.setRegions(nil)
	case len(w.regions) == 0:
		w.setRegions(regionsOf(view))
	}
}

// finish says goodbye once the order's story is over.
func (w *orderWatch) finish(view dispatch.View, viewers ...*trackSession) {
	reason := endOf(view)
	if reason == "" {
		return
	}
	for _, s := range viewers {
		s.revoked(reason)
	}
}

func (w *orderWatch) remove(s *trackSession) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.place >= len(w.viewers) || w.viewers[s.place] != s {
		return // never came to be one
	}
	last := len(w.viewers) - 1
	w.viewers[s.place] = w.viewers[last]
	w.viewers[s.place].place = s.place
	w.viewers[last] = nil
	w.viewers = w.viewers[:last]
}

// close lets go of bus and feed. The watch has no viewers and is not found
// any more.
func (w *orderWatch) close() {
	w.hub.interest.dropKey(w.order)
	w.heard.Swap(nil).end(nil)
	w.seen.Swap(nil).end(nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.setRegions(nil)
}
