package dispatchtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"courier/dispatch"
)

// creation is a new order with the key and the answer of that name.
func creation(id, key string) dispatch.Creation {
	o, e := newOrder(id, start)
	return dispatch.Creation{Order: o, Events: []dispatch.Event{e},
		Answer: dispatch.Answer{Scope: "orders/m", Key: key, Hash: []byte("hash of " + id), Body: []byte("answer of " + id), At: start}}
}

// renamed is a creation of another order.
func renamed(c dispatch.Creation, id string) dispatch.Creation {
	c.Order.ID, c.Events = id, slices.Clone(c.Events)
	for i := range c.Events {
		c.Events[i].Order = id
	}
	return c
}

// kept is the answer to a key, nil when there is none.
func kept(t *testing.T, s dispatch.Store, key string) *dispatch.Answer {
	t.Helper()
	var a dispatch.Answer
	err := s.Update(context.Background(), func(tx dispatch.Tx) (err error) {
		a, err = tx.Answer("orders/m", key)
		return err
	})
	if errors.Is(err, dispatch.ErrNotFound) {
		return nil
	}
	wantNo(t, err)
	return &a
}

// wantWhole says that of a creation there is all or nothing.
func wantWhole(t *testing.T, s dispatch.Store, c dispatch.Creation, all bool) {
	t.Helper()
	_, err := s.Order(context.Background(), c.Order.ID)
	events, err2 := s.Events(context.Background(), c.Order.ID, 0)
	wantNo(t, err2)
	answer := kept(t, s, c.Answer.Key)
	mine := answer != nil && string(answer.Body) == string(c.Answer.Body)
	if (err == nil) != all || (len(events) == len(c.Events)) != all || !all && len(events) > 0 || mine != all {
		t.Errorf("order %s: %v, %d events, its answer is kept: %v; want all of it: %v", c.Order.ID, err, len(events), mine, all)
	}
}

func testCreates(t *testing.T, open Open) {
	t.Run("come back with all their fields", func(t *testing.T) {
		s := open(t)
		for _, courier := range []string{"", "c1"} {
			var c dispatch.Creation
			c.Order = fill[dispatch.Order](t)
			c.Answer = dispatch.Answer{Scope: "s \"ü\x00|%" + courier, Key: "\xffk", Hash: []byte{0, 1, 255}, Body: []byte(`{"a":1}`), At: start}
			c.Order.ID += courier
			c.Order.Status, c.Order.Version, c.Order.ETA, c.Order.Courier = dispatch.Searching, 2, nil, courier
			first, second := fillEvent(t), fillEvent(t)
			first.Order, first.Version, first.Status, first.Data = c.Order.ID, 1, dispatch.Placed, dispatch.EventData{}
			second.Order, second.Version, second.Status = c.Order.ID, 2, dispatch.Searching
			c.Events = []dispatch.Event{first, second}
			answer, err := s.Create(t.Context(), c)
			wantNo(t, err)
			if answer != nil {
				t.Fatalf("a new key has the answer %+v", answer)
			}
			wantOrder(t, s, c.Order)
			events, err := s.Events(t.Context(), c.Order.ID, 0)
			wantNo(t, err)
			wantSame(t, events, c.Events)
			answer, err = s.Create(t.Context(), renamed(c, "another"))
			wantNo(t, err)
			wantSame(t, answer, &c.Answer)
			_, err = s.Order(t.Context(), "another")
			wantErr(t, err, dispatch.ErrNotFound)
		}
	})
	t.Run("of one key at once are one", func(t *testing.T) { testSameKey(t, open(t)) })
	t.Run("that are refused leave nothing, and their neighbours stay", func(t *testing.T) { testBadNeighbours(t, open(t)) })
	t.Run("go on beside updates of the same key", func(t *testing.T) {
		s := open(t)
		a := creation("o1", "k").Answer
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveAnswer(a) })
		got, err := s.Create(t.Context(), creation("o2", "k"))
		wantNo(t, err)
		wantSame(t, got, &a)
		wantWhole(t, s, creation("o2", "k"), false)
	})
	t.Run("with an ended context are none", func(t *testing.T) {
		s := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Create(ctx, creation("o1", "k1"))
		wantErr(t, err, context.Canceled)
		wantWhole(t, s, creation("o1", "k1"), false)
	})
	t.Run("whose context ends are whole or absent, and their neighbours stay", func(t *testing.T) { testCancelledCreates(t, open(t)) })
}

