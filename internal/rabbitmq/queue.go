package rabbitmq

import (
	"errors"
	"fmt"
	"math"

	amqp "github.com/rabbitmq/amqp091-go"

	"courier/internal/bus"
)

// What the broker keeps at most, in messages. A full work queue refuses:
// publishing fails, and the outbox has the event. A full parked queue keeps
// the message in the work queue.
const (
	maxWork   = 1_000_000
	maxParked = 100_000
)

func (c Config) workQueue(name string) string   { return c.Prefix + ".work." + name }
func (c Config) parkedQueue(name string) string { return c.Prefix + ".parked." + name }
func (c Config) parked() string                 { return c.Prefix + ".parked" }

// anyShard binds a topic of all shards.
func anyShard(topic string) string { return "*." + topic }

// declareWork makes a queue for work and one for what cannot be done. It is
// done on each new connection that publishes too, before the first message:
// on an empty broker, what comes before the queue would be lost to it.
//
// The broker counts how often it gave a message out and parks it after the
// last time, also when it is the workers who die of it. Its own move to the
// parked queue is confirmed (at-least-once needs reject-publish). A queue that
// is there with other arguments is an error, so whoever changes these gives
// the queues new names.
func (c Config) declareWork(ch *amqp.Channel, q bus.Queue) error {
	if err := ch.ExchangeDeclare(c.parked(), amqp.ExchangeDirect, true, false, false, false, nil); err != nil {
		return fmt.Errorf("declare %s: %w", c.parked(), err)
	}
	work, parked := c.workQueue(q.Name), c.parkedQueue(q.Name)
	if _, err := ch.QueueDeclare(parked, true, false, false, false, amqp.Table{
		amqp.QueueTypeArg:     amqp.QueueTypeQuorum,
		amqp.QueueMaxLenArg:   maxParked,
		amqp.QueueOverflowArg: amqp.QueueOverflowRejectPublish,
		"x-delivery-limit":    math.MaxInt32, // looking at a message is no try; a newer broker has a limit by itself
	}); err != nil {
		return fmt.Errorf("declare %s: %w", parked, err)
	}
	if err := ch.QueueBind(parked, q.Name, c.parked(), false, nil); err != nil {
		return fmt.Errorf("bind %s: %w", parked, err)
	}
	if _, err := ch.QueueDeclare(work, true, false, false, false, amqp.Table{
		amqp.QueueTypeArg:           amqp.QueueTypeQuorum,
		amqp.QueueMaxLenArg:         maxWork,
		amqp.QueueOverflowArg:       amqp.QueueOverflowRejectPublish,
		"x-delivery-limit":          bus.Tries - 1, // redeliveries
		"x-dead-letter-exchange":    c.parked(),
		"x-dead-letter-routing-key": q.Name,
		"x-dead-letter-strategy":    "at-least-once",
	}); err != nil {
		return fmt.Errorf("declare %s: %w", work, err)
	}
	for _, topic := range q.Topics {
		if err := ch.QueueBind(work, anyShard(topic), c.events(), false, nil); err != nil {
			return fmt.Errorf("bind %s to %s: %w", work, topic, err)
		}
	}
	return nil
}

// Parked is a message that could not be done.
type Parked struct {
	bus.Message
	Reason string // rejected after the last try, or delivery_limit: its workers died
}

var errStray = errors.New("the work queue took no message")

// ErrNoQueue says that the broker knows no such queue.
var ErrNoQueue = errors.New("no such queue")

func parkedFrom(d amqp.Delivery) Parked {
	m, err := decode(d.Headers, d.Body)
	if err != nil {
		m = bus.Message{ID: d.MessageId, Topic: d.RoutingKey, Body: d.Body}
	}
	reason, _ := d.Headers["x-first-death-reason"].(string)
	return Parked{Message: m, Reason: reason}
}
