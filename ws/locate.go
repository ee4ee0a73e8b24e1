package ws

import (
	"context"
	"log/slog"
	"sync"
)

// locator looks where couriers are, for the customers of many orders at once:
// what becomes due while one question is under way goes into the next, so
// that a busy node asks seldom and a quiet one at once.
type locator struct {
	mu   sync.Mutex
	due  []*orderWatch // each at most once: see orderWatch.due
	some chan struct{}
}

func newLocator() *locator { return &locator{some: make(chan struct{}, 1)} }

const (
	locators   = 2   // questions at a time
	locateMost = 500 // orders in one
)

func (l *locator) add(w *orderWatch) {
	if !w.due.CompareAndSwap(false, true) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = append(l.due, w)
	l.wake()
}

func (l *locator) wake() {
	select {
	case l.some <- struct{}{}:
	default:
	}
}

func (l *locator) take() (some map[string]*orderWatch, ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.due), locateMost)
	some = make(map[string]*orderWatch, n)
	for _, w := range l.due[:n] {
		w.due.Store(false)
		some[w.order] = w
		ids = append(ids, w.order)
	}
	clear(l.due[:n])
	if l.due = l.due[n:]; len(l.due) > 0 {
		l.wake()
	}
	return some, ids
}

// locate answers until ctx ends.
func (h *Hub) locate(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.locator.some:
		}
		if some, ids := h.locator.take(); len(ids) > 0 {
			h.locateAll(some, ids)
		}
	}
}

// locateAll tells what fails, and that fixes to come are looked at again.
func (h *Hub) locateAll(some map[string]*orderWatch, ids []string) {
	h.ask(h.ctx, "couriers not located", func(ctx context.Context) error {
		views, err := h.Service.Views(ctx, ids)
		if err != nil {
			return err
		}
		for id, view := range views {
			if err := some[id].show(view); err != nil {
				h.Log.LogAttrs(ctx, slog.LevelError, "position not shown", slog.String("order_id", id), slog.Any("err", err))
			}
		}
		return nil
	})
}
