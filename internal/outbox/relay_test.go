package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"courier/internal/bus"
	"courier/internal/outbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source is an outbox in memory.
type source struct {
	mu        sync.Mutex
	rows      []outbox.Row
	orphans   []outbox.Row // of nodes that do not live
	beats     []beat
	committed chan struct{}
	failDone  func(rows []int64) error // asked before marking
	failRead  error
}

func newSource() *source { return &source{committed: make(chan struct{}, 1)} }

func (s *source) commit(signal bool, ids ...int64) {
	s.mu.Lock()
	for _, id := range ids {
		s.rows = append(s.rows, outbox.Row{ID: id, Message: bus.Message{ID: fmt.Sprint(id), Key: fmt.Sprint("k", id%3), Version: id}})
	}
	s.mu.Unlock()
	if signal {
		select {
		case s.committed <- struct{}{}:
		default:
		}
	}
}

func (s *source) Pending(_ context.Context, limit int) ([]outbox.Row, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rows[:min(limit, len(s.rows))]), s.failRead
}

func (s *source) Done(_ context.Context, ids []int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failDone != nil {
		if err := s.failDone(ids); err != nil {
			return err
		}
	}
	s.rows = slices.DeleteFunc(s.rows, func(r outbox.Row) bool { return slices.Contains(ids, r.ID) })
	return nil
}

func (s *source) Adopt(context.Context) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.orphans)
	s.rows, s.orphans = append(s.rows, s.orphans...), nil
	return n, s.failRead
}

func (s *source) Live(_ context.Context, ttl time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beats = append(s.beats, beat{time.Now(), ttl, len(s.rows)})
	return nil
}

// beat is one sign of life, and how many rows waited then.
type beat struct {
	at      time.Time
	ttl     time.Duration
	waiting int
}

func (s *source) Committed() <-chan struct{} { return s.committed }

func (s *source) waiting() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.rows) }

// sink is a bus that writes down what it took.
type sink struct {
	mu    sync.Mutex
	taken []int64
	at    []time.Time
	fail  func() error
}

func (b *sink) Publish(_ context.Context, messages []bus.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		if err := b.fail(); err != nil {
			return err
		}
	}
	for _, m := range messages {
		b.taken, b.at = append(b.taken, m.Version), append(b.at, time.Now())
	}
	return nil
}

func (b *sink) Subscribe(context.Context) (bus.Subscription, error) { panic("not used") }
func (b *sink) got() []int64                                        { b.mu.Lock(); defer b.mu.Unlock(); return slices.Clone(b.taken) }

