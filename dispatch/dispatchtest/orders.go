package dispatchtest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"courier/dispatch"
)

func testOrders(t *testing.T, open Open) {
	t.Run("comes back with all its fields", func(t *testing.T) {
		s := open(t)
		want := fill[dispatch.Order](t)
		want.Status, want.Version, want.ETA = dispatch.Assigned, 1, nil // no store keeps ETAs
		event := fillEvent(t)
		event.Order, event.Version, event.Status = want.ID, 1, want.Status
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveOrder(want, 0, []dispatch.Event{event}) })
		wantOrder(t, s, want)

		other := fill[dispatch.Order](t)
		other.Status, other.Version, other.ETA, other.PIN, other.Refusals = dispatch.Searching, 2, nil, "", nil
		second := fillEvent(t)
		second.Order, second.Version, second.Status, second.Data = want.ID, 2, other.Status, dispatch.EventData{}
		update(t, s, func(tx dispatch.Tx) error {
			got, err := tx.Order(want.ID)
			if err != nil {
				return err
			}
			if got.PIN != want.PIN {
				return errors.New("the transaction reads another PIN")
			}
			return tx.SaveOrder(other, 1, []dispatch.Event{second})
		})
		wantOrder(t, s, other)
		events, err := s.Events(t.Context(), want.ID, 0)
		wantNo(t, err)
		wantSame(t, events, []dispatch.Event{event, second})
	})
	t.Run("has no field but its status", func(t *testing.T) {
		s := open(t)
		want := dispatch.Order{ID: "o1", Status: dispatch.Placed, Version: 1}
		update(t, s, func(tx dispatch.Tx) error {
			return tx.SaveOrder(want, 0, []dispatch.Event{{Order: "o1", Version: 1, Status: dispatch.Placed, Time: start}})
		})
		wantOrder(t, s, want)
	})
	t.Run("unknown is not found", func(t *testing.T) {
		s := open(t)
		_, err := s.Order(t.Context(), "nobody")
		wantErr(t, err, dispatch.ErrNotFound)
		wantErr(t, s.Update(t.Context(), func(tx dispatch.Tx) error {
			_, err := tx.Order("nobody")
			return err
		}), dispatch.ErrNotFound)
		events, err := s.Events(t.Context(), "nobody", 0)
		wantNo(t, err)
		if len(events) != 0 {
			t.Errorf("%d events of nobody's", len(events))
		}
	})
	t.Run("are read by id, those that exist", func(t *testing.T) {
		s := open(t)
		var want []dispatch.Order
		for i := range 3 {
			want = append(want, place(t, s, fmt.Sprintf("o%d", i), start))
		}
		want[2] = advance(t, s, want[2], dispatch.Searching)
		got, err := s.OrdersByID(t.Context(), slices.Concat(slices.Repeat([]string{"nobody"}, 1500), []string{"o2", "o0", "o2"}))
		wantNo(t, err)
		wantSame(t, got, []dispatch.Order{want[0], want[2]})
		got, err = s.OrdersByID(t.Context(), nil)
		wantNo(t, err)
		if len(got) != 0 {
			t.Errorf("orders of no id: %v", got)
		}
	})
	t.Run("versions are told of those that exist", func(t *testing.T) {
		s := open(t)
		var ids []string
		want := map[string]int64{}
		for i := range 9 {
			o := place(t, s, fmt.Sprintf("o%d", i), start)
			for range i {
				o = advance(t, s, o, dispatch.Searching)
			}
			want[o.ID] = o.Version
			ids = append(ids, o.ID, "nobody"+o.ID)
		}
		got, err := s.Versions(t.Context(), slices.Concat(slices.Repeat([]string{"nobody"}, 1500), ids, ids[:2]))
		wantNo(t, err)
		wantSame(t, got, want)
		got, err = s.Versions(t.Context(), nil)
		wantNo(t, err)
		if len(got) != 0 {
			t.Errorf("versions of nothing: %v", got)
		}
	})
	t.Run("events of several are read at once", func(t *testing.T) {
		s := open(t)
		a, b := place(t, s, "o1", start), place(t, s, "o2", start)
		place(t, s, "o3", start)
		advance(t, s, advance(t, s, a, dispatch.Searching), dispatch.Offered)
		advance(t, s, b, dispatch.Searching)
		got, err := s.EventsByOrder(t.Context(), slices.Concat([]string{"o2", "o1", "o2"}, slices.Repeat([]string{"nobody"}, 1500)))
		wantNo(t, err)
		var which []string
		for _, e := range got {
			which = append(which, fmt.Sprintf("%s/%d", e.Order, e.Version))
		}
		wantSame(t, which, []string{"o1/1", "o1/2", "o1/3", "o2/1", "o2/2"})
		got, err = s.EventsByOrder(t.Context(), nil)
		wantNo(t, err)
		if len(got) != 0 {
			t.Errorf("events of no order: %v", got)
		}
	})
	t.Run("events come after a version, ascending", func(t *testing.T) {
		s := open(t)
		o := place(t, s, "o1", start)
		place(t, s, "o2", start)
		for _, to := range []dispatch.Status{dispatch.Searching, dispatch.Offered, dispatch.Assigned, dispatch.AtPickup} {
			o = advance(t, s, o, to)
		}
		for after, want := range map[int64]int{0: 5, 1: 4, 4: 1, 5: 0, 9: 0} {
			events, err := s.Events(t.Context(), "o1", after)
			wantNo(t, err)
			if len(events) != want {
				t.Errorf("%d events after %d, want %d", len(events), after, want)
			}
			for i, e := range events {
				if e.Version != after+int64(i)+1 {
					t.Errorf("event %d after %d has version %d", i, after, e.Version)
				}
			}
		}
	})
	t.Run("another version is a conflict and changes nothing", func(t *testing.T) {
		s := open(t)
		first := place(t, s, "o1", start)
		want := advance(t, s, first, dispatch.Searching)
		for name, save := range map[string]func(tx dispatch.Tx) error{
			"stale": func(tx dispatch.Tx) error {
				n, e := next(first, dispatch.Cancelled)
				return tx.SaveOrder(n, first.Version, []dispatch.Event{e})
			},
			"new again": func(tx dispatch.Tx) error {
				n, e := newOrder("o1", start)
				return tx.SaveOrder(n, 0, []dispatch.Event{e})
			},
			"from the future": func(tx dispatch.Tx) error {
				n, _ := next(want, dispatch.Offered)
				n, e := next(n, dispatch.Assigned)
				return tx.SaveOrder(n, n.Version-1, []dispatch.Event{e})
			},
			"of no order": func(tx dispatch.Tx) error {
				o, _ := newOrder("o9", start)
				n, e := next(o, dispatch.Searching)
				return tx.SaveOrder(n, 1, []dispatch.Event{e})
			},
		} {
			err := s.Update(t.Context(), func(tx dispatch.Tx) error {
				o, e := newOrder("beside "+name, start)
				return errors.Join(tx.SaveOrder(o, 0, []dispatch.Event{e}), save(tx))
			})
			if !errors.Is(err, dispatch.ErrConflict) {
				t.Errorf("%s: error is %v, want a conflict", name, err)
			}
			_, err = s.Order(t.Context(), "beside "+name)
			wantErr(t, err, dispatch.ErrNotFound)
		}
		wantOrder(t, s, want)
		events, err := s.Events(t.Context(), "o1", 0)
		wantNo(t, err)
		if len(events) != 2 {
			t.Errorf("%d events, want 2", len(events))
		}
	})
	t.Run("without an event keeps its version", func(t *testing.T) {
		s := open(t)
		o := place(t, s, "o1", start)
		o.Refusals = map[string]time.Time{"c1": start}
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveOrder(o, 1, nil) })
		wantOrder(t, s, o)
	})
}

