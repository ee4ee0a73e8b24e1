package sqlstore

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"courier/dispatch"
	"courier/geo"
)

func TestAReaderSeesWhatAServerWritesAndChangesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	p := geo.Point{Lat: 52, Lng: 5}
	c := dispatch.Creation{
		Order: dispatch.Order{
			ID: "o1", Merchant: "m", Status: dispatch.Placed, Version: 1, Size: 1, ReadyAt: at, Times: map[dispatch.Status]time.Time{dispatch.Placed: at},
			Pickup: dispatch.Place{Point: p}, Dropoff: dispatch.Place{Point: p},
		},
		Events: []dispatch.Event{{Order: "o1", Version: 1, Type: dispatch.EventPlaced, Status: dispatch.Placed, Time: at}},
		Answer: dispatch.Answer{Scope: "orders/m", Key: "k", Hash: []byte("h"), Body: []byte("b"), At: at},
	}
	if _, err := s.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	orders, _, err := r.Orders(t.Context(), dispatch.OrderQuery{PlacedFrom: at, PlacedTo: at.Add(time.Second)})
	if err != nil || len(orders) != 1 || orders[0].ID != "o1" {
		t.Errorf("%v, %v", orders, err)
	}
	if events, err := r.Events(t.Context(), "o1", 0); err != nil || len(events) != 1 {
		t.Errorf("%v, %v", events, err)
	}
	if _, err := r.s.read.ExecContext(t.Context(), "DELETE FROM decisions"); err == nil {
		t.Error("a reader can write")
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestAReaderMakesAndMigratesNothing(t *testing.T) {
	empty := t.TempDir()
	if _, err := OpenReader(t.Context(), Config{Dir: empty}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(empty); len(left) > 0 {
		t.Errorf("made: %v", left)
	}
	old := made(t)
	edit(t, old, "DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)")
	if _, err := OpenReader(t.Context(), Config{Dir: old}); err == nil || !strings.Contains(err.Error(), "dispatch migrate") {
		t.Errorf("an old schema: %v", err)
	}
}
