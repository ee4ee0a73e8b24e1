package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"courier/dispatch"
	"courier/internal/testenv"
)

// keyed is the creation of an order by a key.
func keyed(id, key string) dispatch.Creation {
	return dispatch.Creation{
		Order:  dispatch.Order{ID: id, Status: dispatch.Placed, Version: 1},
		Events: []dispatch.Event{{Order: id, Version: 1, Status: dispatch.Placed, Time: time.Now()}},
		Answer: dispatch.Answer{Scope: "s", Key: key, Body: []byte(id), At: time.Now()},
	}
}

// claimed is a transaction of another node that has saved the answer to a key
// and has not ended.
func claimed(t *testing.T, s *Store, key string) *sql.Conn {
	t.Helper()
	conn, err := s.pool.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	mustExec(t, conn, "SET idle_in_transaction_session_timeout = 0") // this one may be slow
	mustExec(t, conn, "BEGIN")
	mustExec(t, conn, "INSERT INTO answers (scope, key, hash, body, at) VALUES ('s', $1, '', 'theirs', 0)", key)
	return conn
}

func mustExec(t *testing.T, conn *sql.Conn, statement string, args ...any) {
	t.Helper()
	if _, err := conn.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// waiter is the backend that waits for a lock. It is asked for outside any
// transaction, within which the answer would stay the same.
func waiter(t *testing.T, s *Store) (pid int64) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); pid == 0; time.Sleep(2 * time.Millisecond) {
		err := s.read.QueryRowContext(t.Context(), `SELECT coalesce(max(pid), 0) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&pid)
		if err != nil || time.Now().After(until) {
			t.Fatalf("nobody waits (%v)", err)
		}
	}
	return pid
}

// patient is a store whose updates may take long.
func patient(t *testing.T, url string) *Store {
	t.Helper()
	s, err := OpenPostgres(t.Context(), PostgresConfig{URL: url, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// creates sends creations at once, and returns a wait for what came of each.
func creates(s *Store, n int) (wait func() (kept []*dispatch.Answer, errs []error)) {
	kept, errs := make([]*dispatch.Answer, n), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			kept[i], errs[i] = s.Create(context.Background(), keyed(fmt.Sprint("o", i), fmt.Sprint("k", i)))
		})
	}
	return func() ([]*dispatch.Answer, []error) { all.Wait(); return kept, errs }
}

func TestPostgresCreates(t *testing.T) {
	server := testenv.StartPostgres(t)
	const n = 20
	stored := func(t *testing.T, s *Store, want int) {
		t.Helper()
		rows, err := s.Pending(t.Context(), 1000)
		if count, err2 := s.CountOrders(t.Context(), dispatch.OrderQuery{}); count != want || len(rows) != want || err != nil || err2 != nil {
			t.Errorf("%d orders, %d outbox rows (%v, %v), want %d", count, len(rows), err, err2, want)
		}
	}
	t.Run("whose backend is ended in the middle are done all the same", func(t *testing.T) {
		url := server.Database(t)
		s, other := patient(t, url), claimed(t, openURL(t, url), "k5")
		wait := creates(s, n)
		mustExec(t, other, "SELECT pg_terminate_backend($1)", waiter(t, s))
		mustExec(t, other, "ROLLBACK")
		kept, errs := wait()
		for i := range n {
			if errs[i] != nil || kept[i] != nil {
				t.Errorf("creation %d: %v, %v", i, kept[i], errs[i])
			}
		}
		stored(t, s, n)
	})
	t.Run("wait for another node with the same key and get its answer", func(t *testing.T) {
		url := server.Database(t)
		s, other := patient(t, url), claimed(t, openURL(t, url), "k5")
		wait := creates(s, n)
		waiter(t, s)
		mustExec(t, other, "COMMIT")
		kept, errs := wait()
		for i := range n {
			if errs[i] != nil || (kept[i] != nil) != (i == 5) || i == 5 && string(kept[i].Body) != "theirs" {
				t.Errorf("creation %d: %v, %v", i, kept[i], errs[i])
			}
		}
		stored(t, s, n-1)
	})
	t.Run("leave one whose caller went away, and nothing else", func(t *testing.T) {
		url := server.Database(t)
		s, other := patient(t, url), claimed(t, openURL(t, url), "k5")
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := s.Create(ctx, keyed("o5", "k5"))
			gone <- err
		}()
		waiter(t, s)
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("the one that went away: %v", err)
		}
		if _, err := s.Create(t.Context(), keyed("o6", "k6")); err != nil { // another lane
			t.Error(err)
		}
		mustExec(t, other, "ROLLBACK")
		// Its lane goes on with it, and the next one of its key may be faster
		// than a lane that has yet to wake.
		for until := time.Now().Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
			if _, err := s.Order(t.Context(), "o5"); err == nil {
				break
			} else if time.Now().After(until) {
				t.Fatalf("what its lane had begun: %v", err)
			}
		}
		kept, err := s.Create(t.Context(), keyed("o7", "k5"))
		if err != nil || kept == nil || string(kept.Body) != "o5" {
			t.Errorf("its key again: %v, %v", kept, err)
		}
		stored(t, s, 2)
	})
	t.Run("end by themselves, and can be sent again", func(t *testing.T) {
		url := server.Database(t)
		s, err := OpenPostgres(t.Context(), PostgresConfig{URL: url, Timeout: 300 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		other := claimed(t, openURL(t, url), "k5")
		if _, err := s.Create(context.Background(), keyed("o5", "k5")); !errors.Is(err, dispatch.ErrUnavailable) {
			t.Errorf("the one that waits: %v", err)
		}
		mustExec(t, other, "ROLLBACK")
		// The server may have gone on with it, and told nobody. A slow machine may
		// need another try.
		kept, err := s.Create(t.Context(), keyed("o5", "k5"))
		for until := time.Now().Add(30 * time.Second); errors.Is(err, dispatch.ErrUnavailable) && time.Now().Before(until); {
			kept, err = s.Create(t.Context(), keyed("o5", "k5"))
		}
		if err != nil || kept != nil && string(kept.Body) != "o5" {
			t.Errorf("again: %v, %v", kept, err)
		}
		stored(t, s, 1)
	})
	t.Run("are refused after the end", func(t *testing.T) {
		s := openURL(t, server.Database(t))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Create(t.Context(), keyed("o1", "k1")); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
}

// TestPostgresCreateKill ends the server by SIGKILL while clients create. One
// that was not answered sends the same key again until it is: each key has
// one order then, the one that was answered.
func TestPostgresCreateKill(t *testing.T) {
	if testing.Short() {
		t.Skip("restarts a server")
	}
	server := testenv.StartPostgres(t)
	s := openURL(t, server.Database(t))
	var mu sync.Mutex
	answered := map[string]string{} // key → order
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for c := range 32 {
		clients.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				key, order := fmt.Sprintf("k-%d-%d", c, i), ""
				for try := 0; order == ""; try++ {
					one := keyed(fmt.Sprintf("o-%d-%d-%d", c, i, try), key)
					switch kept, err := s.Create(context.Background(), one); {
					case err == nil && kept == nil:
						order = one.Order.ID
					case err == nil:
						order = string(kept.Body)
					case !errors.Is(err, dispatch.ErrUnavailable):
						t.Error(err)
						return
					default:
						time.Sleep(5 * time.Millisecond)
					}
				}
				mu.Lock()
				answered[key] = order
				mu.Unlock()
			}
		})
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(answered) }
	wantMore := func() {
		t.Helper()
		n := count() + 200
		for until := time.Now().Add(30 * time.Second); count() < n; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("%d creations, want %d", count(), n)
			}
		}
	}
	for range 3 {
		wantMore()
		server.Kill()
		server.Restart()
	}
	wantMore()
	close(stop)
	clients.Wait()
	for key, order := range answered {
		if _, err := s.Order(t.Context(), order); err != nil {
			t.Fatalf("%s was answered with %s: %v", key, order, err)
		}
	}
	rows, err := s.Pending(t.Context(), 1_000_000)
	if n, err2 := s.CountOrders(t.Context(), dispatch.OrderQuery{}); n != len(answered) || len(rows) != n || err != nil || err2 != nil {
		t.Errorf("%d orders and %d outbox rows of %d keys (%v, %v)", n, len(rows), len(answered), err, err2)
	}
	t.Logf("%d orders over three kills", len(answered))
}

// A transaction that has compared a lease's token keeps others from taking
// the area over, and nobody from anything else: a node that is paused in one
// must not stop the rest.
func TestPostgresLeasesWaitForNobody(t *testing.T) {
	url := testenv.Postgres(t)
	a, b := openURL(t, url), openURL(t, url)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	lease := func(s *Store, node string, areas ...string) map[string]int64 {
		t.Helper()
		tokens, err := s.Leases(ctx, dispatch.Holder{Node: node, Run: "1"}, areas, time.Hour)
		if err != nil {
			t.Error(err)
		}
		return tokens
	}
	token := lease(a, "a", "x")["x"]
	err := a.Update(ctx, func(tx dispatch.Tx) error {
		if err := tx.CheckLease("x", token); err != nil {
			return err
		}
		if again := lease(a, "a", "x")["x"]; again != token {
			t.Errorf("renewed as %d, want %d", again, token)
		}
		editURL(t, url, "UPDATE leases SET expires_at = 1")
		if theirs := lease(b, "b", "x", "y"); len(theirs) != 1 || theirs["y"] == 0 {
			t.Errorf("another node takes %v, want y", theirs)
		}
		return oneOrder("o1")(tx)
	})
	if err != nil {
		t.Error(err)
	}
	if theirs := lease(b, "b", "x"); theirs["x"] <= token {
		t.Errorf("taken over with %v after %d", theirs, token)
	}
	if err := a.Update(ctx, func(tx dispatch.Tx) error { return tx.CheckLease("x", token) }); !errors.Is(err, dispatch.ErrConflict) {
		t.Errorf("the old token: %v", err)
	}
}

func TestPostgresReady(t *testing.T) {
	server := testenv.StartPostgres(t)
	url := server.Database(t)
	s := openURL(t, url)
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := s.pool.db.ExecContext(t.Context(), "ALTER SYSTEM SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.db.ExecContext(t.Context(), "SELECT pg_reload_conf()"); err != nil {
		t.Fatal(err)
	}
	ready := func(want bool) {
		t.Helper()
		var err error
		for until := time.Now().Add(10 * time.Second); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
			if err = s.Ready(t.Context()); (err == nil) == want {
				break
			}
		}
		if (err == nil) != want || err != nil && !errors.Is(err, dispatch.ErrUnavailable) {
			t.Fatalf("ready: %v, want %v", err, want)
		}
	}
	ready(false)
	if err := s.Update(t.Context(), oneOrder("o1")); !errors.Is(err, dispatch.ErrUnavailable) {
		t.Errorf("a write to a read-only database: %v", err)
	}
	server.Kill()
	ready(false)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Ready(t.Context()); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}
