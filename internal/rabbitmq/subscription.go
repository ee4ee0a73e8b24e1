package rabbitmq

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"courier/internal/bus"
)

// runConsumer serves one connection, which all subscriptions share, until it
// is over.
func (b *Bus) runConsumer(ctx context.Context, l *link, up func()) error {
	err := l.within(b.Timeout, func() error {
		ch, err := l.conn.Channel()
		if err != nil {
			return fmt.Errorf("open a channel: %w", err)
		}
		return errors.Join(b.declare(ch), ch.Close())
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.in = l // from here on new subscriptions attach themselves
	subs := slices.Collect(maps.Keys(b.subs))
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.in = nil
		b.mu.Unlock()
	}()
	for _, s := range subs {
		if err := s.attach(l); err != nil {
			return err
		}
		s.signal() // whatever came in the meantime is gone
	}
	up()
	return l.wait(ctx)
}

// Subscribe implements bus.Bus. Without a connection the subscription waits
// for one and is told of the loss.
func (b *Bus) Subscribe(ctx context.Context) (bus.Subscription, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	s := &subscription{bus: b, messages: make(chan bus.Message, b.Buffer), lost: make(chan struct{}, 1)}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil, fmt.Errorf("subscribe: %w", ErrClosed)
	}
	b.subs[s] = struct{}{}
	l := b.in
	b.mu.Unlock()
	if l != nil {
		if err := s.attach(l); err != nil {
			l.cut(err) // the next connection attaches it
		}
	}
	return s, nil
}

// subscription outlives connections: on each it has a channel and a queue of
// its own. Lock order: calls, then mu.
type subscription struct {
	bus      *Bus
	messages chan bus.Message
	lost     chan struct{}

	calls sync.Mutex // held while the broker is asked for something
	link  *link      // the one attached to
	ch    *amqp.Channel
	queue string
	bound map[string]struct{} // binding keys

	mu      sync.Mutex // makes sends and the close of messages exclude each other
	watched [bus.Shards]bool
	closed  bool
}

// attach gives the subscription its queue on a connection; it does nothing
// the second time.
//
// The queue is exclusive: it goes with the connection, and its name is new
// each time because the broker may still believe in a connection that was
// cut. It is bounded, and what it drops leaves a mark in a second queue of
// one place: nothing else would tell of that loss. Deliveries need no acks,
// since a message is a wake-up that the reader may lose just as well after an
// ack.
func (s *subscription) attach(l *link) error {
	s.calls.Lock()
	defer s.calls.Unlock()
	s.mu.Lock()
	done := s.closed || s.link == l
	watched := s.watched
	s.mu.Unlock()
	if done {
		return nil
	}
	var deliveries, losses <-chan amqp.Delivery
	err := l.within(s.bus.Timeout, func() error {
		ch, err := l.conn.Channel()
		if err != nil {
			return fmt.Errorf("open a channel: %w", err)
		}
		queue := s.bus.Prefix + ".sub." + rand.Text()
		marks := queue + ".lost"
		if _, err := ch.QueueDeclare(marks, false, true, true, false, amqp.Table{amqp.QueueMaxLenArg: 1}); err != nil {
			return fmt.Errorf("declare a queue: %w", err)
		}
		if _, err := ch.QueueDeclare(queue, false, true, true, false, amqp.Table{
			amqp.QueueMaxLenArg:         s.bus.Queue,
			amqp.QueueOverflowArg:       amqp.QueueOverflowDropHead,
			"x-dead-letter-exchange":    "", // straight to a queue
			"x-dead-letter-routing-key": marks,
		}); err != nil {
			return fmt.Errorf("declare a queue: %w", err)
		}
		if losses, err = ch.Consume(marks, "lost", true, true, false, false, nil); err != nil {
			return fmt.Errorf("consume: %w", err)
		}
		if deliveries, err = ch.Consume(queue, "messages", true, true, false, false, nil); err != nil {
			return fmt.Errorf("consume: %w", err)
		}
		s.link, s.ch, s.queue, s.bound = l, ch, queue, map[string]struct{}{}
		return s.bind(watched)
	})
	if err != nil {
		return fmt.Errorf("attach a subscription: %w", err)
	}
	s.bus.deliveries.Go(func() { s.deliver(l, deliveries, losses) })
	return nil
}

