// Package outboxtest holds the contract that every outbox.Source passes.
package outboxtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"courier/dispatch"
	"courier/internal/bus"
	"courier/internal/outbox"
)

// Store is a source, and what writes to it.
type Store interface {
	outbox.Source
	Update(ctx context.Context, fn func(tx dispatch.Tx) error) error
	Create(ctx context.Context, c dispatch.Creation) (kept *dispatch.Answer, err error)
}

// Open makes an empty store that closes with the test.
type Open = func(t *testing.T) Store

// TestSource runs the whole contract, on a new store for each part.
func TestSource(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Store){
		"has a message for each event":         eachEvent,
		"has a message for each courier saved": eachCourier,
		"has a message for each order created": eachCreated,
		"adopts nothing when all are its own":  adoptsNothing,
		"has nothing of what failed":           failed,
		"signals commits":                      signals,
		"hands out the oldest, until done":     untilDone,
		"never gives a row's id again":         newIDs,
		"loses none under way":                 underWay,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

var start = time.Date(2026, 11, 23, 9, 0, 0, 123456000, time.UTC)

// step saves an order's next version with so many events.
func step(tx dispatch.Tx, id string, events int) error {
	o, err := tx.Order(id)
	if errors.Is(err, dispatch.ErrNotFound) {
		o, err = dispatch.Order{ID: id, Merchant: "m"}, nil
	}
	if err != nil {
		return err
	}
	seen := o.Version
	var all []dispatch.Event
	for range events {
		o.Version++
		o.Status = dispatch.Statuses()[(o.Version-1)%12]
		all = append(all, dispatch.Event{Order: id, Version: o.Version, Type: dispatch.EventType(o.Status), Status: o.Status,
			Time: start.Add(time.Duration(o.Version) * time.Second), Actor: dispatch.Actor{Role: dispatch.RoleSystem},
			Data: dispatch.EventData{Reason: "why"}, Trace: spanOf(id, o.Version)})
	}
	return tx.SaveOrder(o, seen, all)
}

// spanOf is the span that a version came in: some orders and versions are
// followed, others not.
func spanOf(id string, version int64) string {
	if version%2 == 0 {
		return ""
	}
	return "span of " + id
}

func update(t *testing.T, s Store, fn func(tx dispatch.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func pending(t *testing.T, s Store, limit int) []outbox.Row {
	t.Helper()
	rows, err := s.Pending(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func done(t *testing.T, s Store, rows ...outbox.Row) {
	t.Helper()
	var ids []int64
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	if err := s.Done(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
}

func eachEvent(t *testing.T, s Store) {
	update(t, s, func(tx dispatch.Tx) error { return step(tx, "o1", 2) })
	update(t, s, func(tx dispatch.Tx) error { return step(tx, "o1", 1) })
	rows := pending(t, s, 10)
	if len(rows) != 3 {
		t.Fatalf("%d rows, want 3", len(rows))
	}
	for i, row := range rows {
		status := dispatch.Statuses()[i]
		at := start.Add(time.Duration(i+1) * time.Second)
		want := bus.Message{ID: fmt.Sprintf("o1:%d", i+1), Topic: "order." + string(status), Key: "o1", Version: int64(i) + 1, Time: at, Body: row.Body,
			Trace: spanOf("o1", int64(i)+1)}
		if !reflect.DeepEqual(row.Message, want) {
			t.Errorf("row %d is %+v, want %+v", i, row.Message, want)
		}
		var got dispatch.Event
		if err := json.Unmarshal(row.Body, &got); err != nil {
			t.Fatal(err)
		}
		event := dispatch.Event{Order: "o1", Version: int64(i) + 1, Type: dispatch.EventType(status), Status: status, Time: at,
			Actor: dispatch.Actor{Role: dispatch.RoleSystem}, Data: dispatch.EventData{Reason: "why"}}
		if !reflect.DeepEqual(got, event) {
			t.Errorf("body %d is %+v, want %+v", i, got, event)
		}
	}
}

func eachCourier(t *testing.T, s Store) {
	c := dispatch.Courier{ID: "c1", Version: 4}
	update(t, s, func(tx dispatch.Tx) error { return tx.SaveCourier(c, 0) })
	rows := pending(t, s, 10)
	if len(rows) != 1 {
		t.Fatalf("%d rows, want 1", len(rows))
	}
	want := bus.Message{ID: "c1:4", Topic: "courier.changed", Key: "c1", Version: 4, Time: rows[0].Time, Body: []byte(`{"id":"c1","version":4}`)}
	if !reflect.DeepEqual(rows[0].Message, want) || rows[0].Time.IsZero() {
		t.Errorf("row is %+v, want %+v", rows[0].Message, want)
	}
}

func eachCreated(t *testing.T, s Store) {
	const n = 50
	event := func(id string, version int64, to dispatch.Status) dispatch.Event {
		return dispatch.Event{Order: id, Version: version, Type: dispatch.EventType(to), Status: to, Time: start,
			Actor: dispatch.Actor{Role: dispatch.RoleMerchant, ID: "m"}, Data: dispatch.EventData{Note: id}}
	}
	create := func(i int, key string) {
		id := fmt.Sprintf("o%d", i)
		events := []dispatch.Event{event(id, 1, dispatch.Placed), event(id, 2, dispatch.Searching)}
		events[0].Trace = spanOf(id, 1)
		_, err := s.Create(t.Context(), dispatch.Creation{
			Order:  dispatch.Order{ID: id, Status: dispatch.Searching, Version: 2},
			Events: events,
			Answer: dispatch.Answer{Scope: "s", Key: key, At: start},
		})
		if err != nil {
			t.Error(err)
		}
	}
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { create(i, fmt.Sprint(i)) })
	}
	group.Wait()
	create(n, "0") // is answered from before
	select {
	case <-s.Committed():
	case <-time.After(10 * time.Second):
		t.Error("no signal of the creations")
	}
	last := map[string]int64{}
	for _, row := range pending(t, s, 1000) {
		var got dispatch.Event
		if err := json.Unmarshal(row.Body, &got); err != nil {
			t.Fatal(err)
		}
		want := event(row.Key, last[row.Key]+1, []dispatch.Status{dispatch.Placed, dispatch.Searching}[min(last[row.Key], 1)])
		message := bus.Message{ID: fmt.Sprintf("%s:%d", row.Key, want.Version), Topic: "order." + string(want.Status),
			Key: row.Key, Version: want.Version, Time: start, Body: row.Body, Trace: spanOf(row.Key, want.Version)}
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(row.Message, message) {
			t.Errorf("%+v with event %+v, want %+v", row.Message, got, want)
		}
		last[row.Key]++
	}
	if len(last) != n {
		t.Errorf("messages of %d orders, want %d", len(last), n)
	}
	for key, version := range last {
		if version != 2 {
			t.Errorf("%s has %d messages", key, version)
		}
	}
}

func adoptsNothing(t *testing.T, s Store) {
	update(t, s, func(tx dispatch.Tx) error { return step(tx, "o1", 3) })
	adopt(t, s, 0)
	if rows := pending(t, s, 10); len(rows) != 3 {
		t.Errorf("%d rows, want 3", len(rows))
	}
}

func failed(t *testing.T, s Store) {
	fault := errors.New("changed my mind")
	if err := s.Update(t.Context(), func(tx dispatch.Tx) error {
		return errors.Join(step(tx, "o1", 2), fault)
	}); !errors.Is(err, fault) {
		t.Fatal(err)
	}
	if rows := pending(t, s, 10); len(rows) != 0 {
		t.Errorf("rows of a failed update: %v", rows)
	}
	select {
	case <-s.Committed():
		t.Error("a signal of a failed update")
	default:
	}
}

func signals(t *testing.T, s Store) {
	for i := range 5 {
		update(t, s, func(tx dispatch.Tx) error { return step(tx, "o1", 1) })
		update(t, s, func(tx dispatch.Tx) error { return step(tx, "o2", 1) }) // nobody listens: it must not wait
		select {
		case <-s.Committed():
		case <-time.After(10 * time.Second):
			t.Fatal("no signal of a commit")
		}
		if n := len(pending(t, s, 100)); n < 2*i+1 {
			t.Errorf("%d rows after signal %d", n, i)
		}
	}
}

func untilDone(t *testing.T, s Store) {
	for range 3 {
		for _, id := range []string{"o1", "o2"} {
			update(t, s, func(tx dispatch.Tx) error { return step(tx, id, 1) })
		}
	}
	all := pending(t, s, 100)
	if len(all) != 6 {
		t.Fatalf("%d rows, want 6", len(all))
	}
	wantRows := func(want ...outbox.Row) {
		t.Helper()
		if got := pending(t, s, len(want)+1); !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
			t.Errorf("rows are %v, want %v", got, want)
		}
	}
	if got := pending(t, s, 2); !reflect.DeepEqual(got, all[:2]) {
		t.Errorf("the first two are %v, want %v", got, all[:2])
	}
	wantRows(all...) // reading takes nothing away
	done(t, s, all[4], all[1], all[2])
	wantRows(all[0], all[3], all[5])
	done(t, s, all[1], all[1]) // again
	if err := s.Done(t.Context(), []int64{1 << 40}); err != nil {
		t.Errorf("an unknown row: %v", err)
	}
	done(t, s)
	wantRows(all[0], all[3], all[5])
	done(t, s, all...)
	wantRows()
}

func newIDs(t *testing.T, s Store) {
	seen := map[int64]bool{}
	for range 5 {
		update(t, s, func(tx dispatch.Tx) error { return step(tx, "o1", 1) })
		rows := pending(t, s, 10)
		if len(rows) != 1 || seen[rows[0].ID] {
			t.Fatalf("rows %v after ids %v", rows, seen)
		}
		seen[rows[0].ID] = true
		done(t, s, rows...)
	}
}

// underWay drains the source while others write, as a relay does.
func underWay(t *testing.T, s Store) {
	const writers, steps = 8, 25
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			for range steps {
				if err := s.Update(t.Context(), func(tx dispatch.Tx) error { return step(tx, fmt.Sprintf("o%d", i), 2) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	last := map[string]int64{}
	for total := 0; total < writers*steps*2; {
		rows := pending(t, s, 7)
		if len(rows) == 0 {
			select {
			case <-s.Committed():
			case <-time.After(10 * time.Second):
				t.Fatalf("no signal, %d messages of %d", total, writers*steps*2)
			}
		}
		for _, row := range rows {
			if row.Version != last[row.Key]+1 {
				t.Fatalf("%s after version %d", row.Message.ID, last[row.Key])
			}
			last[row.Key] = row.Version
		}
		done(t, s, rows...)
		total += len(rows)
	}
	group.Wait()
	if rows := pending(t, s, 10); len(rows) != 0 {
		t.Errorf("%v remain", rows)
	}
}
