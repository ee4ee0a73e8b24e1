package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"courier/dispatch"
	"courier/internal/testenv"
)

const sharing = 8

// atOnce runs updates that share a transaction: both lanes are busy until all
// of them wait.
func atOnce(t *testing.T, s *Store, fn func(i int) (context.Context, func(tx dispatch.Tx) error)) (wait func() []error) {
	t.Helper()
	for range updateLanes {
		if !s.pool.lanes.Enter(nil) {
			t.Fatal("no lane is free")
		}
	}
	errs := make([]error, sharing)
	var all sync.WaitGroup
	for i := range sharing {
		ctx, change := fn(i)
		all.Go(func() { errs[i] = s.Update(ctx, change) })
	}
	for until := time.Now().Add(30 * time.Second); s.pool.lanes.Waiting() < sharing; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("not all wait")
		}
	}
	for range updateLanes {
		s.pool.lanes.Leave()
	}
	return func() []error { all.Wait(); return errs }
}

// wantOrders checks that o0, o1, … are stored but for one, and by how many
// transactions.
func wantOrders(t *testing.T, s *Store, but, transactions int) {
	t.Helper()
	stored := map[string]bool{}
	for i := range sharing {
		stored[fmt.Sprint("o", i)] = i != but
	}
	wantStored(t, s, stored)
	var n int
	if err := s.read.QueryRowContext(t.Context(), "SELECT count(DISTINCT xmin::text) FROM orders").Scan(&n); err != nil || n != transactions {
		t.Errorf("%d transactions wrote the orders (%v), want %d", n, err, transactions)
	}
}

