// Package dispatchtest holds the contract that every dispatch.Store passes.
//
//	func TestSQLite(t *testing.T) { dispatchtest.TestStore(t, openSQLite) }
package dispatchtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"courier/dispatch"
)

// Open makes an empty store that closes with the test.
type Open = func(t *testing.T) dispatch.Store

// TestStore runs the whole contract, on a new store for each part.
func TestStore(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"orders":      testOrders,
		"faults":      testFaults,
		"updates":     testUpdates,
		"creations":   testCreates,
		"lists":       testLists,
		"pages":       testPages,
		"each":        testEach,
		"areas":       testAreas,
		"couriers":    testCouriers,
		"duties":      testDuties,
		"assignments": testAssignments,
		"offers":      testOffers,
		"decisions":   testDecisions,
		"zones":       testZones,
		"answers":     testAnswers,
		"proofs":      testProofs,
		"model":       testModel,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// TestReopen checks that what was answered is still there after the store
// was closed and opened again. Open returns a store and what reopens it.
func TestReopen(t *testing.T, open func(t *testing.T) (s dispatch.Store, reopen func(t *testing.T) dispatch.Store)) {
	s, reopen := open(t)
	want := place(t, s, "o1", start)
	want = advance(t, s, want, dispatch.Searching)
	update(t, s, func(tx dispatch.Tx) error {
		return errors.Join(
			tx.SaveCourier(courier("c1"), 0),
			tx.SaveAnswer(dispatch.Answer{Scope: "orders/m", Key: "k", Hash: []byte{1}, Body: []byte{2}, At: start}))
	})

	created := creation("o2", "k2")
	_, err := s.Create(t.Context(), created)
	wantNo(t, err)

	s = reopen(t)
	wantWhole(t, s, created, true)
	answer, err := s.Create(t.Context(), creation("o3", "k2"))
	wantNo(t, err)
	wantSame(t, answer, &created.Answer)
	wantOrder(t, s, want)
	events, err := s.Events(t.Context(), "o1", 0)
	wantNo(t, err)
	if len(events) != 2 {
		t.Errorf("%d events after the reopening, want 2", len(events))
	}
	_, err = s.Courier(t.Context(), "c1")
	wantNo(t, err)
	update(t, s, func(tx dispatch.Tx) error {
		_, err := tx.Answer("orders/m", "k")
		return err
	})
	advance(t, s, want, dispatch.Offered)
}

// start is when all tests begin.
var start = time.Date(2026, 11, 23, 9, 0, 0, 123456000, time.UTC)

// newOrder is an order and its first event. Its clock goes on a second with
// each version.
func newOrder(id string, at time.Time) (dispatch.Order, dispatch.Event) {
	o := dispatch.Order{
		ID: id, Merchant: "m", Status: dispatch.Placed, Version: 1, Size: 1, ReadyAt: at,
		Times: map[dispatch.Status]time.Time{dispatch.Placed: at},
	}
	return o, dispatch.Event{Order: id, Version: 1, Type: dispatch.EventPlaced, Status: dispatch.Placed, Time: at,
		Actor: dispatch.Actor{Role: dispatch.RoleMerchant, ID: "m"}}
}

// next is an order one step on, in a status, and the event of it.
func next(o dispatch.Order, to dispatch.Status) (dispatch.Order, dispatch.Event) {
	at := o.Times[o.Status].Add(time.Second)
	times := map[dispatch.Status]time.Time{to: at}
	for s, t := range o.Times {
		if s != to {
			times[s] = t
		}
	}
	o.Times, o.Status, o.Version = times, to, o.Version+1
	return o, dispatch.Event{Order: o.ID, Version: o.Version, Type: dispatch.EventType(to), Status: to, Time: at,
		Actor: dispatch.Actor{Role: dispatch.RoleSystem}}
}

func courier(id string) dispatch.Courier {
	return dispatch.Courier{ID: id, Name: id, Vehicle: "bicycle", Capacity: 3, Duty: dispatch.Available, Version: 1}
}

// planned is a courier one version on with these orders in the plan.
func planned(c dispatch.Courier, orders ...string) dispatch.Courier {
	c.Version++
	c.Plan = dispatch.Plan{Version: c.Plan.Version + 1}
	for _, id := range orders {
		c.Plan.Stops = append(c.Plan.Stops,
			dispatch.Stop{Order: id, Kind: dispatch.Pickup}, dispatch.Stop{Order: id, Kind: dispatch.Dropoff})
	}
	return c
}

func update(t *testing.T, s dispatch.Store, fn func(tx dispatch.Tx) error) {
	t.Helper()
	wantNo(t, s.Update(t.Context(), fn))
}

func place(t *testing.T, s dispatch.Store, id string, at time.Time) dispatch.Order {
	t.Helper()
	o, e := newOrder(id, at)
	update(t, s, func(tx dispatch.Tx) error { return tx.SaveOrder(o, 0, []dispatch.Event{e}) })
	return o
}

func advance(t *testing.T, s dispatch.Store, o dispatch.Order, to dispatch.Status) dispatch.Order {
	t.Helper()
	n, e := next(o, to)
	update(t, s, func(tx dispatch.Tx) error { return tx.SaveOrder(n, o.Version, []dispatch.Event{e}) })
	return n
}

func wantNo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error is %v, want %v", err, target)
	}
}

func wantOrder(t *testing.T, s dispatch.Store, want dispatch.Order) {
	t.Helper()
	got, err := s.Order(context.Background(), want.ID)
	wantNo(t, err)
	wantSame(t, got, want)
}
