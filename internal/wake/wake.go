// Package wake lets a node tell another one that there is something to do
// for it. It is a hint that may be lost: whoever waits for one also looks by
// itself now and then.
//
//	Node(name) → pending names → bus (topic node.wake, key: the name) → that node's woken
//
// Names, not areas, are the keys: a node watches one shard of the bus,
// whatever it holds, and is woken for areas too that it does not hold yet.
package wake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"courier/internal/bus"
)

const topic = "node.wake"

// gap is the least real time between two publishes: what comes meanwhile
// goes together, each name once.
const gap = 50 * time.Millisecond

// Config says who and how.
type Config struct {
	Node  string        // this one's name
	Woken func()        // called for each hint to this node; must not block
	NewID func() string // unique
}

// Waker sends this node's hints and hears those to it. It is safe for
// concurrent use; nothing goes out or comes in but while Run runs.
type Waker struct {
	Config
	bus bus.Bus
	log *slog.Logger

	news    chan struct{}
	mu      sync.Mutex
	pending map[string]struct{}

	sent, heard, failures atomic.Uint64
}

// Counters are since the start of the process.
type Counters struct {
	Sent, Heard, Failures uint64
}

// New checks the configuration and reports every fault.
func New(c Config, b bus.Bus, log *slog.Logger) (*Waker, error) {
	if c.Node == "" || c.Woken == nil || c.NewID == nil || b == nil || log == nil {
		return nil, errors.New("wake: node, woken, ids, bus and log are all needed")
	}
	return &Waker{Config: c, bus: b, log: log, news: make(chan struct{}, 1), pending: map[string]struct{}{}}, nil
}

// Counters is safe to call at any time.
func (w *Waker) Counters() Counters {
	return Counters{Sent: w.sent.Load(), Heard: w.heard.Load(), Failures: w.failures.Load()}
}

// Wake hints at a node. It does not wait.
func (w *Waker) Wake(node string) {
	w.mu.Lock()
	w.pending[node] = struct{}{}
	w.mu.Unlock()
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// Run sends and hears until ctx ends.
func (w *Waker) Run(ctx context.Context) error {
	sub, err := w.bus.Subscribe(ctx)
	if err != nil {
		return fmt.Errorf("wake: %w", err)
	}
	defer sub.Close()
	if err := sub.Watch(ctx, []uint8{bus.Shard(w.Node)}); err != nil {
		return fmt.Errorf("wake: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { w.send(ctx); return nil })
	g.Go(func() error { w.hear(ctx, sub); return nil })
	return g.Wait()
}

func (w *Waker) send(ctx context.Context) {
	failing := false
	for {
		select {
		case <-ctx.Done():
			w.last(ctx)
			return
		case <-w.news:
		}
		messages := w.take()
		err := w.bus.Publish(ctx, messages) // has a bound of its own
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			w.failures.Add(1)
			if !failing {
				w.log.LogAttrs(ctx, slog.LevelWarn, "other nodes are not woken, they look by themselves", slog.Any("err", err))
			}
		default:
			w.sent.Add(uint64(len(messages)))
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			w.last(ctx)
			return
		case <-time.After(gap):
		}
	}
}

// last sends what is left: that this node leaves, mostly.
func (w *Waker) last(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if messages := w.take(); len(messages) > 0 && w.bus.Publish(ctx, messages) == nil {
		w.sent.Add(uint64(len(messages)))
	}
}

func (w *Waker) take() []bus.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	var messages []bus.Message
	for node := range w.pending {
		messages = append(messages, bus.Message{ID: w.NewID(), Topic: topic, Key: node, Time: time.Now(), Body: []byte("{}")})
	}
	clear(w.pending)
	return messages
}

func (w *Waker) hear(ctx context.Context, sub bus.Subscription) {
	for {
		select {
		case <-ctx.Done():
			return
		case m, open := <-sub.Messages():
			if !open {
				return
			}
			if m.Topic != topic || m.Key != w.Node {
				continue
			}
			w.heard.Add(1)
			w.Woken()
		case <-sub.Lost():
			w.Woken()
		}
	}
}
