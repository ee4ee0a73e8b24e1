package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/internal/testenv"
)

// creating is what placing an order stores: the answer to its key, the
// order, its first event and the outbox row.
func creating(i int64) dispatch.Creation {
	id := fmt.Sprintf("01938f2a-7c1e-7000-8000-%012d", i)
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Millisecond)
	o := dispatch.Order{
		ID: id, Merchant: "m1", Reference: "A-17", Status: dispatch.Placed, Version: 1, Size: 1, ReadyAt: now, Items: "2 soups",
		Pickup:  dispatch.Place{Point: geo.Point{Lat: 52.123456, Lng: 4.312345}, Address: "Kiln Street 4", Contact: dispatch.Contact{Name: "Kitchen", Phone: "+1 555 0100"}, Note: "back door"},
		Dropoff: dispatch.Place{Point: geo.Point{Lat: 52.123456, Lng: 4.312345}, Address: "Elm Row 9", Contact: dispatch.Contact{Name: "Ann"}},
		Times:   map[dispatch.Status]time.Time{dispatch.Placed: now},
	}
	body, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	event := dispatch.Event{Order: id, Version: 1, Type: dispatch.EventPlaced, Status: dispatch.Placed, Time: now,
		Actor: dispatch.Actor{Role: dispatch.RoleMerchant, ID: "m1"}}
	return dispatch.Creation{Order: o, Events: []dispatch.Event{event},
		Answer: dispatch.Answer{Scope: "orders/m1", Key: id, Hash: make([]byte, 32), Body: body, At: now}}
}

// placing stores the same by itself.
func placing(i int64) func(tx dispatch.Tx) error {
	return func(tx dispatch.Tx) error {
		c := creating(i)
		if _, err := tx.Answer(c.Answer.Scope, c.Answer.Key); !errors.Is(err, dispatch.ErrNotFound) {
			return fmt.Errorf("the key is known: %w", err)
		}
		if err := tx.SaveAnswer(c.Answer); err != nil {
			return err
		}
		return tx.SaveOrder(c.Order, 0, c.Events)
	}
}

func update(ctx context.Context, s *Store, i int64) error { return s.Update(ctx, placing(i)) }

func create(ctx context.Context, s *Store, i int64) error {
	_, err := s.Create(ctx, creating(i))
	return err
}

func BenchmarkUpdate(b *testing.B) {
	benchmarkWriters(b, func(b *testing.B) *Store { return open(b, b.TempDir()) }, update)
}

func BenchmarkCreate(b *testing.B) {
	benchmarkWriters(b, func(b *testing.B) *Store { return open(b, b.TempDir()) }, create)
}

func BenchmarkPostgresUpdate(b *testing.B) {
	server := testenv.StartPostgres(b)
	benchmarkWriters(b, func(b *testing.B) *Store { return openURL(b, server.Database(b)) }, update)
}

func BenchmarkPostgresCreate(b *testing.B) {
	server := testenv.StartPostgres(b)
	benchmarkWriters(b, func(b *testing.B) *Store { return openURL(b, server.Database(b)) }, create)
}

func benchmarkWriters(b *testing.B, open func(b *testing.B) *Store, write func(ctx context.Context, s *Store, i int64) error) {
	for _, writers := range []int{1, 8, 64, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := open(b)
			b.ReportAllocs()
			var next atomic.Int64
			var group sync.WaitGroup
			b.ResetTimer()
			for range writers {
				group.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						if err := write(b.Context(), s, i); err != nil {
							b.Error(err)
						}
					}
				})
			}
			group.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
		})
	}
}

func BenchmarkOrder(b *testing.B) {
	s := open(b, b.TempDir())
	for i := range int64(1000) {
		if err := s.Update(b.Context(), placing(i)); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("read=one", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Order(b.Context(), "01938f2a-7c1e-7000-8000-000000000500"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read=page/limit=50", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := s.Orders(b.Context(), dispatch.OrderQuery{Statuses: []dispatch.Status{dispatch.Placed, dispatch.Searching}}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