func start(t *testing.T, c outbox.Config, s *source, b *sink) (stop func() error) {
	t.Helper()
	r, err := outbox.New(c, s, b, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return func() error { cancel(); return <-done }
}

func count(from, to int64) []int64 {
	var ids []int64
	for id := from; id <= to; id++ {
		ids = append(ids, id)
	}
	return ids
}

func TestACommitIsPublishedAtOnceAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newSource(), &sink{}
		stop := start(t, outbox.Config{Batch: 4}, s, b)
		synctest.Wait()
		began := time.Now()
		s.commit(true, count(1, 10)...)
		synctest.Wait()
		if got := b.got(); !slices.Equal(got, count(1, 10)) {
			t.Errorf("published %v", got)
		}
		if time.Since(began) != 0 || s.waiting() != 0 {
			t.Errorf("after %s, %d rows wait", time.Since(began), s.waiting())
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestTheSweepFindsWhatNobodySignalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newSource(), &sink{}
		stop := start(t, outbox.Config{Sweep: time.Second}, s, b)
		synctest.Wait()
		s.commit(false, 1, 2)
		time.Sleep(1100 * time.Millisecond)
		if got := b.got(); !slices.Equal(got, []int64{1, 2}) {
			t.Errorf("published %v", got)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestTheRowsOfDeadNodesArePublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newSource(), &sink{}
		leave := func(ids ...int64) {
			s.commit(false, ids...)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.orphans, s.rows = s.rows, nil
		}
		leave(1)
		stop := start(t, outbox.Config{Sweep: time.Second, Batch: 1}, s, b)
		synctest.Wait()
		if got := b.got(); !slices.Equal(got, []int64{1}) { // at once
			t.Errorf("published %v", got)
		}
		leave(2, 3)
		time.Sleep(1100 * time.Millisecond)
		if got := b.got(); !slices.Equal(got, []int64{1, 2, 3}) {
			t.Errorf("published %v", got)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// A node that always has more to publish than fits in a batch adopts too.
func TestABusyNodeAdopts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource()
		b := &busy{source: s}
		s.commit(false, 1)
		s.orphans = []outbox.Row{{ID: 1 << 40}}
		b.left = []outbox.Row{{ID: 1 << 41}}
		r, err := outbox.New(outbox.Config{Sweep: time.Second, Batch: 1}, s, b, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(2500 * time.Millisecond) // it has more to publish for half a second more
		if n := r.Counters().Adopted; n != 2 {
			t.Errorf("%d rows adopted, want 2", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// busy is a bus that takes its time, while there is always more to publish.
type busy struct {
	sink
	source *source
	left   []outbox.Row // orphans a second later
	n      int64
}

func (b *busy) Publish(context.Context, []bus.Message) error {
	time.Sleep(10 * time.Millisecond)
	if b.n++; b.n < 300 {
		b.source.commit(false, b.n+1)
	}
	if b.n == 100 {
		b.source.mu.Lock()
		b.source.orphans = b.left
		b.source.mu.Unlock()
	}
	return nil
}

// Others adopt the rows of a node that is quiet: it says that it lives even
// while the bus is away, and that it leaves only when it has drained.
func TestItLivesUntilItHasDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newSource(), &sink{fail: func() error { return errors.New("broker away") }}
		stop := start(t, outbox.Config{Beat: 3 * time.Second, Life: 10 * time.Second, Drain: time.Minute}, s, b)
		s.commit(true, 1)
		time.Sleep(time.Minute)
		go func() {
			time.Sleep(20 * time.Second) // within the drain
			b.mu.Lock()
			b.fail = nil
			b.mu.Unlock()
		}()
		if err := stop(); err != nil {
			t.Error(err)
		}
		n := len(s.beats)
		for i, beat := range s.beats {
			last := i == n-1
			if (beat.ttl == 0) != last || !last && beat.ttl != 10*time.Second || last && beat.waiting > 0 {
				t.Errorf("beat %d of %d is for %s, %d rows wait", i, n, beat.ttl, beat.waiting)
			}
			if i > 0 && beat.at.Sub(s.beats[i-1].at) > 3*time.Second {
				t.Errorf("%s until beat %d", beat.at.Sub(s.beats[i-1].at), i)
			}
		}
		if n < 25 {
			t.Errorf("%d beats in a minute and more", n)
		}
	})
}

func TestABrokenBusLosesAndReordersNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newSource(), &sink{}
		failing := 20
		b.fail = func() error {
			if failing--; failing >= 0 {
				return errors.New("broker away")
			}
			return nil
		}
		stop := start(t, outbox.Config{Batch: 3, BackoffMin: 10 * time.Millisecond, BackoffMax: time.Second}, s, b)
		s.commit(true, count(1, 7)...)
		time.Sleep(5 * time.Second)
		s.commit(true, 8)
		time.Sleep(25 * time.Second)
		if got := b.got(); !slices.Equal(got, count(1, 8)) {
			t.Errorf("published %v", got)
		}
		if failing >= 0 {
			t.Errorf("%d attempts were never made", failing+1)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// A node that dies between Publish and Done leaves rows that the next one
// publishes again.
func TestACrashBeforeMarkingPublishesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newSource(), &sink{}
		dead := true
		s.failDone = func([]int64) error {
			if dead {
				return errors.New("connection lost")
			}
			return nil
		}
		stop := start(t, outbox.Config{Drain: 100 * time.Millisecond, BackoffMin: time.Minute, BackoffMax: time.Minute}, s, b)
		s.commit(true, 1, 2)
		synctest.Wait()
		if err := stop(); err == nil {
			t.Error("Run left rows behind and said nothing")
		}
		first := len(b.got())
		if first == 0 || s.waiting() != 2 {
			t.Fatalf("published %v, %d wait", b.got(), s.waiting())
		}
		dead = false
		stop = start(t, outbox.Config{}, s, b)
		synctest.Wait()
		if got := b.got()[first:]; !slices.Equal(got, []int64{1, 2}) || s.waiting() != 0 {
			t.Errorf("the second life published %v, %d wait", got, s.waiting())
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestShutDownDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newSource(), &sink{}
		stop := start(t, outbox.Config{Batch: 2, Sweep: time.Hour}, s, b)
		synctest.Wait()
		s.commit(false, count(1, 9)...)
		if err := stop(); err != nil {
			t.Error(err)
		}
		if got := b.got(); !slices.Equal(got, count(1, 9)) {
			t.Errorf("published %v", got)
		}
	})
}

func TestShutDownIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newSource(), &sink{fail: func() error { return errors.New("broker away") }}
		stop := start(t, outbox.Config{Drain: 3 * time.Second}, s, b)
		s.commit(true, 1)
		synctest.Wait()
		began := time.Now()
		if err := stop(); err == nil {
			t.Error("nothing was drained and Run said nothing")
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("took %s", took)
		}
		if s.waiting() != 1 {
			t.Error("the row is gone")
		}
	})
}

func TestEveryFaultIsReported(t *testing.T) {
	_, err := outbox.New(outbox.Config{Batch: -1, Sweep: -1, BackoffMin: time.Hour, Beat: time.Hour}, nil, nil, nil)
	for _, want := range []string{"Batch", "Sweep", "BackoffMin", "Beat", "source"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in %v", want, err)
		}
	}
}
