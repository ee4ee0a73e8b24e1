package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// repeatBus has every message of the bus come thrice: at once, and twice more
// late and in another order.
func repeatBus(lasts time.Duration) Fault {
	var stop func() error
	return Fault{
		Name: "bus messages doubled and reordered", Lasts: lasts,
		Do: func(w *World) {
			var err error
			if stop, err = repeat(w.engines.RabbitMQ.URL, rand.New(rand.NewPCG(w.dice.Uint64(), 1))); err != nil {
				w.t.Fatal(err)
			}
		},
		Undo: func(w *World) {
			if err := stop(); err != nil {
				w.t.Errorf("repeat the bus: %v", err)
			}
		},
	}
}

const (
	eventsExchange = "courier.events"
	repeatedHeader = "x-repeated" // on messages that are copies
)

// repeat taps the exchange of events until it is stopped.
func repeat(url string, dice *rand.Rand) (stop func() error, err error) {
	conn, err := amqp.Dial(url)
	if err != nil {
		return nil, fmt.Errorf("connect to the broker: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, conn.Close())
		}
	}()
	ch, err := conn.Channel()
	if err != nil {
		return nil, fmt.Errorf("open a channel: %w", err)
	}
	q, err := ch.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		return nil, fmt.Errorf("declare a queue: %w", err)
	}
	if err := ch.QueueBind(q.Name, "#", eventsExchange, false, nil); err != nil {
		return nil, fmt.Errorf("bind to %s: %w", eventsExchange, err)
	}
	messages, err := ch.Consume(q.Name, "", true, true, false, false, nil)
	if err != nil {
		return nil, fmt.Errorf("consume: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	var fault error
	done.Go(func() { fault = copies(ctx, ch, messages, dice) })
	return func() error {
		cancel()
		done.Wait()
		return errors.Join(fault, conn.Close())
	}, nil
}

// copies publishes what comes twice more, some hundred milliseconds later,
// shuffled.
func copies(ctx context.Context, ch *amqp.Channel, messages <-chan amqp.Delivery, dice *rand.Rand) error {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	var held, older []amqp.Delivery
	for {
		select {
		case <-ctx.Done():
			return nil
		case m, ok := <-messages:
			if !ok {
				return errors.New("the broker closed the channel")
			}
			if _, mine := m.Headers[repeatedHeader]; !mine {
				held = append(held, m, m)
			}
		case <-tick.C:
			batch := append(older, held...)
			dice.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
			older = append([]amqp.Delivery(nil), batch[:len(batch)/2]...) // later still
			for _, m := range batch[len(batch)/2:] {
				if err := again(ctx, ch, m); err != nil {
					return err
				}
			}
			held = held[:0]
		}
	}
}

func again(ctx context.Context, ch *amqp.Channel, m amqp.Delivery) error {
	headers := amqp.Table{repeatedHeader: true}
	for k, v := range m.Headers {
		headers[k] = v
	}
	err := ch.PublishWithContext(ctx, m.Exchange, m.RoutingKey, false, false, amqp.Publishing{
		Headers: headers, ContentType: m.ContentType, DeliveryMode: m.DeliveryMode, MessageId: m.MessageId,
		Timestamp: m.Timestamp, Type: m.Type, AppId: m.AppId, Body: m.Body,
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("publish a copy: %w", err)
	}
	return nil
}
