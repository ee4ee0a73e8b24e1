package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"courier/internal/sim/client"
	"courier/internal/sim/scenario"
)

// customer places one order through its merchant and watches it arrive.
func (s *Sim) customer(ctx context.Context, number int, o scenario.Order) error {
	rng := rand.New(rand.NewPCG(s.c.Seed, 0x2000_0000+uint64(number)))
	follows, cancels := rng.Float64() < s.c.FollowShare, rng.Float64() < s.c.CancelShare
	repeats, spies := rng.Float64() < s.c.RepeatShare, rng.Float64() < s.c.SpyShare
	reference := o.Name // the merchant is this run's own
	wanted := s.newOrder(reference, o)
	began := time.Now()
	if s.c.Watch.Placing != nil {
		s.c.Watch.Placing(number, began)
	}
	if repeats { // two of the merchant's machines at once
		s.again.Go(func() { s.sendAgain(ctx, reference, wanted) })
	}
	placed, err := s.client.Place(ctx, s.apiKey, reference, wanted)
	s.placing.Add(-1)
	if err != nil {
		var p *client.Problem
		if errors.As(err, &p) && p.Status < 500 {
			s.figures.orderRefused(p.Code)
			s.c.Log.LogAttrs(ctx, slog.LevelWarn, "order refused", slog.String("reference", reference), slog.Any("err", err))
			return nil
		}
		if ctx.Err() != nil {
			return nil // never acknowledged: no promise
		}
		return fmt.Errorf("place %s: %w", reference, err)
	}
	s.ledger.Placed(reference, reference, placed.ID, s.clock.Now())
	s.remember(placed.ID, o)
	s.figures.placed.Add(1)
	if s.c.Watch.Placed != nil {
		s.c.Watch.Placed(number, began)
	}
	if spies {
		s.again.Go(func() { s.spy(ctx, placed.ID) })
	}
	if cancels {
		s.sleep(ctx, s.clock.Now().Add(time.Duration(rng.Float64()*20)*time.Minute))
		_, err := s.client.Cancel(ctx, s.apiKey, placed.ID, "the customer changed their mind")
		if err != nil && ctx.Err() == nil && client.CodeOf(err) != "conflict" {
			s.c.Log.LogAttrs(ctx, slog.LevelInfo, "cancellation refused", slog.String("order_id", placed.ID), slog.Any("err", err))
		}
	}
	if !follows && !o.PIN {
		return nil
	}
	link, err := s.client.NewLink(ctx, s.apiKey, placed.ID)
	if err != nil {
		if ctx.Err() == nil {
			s.c.Log.LogAttrs(ctx, slog.LevelWarn, "no tracking link", slog.String("order_id", placed.ID), slog.Any("err", err))
		}
		return nil
	}
	s.watch(ctx, placed.ID, link)
	return nil
}

// sendAgain places an order that is placed already, or just now: the answer
// has to be the same. With other contents it has to be refused.
func (s *Sim) sendAgain(ctx context.Context, key string, o client.NewOrder) {
	again, err := s.client.Place(ctx, s.apiKey, key, o)
	if err != nil {
		return // the first one tells what of it
	}
	s.ledger.Placed(key, key, again.ID, s.clock.Now())
	o.Items += " and another"
	other, err := s.client.Place(ctx, s.apiKey, key, o)
	switch {
	case err == nil:
		s.ledger.Reused(key, other.ID, "201")
	case ctx.Err() == nil && client.CodeOf(err) != "key_reused":
		s.ledger.Reused(key, again.ID, err.Error())
	}
}

// spy asks for another merchant's order.
func (s *Sim) spy(ctx context.Context, order string) {
	_, err := s.client.Order(ctx, s.spyKey, order)
	switch {
	case err == nil:
		s.ledger.Peeked(order, "another merchant", "200")
	case ctx.Err() == nil && client.CodeOf(err) != "not_found":
		s.ledger.Peeked(order, "another merchant", err.Error())
	}
}

func (s *Sim) newOrder(reference string, o scenario.Order) client.NewOrder {
	end := func(d scenario.Door) client.End {
		e := client.End{Point: d.Point, Address: d.Address, Note: d.Note}
		if d.Name != "" {
			e.Contact = &client.Contact{Name: d.Name, Phone: d.Phone}
		}
		return e
	}
	ready := s.start.Add(o.Ready)
	n := client.NewOrder{
		Reference: reference, Pickup: end(o.Pickup), Dropoff: end(o.Dropoff), ReadyAt: &ready,
		Size: o.Size, Items: o.Items, PINRequired: o.PIN,
	}
	if o.DeliverBy > 0 {
		by := s.start.Add(o.DeliverBy)
		n.DeliverBy = &by
	}
	if len(o.Vehicles)+len(o.Skills) > 0 {
		n.Requirements = &client.Requirements{Vehicles: o.Vehicles, Skills: o.Skills}
	}
	return n
}

// watch is the customer's page.
func (s *Sim) watch(ctx context.Context, order string, link client.Link) {
	s.linkOpened(order, link)
	defer s.linkClosed(order)
	last := ""
	status := func(now string) {
		if now != last {
			s.figures.moved(last, now)
			s.linkStatus(order, now)
			last = now
		}
	}
	look := func(v *client.View) {
		if v == nil {
			return
		}
		if v.PIN != "" {
			s.pins.Store(order, v.PIN)
		}
		if v.Fix != nil {
			s.ledger.Position(order, s.clock.Now())
		}
	}
	err := s.client.Follow(ctx, link.Secret, client.Watcher{
		Welcome: func(w client.Welcome) {
			s.heard(w)
			s.figures.pagesUp.Add(1)
			s.ledger.Followed(order)
		},
		Lost: func() { s.figures.pagesLost.Add(1) },
		Down: func() { s.figures.pagesUp.Add(-1) },
		Snapshot: func(seq int64, history []client.Seen, v *client.View) {
			s.ledger.Snapshot(order, seq, history)
			look(v)
			if v != nil {
				status(v.Status)
			}
		},
		Status: func(seen client.Seen, v *client.View) {
			s.ledger.Shown(order, seen)
			if s.c.Watch.Shown != nil {
				s.c.Watch.Shown(seen.Status, seen.Time)
			}
			look(v)
			status(seen.Status)
		},
		Position: func(client.Fix) {
			s.figures.positions.Add(1)
			s.ledger.Position(order, s.clock.Now())
		},
		Ended: func(reason string) { s.ledger.Ended(order, reason) },
	})
	s.ledger.Left(order, s.clock.Now())
	if err != nil && ctx.Err() == nil {
		s.ledger.Refused(order, err.Error())
		s.c.Log.LogAttrs(ctx, slog.LevelWarn, "tracking page closed", slog.String("order_id", order), slog.Any("err", err))
	}
}