// testSameKey sends each of a few keys many times at once, each time as
// another order: a client that was impatient.
func testSameKey(t *testing.T, s dispatch.Store) {
	const keys, times = 5, 40
	var mu sync.Mutex
	won, answers := map[string]string{}, map[string][]string{}
	var all sync.WaitGroup
	for i := range keys * times {
		all.Go(func() {
			c := creation(fmt.Sprintf("o%03d", i), fmt.Sprintf("k%d", i%keys))
			answer, err := s.Create(context.Background(), c)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case answer != nil:
				answers[c.Answer.Key] = append(answers[c.Answer.Key], string(answer.Body))
			case won[c.Answer.Key] != "":
				t.Errorf("%s and %s were created by one key", won[c.Answer.Key], c.Order.ID)
			default:
				won[c.Answer.Key] = c.Order.ID
			}
		})
	}
	all.Wait()
	for key, id := range won {
		if len(answers[key]) != times-1 {
			t.Errorf("%s: %d got its answer, want %d", key, len(answers[key]), times-1)
		}
		for _, answer := range answers[key] {
			if answer != "answer of "+id {
				t.Errorf("%s created %s and answers %q", key, id, answer)
			}
		}
		wantWhole(t, s, creation(id, key), true)
	}
	if n, err := s.CountOrders(context.Background(), dispatch.OrderQuery{}); err != nil || n != keys {
		t.Errorf("%d orders of %d keys (%v)", n, keys, err)
	}
}

// testBadNeighbours creates many at once, of which some cannot be stored: for
// a fault that only the database finds, or before it is asked. Their keys
// stay free.
func testBadNeighbours(t *testing.T, s dispatch.Store) {
	place(t, s, "taken", start)
	const n = 120
	all := make([]dispatch.Creation, n)
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		c := creation(fmt.Sprintf("o%d", i), fmt.Sprintf("k%d", i))
		switch i % 30 {
		case 7:
			c = renamed(c, "taken")
		case 17:
			c.Order.Version++
		case 27:
			c = renamed(c, "")
		}
		all[i] = c
		group.Go(func() { _, errs[i] = s.Create(context.Background(), c) })
	}
	group.Wait()
	for i, c := range all {
		switch i % 30 {
		case 7:
			wantErr(t, errs[i], dispatch.ErrConflict)
		case 17, 27:
			if errs[i] == nil || errors.Is(errs[i], dispatch.ErrConflict) || errors.Is(errs[i], dispatch.ErrUnavailable) {
				t.Errorf("creation %d: %v, want a refusal", i, errs[i])
			}
		default:
			wantNo(t, errs[i])
			wantWhole(t, s, c, true)
			continue
		}
		if kept(t, s, c.Answer.Key) != nil {
			t.Errorf("creation %d was refused, and its answer is kept", i)
		}
		again := creation(fmt.Sprintf("again%d", i), c.Answer.Key)
		answer, err := s.Create(t.Context(), again)
		if err != nil || answer != nil {
			t.Errorf("the key of creation %d again: %v, %v", i, answer, err)
		}
		wantWhole(t, s, again, true)
	}
	if events, err := s.Events(t.Context(), "taken", 0); err != nil || len(events) != 1 {
		t.Errorf("the order that was there has %d events (%v)", len(events), err)
	}
}

func testCancelledCreates(t *testing.T, s dispatch.Store) {
	const n = 200
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%2 == 0 {
				group.Go(cancel) // now, or a little later
			}
			_, errs[i] = s.Create(ctx, creation(fmt.Sprintf("o%d", i), fmt.Sprintf("k%d", i)))
		})
	}
	group.Wait()
	for i, err := range errs {
		c := creation(fmt.Sprintf("o%d", i), fmt.Sprintf("k%d", i))
		if err != nil && (i%2 > 0 || !errors.Is(err, context.Canceled)) {
			t.Errorf("creation %d: %v", i, err)
		}
		// Whoever was impatient asks again, and gets what there is.
		answer, errAgain := s.Create(t.Context(), c)
		wantNo(t, errAgain)
		if err == nil && answer == nil {
			t.Errorf("creation %d was answered and not there", i)
		}
		wantWhole(t, s, c, true)
	}
}
