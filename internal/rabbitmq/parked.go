package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Parked shows at most limit messages that are parked, oldest first. They
// stay where they are.
func (b *Bus) Parked(ctx context.Context, queue string, limit int) ([]Parked, error) {
	var out []Parked
	err := b.visit(ctx, "parked", func(ch *amqp.Channel) error {
		for len(out) < limit {
			d, ok, err := ch.Get(b.parkedQueue(queue), false) // comes back when the channel ends
			if err != nil || !ok {
				return missing(err, queue)
			}
			out = append(out, parkedFrom(d))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list parked messages: %w", err)
	}
	return out, nil
}

// Retry gives at most limit of the messages that are parked as it begins to
// their queue again, where they have all their tries anew, and returns how
// many those were. One that is lost sight of in between is in both queues: a
// handler bears that.
func (b *Bus) Retry(ctx context.Context, queue string, limit int) (int, error) {
	n := 0
	err := b.visit(ctx, "retry", func(ch *amqp.Channel) error {
		if err := ch.Confirm(false); err != nil {
			return err
		}
		returns := ch.NotifyReturn(make(chan amqp.Return, 1))
		for n < limit {
			d, ok, err := ch.Get(b.parkedQueue(queue), false)
			if err != nil || !ok {
				return missing(err, queue)
			}
			if n == 0 {
				limit = min(limit, 1+int(d.MessageCount)) // what fails again meanwhile waits behind these
			}
			again := amqp.Publishing{
				Headers: amqp.Table{}, ContentType: d.ContentType, DeliveryMode: amqp.Persistent, MessageId: d.MessageId, Body: d.Body,
			}
			for name, value := range d.Headers {
				if strings.HasPrefix(name, "cloudEvents:") { // not the broker's own, which tell of its death
					again.Headers[name] = value
				}
			}
			confirm, err := ch.PublishWithDeferredConfirm("", b.workQueue(queue), true, false, again)
			if err != nil {
				return err
			}
			taken, err := confirm.WaitContext(ctx)
			if err != nil {
				return err
			}
			if len(returns) > 0 || !taken {
				return errStray
			}
			if err := d.Ack(false); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		return n, fmt.Errorf("retry parked messages: %w", err)
	}
	return n, nil
}

// visit does something on a connection of its own, until ctx ends.
func (b *Bus) visit(ctx context.Context, purpose string, do func(*amqp.Channel) error) error {
	l, err := b.dial(ctx, purpose)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { l.cut(ctx.Err()) })()
	ch, err := l.conn.Channel()
	if err == nil {
		err = do(ch)
	}
	ended, end := context.WithCancel(ctx)
	end()
	_ = l.wait(ended) // closes it
	return errors.Join(ctx.Err(), err)
}

// missing names a queue that is not there.
func missing(err error, queue string) error {
	if e := (*amqp.Error)(nil); errors.As(err, &e) && e.Code == amqp.NotFound {
		return fmt.Errorf("%w: %s", ErrNoQueue, queue)
	}
	return err
}
