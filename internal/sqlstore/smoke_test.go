package sqlstore

import (
	"context"
	"testing"
	"time"

	"courier/dispatch"
	"courier/internal/auth"
	"courier/internal/outbox"
	"courier/tracking"
)

var (
	_ dispatch.Store      = (*Store)(nil)
	_ auth.Store          = (*Store)(nil)
	_ outbox.Source       = (*Store)(nil)
	_ tracking.TrailStore = (*Store)(nil)
)

func TestSmoke(t *testing.T) {
	s, err := Open(context.Background(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	now := time.Now().UTC().Truncate(time.Microsecond)
	err = s.Update(ctx, func(tx dispatch.Tx) error {
		return tx.SaveOrder(dispatch.Order{ID: "o1", Merchant: "m", Status: dispatch.Placed, Version: 1, PIN: "1234"}, 0, []dispatch.Event{{Order: "o1", Version: 1, Type: "placed", Status: "placed", Time: now}})
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.Order(ctx, "o1")
	t.Log(o, err)
	page, next, err := s.Orders(ctx, dispatch.OrderQuery{Statuses: []dispatch.Status{"placed", "searching"}, Merchant: "m"})
	t.Log(page, next, err)
	p, err := s.Pending(ctx, 10)
	t.Log(p, err)
	if err := s.Done(ctx, []int64{p[0].ID}); err != nil {
		t.Fatal(err)
	}
}
