package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"

	"courier/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBusMessagesComeThriceAndOutOfOrder(t *testing.T) {
	broker := testenv.StartRabbitMQ(t)
	conn, err := amqp.Dial(broker.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.ExchangeDeclare(eventsExchange, "topic", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	q, err := ch.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind(q.Name, "#", eventsExchange, false, nil); err != nil {
		t.Fatal(err)
	}
	messages, err := ch.Consume(q.Name, "", true, true, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	stop, err := repeat(broker.URL, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	const sent = 30
	for i := range sent {
		err := ch.PublishWithContext(t.Context(), eventsExchange, "7.order.assigned", false, false,
			amqp.Publishing{MessageId: fmt.Sprint(i), Headers: amqp.Table{"version": int64(i)}, Body: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	times, copies := map[string]int{}, []string(nil)
	for len(copies) < 2*sent {
		select {
		case m := <-messages:
			times[m.MessageId]++
			if _, copied := m.Headers[repeatedHeader]; copied {
				copies = append(copies, m.MessageId)
			}
			if m.RoutingKey != "7.order.assigned" || m.Headers["version"] == nil {
				t.Errorf("a copy that differs: %+v", m)
			}
		case <-ctx.Done():
			t.Fatalf("%d copies of %d messages", len(copies), sent)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	for id, n := range times {
		if n != 3 {
			t.Errorf("%s came %d times", id, n)
		}
	}
	if slices.IsSortedFunc(copies, func(a, b string) int { return len(a)*100 - len(b)*100 }) {
		t.Errorf("in order: %v", copies)
	}
}
