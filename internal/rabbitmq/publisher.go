package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	amqp "github.com/rabbitmq/amqp091-go"

	"courier/internal/bus"
)

var (
	errBlocked  = errors.New("the broker is out of memory or disk and takes nothing")
	errReturned = errors.New("a message came back: the exchanges are not as declared")
	errRefused  = errors.New("the broker did not take a message")
)

// gate hands out the connection that publishes while there is one that may.
type gate struct {
	mu      sync.Mutex
	open    *publisher
	why     error         // of its being shut
	changed chan struct{} // closed at the next change
}

func (g *gate) set(p *publisher, why error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.changed != nil {
		close(g.changed)
	}
	g.open, g.why, g.changed = p, why, make(chan struct{})
}

func (g *gate) current() *publisher {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

func (g *gate) wait(ctx context.Context) (*publisher, error) {
	for {
		g.mu.Lock()
		p, why, changed := g.open, g.why, g.changed
		g.mu.Unlock()
		if p != nil {
			return p, nil
		}
		if errors.Is(why, ErrClosed) {
			return nil, why
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ctx.Err(), why)
		}
	}
}

// publisher is a connection in confirm mode.
type publisher struct {
	counters *bus.Counters
	link     *link
	ch       *amqp.Channel
	returned atomic.Bool
	asked    chan struct{} // unbuffered: a send is taken once earlier returns are noted
	over     chan struct{}
}

// runPublisher serves one connection until it is over.
func (b *Bus) runPublisher(ctx context.Context, l *link, up func()) error {
	p := &publisher{counters: &b.counters, link: l, asked: make(chan struct{}), over: make(chan struct{})}
	blocked := l.conn.NotifyBlocked(make(chan amqp.Blocking, 1))
	var returns chan amqp.Return
	err := l.within(b.Timeout, func() error {
		ch, err := l.conn.Channel()
		if err != nil {
			return fmt.Errorf("open a channel: %w", err)
		}
		p.ch = ch
		returns = ch.NotifyReturn(make(chan amqp.Return))
		if err := b.declare(ch); err != nil {
			return err
		}
		for _, q := range b.workQueues() {
			if err := b.declareWork(ch, q); err != nil {
				return err
			}
		}
		if err := b.sink(ch); err != nil {
			return err
		}
		if err := ch.Confirm(false); err != nil {
			return fmt.Errorf("ask for confirms: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.out.set(p, nil)
	var watchers sync.WaitGroup
	watchers.Go(func() { p.watch(returns) })
	watchers.Go(func() {
		for notice := range blocked {
			if notice.Active {
				b.counters.Blocked.Add(1)
				b.out.set(nil, fmt.Errorf("%w (%s)", errBlocked, notice.Reason))
			} else {
				b.out.set(p, nil)
			}
		}
	})
	up()
	why := l.wait(ctx)
	watchers.Wait()
	if ctx.Err() != nil {
		b.out.set(nil, ErrClosed)
	} else {
		b.out.set(nil, fmt.Errorf("connection lost: %w", why))
	}
	return why
}

func (b *Bus) workQueues() []bus.Queue {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Values(b.queues))
}

// sink takes what no subscription and no worker wants and keeps nothing of it, so that a
// message that does come back means broken exchanges. It belongs to the
// connection: a durable one on a broken node of a cluster could not be
// declared, and there would be no publishing until that node is back.
func (b *Bus) sink(ch *amqp.Channel) error {
	q, err := ch.QueueDeclare("", false, true, true, false, amqp.Table{amqp.QueueMessageTTLArg: 0})
	if err != nil {
		return fmt.Errorf("declare a sink: %w", err)
	}
	if err := ch.QueueBind(q.Name, "", b.unrouted(), false, nil); err != nil {
		return fmt.Errorf("bind a sink: %w", err)
	}
	return nil
}

// watch notes messages that come back; it ends with the channel, and so does
// the connection, which is then set up anew.
func (p *publisher) watch(returns <-chan amqp.Return) {
	defer close(p.over)
	for {
		select {
		case _, open := <-returns:
			if !open {
				p.link.cut(errEnded)
				return
			}
			p.counters.Returned.Add(1)
			p.returned.Store(true)
			p.link.cut(errReturned)
		case <-p.asked:
		}
	}
}

// Publish implements bus.Bus: it sends all messages and then waits for all
// confirms. It returns within Timeout, also when the broker is away or stuck;
// after an error some of the messages may have been taken.
func (b *Bus) Publish(ctx context.Context, messages []bus.Message) error {
	if len(messages) == 0 {
		return nil
	}
	if err := b.publish(ctx, messages); err != nil {
		b.counters.Failed.Add(1)
		return fmt.Errorf("publish: %w", err)
	}
	b.counters.Published.Add(uint64(len(messages)))
	return nil
}

func (b *Bus) publish(ctx context.Context, messages []bus.Message) error {
	encoded := make([]amqp.Publishing, len(messages))
	for i, m := range messages {
		var err error
		if encoded[i], err = encode(m, b.Prefix); err != nil {
			return err
		}
	}
	bound, cancel := context.WithTimeout(ctx, b.Timeout)
	defer cancel()
	p, err := b.out.wait(bound)
	if err != nil {
		return err
	}
	return p.publish(bound, b.events(), messages, encoded)
}

func (p *publisher) publish(ctx context.Context, exchange string, messages []bus.Message, encoded []amqp.Publishing) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// A write into a full socket heeds no context.
	written := context.AfterFunc(ctx, func() { p.link.cut(errSlow) })
	defer written()
	confirms := make([]*amqp.DeferredConfirmation, len(encoded))
	for i, e := range encoded {
		var err error
		confirms[i], err = p.ch.PublishWithDeferredConfirm(exchange, routingKey(messages[i]), true, false, e)
		if err != nil {
			return errors.Join(ctx.Err(), err)
		}
	}
	written()
	for _, c := range confirms {
		if taken, err := c.WaitContext(ctx); err != nil {
			if errors.Is(err, context.DeadlineExceeded) { // not where the caller no longer wants it
				p.link.cut(errSlow)
			}
			return err
		} else if !taken {
			p.counters.Refused.Add(1)
			return errors.Join(ctx.Err(), errRefused)
		}
	}
	select { // a message comes back before its confirm
	case p.asked <- struct{}{}:
		if p.returned.Load() {
			return errReturned
		}
		return nil
	case <-p.over:
		return errEnded
	}
}
