package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"courier/dispatch"
	"courier/internal/testenv"
)

func TestEscape(t *testing.T) {
	for _, s := range []string{"", "plain ü 😀", "\x00", "\x01", "a\x00b\x01c\x02", "\x01\x01", "\xff\x00\xfe", "ü\xc3", "\x01\x03"} {
		out := escape(s)
		if strings.Contains(out, "\x00") || strings.ToValidUTF8(out, "") != out {
			t.Errorf("%q is stored as %q", s, out)
		}
		if got := unescape(out); got != s {
			t.Errorf("%q comes back as %q", s, got)
		}
	}
	if a, b, c := escape("a\x00"), escape("a\x01"), escape("a\x02"); a >= b || b >= c || escape("a") >= a {
		t.Error("the order of texts is another")
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("a\x00\x01\xff")
	f.Fuzz(func(t *testing.T, s string) {
		if got := unescape(escape(s)); got != s {
			t.Errorf("%q comes back as %q", s, got)
		}
	})
}

func TestPostgresConfigFaults(t *testing.T) {
	_, err := OpenPostgres(t.Context(), PostgresConfig{Readers: -1, Writers: -2, Timeout: -3})
	for _, says := range []string{"URL is empty", "Readers is -1", "Writers is -2", "Timeout is -3ns"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
	if _, err := OpenPostgres(t.Context(), PostgresConfig{URL: "postgres://u:geheim@h:x/db"}); err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("a bad URL: %v", err)
	}
	url := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/x?sslmode=disable", testenv.FreePort(t))
	if _, err := OpenPostgres(t.Context(), PostgresConfig{URL: url}); !errors.Is(err, dispatch.ErrUnavailable) {
		t.Errorf("nobody listens: %v", err)
	}
}

// editURL changes a database by plain SQL.
func editURL(t *testing.T, url, statement string) {
	t.Helper()
	config, err := postgresSettings(PostgresConfig{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(&pgConnector{config: config})
	_, err = db.ExecContext(t.Context(), statement)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestPostgresOpen(t *testing.T) {
	server := testenv.StartPostgres(t)
	t.Run("by several nodes at once", func(t *testing.T) {
		url := server.Database(t)
		var nodes sync.WaitGroup
		for i := range 6 {
			nodes.Go(func() {
				s, err := OpenPostgres(context.Background(), PostgresConfig{URL: url})
				if err != nil {
					t.Error(err)
					return
				}
				if err := errors.Join(s.Update(context.Background(), oneOrder(fmt.Sprint("o", i))), s.Close()); err != nil {
					t.Error(err)
				}
			})
		}
		nodes.Wait()
	})
	t.Run("refuses a newer schema", func(t *testing.T) {
		url := server.Database(t)
		_ = openURL(t, url).Close()
		editURL(t, url, "INSERT INTO courier_schema (version_id, is_applied) VALUES (999, true)")
		if s, err := OpenPostgres(t.Context(), PostgresConfig{URL: url}); !errors.Is(err, ErrNewer) {
			t.Errorf("%v, %v", s, err)
		}
	})
	t.Run("refuses another program's database", func(t *testing.T) {
		url := server.Database(t)
		editURL(t, url, "CREATE TABLE recipes (id INTEGER)")
		if s, err := OpenPostgres(t.Context(), PostgresConfig{URL: url}); !errors.Is(err, ErrForeign) {
			t.Errorf("%v, %v", s, err)
		}
	})
	t.Run("of a server that commits without the disk, which it does here", func(t *testing.T) {
		url := server.Database(t)
		editURL(t, url, "ALTER DATABASE "+url[strings.LastIndex(url, "/")+1:strings.Index(url, "?")]+" SET synchronous_commit = off")
		s := openURL(t, url)
		var on string
		if err := s.pool.db.QueryRowContext(t.Context(), "SHOW synchronous_commit").Scan(&on); err != nil || on != "on" {
			t.Errorf("synchronous_commit is %s (%v)", on, err)
		}
	})
	t.Run("and closed", func(t *testing.T) {
		s := openURL(t, server.Database(t))
		placeOne(t, s, "o1")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Update(t.Context(), oneOrder("o2")); !errors.Is(err, ErrClosed) || !errors.Is(err, dispatch.ErrUnavailable) {
			t.Errorf("update after the end: %v", err)
		}
		if _, err := s.Order(t.Context(), "o1"); err == nil || errors.Is(err, dispatch.ErrNotFound) {
			t.Errorf("read after the end: %v", err)
		}
	})
}

func TestPostgresUpdates(t *testing.T) {
	server := testenv.StartPostgres(t)
	two := func(t *testing.T) (a, b *Store) {
		url := server.Database(t)
		return openURL(t, url), openURL(t, url)
	}
	couriers := func(t *testing.T, s *Store, ids ...string) {
		t.Helper()
		for _, id := range ids {
			if err := s.Update(t.Context(), func(tx dispatch.Tx) error {
				return tx.SaveCourier(dispatch.Courier{ID: id, Version: 1, Capacity: 5}, 0)
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Run("that deadlock run again", func(t *testing.T) {
		a, b := two(t)
		couriers(t, a, "c1", "c2")
		both := func(first, second string, met *sync.WaitGroup) func(tx dispatch.Tx) error {
			once := sync.OnceFunc(func() { met.Done(); met.Wait() })
			return func(tx dispatch.Tx) error {
				for _, id := range []string{first, second} {
					c, err := tx.Courier(id)
					if err != nil {
						return errors.New("hidden: " + err.Error())
					}
					once()
					c.Version++
					if err := tx.SaveCourier(c, c.Version-1); err != nil {
						return err
					}
				}
				return nil
			}
		}
		var met, done sync.WaitGroup
		met.Add(2)
		done.Go(func() {
			if err := a.Update(t.Context(), both("c1", "c2", &met)); err != nil {
				t.Error(err)
			}
		})
		done.Go(func() {
			if err := b.Update(t.Context(), both("c2", "c1", &met)); err != nil {
				t.Error(err)
			}
		})
		done.Wait()
		if c, err := a.Courier(t.Context(), "c1"); err != nil || c.Version != 3 {
			t.Errorf("version %d (%v), want 3", c.Version, err)
		}
	})
	t.Run("of one key at once: one answers, the others see its answer", func(t *testing.T) {
		a, b := two(t)
		var created, repeated atomic.Int32
		var all sync.WaitGroup
		for i := range 16 {
			s := []*Store{a, b}[i%2]
			all.Go(func() {
				var mine bool
				err := s.Update(t.Context(), func(tx dispatch.Tx) error {
					_, err := tx.Answer("s", "k")
					if mine = errors.Is(err, dispatch.ErrNotFound); !mine {
						return err
					}
					return errors.Join(tx.SaveAnswer(dispatch.Answer{Scope: "s", Key: "k", At: time.Now()}), oneOrder(fmt.Sprint("o", i))(tx))
				})
				switch {
				case err != nil:
					t.Error(err)
				case mine:
					created.Add(1)
				default:
					repeated.Add(1)
				}
			})
		}
		all.Wait()
		if created.Load() != 1 || repeated.Load() != 15 {
			t.Errorf("%d created, %d repeated", created.Load(), repeated.Load())
		}
		if n, err := a.CountOrders(t.Context(), dispatch.OrderQuery{}); n != 1 || err != nil {
			t.Errorf("%d orders (%v)", n, err)
		}
	})
	t.Run("of a plan and of its order at once cannot both be", func(t *testing.T) {
		a, b := two(t)
		couriers(t, a, "c1", "c2")
		for i := range 20 {
			id := fmt.Sprint("o", i)
			placeOne(t, a, id)
			var done sync.WaitGroup
			var plans, names error
			done.Go(func() {
				plans = a.Update(t.Context(), func(tx dispatch.Tx) error {
					c, err := tx.Courier("c1")
					if err != nil {
						return err
					}
					c.Version++
					c.Plan.Stops = []dispatch.Stop{{Order: id, Kind: dispatch.Pickup}}
					return tx.SaveCourier(c, c.Version-1)
				})
			})
			done.Go(func() {
				names = b.Update(t.Context(), func(tx dispatch.Tx) error {
					o, err := tx.Order(id)
					if err != nil {
						return err
					}
					o.Version, o.Status, o.Courier = 2, dispatch.Assigned, "c2"
					return tx.SaveOrder(o, 1, []dispatch.Event{{Order: id, Version: 2, Status: dispatch.Assigned, Time: time.Now()}})
				})
			})
			done.Wait()
			if (plans == nil) == (names == nil) || !errors.Is(errors.Join(plans, names), dispatch.ErrConflict) {
				t.Fatalf("the plan: %v; the order: %v", plans, names)
			}
		}
	})
	t.Run("of decisions on one order at once are all kept", func(t *testing.T) {
		a, b := two(t)
		var done sync.WaitGroup
		for i := range 16 {
			s := []*Store{a, b}[i%2]
			done.Go(func() {
				if err := s.Update(t.Context(), func(tx dispatch.Tx) error {
					return saveDecision(tx, "o1")
				}); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		if all, err := a.Decisions(t.Context(), "o1", 100); err != nil || len(all) != 16 {
			t.Errorf("%d decisions (%v)", len(all), err)
		}
	})
	t.Run("end with their context while they wait for a row", func(t *testing.T) {
		a, b := two(t)
		couriers(t, a, "c1")
		read := func(tx dispatch.Tx) error { _, err := tx.Courier("c1"); return err }
		if err := a.Update(t.Context(), func(tx dispatch.Tx) error {
			if err := read(tx); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if err := b.Update(ctx, read); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the one that waits: %v", err)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if err := b.Update(t.Context(), read); err != nil {
			t.Error(err)
		}
	})
	t.Run("end by themselves when nobody bounds them", func(t *testing.T) {
		url := server.Database(t)
		a := openURL(t, url)
		b, err := OpenPostgres(t.Context(), PostgresConfig{URL: url, Timeout: 200 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		couriers(t, a, "c1")
		read := func(tx dispatch.Tx) error { _, err := tx.Courier("c1"); return err }
		if err := a.Update(t.Context(), func(tx dispatch.Tx) error {
			err := read(tx)
			if err := b.Update(context.Background(), read); !errors.Is(err, dispatch.ErrUnavailable) {
				t.Errorf("the one that waits: %v", err)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	})
	t.Run("go on after an operator ended every connection", func(t *testing.T) {
		a, b := two(t)
		placeOne(t, a, "o1")
		if _, err := a.Order(t.Context(), "o1"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.pool.db.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Order(t.Context(), "o1"); err != nil {
			t.Errorf("a read: %v", err)
		}
		placeOne(t, a, "o2")
	})
	t.Run("are not acknowledged when a swallowed failure lost them", func(t *testing.T) {
		a, _ := two(t)
		err := a.Update(t.Context(), func(over dispatch.Tx) error {
			if err := oneOrder("o1")(over); err != nil {
				return err
			}
			var n int // the transaction is over from here
			return ignore(over.(*tx).q.QueryRowContext(t.Context(), "SELECT 1/0").Scan(&n))
		})
		if err == nil {
			t.Error("it was acknowledged")
		}
		wantStored(t, a, map[string]bool{"o1": false})
	})
}

func ignore(error) error { return nil }

// TestPostgresKill ends the server by SIGKILL while nodes write: what they
// were told is stored is there, all else is ErrUnavailable, and they go on by
// themselves when it is back.
func TestPostgresKill(t *testing.T) {
	if testing.Short() {
		t.Skip("restarts a server")
	}
	server := testenv.StartPostgres(t)
	s := openURL(t, server.Database(t))
	var mu sync.Mutex
	var told []string
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("o-%d-%d", w, i)
				switch err := s.Update(context.Background(), oneOrder(id)); {
				case err == nil:
					mu.Lock()
					told = append(told, id)
					mu.Unlock()
				case !errors.Is(err, dispatch.ErrUnavailable):
					t.Error(err)
				default:
					time.Sleep(5 * time.Millisecond)
				}
			}
		})
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(told)
	}
	wantMore := func(n int) {
		t.Helper()
		for until := time.Now().Add(30 * time.Second); count() < n; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("%d updates, want %d", count(), n)
			}
		}
	}
	for range 3 {
		wantMore(count() + 100)
		server.Kill()
		if _, err := s.Order(t.Context(), "o-0-0"); !errors.Is(err, dispatch.ErrUnavailable) {
			t.Errorf("a read without a server: %v", err)
		}
		server.Restart()
	}
	wantMore(count() + 100)
	close(stop)
	writers.Wait()
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
	t.Logf("%d orders over three kills", len(told))
}

func saveDecision(tx dispatch.Tx, order string) error {
	d := dispatch.Decision{Time: time.Now()}
	d.Order = order
	return tx.SaveDecision(d)
}
