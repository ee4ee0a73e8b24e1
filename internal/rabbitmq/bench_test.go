package rabbitmq_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"courier/internal/bus"
	"courier/internal/rabbitmq"
	"courier/internal/testenv"
)

// BenchmarkPublish publishes batches and waits for their confirms; the
// figures are messages per second and, for the whole way to a subscription,
// the time of one message alone.
func BenchmarkPublish(b *testing.B) {
	broker := testenv.StartRabbitMQ(b)
	for _, watchers := range []int{0, 1, 4} {
		for _, size := range []int{1, 100, 500} {
			b.Run(fmt.Sprintf("watchers=%d/inflight=%d", watchers, size), func(b *testing.B) {
				events := openConfig(b, rabbitmq.Config{URL: broker.URL, Prefix: prefix(b), Timeout: 20 * time.Second})
				for range watchers {
					s := watchAll(b, events)
					go func() {
						for range s.Messages() { // keeps it empty
						}
					}()
				}
				messages := batch("m", size)
				for i := range messages {
					messages[i].Body = make([]byte, 600) // an order's event
				}
				for b.Loop() {
					if err := events.Publish(b.Context(), messages); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			})
		}
	}
}

func BenchmarkLatency(b *testing.B) {
	broker := testenv.StartRabbitMQ(b)
	events := openConfig(b, rabbitmq.Config{URL: broker.URL, Prefix: prefix(b)})
	s := watchAll(b, events)
	one := batch("m", 1)
	for b.Loop() {
		if err := events.Publish(b.Context(), one); err != nil {
			b.Fatal(err)
		}
		<-s.Messages()
	}
}

// BenchmarkWork publishes batches and waits until one worker has done them.
func BenchmarkWork(b *testing.B) {
	broker := testenv.StartRabbitMQ(b)
	for _, size := range []int{1, 500} {
		b.Run(fmt.Sprintf("inflight=%d", size), func(b *testing.B) {
			jobs := bus.Queue{Name: "jobs", Topics: []string{"order.placed"}}
			events := openConfig(b, rabbitmq.Config{URL: broker.URL, Prefix: prefix(b), Queues: []bus.Queue{jobs}, Timeout: 20 * time.Second})
			done := make(chan struct{}, size)
			go func() { // ends with the bus
				_ = events.Work(b.Context(), jobs.Name, jobs.Topics, func(context.Context, bus.Message) error {
					done <- struct{}{}
					return nil
				})
			}()
			messages := batch("m", size)
			for b.Loop() {
				if err := events.Publish(b.Context(), messages); err != nil {
					b.Fatal(err)
				}
				for range size {
					<-done
				}
			}
			b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
