// Package rabbitmq is the event bus on RabbitMQ. The database has every event
// besides, so the broker is disposable: what it loses costs freshness.
//
//	Publish → <prefix>.events (topic, "<shard>.<topic>") ┬→ one queue per subscription → Messages
//	                │                                    └→ <prefix>.work.<queue> (quorum) → Work, ack after the effect
//	                │ nobody watches                          │ after 5 tries
//	                │                                         └→ <prefix>.parked → <prefix>.parked.<queue> (quorum) → a person
//	                └→ <prefix>.unrouted (fanout) → a queue that keeps nothing
//
// Publishing and consuming have a connection each, and so has each worker:
// under an alarm the broker stops reading from whoever publishes.
package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"courier/internal/bus"
)

// ErrClosed says that the bus has been closed.
var ErrClosed = errors.New("bus closed")

// Config sets the bus up; a zero field takes its default, but URL has none.
type Config struct {
	URL        string        // amqp:// or amqps://
	Prefix     string        // of the names on the broker; default courier
	Name       string        // what the broker's operator sees this node as; default the prefix
	Buffer     int           // messages that a subscription holds here for a slow reader; default 4096
	Queue      int           // messages that the broker holds for a subscription on a slow link; default 10 000
	Timeout    time.Duration // of connecting, of one Publish and of any other call; default 5 s
	Heartbeat  time.Duration // a silent broker is given up after about two, at least 1 s; default 5 s
	BackoffMin time.Duration // first wait before connecting again; default 100 ms
	BackoffMax time.Duration // longest wait; default 5 s

	Queues     []bus.Queue   // of work, made before anything is published; Work adds its own
	Prefetch   int           // messages that one worker has in hand; default 32
	TryTimeout time.Duration // of one try; default 30 s
	Pause      time.Duration // after the first failed try, then four times as long each; default 1 s
	Depths     time.Duration // how often a worker looks at its queues' depths; default 10 s
}

func (c Config) withDefaults() (Config, error) {
	var errs []error
	if _, err := amqp.ParseURI(c.URL); err != nil {
		if parse := (*url.Error)(nil); errors.As(err, &parse) {
			err = errors.New("does not parse") // the error would repeat it, with its password
		}
		errs = append(errs, fmt.Errorf("URL: %w", err))
	}
	if c.Prefix == "" {
		c.Prefix = "courier"
	}
	if len(c.Prefix) > 100 {
		errs = append(errs, errors.New("Prefix: over 100 bytes"))
	}
	if c.Name == "" {
		c.Name = c.Prefix
	}
	number(&errs, "Buffer", &c.Buffer, 4096)
	number(&errs, "Queue", &c.Queue, 10_000)
	number(&errs, "Timeout", &c.Timeout, 5*time.Second)
	number(&errs, "Heartbeat", &c.Heartbeat, 5*time.Second)
	number(&errs, "BackoffMin", &c.BackoffMin, 100*time.Millisecond)
	number(&errs, "BackoffMax", &c.BackoffMax, max(5*time.Second, c.BackoffMin))
	number(&errs, "Prefetch", &c.Prefetch, 32)
	number(&errs, "TryTimeout", &c.TryTimeout, 30*time.Second)
	number(&errs, "Pause", &c.Pause, time.Second)
	number(&errs, "Depths", &c.Depths, 10*time.Second)
	for _, q := range c.Queues {
		if err := q.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("Queues: %w", err))
		}
	}
	if c.Heartbeat < time.Second {
		errs = append(errs, fmt.Errorf("Heartbeat: %s is under 1s", c.Heartbeat))
	}
	if c.BackoffMin > c.BackoffMax {
		errs = append(errs, fmt.Errorf("BackoffMin: %s is over BackoffMax, %s", c.BackoffMin, c.BackoffMax))
	}
	return c, errors.Join(errs...)
}

func number[N int | time.Duration](errs *[]error, name string, value *N, standard N) {
	switch {
	case *value < 0:
		*errs = append(*errs, fmt.Errorf("%s: %v is negative", name, *value))
	case *value == 0:
		*value = standard
	}
}

