package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// house is what the node remembers that keeps house for all areas.
type house struct {
	offers, lost, purged time.Time            // when each was last looked after
	counted              time.Time            // when the company's figures were
	silent               map[string]time.Time // couriers with orders → since when not heard of
}

func newHouse() house { return house{silent: map[string]time.Time{}} }

const (
	// lostShare of LostAfter is how late a silent courier may be noticed: it
	// takes a list of all orders under way.
	lostShare  = 20
	lostEvery  = 15 * time.Second // at most
	purgeEvery = time.Hour
	countEvery = 10 * time.Second // in real time
	// overdue is how long after SearchLimit an order is nobody's: whoever
	// holds its area would have raised the alarm.
	overdue = time.Minute
	// askIndex is the real time that the shared index has to say who is
	// silent: it must not hold up the matching.
	askIndex = 2 * time.Second
)

// keepHouse does what is nobody's area. Two nodes that do it at once do no
// harm: each step is staked on versions.
func (l *Loop) keepHouse(ctx context.Context, now time.Time) error {
	var errs []error
	if h := &l.house; now.Sub(h.offers) >= l.Interval {
		h.offers = now
		errs = append(errs, l.expireOffers(ctx, now))
	}
	if h := &l.house; now.Sub(h.lost) >= min(l.LostAfter/lostShare, lostEvery) {
		h.lost = now
		errs = append(errs, l.recoverLost(ctx, now), l.raise(ctx, now))
	}
	if h := &l.house; now.Sub(h.counted) >= l.lived(countEvery) {
		h.counted = now
		errs = append(errs, l.count(ctx))
	}
	if h := &l.house; now.Sub(h.purged) > purgeEvery {
		h.purged = now
		errs = append(errs, l.Store.Purge(ctx, now.Add(-l.KeepAnswers)), l.Store.PurgeProofs(ctx, now.Add(-l.KeepProofs)))
	}
	return errors.Join(errs...)
}

// count keeps the company's figures for LoopStats. It counts orders without
// reading them: there may be tens of thousands for days to come.
func (l *Loop) count(ctx context.Context) error {
	on, err := l.onDuty(ctx)
	company := scene{on: on}.present()
	for _, c := range []struct {
		figure   *int
		statuses []Status
	}{
		{&company.Waiting, waitingStatuses},
		{&company.Active, activeStatuses},
		{&company.Unassignable, []Status{Unassignable}},
	} {
		n, err2 := l.Store.CountOrders(ctx, OrderQuery{Statuses: c.statuses})
		*c.figure, err = n, errors.Join(err, err2)
	}
	if err != nil {
		return fmt.Errorf("count orders and couriers: %w", err)
	}
	l.holding.mu.Lock()
	defer l.holding.mu.Unlock()
	l.holding.company = company
	return nil
}

// expireOffers closes the offers whose deadline has passed.
func (l *Loop) expireOffers(ctx context.Context, now time.Time) error {
	due, err := l.Store.OpenOffers(ctx, now)
	if err != nil {
		return fmt.Errorf("list due offers: %w", err)
	}
	var errs []error
	for _, offer := range due {
		errs = append(errs, ignoreRace(l.change(ctx, nil, func(w *work) error {
			c, err := w.courier(offer.Courier)
			if err != nil {
				return err
			}
			if c.value.Offer != offer.ID {
				return nil
			}
			_, err = w.closeOffer(c, OfferExpired, Actor{Role: RoleSystem}, "no answer")
			return err
		})))
	}
	return errors.Join(errs...)
}

// recoverLost takes orders that are not picked up back from couriers that
// have gone silent. Goods on board stay: only a person can know.
func (l *Loop) recoverLost(ctx context.Context, now time.Time) error {
	assigned, err := l.allOrders(ctx, OrderQuery{Statuses: []Status{Assigned, AtPickup}})
	if err != nil {
		return err
	}
	if err := l.listen(ctx, assigned, now); err != nil {
		return err
	}
	var errs []error
	for _, o := range assigned {
		since, silent := l.house.silent[o.Courier]
		if !silent || now.Sub(since) < l.LostAfter {
			continue
		}
		_, err := l.Unassign(ctx, o.ID, Override{By: Actor{Role: RoleSystem}, Reason: "courier lost", Version: o.Version})
		if err == nil {
			l.Log.LogAttrs(ctx, slog.LevelWarn, "order taken back from a silent courier",
				slog.String("order_id", o.ID), slog.String("courier_id", o.Courier))
		}
		errs = append(errs, ignoreRace(err))
	}
	return errors.Join(errs...)
}

// listen notes since when the couriers of orders are silent. It counts from
// when this process first missed them, so that a restart takes nothing away
// from couriers that are still coming back.
func (l *Loop) listen(ctx context.Context, orders []Order, now time.Time) error {
	silent := map[string]time.Time{}
	for _, o := range orders {
		silent[o.Courier] = now
		if since, already := l.house.silent[o.Courier]; already {
			silent[o.Courier] = since
		}
	}
	within, cancel := context.WithTimeout(ctx, askIndex)
	defer cancel()
	fixes, err := l.Locator.Last(within, slices.Collect(maps.Keys(silent))...)
	if err != nil {
		return fmt.Errorf("locate couriers: %w", err)
	}
	for _, f := range fixes {
		if l.fresh(f, now) {
			delete(silent, f.Courier)
		}
	}
	l.house.silent = silent
	return nil
}

// raise raises the alarm for orders that have waited too long where nobody
// matches: their area falls to a node that cannot lease it, or that hangs
// (I13). Where somebody does, that one has raised it before.
func (l *Loop) raise(ctx context.Context, now time.Time) error {
	late := now.Add(-l.SearchLimit - overdue)
	waiting, err := l.allOrders(ctx, OrderQuery{Statuses: []Status{Placed, Searching}, PlacedTo: late, ReadyBy: late})
	if err != nil {
		return err
	}
	var errs []error
	for _, o := range waiting {
		if !l.searchedFrom(o).Before(late) {
			continue
		}
		l.Log.LogAttrs(ctx, slog.LevelError, "an order waits where nobody matches",
			slog.String("order_id", o.ID), slog.String("area", o.Area()))
		errs = append(errs, l.step(ctx, o, Command{Type: EventUnassignable, By: Actor{Role: RoleSystem}, Reason: "nobody looked for a courier"}))
	}
	return errors.Join(errs...)
}
