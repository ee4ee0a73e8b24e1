package wake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"courier/internal/bus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node runs a waker until the test ends; woken yields once for some hints.
func node(t *testing.T, b bus.Bus, name string) (w *Waker, woken chan struct{}) {
	t.Helper()
	woken = make(chan struct{}, 1)
	var ids atomic.Int64
	w, err := New(Config{
		Node: name, NewID: func() string { return fmt.Sprint(name, ids.Add(1)) },
		Woken: func() {
			select {
			case woken <- struct{}{}:
			default:
			}
		},
	}, b, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w, woken
}

// until hints at a node until it wakes: it may not be listening yet.
func until(t *testing.T, from *Waker, to string, woken chan struct{}) {
	t.Helper()
	for patience := time.After(20 * time.Second); ; {
		from.Wake(to)
		select {
		case <-woken:
			return
		case <-patience:
			t.Fatalf("%s never wakes", to)
		case <-time.After(time.Millisecond):
		}
	}
}

func TestANodeWakesAnother(t *testing.T) {
	b := bus.NewMemory(bus.MemoryConfig{})
	other := "b0" // in a's own shard of the bus
	for i := 1; bus.Shard(other) != bus.Shard("a"); i++ {
		other = fmt.Sprint("b", i)
	}
	x, _ := node(t, b, "x")
	a, atA := node(t, b, "a")
	until(t, x, "a", atA)
	heard := a.Counters().Heard
	_, atOther := node(t, b, other)
	for range 4 {
		until(t, x, other, atOther)
	}
	if more := a.Counters().Heard - heard; more > 1 { // the last to a may still have been under way
		t.Errorf("a was woken %d times for another", more)
	}
}

// stuck is a bus that takes nothing until it is freed, and then fails once.
type stuck struct {
	bus.Bus
	mu    sync.Mutex
	calls [][]bus.Message
	free  chan struct{}
}

func (s *stuck) Publish(ctx context.Context, messages []bus.Message) error {
	select {
	case <-s.free:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, messages)
	if len(s.calls) == 1 {
		return errors.New("away")
	}
	return s.Bus.Publish(ctx, messages)
}

func TestAHintDoesNotWaitAndIsSentOnce(t *testing.T) {
	s := &stuck{Bus: bus.NewMemory(bus.MemoryConfig{}), free: make(chan struct{})}
	a, _ := node(t, s, "a")
	_, atB := node(t, s, "b")
	for range 1000 {
		a.Wake("b") // the bus hangs, and this does not
		a.Wake("c")
	}
	close(s.free)
	until(t, a, "b", atB)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, messages := range s.calls[:2] {
		if len(messages) > 2 {
			t.Errorf("%d messages to two nodes at once", len(messages))
		}
	}
	if got := a.Counters(); got.Failures != 1 {
		t.Errorf("%+v", got)
	}
}
