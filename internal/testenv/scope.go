package testenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
)

// scope is the T of a command: what is started in it ends with it, last
// things first.
type scope struct {
	ctx context.Context //nolint:containedctx // as a test has one
	out io.Writer
	dir string

	mu       sync.Mutex
	cleanups []func()
	faults   []error
}

// Whole runs do for a command that wants what tests have, and cleans up after
// it. Do ends early with Fatal, and whoever cancels ctx should see to it that
// do returns.
func Whole(ctx context.Context, out io.Writer, do func(t T)) error {
	dir, err := os.MkdirTemp("", "courier-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	s := &scope{ctx: context.WithoutCancel(ctx), out: out, dir: dir}
	ended := make(chan struct{})
	go func() { // Fatal ends this goroutine, not the command
		defer close(ended)
		do(s)
	}()
	<-ended
	for {
		s.mu.Lock()
		last := len(s.cleanups) - 1
		if last < 0 {
			s.mu.Unlock()
			break
		}
		clean := s.cleanups[last]
		s.cleanups = s.cleanups[:last]
		s.mu.Unlock()
		cleaned := make(chan struct{})
		go func() {
			defer close(cleaned)
			clean()
		}()
		<-cleaned
	}
	return errors.Join(errors.Join(s.all()...), os.RemoveAll(dir))
}

func (s *scope) all() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// Helper implements T.
func (s *scope) Helper() {}

// Context implements T. It does not end before the cleanups.
func (s *scope) Context() context.Context { return s.ctx }

// TempDir implements T.
func (s *scope) TempDir() string {
	dir, err := os.MkdirTemp(s.dir, "")
	if err != nil {
		s.Fatal(err)
	}
	return dir
}

// Cleanup implements T.
func (s *scope) Cleanup(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanups = append(s.cleanups, f)
}

// Failed implements T.
func (s *scope) Failed() bool { return len(s.all()) > 0 }

// Logf implements T.
func (s *scope) Logf(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

// Errorf implements T.
func (s *scope) Errorf(format string, args ...any) { s.fail(fmt.Sprintf(format, args...)) }

// Fatal implements T.
func (s *scope) Fatal(args ...any) {
	s.fail(fmt.Sprint(args...))
	runtime.Goexit()
}

// Fatalf implements T.
func (s *scope) Fatalf(format string, args ...any) {
	s.fail(fmt.Sprintf(format, args...))
	runtime.Goexit()
}

func (s *scope) fail(fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, errors.New(fault))
}
