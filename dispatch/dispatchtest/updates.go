package dispatchtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"courier/dispatch"
)

func testUpdates(t *testing.T, open Open) {
	t.Run("reads what it wrote, and nobody else does before it ends", func(t *testing.T) {
		s := open(t)
		o, e := newOrder("o1", start)
		update(t, s, func(tx dispatch.Tx) error {
			if err := tx.SaveOrder(o, 0, []dispatch.Event{e}); err != nil {
				return err
			}
			if _, err := tx.Order("o1"); err != nil {
				return fmt.Errorf("the transaction: %w", err)
			}
			if _, err := s.Order(t.Context(), "o1"); !errors.Is(err, dispatch.ErrNotFound) {
				return fmt.Errorf("outside it: %w", err)
			}
			return nil
		})
		wantOrder(t, s, o)
	})
	t.Run("that fails leaves nothing, and the others stay", func(t *testing.T) { testSomeFail(t, open(t)) })
	t.Run("at once on one order lose none", func(t *testing.T) { testOneOrder(t, open(t)) })
	t.Run("with an ended context does not run", func(t *testing.T) {
		s := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		wantErr(t, s.Update(ctx, func(tx dispatch.Tx) error {
			t.Error("it ran")
			return nil
		}), context.Canceled)
	})
	t.Run("whose context ends is whole or absent", func(t *testing.T) { testCancelled(t, open(t)) })
}

// testSomeFail starts many updates at once, which a store may commit
// together, and lets some fail after they have written.
func testSomeFail(t *testing.T, s dispatch.Store) {
	fault := errors.New("changed my mind")
	ways := []func(tx dispatch.Tx) error{
		func(dispatch.Tx) error { return nil },
		func(dispatch.Tx) error { return fault },
		func(dispatch.Tx) error { panic(fault) },
		func(tx dispatch.Tx) error {
			o, e := newOrder("taken", start)
			return tx.SaveOrder(o, 0, []dispatch.Event{e})
		},
	}
	place(t, s, "taken", start)
	const n = 200
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			errs[i] = s.Update(t.Context(), func(tx dispatch.Tx) error {
				o, e := newOrder(fmt.Sprintf("o%d", i), start)
				a := dispatch.Answer{Scope: "s", Key: o.ID, Hash: []byte{1}, Body: []byte{1}, At: start}
				if err := errors.Join(tx.SaveOrder(o, 0, []dispatch.Event{e}), tx.SaveAnswer(a)); err != nil {
					return err
				}
				return ways[i%len(ways)](tx)
			})
		})
	}
	group.Wait()
	for i, err := range errs {
		id, good := fmt.Sprintf("o%d", i), i%len(ways) == 0
		if (err == nil) != good {
			t.Errorf("update %d: %v", i, err)
		}
		switch i % len(ways) {
		case 1:
			wantErr(t, err, fault)
		case 3:
			wantErr(t, err, dispatch.ErrConflict)
		}
		_, err := s.Order(t.Context(), id)
		if (err == nil) != good {
			t.Errorf("order of update %d: %v", i, err)
		}
		events, err := s.Events(t.Context(), id, 0)
		wantNo(t, err)
		if (len(events) == 1) != good {
			t.Errorf("update %d left %d events", i, len(events))
		}
		err = s.Update(t.Context(), func(tx dispatch.Tx) error {
			_, err := tx.Answer("s", id)
			return err
		})
		if (err == nil) != good {
			t.Errorf("answer of update %d: %v", i, err)
		}
	}
}

func testOneOrder(t *testing.T, s dispatch.Store) {
	place(t, s, "o1", start)
	const writers, steps = 8, 25
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for range steps {
				err := dispatch.ErrConflict
				for errors.Is(err, dispatch.ErrConflict) {
					err = s.Update(t.Context(), func(tx dispatch.Tx) error {
						o, err := tx.Order("o1")
						if err != nil {
							return err
						}
						n, e := next(o, dispatch.Searching)
						n.Priority++
						return tx.SaveOrder(n, o.Version, []dispatch.Event{e})
					})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	o, err := s.Order(t.Context(), "o1")
	wantNo(t, err)
	if o.Priority != writers*steps || o.Version != 1+writers*steps {
		t.Errorf("%d steps at version %d, want %d", o.Priority, o.Version, writers*steps)
	}
	events, err := s.Events(t.Context(), "o1", 0)
	wantNo(t, err)
	for i, e := range events {
		if e.Version != int64(i)+1 {
			t.Fatalf("event %d stands at %d", e.Version, i+1)
		}
	}
	if int64(len(events)) != o.Version {
		t.Errorf("%d events of version %d", len(events), o.Version)
	}
}

func testCancelled(t *testing.T, s dispatch.Store) {
	const n = 200
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			group.Go(cancel) // now, or a little later
			errs[i] = s.Update(ctx, func(tx dispatch.Tx) error {
				o, e := newOrder(fmt.Sprintf("o%d", i), start)
				return errors.Join(tx.SaveOrder(o, 0, []dispatch.Event{e}), tx.SaveCourier(courier(fmt.Sprintf("c%d", i)), 0))
			})
		})
	}
	group.Wait()
	update(t, s, func(dispatch.Tx) error { return nil }) // whatever was begun has ended
	for i, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("update %d: %v", i, err)
		}
		_, order := s.Order(t.Context(), fmt.Sprintf("o%d", i))
		_, courier := s.Courier(t.Context(), fmt.Sprintf("c%d", i))
		if err == nil && order != nil || (order == nil) != (courier == nil) {
			t.Errorf("update %d (%v): order %v, courier %v", i, err, order, courier)
		}
	}
}
