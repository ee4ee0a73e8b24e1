package dispatch

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"courier/geo"
	"courier/internal/follow"
)

// Place takes an order, once for each key of a merchant: the same key again
// gives the order as it was first answered and true. ErrKeyReused: the key
// came with another request. ErrOutsideZones: an end lies in no zone.
func (s *Service) Place(ctx context.Context, by Actor, n NewOrder, key string) (Order, bool, error) {
	hash, err := hashOf(n)
	if err != nil {
		return Order{}, false, err
	}
	now := s.Clock.Now()
	if n.Size == 0 {
		n.Size = 1
	}
	if n.ReadyAt.IsZero() {
		n.ReadyAt = now
	}
	if err := n.validate(now); err != nil {
		return Order{}, false, err
	}
	if err := s.inZone(ctx, n.Pickup.Point, n.Dropoff.Point); err != nil {
		return Order{}, false, err
	}
	order, events := s.newOrder(n).Place(by, s.Clock.Now())
	body, err := json.Marshal(order)
	if err != nil {
		return Order{}, false, fmt.Errorf("encode answer: %w", err)
	}
	ctx, span := s.Follow.Change(ctx, order.ID, "order.placed")
	mark(ctx, events)
	kept, err := s.Store.Create(ctx, Creation{
		Order: order, Events: events,
		Answer: Answer{Scope: "orders/" + n.Merchant, Key: key, Hash: hash, Body: body, At: order.Times[Placed]},
	})
	if kept != nil {
		span.SetName("order.replayed")
	}
	follow.End(err, span)
	switch {
	case err != nil:
		return Order{}, false, fmt.Errorf("place order: %w", err)
	case kept == nil:
		s.look(order.Area())
		return order, false, nil
	case !bytes.Equal(kept.Hash, hash):
		return Order{}, false, fmt.Errorf("place order: %w", ErrKeyReused)
	}
	var first Order
	if err := json.Unmarshal(kept.Body, &first); err != nil {
		return Order{}, false, fmt.Errorf("decode kept answer: %w", err)
	}
	return first, true, nil
}

func (s *Service) newOrder(n NewOrder) Order {
	o := Order{
		ID: cmp.Or(n.ID, s.NewID()), Merchant: n.Merchant, Reference: n.Reference, Pickup: n.Pickup, Dropoff: n.Dropoff,
		ReadyAt: n.ReadyAt.UTC(), DeliverBy: utc(n.DeliverBy), Size: n.Size, Requirements: n.Requirements,
		Priority: n.Priority, Items: n.Items, PINRequired: n.PINRequired,
		PhotoRequired: n.PhotoRequired, SignatureRequired: n.SignatureRequired, Pay: n.Pay,
	}
	if n.Window != nil {
		o.Window = &Window{n.Window.From.UTC(), n.Window.To.UTC()}
	}
	if n.PINRequired {
		o.PIN = s.NewPIN()
	}
	return o
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

func hashOf(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("hash request: %w", err)
	}
	sum := sha256.Sum256(raw)
	return sum[:], nil
}

// inZone refuses points outside all zones, if there are any.
func (s *Service) inZone(ctx context.Context, points ...geo.Point) error {
	zones, err := s.zones.get(s.Clock.Now(), zoneAge, func() ([]Zone, error) { return s.Store.Zones(ctx) })
	if err != nil {
		return fmt.Errorf("read zones: %w", err)
	}
	if len(zones) == 0 {
		return nil
	}
	for _, p := range points {
		inside := false
		for _, z := range zones {
			inside = inside || z.Area.Contains(p)
		}
		if !inside {
			return ErrOutsideZones
		}
	}
	return nil
}
