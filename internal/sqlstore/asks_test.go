package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"courier/dispatch"
	"courier/internal/auth"
	"courier/internal/testenv"
)

// Reads that come while one is under way share the next statement: each key
// once, an answer for each.
func TestReadsByKeyShareStatements(t *testing.T) {
	under, goOn := make(chan []string), make(chan error)
	a := newAsks(1, func(_ context.Context, keys []string) (map[string]int, error) {
		under <- keys
		if err := <-goOn; err != nil {
			return nil, err
		}
		found := map[string]int{}
		for _, k := range keys {
			if k != "none" {
				found[k] = len(k)
			}
		}
		return found, nil
	})
	type answer struct {
		key string
		n   int
		err error
	}
	answers := make(chan answer, 16)
	ask := func(ctx context.Context, keys ...string) {
		for _, key := range keys {
			go func() {
				n, err := a.get(ctx, key)
				answers <- answer{key, n, err}
			}()
		}
	}
	waiting := func(n int) {
		for until := time.Now().Add(30 * time.Second); a.trips.Waiting() < n; time.Sleep(time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("%d wait, want %d", a.trips.Waiting(), n)
			}
		}
	}
	ask(t.Context(), "first")
	<-under
	ask(t.Context(), "a", "bb", "a", "none")
	waiting(4)
	goOn <- nil
	if got := <-answers; got.key != "first" || got.n != 5 || got.err != nil {
		t.Errorf("the first: %+v", got)
	}
	keys := <-under
	if slices.Sort(keys); !slices.Equal(keys, []string{"a", "bb", "none"}) {
		t.Errorf("asked together: %q", keys)
	}
	gone, leave := context.WithCancel(t.Context())
	ask(gone, "c")
	ask(t.Context(), "dd", "ee")
	waiting(3)
	leave()
	if got := <-answers; got.key != "c" || !errors.Is(got.err, context.Canceled) {
		t.Errorf("who has left: %+v", got)
	}
	goOn <- nil
	for range 4 {
		got := <-answers
		if none := errors.Is(got.err, sql.ErrNoRows); none != (got.key == "none") || !none && (got.err != nil || got.n != len(got.key)) {
			t.Errorf("%+v", got)
		}
	}
	<-under
	fault := errors.New("away")
	goOn <- fault
	for range 2 {
		if got := <-answers; !errors.Is(got.err, fault) {
			t.Errorf("%+v", got)
		}
	}
}

// What several read at once is each one's own: nobody sees what another does
// with it.
func TestReadsTogetherAreApart(t *testing.T) {
	s := openURL(t, testenv.Postgres(t))
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	err := s.Update(t.Context(), func(tx dispatch.Tx) error {
		for _, id := range []string{"o1", "o2"} {
			o := dispatch.Order{ID: id, Merchant: "m", Version: 1, Status: dispatch.Placed, Times: map[dispatch.Status]time.Time{dispatch.Placed: at}}
			e := dispatch.Event{Order: id, Version: 1, Time: at, Type: dispatch.EventPlaced, Status: dispatch.Placed, Data: dispatch.EventData{Reason: id}}
			if err := tx.SaveOrder(o, 0, []dispatch.Event{e}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	hash := func(merchant string) []byte { return []byte{0, 0xff, merchant[1]} }
	for _, m := range []string{"m1", "m2"} {
		if err := s.SaveKey(t.Context(), auth.Key{ID: "key of " + m, Merchant: m, Hash: hash(m), CreatedAt: at}); err != nil {
			t.Fatal(err)
		}
	}
	orders, events, keys := s.asked.orders.trips, s.asked.events.trips, s.asked.keys.trips
	resume := []func(){orders.Pause(), events.Pause(), keys.Pause()}
	var all sync.WaitGroup
	const readers = 6
	for i := range readers {
		id := []string{"o1", "o2"}[i%2]
		all.Go(func() {
			o, err := s.Order(t.Context(), id)
			if err != nil || o.ID != id || len(o.Times) != 1 {
				t.Errorf("order: %+v, %v", o, err)
				return
			}
			o.Times[dispatch.Delivered] = at // a shared map would race here
		})
		all.Go(func() {
			events, err := s.Events(t.Context(), id, int64(i/4))
			if want := 1 - i/4; err != nil || len(events) != want || want == 1 && events[0].Data.Reason != id {
				t.Errorf("events of %s after %d: %+v, %v", id, i/4, events, err)
			}
		})
		all.Go(func() {
			m := []string{"m1", "m2", "m3"}[i%3]
			k, err := s.KeyByHash(t.Context(), hash(m))
			if none := errors.Is(err, dispatch.ErrNotFound); none != (m == "m3") || !none && (err != nil || k.Merchant != m) {
				t.Errorf("key of %s: %+v, %v", m, k, err)
			}
			if err == nil {
				k.Hash[0]++ // a shared one would race here
			}
		})
		all.Go(func() {
			if _, err := s.Order(t.Context(), "none"); !errors.Is(err, dispatch.ErrNotFound) {
				t.Errorf("an order that is not there: %v", err)
			}
		})
	}
	for until := time.Now().Add(30 * time.Second); orders.Waiting() < 2*readers || events.Waiting() < readers || keys.Waiting() < readers; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("not all wait")
		}
	}
	for _, goOn := range resume {
		goOn()
	}
	all.Wait()
}