// bind makes the queue's bindings those of the watched shards; calls is held.
// New ones come first, so that a shard of both sets is watched throughout.
func (s *subscription) bind(watched [bus.Shards]bool) error {
	want := bindings(watched)
	var add, drop []string
	for key := range want {
		if _, has := s.bound[key]; !has {
			add = append(add, key)
		}
	}
	for key := range s.bound {
		if _, keep := want[key]; !keep {
			drop = append(drop, key)
		}
	}
	for i, key := range add {
		last := i == len(add)-1 // the others go without an answer each: the channel keeps their order
		if err := s.ch.QueueBind(s.queue, key, s.bus.events(), !last, nil); err != nil {
			return fmt.Errorf("bind %s: %w", key, err)
		}
	}
	for _, key := range drop {
		if err := s.ch.QueueUnbind(s.queue, key, s.bus.events(), nil); err != nil {
			return fmt.Errorf("unbind %s: %w", key, err)
		}
	}
	s.bound = want
	return nil
}

func bindings(watched [bus.Shards]bool) map[string]struct{} {
	keys := map[string]struct{}{}
	for shard, yes := range watched {
		if yes {
			keys[bindingKey(uint8(shard))] = struct{}{} //nolint:gosec // there are 256
		}
	}
	if len(keys) == bus.Shards {
		return map[string]struct{}{everything: {}}
	}
	return keys
}

// Watch implements bus.Subscription. Without a connection it only notes the
// wish: the next connection has the bindings, and Lost follows it. Ctx is
// heeded before the broker is asked, Timeout then.
func (s *subscription) Watch(ctx context.Context, shards []uint8) error {
	s.calls.Lock()
	defer s.calls.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	var watched [bus.Shards]bool
	for _, shard := range shards {
		watched[shard] = true
	}
	s.mu.Lock()
	closed := s.closed
	s.watched = watched
	s.mu.Unlock()
	if closed {
		return bus.ErrClosed
	}
	if s.link == nil {
		return nil
	}
	if err := s.link.within(s.bus.Timeout, func() error { return s.bind(watched) }); err != nil {
		s.link.cut(err)
	}
	return nil
}

// deliver never waits for the reader: the library keeps what is not taken
// from it, without a bound.
func (s *subscription) deliver(l *link, deliveries, losses <-chan amqp.Delivery) {
	for {
		select {
		case d, open := <-deliveries:
			if !open {
				if !s.isClosed() {
					l.cut(errEnded) // perhaps the queue alone is gone
				}
				return
			}
			m, err := decode(d.Headers, d.Body)
			if err != nil {
				s.signal() // nobody else publishes here, so something of ours is garbled
				continue
			}
			s.offer(m)
		case _, open := <-losses:
			if !open {
				losses = nil
				continue
			}
			s.signal()
		}
	}
}

func (s *subscription) offer(m bus.Message) {
	shard := bus.Shard(m.Key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || !s.watched[shard] { // of a shard watched until now
		return
	}
	select {
	case s.messages <- m:
		s.bus.counters.Delivered.Add(1)
	default:
		s.signal()
	}
}

// signal sets off Lost; one signal stands for many.
func (s *subscription) signal() {
	s.bus.counters.Lost.Add(1)
	select {
	case s.lost <- struct{}{}:
	default:
	}
}

func (s *subscription) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *subscription) Messages() <-chan bus.Message { return s.messages }
func (s *subscription) Lost() <-chan struct{}        { return s.lost }

// Close implements bus.Subscription.
func (s *subscription) Close() error {
	s.bus.mu.Lock()
	delete(s.bus.subs, s)
	s.bus.mu.Unlock()
	s.end()
	return nil
}

func (s *subscription) end() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.messages)
	}
	s.mu.Unlock()
	s.calls.Lock()
	defer s.calls.Unlock()
	if s.ch == nil {
		return
	}
	l, ch := s.link, s.ch
	s.link, s.ch = nil, nil
	// The queue goes with its consumer. An error means that all is gone.
	_ = l.within(s.bus.Timeout, func() error { return ch.Close() })
}
