package sqlstore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"courier/dispatch"
)

// oneOrder saves a new order.
func oneOrder(id string) func(tx dispatch.Tx) error {
	return func(tx dispatch.Tx) error {
		return tx.SaveOrder(dispatch.Order{ID: id, Status: dispatch.Placed, Version: 1}, 0,
			[]dispatch.Event{{Order: id, Version: 1, Status: dispatch.Placed, Time: time.Now()}})
	}
}

func placeOne(t *testing.T, s *Store, id string) {
	t.Helper()
	if err := s.Update(t.Context(), oneOrder(id)); err != nil {
		t.Fatal(err)
	}
}

// hold keeps the writer busy until the returned function is called, so that
// what is updated meanwhile becomes one group.
func hold(t *testing.T, s *Store) (release func()) {
	t.Helper()
	begun, end := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- s.Update(context.Background(), func(dispatch.Tx) error {
			close(begun)
			<-end
			return nil
		})
	}()
	<-begun
	return func() {
		close(end)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// group runs closures in one group, and returns what came of each.
func group(t *testing.T, s *Store, fns ...func(tx dispatch.Tx) error) []error {
	t.Helper()
	release := hold(t, s)
	errs := make([]error, len(fns))
	var all sync.WaitGroup
	for i, fn := range fns {
		all.Go(func() { errs[i] = s.Update(context.Background(), fn) })
		for s.waits() <= i { // so that they run in this order
			runtime.Gosched()
		}
	}
	release()
	all.Wait()
	return errs
}

func (s *Store) waits() int {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return len(s.writer.queue)
}

func wantStored(t *testing.T, s *Store, want map[string]bool) {
	t.Helper()
	for id, stored := range want {
		if _, err := s.Order(t.Context(), id); (err == nil) != stored {
			t.Errorf("%s: %v, want it stored: %v", id, err, stored)
		}
	}
}

func TestGroup(t *testing.T) {
	fault := errors.New("changed my mind")
	after := func(fn func() error, saves ...func(tx dispatch.Tx) error) func(tx dispatch.Tx) error {
		return func(tx dispatch.Tx) error {
			for _, save := range saves {
				if err := save(tx); err != nil {
					return err
				}
			}
			return fn()
		}
	}
	t.Run("is one transaction, of which one fails alone", func(t *testing.T) {
		s := open(t, t.TempDir())
		errs := group(t, s, oneOrder("a"), after(func() error { return fault }, oneOrder("b")), oneOrder("c"),
			after(func() error { panic("boom") }, oneOrder("d")), oneOrder("a"), oneOrder("e"))
		for i, want := range []string{"", "changed my mind", "", "boom", "conflict", ""} {
			if got := fmt.Sprint(errs[i]); want == "" && errs[i] != nil || !strings.Contains(got, want) {
				t.Errorf("update %d: %v, want %q", i, errs[i], want)
			}
		}
		wantStored(t, s, map[string]bool{"a": true, "b": false, "c": true, "d": false, "e": true})
	})
	t.Run("survives a closure that ends its goroutine", func(t *testing.T) {
		s := open(t, t.TempDir())
		errs := group(t, s, oneOrder("a"), after(func() error { runtime.Goexit(); return nil }, oneOrder("b")), oneOrder("c"))
		for i, err := range errs {
			if !errors.Is(err, errExited) {
				t.Errorf("update %d: %v", i, err)
			}
		}
		placeOne(t, s, "d")
		wantStored(t, s, map[string]bool{"a": false, "b": false, "c": false, "d": true})
	})
	t.Run("is lost whole when the transaction is", func(t *testing.T) {
		s := open(t, t.TempDir())
		lost := func(dispatch.Tx) error { // as SQLite does it when the disk is full
			_, err := s.writer.exec("ROLLBACK")
			return errors.Join(err, fault)
		}
		errs := group(t, s, oneOrder("a"), lost, oneOrder("b"))
		if errs[0] == nil || !errors.Is(errs[1], fault) || errs[2] != nil {
			t.Errorf("errors are %v", errs)
		}
		wantStored(t, s, map[string]bool{"a": false, "b": true})
	})
	t.Run("leaves out who does not wait any more", func(t *testing.T) {
		s := open(t, t.TempDir())
		release := hold(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Update(ctx, oneOrder("a")) }()
		for s.waits() == 0 {
			runtime.Gosched()
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) { // while the writer is still held
			t.Error(err)
		}
		release()
		placeOne(t, s, "b")
		wantStored(t, s, map[string]bool{"a": false, "b": true})
	})
	t.Run("answers what was done though the context ends", func(t *testing.T) {
		s := open(t, t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		if err := s.Update(ctx, after(func() error { cancel(); return nil }, oneOrder("a"))); err != nil {
			t.Error(err)
		}
		wantStored(t, s, map[string]bool{"a": true})
	})
	t.Run("is bounded, and all of the queue gets its turn", func(t *testing.T) {
		s, err := Open(t.Context(), Config{Dir: t.TempDir(), Group: 3})
		if err != nil {
			t.Fatal(err)
		}
		var fns []func(tx dispatch.Tx) error
		want := map[string]bool{}
		for i := range 10 {
			want[fmt.Sprint("o", i)] = true
			fns = append(fns, oneOrder(fmt.Sprint("o", i)))
		}
		if err := errors.Join(group(t, s, fns...)...); err != nil {
			t.Error(err)
		}
		wantStored(t, s, want)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("is answered before the end", func(t *testing.T) {
		s := open(t, t.TempDir())
		release := hold(t, s)
		ended := make(chan error)
		go func() { ended <- s.Update(context.Background(), oneOrder("a")) }()
		for s.waits() == 0 {
			runtime.Gosched()
		}
		closed := make(chan error)
		go func() { closed <- s.Close() }()
		release()
		if err := errors.Join(<-ended, <-closed); err != nil {
			t.Error(err)
		}
	})
}

// TestFull fills the disk, as far as SQLite can be made to believe it.
func TestFull(t *testing.T) {
	s := open(t, t.TempDir())
	limit := func(pages string) {
		if _, err := s.writer.exec("PRAGMA max_page_count = " + pages); err != nil {
			t.Fatal(err)
		}
	}
	placeOne(t, s, "first")
	limit("1") // no more than there are
	stored := map[string]bool{}
	failures := 0
	for i := 0; failures < 3; i++ {
		var fns []func(tx dispatch.Tx) error
		for j := range 5 {
			fns = append(fns, oneOrder(fmt.Sprintf("o%d-%d", i, j)))
		}
		for j, err := range group(t, s, fns...) {
			stored[fmt.Sprintf("o%d-%d", i, j)] = err == nil
			if err != nil {
				failures++
				if !errors.Is(err, dispatch.ErrUnavailable) {
					t.Errorf("a full disk: %v", err)
				}
			}
		}
	}
	limit("1000000")
	placeOne(t, s, "last")
	stored["first"], stored["last"] = true, true
	wantStored(t, s, stored)
}

func TestTxKept(t *testing.T) {
	s := open(t, t.TempDir())
	var kept dispatch.Tx
	if err := s.Update(t.Context(), func(tx dispatch.Tx) error { kept = tx; return nil }); err != nil {
		t.Fatal(err)
	}
	_, read := kept.Order("o1")
	for _, err := range []error{oneOrder("o1")(kept), read, kept.SaveOffer(dispatch.Offer{ID: "f"})} {
		if !errors.Is(err, errTxKept) {
			t.Errorf("a kept transaction says %v", err)
		}
	}
	wantStored(t, s, map[string]bool{"o1": false})
}

// TestKill ends a process by SIGKILL while it writes: what it was told is
// stored is there, and the directory is free again.
func TestKill(t *testing.T) {
	const dirVariable = "SQLSTORE_KILL_DIR"
	if dir := os.Getenv(dirVariable); dir != "" {
		writeUntilKilled(dir)
		return
	}
	if testing.Short() {
		t.Skip("starts a process")
	}
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
	child.Env = append(os.Environ(), dirVariable+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var told []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if told = append(told, lines.Text()); len(told) == 200 {
			wantOpenFails(t, dir, ErrInUse, fmt.Sprint(child.Process.Pid))
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = child.Wait() // killed
	if len(told) < 200 {
		t.Fatalf("the process wrote %d orders: %q", len(told), told)
	}
	s := open(t, dir)
	for _, id := range told {
		events, err := s.Events(t.Context(), id, 0)
		if err != nil || len(events) != 1 {
			t.Fatalf("%s: %d events (%v)", id, len(events), err)
		}
	}
	rows, err := s.Pending(t.Context(), 1_000_000)
	if err != nil || len(rows) < len(told) {
		t.Errorf("%d outbox rows for %d orders (%v)", len(rows), len(told), err)
	}
}

func writeUntilKilled(dir string) {
	s, err := Open(context.Background(), Config{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var out sync.Mutex
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("o-%d-%d", w, i)
				if err := s.Update(context.Background(), oneOrder(id)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				out.Lock()
				fmt.Println(id)
				out.Unlock()
			}
		})
	}
	writers.Wait()
}