// testFaults are saves that only a programming fault can ask for. Even a
// closure that swallows the error must not commit.
func testFaults(t *testing.T, open Open) {
	s := open(t)
	stored := place(t, s, "o1", start)
	two := func(change func(o *dispatch.Order, events []dispatch.Event)) func(tx dispatch.Tx) error {
		return func(tx dispatch.Tx) error {
			o, a := next(stored, dispatch.Searching)
			o, b := next(o, dispatch.Cancelled)
			events := []dispatch.Event{a, b}
			change(&o, events)
			return tx.SaveOrder(o, stored.Version, events)
		}
	}
	for name, save := range map[string]func(tx dispatch.Tx) error{
		"a gap": two(func(_ *dispatch.Order, events []dispatch.Event) { events[1].Version++ }),
		"a gap at the start": two(func(o *dispatch.Order, events []dispatch.Event) {
			events[0].Version, events[1].Version = 3, 4
			o.Version = 4
		}),
		"events out of order":   two(func(_ *dispatch.Order, events []dispatch.Event) { events[0], events[1] = events[1], events[0] }),
		"another order's event": two(func(_ *dispatch.Order, events []dispatch.Event) { events[0].Order = "o2" }),
		"a version ahead":       two(func(o *dispatch.Order, _ []dispatch.Event) { o.Version++ }),
		"a version behind":      two(func(o *dispatch.Order, _ []dispatch.Event) { o.Version-- }),
		"another status":        two(func(o *dispatch.Order, _ []dispatch.Event) { o.Status = dispatch.Delivered }),
		"another merchant":      two(func(o *dispatch.Order, _ []dispatch.Event) { o.Merchant = "thief" }),
		"no such status":        two(func(o *dispatch.Order, e []dispatch.Event) { o.Status, e[1].Status = "lost", "lost" }),
		"new without an event": func(tx dispatch.Tx) error {
			return tx.SaveOrder(dispatch.Order{ID: "o3", Status: dispatch.Placed}, 0, nil)
		},
		"a status, but no event": func(tx dispatch.Tx) error { o := stored; o.Status = dispatch.Cancelled; return tx.SaveOrder(o, 1, nil) },
		"no id": func(tx dispatch.Tx) error {
			o, e := newOrder("", start)
			return tx.SaveOrder(o, 0, []dispatch.Event{e})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var inside error
			err := s.Update(t.Context(), func(tx dispatch.Tx) error {
				inside = save(tx)
				return nil
			})
			if inside == nil || err == nil {
				t.Fatalf("SaveOrder says %v, Update says %v, want errors", inside, err)
			}
			if errors.Is(err, dispatch.ErrConflict) || errors.Is(err, dispatch.ErrNotFound) {
				t.Errorf("%v looks like a race, and the caller would try again", err)
			}
			wantOrder(t, s, stored)
			events, err := s.Events(t.Context(), "o1", 0)
			wantNo(t, err)
			if len(events) != 1 {
				t.Errorf("%d events, want 1", len(events))
			}
		})
	}
}