func (c Config) events() string   { return c.Prefix + ".events" }
func (c Config) unrouted() string { return c.Prefix + ".unrouted" }

// declare makes the exchanges; it is done on each new connection, because the
// broker may come back empty.
func (c Config) declare(ch *amqp.Channel) error {
	if err := ch.ExchangeDeclare(c.unrouted(), amqp.ExchangeFanout, true, false, false, false, nil); err != nil {
		return fmt.Errorf("declare %s: %w", c.unrouted(), err)
	}
	alternate := amqp.Table{"alternate-exchange": c.unrouted()}
	if err := ch.ExchangeDeclare(c.events(), amqp.ExchangeTopic, true, false, false, false, alternate); err != nil {
		return fmt.Errorf("declare %s: %w", c.events(), err)
	}
	return nil
}

// Bus is a bus.Bus on RabbitMQ. It connects again for ever, with whatever it
// needs on the broker; subscriptions live through that.
type Bus struct {
	Config
	log *slog.Logger

	running  context.Context // until Close
	cancel   context.CancelFunc
	links    sync.WaitGroup // the loops that keep the connections
	out      gate
	counters bus.Counters

	mu      sync.Mutex
	subs    map[*subscription]struct{}
	in      *link                // the connection that consumes; nil while there is none
	queues  map[string]bus.Queue // of work, by name
	workers map[*worker]struct{}
	closed  bool

	deliveries sync.WaitGroup
}

var (
	_ bus.Bus    = (*Bus)(nil)
	_ bus.Worker = (*Bus)(nil)
	_ bus.Meter  = (*Bus)(nil)
)

// Open checks the configuration and starts to connect. It returns once both
// connections are up or, because a node must start without its broker, after
// Timeout: they are then still tried for. Ctx bounds Open alone; Close ends
// the bus.
func Open(ctx context.Context, c Config, log *slog.Logger) (*Bus, error) {
	c, err := c.withDefaults()
	if log == nil {
		err = errors.Join(err, errors.New("a log is needed"))
	}
	if err != nil {
		return nil, fmt.Errorf("rabbitmq: %w", err)
	}
	b := &Bus{Config: c, log: log, subs: map[*subscription]struct{}{}, queues: map[string]bus.Queue{}, workers: map[*worker]struct{}{}}
	for _, q := range c.Queues {
		b.queues[q.Name] = q
	}
	b.out.set(nil, errNotYet)
	b.running, b.cancel = context.WithCancel(context.WithoutCancel(ctx))
	var tried sync.WaitGroup
	tried.Add(2)
	b.links.Go(func() { b.keep(b.running, "publish", tried.Done, b.runPublisher) })
	b.links.Go(func() { b.keep(b.running, "consume", tried.Done, b.runConsumer) })
	first := make(chan struct{})
	go func() { tried.Wait(); close(first) }() // ends with the first tries, which Timeout bounds
	select {
	case <-first:
		return b, nil
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("rabbitmq: connect: %w", ctx.Err()), b.Close())
	}
}

// Close ends every subscription, worker and connection, and waits for all that
// the bus has started. What Publish waits for fails.
func (b *Bus) Close() error {
	b.mu.Lock()
	b.closed = true
	subs := b.subs
	b.subs = map[*subscription]struct{}{}
	b.mu.Unlock()
	b.cancel()
	for s := range subs {
		s.end()
	}
	b.links.Wait()
	b.out.set(nil, ErrClosed)
	b.deliveries.Wait()
	return nil
}

// Stats implements bus.Meter.
func (b *Bus) Stats() bus.Stats {
	s := b.counters.Stats()
	s.Connected = b.Connected()
	b.mu.Lock()
	defer b.mu.Unlock()
	for w := range b.workers {
		s.WorkWaiting += int(w.waiting.Load())
		s.ParkedDepth += int(w.parked.Load())
	}
	return s
}

// Connected says whether both connections are up and the broker takes
// messages. Nothing depends on it: it is for a status page.
func (b *Bus) Connected() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.in != nil && b.out.current() != nil
}
