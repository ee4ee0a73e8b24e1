package ws

import (
	"context"
	"sync"
)

// task is something to do again whenever it is asked for. However often that
// is, it runs in one goroutine at a time, and once more if it was asked for
// while it ran.
type task struct {
	run   func(context.Context)
	state taskState // guarded by work.mu
}

type taskState uint8

const (
	idle taskState = iota
	queued
	running
	again
)

// work is what the hub's workers share. Each task is in it at most once, so
// it is no longer than the things watched.
type work struct {
	mu    sync.Mutex
	some  sync.Cond
	line  []*task
	ended bool
}

func newWork() *work {
	w := &work{}
	w.some.L = &w.mu
	return w
}

func (w *work) add(t *task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch t.state {
	case idle:
		w.put(t)
	case running:
		t.state = again
	}
}

func (w *work) put(t *task) {
	t.state = queued
	w.line = append(w.line, t)
	w.some.Signal()
}

// worker runs tasks until end.
func (w *work) worker(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		t := w.take()
		if t == nil {
			return
		}
		t.state = running
		w.mu.Unlock()
		t.run(ctx)
		w.mu.Lock()
		if t.state == again {
			w.put(t)
		} else {
			t.state = idle
		}
	}
}

func (w *work) take() *task {
	for {
		if w.ended {
			return nil
		}
		if len(w.line) > 0 {
			t := w.line[0]
			w.line[0] = nil
			w.line = w.line[1:]
			return t
		}
		w.some.Wait()
	}
}

// end lets the workers go home after what they have in hand.
func (w *work) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.some.Broadcast()
}
