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
		first := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
		second := first.Add(time.Minute)
		want := func(rows int, since time.Time) {
			t.Helper()
			if got, when, err := s.Backlog(t.Context()); err != nil || got != rows || !when.Equal(since) {
				t.Errorf("%s: %d rows wait, since %v (%v), want %d since %v", name, got, when, err, rows, since)
			}
		}
		want(0, time.Time{})
		err := s.Update(t.Context(), func(tx dispatch.Tx) error {
			o := dispatch.Order{ID: "o1", Merchant: "m", Version: 2, Status: dispatch.Searching, Times: map[dispatch.Status]time.Time{}}
			return tx.SaveOrder(o, 0, []dispatch.Event{
				{Order: "o1", Version: 1, Time: first, Type: dispatch.EventPlaced, Status: dispatch.Placed},
				{Order: "o1", Version: 2, Time: second, Type: dispatch.EventSearching, Status: dispatch.Searching},
			})
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want(2, first)
		rows, err := s.Pending(t.Context(), 1)
		if err != nil || len(rows) != 1 {
			t.Fatalf("%s: %d rows, %v", name, len(rows), err)
		}
		if err := s.Done(t.Context(), []int64{rows[0].ID}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want(1, second)
		if pools := s.Pools(); pools["read"].MaxOpenConnections == 0 {
			t.Errorf("%s: pools %+v", name, pools)
		}
	}
}
