package bus_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"courier/internal/bus"
	"courier/internal/bus/bustest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	bustest.TestBus(t, func(t *testing.T) bus.Bus { return bus.NewMemory(bus.MemoryConfig{}) })
}

// The sleeper keeps what fits, is told once of the rest, and hears live
// messages again once it has read.
func TestOverflow(t *testing.T) {
	b := bus.NewMemory(bus.MemoryConfig{Buffer: 2})
	s, err := b.Subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Watch(t.Context(), bus.All()); err != nil {
		t.Fatal(err)
	}
	publish := func(ids ...string) {
		for _, id := range ids {
			if err := b.Publish(t.Context(), []bus.Message{{ID: id}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	publish("1", "2", "3", "4")
	select {
	case <-s.Lost():
	default:
		t.Fatal("no word of the loss")
	}
	next := func() string { return (<-s.Messages()).ID }
	if a, b := next(), next(); a != "1" || b != "2" {
		t.Errorf("kept %s and %s, want 1 and 2", a, b)
	}
	publish("5")
	if got := next(); got != "5" {
		t.Errorf("then came %s, want 5", got)
	}
	select {
	case <-s.Lost():
		t.Error("a second signal without a second loss")
	default:
	}
}

func TestMemoryWork(t *testing.T) {
	bustest.TestWork(t, func(t *testing.T) (a, b bustest.Node) {
		m := bus.NewMemory(bus.MemoryConfig{
			Queues: []bus.Queue{bustest.Jobs}, Pause: time.Millisecond, Hold: time.Second,
			Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		})
		return m, m
	})
}

// A message is taken once its work is done, not before: whoever publishes
// may forget it then.
func TestPublishWaitsForWork(t *testing.T) {
	b := bus.NewMemory(bus.MemoryConfig{Queues: []bus.Queue{bustest.Jobs}, Hold: 20 * time.Millisecond, Timeout: time.Hour})
	sent := []bus.Message{{ID: "1", Topic: "order.delivered"}}
	if err := b.Publish(t.Context(), sent); err == nil {
		t.Fatal("taken without a worker")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- b.Work(ctx, "jobs", bustest.Jobs.Topics, func(ctx context.Context, _ bus.Message) error {
			<-ctx.Done() // never does it
			return ctx.Err()
		})
	}()
	fails := 0
	for b.Publish(t.Context(), sent) != nil {
		if fails++; fails > 50 {
			t.Fatal("a message that hangs is never parked")
		}
	}
	if s := b.Stats(); s.WorkParked != 1 || s.WorkFailed != bus.Tries || s.WorkDone != 0 {
		t.Errorf("figures: %+v", s)
	}
	if s := b.Stats(); s.Failed != uint64(fails)+1 || s.Published != 1 {
		t.Errorf("figures of publishing after %d failures: %+v", fails, s)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
