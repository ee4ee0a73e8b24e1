package rabbitmq

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"courier/internal/bus"
)

// worker is one call of Work. It outlives connections; it has one of its own,
// so that subscriptions do not suffer when it is cut.
type worker struct {
	bus   *Bus
	queue bus.Queue
	do    bus.Handler
	slots chan struct{}  // one for each message in hand, over all connections
	jobs  sync.WaitGroup // those messages

	waiting, parked atomic.Int64 // messages on the broker, as last seen
}

// Work implements bus.Worker. Without a broker it waits for one. A message in
// hand while ctx ends has Timeout to be done; what is not done goes to another.
func (b *Bus) Work(ctx context.Context, queue string, topics []string, do bus.Handler) error {
	w := &worker{bus: b, queue: bus.Queue{Name: queue, Topics: topics}, do: do, slots: make(chan struct{}, b.Prefetch)}
	if err := w.queue.Validate(); err != nil {
		return fmt.Errorf("work: %w", err)
	}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return fmt.Errorf("work: %w", ErrClosed)
	}
	b.queues[queue] = w.queue
	b.workers[w] = struct{}{}
	b.links.Add(1) // Close waits for it
	b.mu.Unlock()
	defer b.links.Done()
	defer func() {
		b.mu.Lock()
		delete(b.workers, w)
		b.mu.Unlock()
	}()
	running, cancel := context.WithCancel(b.running)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	b.keep(running, "work "+queue, func() {}, w.run)
	w.jobs.Wait() // of connections that were lost
	if ctx.Err() == nil {
		return ErrClosed
	}
	return nil
}

// run serves one connection until it is over.
func (w *worker) run(ctx context.Context, l *link, up func()) error {
	var ch *amqp.Channel
	var deliveries <-chan amqp.Delivery
	err := l.within(w.bus.Timeout, func() (err error) {
		if ch, err = l.conn.Channel(); err != nil {
			return fmt.Errorf("open a channel: %w", err)
		}
		if err := w.bus.declare(ch); err != nil {
			return err
		}
		if err := w.bus.declareWork(ch, w.queue); err != nil {
			return err
		}
		if err := ch.Qos(w.bus.Prefetch, 0, false); err != nil {
			return fmt.Errorf("bound what is in hand: %w", err)
		}
		if deliveries, err = ch.Consume(w.bus.workQueue(w.queue.Name), "work", false, false, false, false, nil); err != nil {
			return fmt.Errorf("consume: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	up()
	// What is held between two tries is let go at once when ctx or the
	// connection ends; what is at work may finish.
	held, release := context.WithCancel(ctx)
	defer release()
	w.serve(ctx, l, ch, deliveries, func(d amqp.Delivery) {
		w.jobs.Go(func() {
			defer func() { <-w.slots }()
			w.handle(held, l, d)
		})
	})
	if ctx.Err() != nil {
		w.jobs.Wait() // they still can say what became of them
	} else {
		l.cut(errEnded) // perhaps the queue alone is gone
	}
	return l.wait(ctx)
}

// serve takes deliveries until there are no more or ctx ends.
func (w *worker) serve(ctx context.Context, l *link, ch *amqp.Channel, deliveries <-chan amqp.Delivery, do func(amqp.Delivery)) {
	depths := time.NewTicker(w.bus.Depths)
	defer depths.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = l.within(w.bus.Timeout, func() error { return ch.Cancel("work", false) })
			return
		case <-depths.C:
			if err := l.within(w.bus.Timeout, func() error { return w.look(l) }); err != nil {
				l.cut(fmt.Errorf("look at the queues: %w", err)) // one is gone: make it again
			}
		case d, open := <-deliveries:
			if !open {
				return
			}
			select {
			case w.slots <- struct{}{}:
				do(d)
			case <-ctx.Done(): // it goes back with the connection
			}
		}
	}
}

// look reads the depths, on a channel of its own since a queue that is gone
// ends it.
func (w *worker) look(l *link) error {
	ch, err := l.conn.Channel()
	if err != nil {
		return err
	}
	for name, depth := range map[string]*atomic.Int64{
		w.bus.workQueue(w.queue.Name): &w.waiting, w.bus.parkedQueue(w.queue.Name): &w.parked,
	} {
		q, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		depth.Store(int64(q.Messages))
	}
	return ch.Close()
}

// handle has one message done and says so: after the effect, never before.
// held ends when the message cannot be kept in hand any longer.
func (w *worker) handle(held context.Context, l *link, d amqp.Delivery) {
	b := w.bus
	say := func(say func() error) {
		if err := l.within(b.Timeout, say); err != nil {
			l.cut(err) // the broker gives it to someone again
		}
	}
	tries := 1 + deliveryCount(d)
	m, err := decode(d.Headers, d.Body)
	if err != nil {
		tries = bus.Tries // it will not get better
		m.ID, m.Topic = d.MessageId, d.RoutingKey
	} else if err = w.try(held, m); err == nil {
		b.counters.WorkDone.Add(1)
		say(func() error { return d.Ack(false) })
		return
	}
	b.counters.WorkFailed.Add(1)
	about := []slog.Attr{
		slog.String("queue", w.queue.Name), slog.String("message_id", m.ID), slog.String("topic", m.Topic),
		slog.String("key", m.Key), slog.Int("tries", tries), slog.Any("err", err),
	}
	if tries >= bus.Tries {
		b.counters.WorkParked.Add(1)
		b.log.LogAttrs(held, slog.LevelError, "work parked", about...)
		say(func() error { return d.Reject(false) }) // to the parked queue
		return
	}
	b.log.LogAttrs(held, slog.LevelWarn, "work failed, trying again", about...)
	pause := time.NewTimer(b.Pause << (2 * (tries - 1)))
	select {
	case <-pause.C:
	case <-held.Done():
		pause.Stop()
	}
	say(func() error { return d.Nack(false, true) })
}

// try gives a message to the handler, which has TryTimeout, and no more than
// Timeout once held is over.
func (w *worker) try(held context.Context, m bus.Message) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(held), w.bus.TryTimeout)
	defer cancel()
	var last *time.Timer
	armed := make(chan struct{})
	stop := context.AfterFunc(held, func() {
		last = time.AfterFunc(w.bus.Timeout, cancel)
		close(armed)
	})
	err := bus.Try(ctx, w.do, m)
	if !stop() {
		<-armed
		last.Stop()
	}
	return err
}

// deliveryCount is how often the broker gave a message out before.
func deliveryCount(d amqp.Delivery) int {
	n, _ := d.Headers["x-delivery-count"].(int64)
	return int(n)
}