func TestPostgresShares(t *testing.T) {
	server := testenv.StartPostgres(t)
	refused := errors.New("refused")
	background := context.Background()
	wantOne := func(t *testing.T, errs []error, at int, want error) {
		t.Helper()
		for i, err := range errs {
			if (i == at) != (err != nil) || err != nil && !errors.Is(err, want) {
				t.Errorf("update %d: %v", i, err)
			}
		}
	}
	t.Run("one commit", func(t *testing.T) {
		s := openURL(t, server.Database(t))
		errs := atOnce(t, s, func(i int) (context.Context, func(tx dispatch.Tx) error) {
			return background, oneOrder(fmt.Sprint("o", i))
		})()
		wantOne(t, errs, -1, nil)
		wantOrders(t, s, -1, 1)
		select {
		case <-s.Committed():
		default:
			t.Error("nobody is told of the outbox")
		}
	})
	for name, tt := range map[string]struct{ wrote, transactions int }{
		"with one that is refused":                 {0, 1},
		"with one that is refused, having written": {1, sharing - 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := openURL(t, server.Database(t))
			errs := atOnce(t, s, func(i int) (context.Context, func(tx dispatch.Tx) error) {
				return background, func(tx dispatch.Tx) error {
					if i == 3 && tt.wrote == 0 {
						return refused
					}
					err := oneOrder(fmt.Sprint("o", i))(tx)
					if i == 3 {
						return refused
					}
					return err
				}
			})()
			wantOne(t, errs, 3, refused)
			wantOrders(t, s, 3, tt.transactions)
		})
	}
	t.Run("with those that change the same", func(t *testing.T) {
		s := openURL(t, server.Database(t))
		if err := s.Update(t.Context(), func(tx dispatch.Tx) error {
			return tx.SaveCourier(dispatch.Courier{ID: "c1", Version: 1}, 0)
		}); err != nil {
			t.Fatal(err)
		}
		errs := atOnce(t, s, func(int) (context.Context, func(tx dispatch.Tx) error) {
			return background, func(tx dispatch.Tx) error {
				c, err := tx.Courier("c1")
				if err != nil {
					return err
				}
				c.Version++
				return tx.SaveCourier(c, c.Version-1)
			}
		})()
		wantOne(t, errs, -1, nil)
		if c, err := s.Courier(t.Context(), "c1"); err != nil || c.Version != 1+sharing {
			t.Errorf("version %d (%v), want %d", c.Version, err, 1+sharing)
		}
	})
	t.Run("but for one whose row another transaction has locked", func(t *testing.T) {
		s := patient(t, server.Database(t))
		conn := claimed(t, s, "k")
		wait := atOnce(t, s, func(i int) (context.Context, func(tx dispatch.Tx) error) {
			return background, func(tx dispatch.Tx) error {
				if i == 3 {
					if err := tx.SaveAnswer(dispatch.Answer{Scope: "s", Key: "k", At: time.Now()}); err != nil {
						return err
					}
				}
				return oneOrder(fmt.Sprint("o", i))(tx)
			}
		})
		for until := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if n, err := s.CountOrders(t.Context(), dispatch.OrderQuery{}); err != nil || time.Now().After(until) {
				t.Fatalf("%d orders are stored while the row is locked (%v)", n, err)
			} else if n == sharing-1 {
				break
			}
		}
		mustExec(t, conn, "ROLLBACK")
		wantOne(t, wait(), -1, nil)
	})
	t.Run("but for one whose caller went away", func(t *testing.T) {
		s := openURL(t, server.Database(t))
		gone, cancel := context.WithCancel(background)
		defer cancel()
		errs := atOnce(t, s, func(i int) (context.Context, func(tx dispatch.Tx) error) {
			if i != 3 {
				return background, oneOrder(fmt.Sprint("o", i))
			}
			return gone, func(tx dispatch.Tx) error {
				err := oneOrder("o3")(tx)
				cancel()
				return errors.Join(err, oneOrder("other")(tx))
			}
		})()
		wantOne(t, errs, 3, context.Canceled)
		wantOrders(t, s, 3, sharing-1)
	})
	t.Run("again after its connection was lost", func(t *testing.T) {
		s := openURL(t, server.Database(t))
		var runs atomic.Int32
		errs := atOnce(t, s, func(i int) (context.Context, func(tx dispatch.Tx) error) {
			return background, func(over dispatch.Tx) error {
				err := oneOrder(fmt.Sprint("o", i))(over)
				if i == 3 && runs.Add(1) == 1 {
					var dead bool
					_ = over.(*tx).q.QueryRowContext(background, "SELECT pg_terminate_backend(pg_backend_pid())").Scan(&dead)
				}
				return err
			}
		})()
		wantOne(t, errs, -1, nil)
		wantOrders(t, s, -1, sharing)
	})
	// atCommit has the server do something as an order's transaction commits.
	atCommit := func(t *testing.T, url, does string) {
		editURL(t, url, "CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "+does+" RETURN NULL; END $$")
		editURL(t, url, `CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION at_commit()`)
	}
	t.Run("but for one that the commit refuses", func(t *testing.T) {
		url := server.Database(t)
		s := openURL(t, url)
		atCommit(t, url, "IF NEW.id = 'o3' THEN RAISE EXCEPTION 'not this one'; END IF;")
		errs := atOnce(t, s, func(i int) (context.Context, func(tx dispatch.Tx) error) {
			return background, oneOrder(fmt.Sprint("o", i))
		})()
		if errs[3] == nil {
			t.Error("it is acknowledged")
		}
		errs[3] = nil
		wantOne(t, errs, -1, nil)
		wantOrders(t, s, 3, sharing-1)
	})
	t.Run("the answer to a commit that nobody knows of", func(t *testing.T) {
		url := server.Database(t)
		s := openURL(t, url)
		atCommit(t, url, "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10);")
		var runs atomic.Int32
		errs := atOnce(t, s, func(i int) (context.Context, func(tx dispatch.Tx) error) {
			return background, func(tx dispatch.Tx) error { runs.Add(1); return oneOrder(fmt.Sprint("o", i))(tx) }
		})()
		for i, err := range errs {
			if !errors.Is(err, dispatch.ErrUnavailable) {
				t.Errorf("update %d: %v", i, err)
			}
		}
		if runs.Load() != sharing {
			t.Errorf("%d closures ran, want each once: what may have been done is not done again", runs.Load())
		}
	})
}
