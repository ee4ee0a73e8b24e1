package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrClosed says that the subscription has ended.
var ErrClosed = errors.New("subscription closed")

// MemoryConfig sets the in-process bus up; a zero field takes its default.
type MemoryConfig struct {
	Buffer int // messages that a subscription holds for a slow reader; default 4096
}

// Memory is the bus of a single process. It has no goroutines: Publish puts
// each message into the buffers of the subscriptions that watch its shard,
// and what does not fit is dropped and signalled by Lost.
type Memory struct {
	buffer int

	mu   sync.RWMutex // held while publishing: subscriptions come and go between messages
	subs map[*memorySub]struct{}
}

var _ Bus = (*Memory)(nil)

// NewMemory opens a bus. It holds nothing that would have to be closed.
func NewMemory(c MemoryConfig) *Memory {
	if c.Buffer <= 0 {
		c.Buffer = 4096
	}
	return &Memory{buffer: c.Buffer, subs: map[*memorySub]struct{}{}}
}

// Publish implements Bus. It never blocks on a reader. Bodies are shared by
// all readers and must not be changed afterwards.
func (m *Memory) Publish(ctx context.Context, messages []Message) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, msg := range messages {
		shard := Shard(msg.Key)
		for s := range m.subs {
			s.offer(shard, msg)
		}
	}
	return nil
}

// Subscribe implements Bus.
func (m *Memory) Subscribe(ctx context.Context) (Subscription, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	s := &memorySub{bus: m, messages: make(chan Message, m.buffer), lost: make(chan struct{}, 1)}
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
	default:
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
