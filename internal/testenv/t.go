package testenv

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// T is what starting and stopping needs of its caller. A testing.TB has it; a
// command that wants the same processes may bring its own.
type T interface {
	Helper()
	Context() context.Context
	TempDir() string
	Cleanup(f func())
	Failed() bool
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// strand is a T for one of several goroutines: a fault ends the goroutine at
// once, and the test when all have ended. After that it is the test's own T.
type strand struct {
	T
	mu     sync.Mutex
	joined bool
	fault  string
}

// Together runs functions beside each other and waits for all. A test may be
// ended by its own goroutine only, so what they do with their T is done when
// they are back.
func Together(t T, do ...func(t T)) {
	t.Helper()
	strands := make([]*strand, len(do))
	var all sync.WaitGroup
	for i, f := range do {
		strands[i] = &strand{T: t}
		all.Go(func() { f(strands[i]) })
	}
	all.Wait()
	for _, s := range strands {
		s.mu.Lock()
		s.joined = true
		fault := s.fault
		s.mu.Unlock()
		if fault != "" {
			t.Fatal(fault)
		}
	}
}

// Fatal implements T.
func (s *strand) Fatal(args ...any) {
	s.Helper()
	s.end(fmt.Sprint(args...))
}

// Fatalf implements T.
func (s *strand) Fatalf(format string, args ...any) {
	s.Helper()
	s.end(fmt.Sprintf(format, args...))
}

func (s *strand) end(fault string) {
	s.Helper()
	s.mu.Lock()
	joined := s.joined
	if !joined {
		s.fault = fault
	}
	s.mu.Unlock()
	if joined {
		s.T.Fatal(fault)
	}
	runtime.Goexit()
}
