package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// ErrClosed says that the subscription has ended.
var ErrClosed = errors.New("subscription closed")

// MemoryConfig sets the in-process bus up; a zero field takes its default.
type MemoryConfig struct {
	Buffer   int           // messages that a subscription holds for a slow reader; default 4096
	Queues   []Queue       // whose messages wait for a worker from the start
	Parallel int           // messages worked on at once for one Publish; default 32
	Timeout  time.Duration // of one try; default 2 s
	Pause    time.Duration // after the first failed try, then four times as long each; default 50 ms
	Hold     time.Duration // how long one Publish may wait for work; default 5 s
	Log      *slog.Logger  // of work that failed; default: nowhere
}

// Memory is the bus of a single process. It has no goroutines of its own:
// Publish puts each message into the buffers of the subscriptions that watch
// its shard, where what does not fit is dropped and signalled by Lost, and
// then has its work done.
//
// A message whose work is not done after Hold is not taken: the publisher has
// it and comes again. So a slow handler holds up later messages, by Hold at a
// time and for Tries in all, but never the ones that were published with it.
type Memory struct {
	MemoryConfig
	counters Counters

	mu   sync.RWMutex // held while offering: subscriptions come and go between messages
	subs map[*memorySub]struct{}

	work   sync.Mutex // never held while a handler runs, which may publish
	queues map[string]*memoryQueue
	tries  map[job]int // of messages that are not settled, or were published with such a one
}

var (
	_ Bus    = (*Memory)(nil)
	_ Worker = (*Memory)(nil)
	_ Meter  = (*Memory)(nil)
)

// NewMemory opens a bus. It holds nothing that would have to be closed.
func NewMemory(c MemoryConfig) *Memory {
	c.Buffer, c.Parallel = cmp.Or(c.Buffer, 4096), cmp.Or(c.Parallel, 32)
	c.Timeout, c.Pause, c.Hold = cmp.Or(c.Timeout, 2*time.Second), cmp.Or(c.Pause, 50*time.Millisecond), cmp.Or(c.Hold, 5*time.Second)
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	m := &Memory{MemoryConfig: c, subs: map[*memorySub]struct{}{}, queues: map[string]*memoryQueue{}, tries: map[job]int{}}
	for _, q := range c.Queues {
		m.declare(q)
	}
	return m
}

// Publish implements Bus. It never blocks on a reader. Bodies are shared by
// all readers and must not be changed afterwards.
func (m *Memory) Publish(ctx context.Context, messages []Message) error {
	err := ctx.Err()
	if err == nil {
		m.offer(messages)
		err = m.finish(ctx, messages)
	}
	if err != nil {
		m.counters.Failed.Add(1)
		return fmt.Errorf("publish: %w", err)
	}
	m.counters.Published.Add(uint64(len(messages)))
	return nil
}

func (m *Memory) offer(messages []Message) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, msg := range messages {
		shard := Shard(msg.Key)
		for s := range m.subs {
			s.offer(shard, msg)
		}
	}
}

// Stats implements Meter.
func (m *Memory) Stats() Stats {
	s := m.counters.Stats()
	s.Connected = true
	return s
}

// Subscribe implements Bus.
func (m *Memory) Subscribe(ctx context.Context) (Subscription, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	s := &memorySub{bus: m, messages: make(chan Message, m.Buffer), lost: make(chan struct{}, 1)}
	m.mu.Lock()
	m.subs[s] = struct{}{}
	m.mu.Unlock()
	return s, nil
}

// memorySub is one subscription. Lock order: Memory.mu, then mu.
type memorySub struct {
	bus      *Memory
	messages chan Message
	lost     chan struct{}

	mu      sync.Mutex // makes sends and the close of messages exclude each other
	watched [Shards]bool
	closed  bool
}

func (s *memorySub) offer(shard uint8, msg Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || !s.watched[shard] {
		return
	}
	select {
	case s.messages <- msg:
		s.bus.counters.Delivered.Add(1)
	default:
		s.bus.counters.Lost.Add(1)
		select {
		case s.lost <- struct{}{}:
		default: // one signal stands for many
		}
	}
}

func (s *memorySub) Watch(_ context.Context, shards []uint8) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.watched = [Shards]bool{}
	for _, shard := range shards {
		s.watched[shard] = true
	}
	return nil
}

func (s *memorySub) Messages() <-chan Message { return s.messages }
func (s *memorySub) Lost() <-chan struct{}    { return s.lost }

func (s *memorySub) Close() error {
	s.bus.mu.Lock()
	delete(s.bus.subs, s)
	s.bus.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.messages)
	}
	return nil
}
