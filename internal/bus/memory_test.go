package bus_test

import (
	"testing"

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
