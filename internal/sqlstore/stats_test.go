package sqlstore

import (
	"testing"
	"time"

	"courier/dispatch"
	"courier/internal/testenv"
)

func TestBacklogIsWhatThisNodeHasNotPublished(t *testing.T) {
	database := testenv.Postgres(t)
	for name, s := range map[string]*Store{"SQLite": open(t, t.TempDir()), "PostgreSQL": openURL(t, database)} {
		want := func(rows int) {
			t.Helper()
			if got, err := s.Backlog(t.Context()); err != nil || got != rows {
				t.Errorf("%s: %d rows wait (%v), want %d", name, got, err, rows)
			}
		}
		want(0)
		err := s.Update(t.Context(), func(tx dispatch.Tx) error {
			o := dispatch.Order{ID: "o1", Merchant: "m", Version: 2, Status: dispatch.Searching, Times: map[dispatch.Status]time.Time{}}
			return tx.SaveOrder(o, 0, []dispatch.Event{
				{Order: "o1", Version: 1, Type: dispatch.EventPlaced, Status: dispatch.Placed},
				{Order: "o1", Version: 2, Type: dispatch.EventSearching, Status: dispatch.Searching},
			})
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want(2)
		rows, err := s.Pending(t.Context(), 1)
		if err != nil || len(rows) != 1 {
			t.Fatalf("%s: %d rows, %v", name, len(rows), err)
		}
		if err := s.Done(t.Context(), []int64{rows[0].ID}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want(1)
		if pools := s.Pools(); pools["read"].MaxOpenConnections == 0 {
			t.Errorf("%s: pools %+v", name, pools)
		}
	}
}
