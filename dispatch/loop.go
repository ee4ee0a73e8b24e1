package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"courier/dispatch/match"
)

// Loop finds couriers for orders, round by round. Of all nodes' loops the one
// that holds the lease works.
type Loop struct {
	*Service
	run    string            // tells this life of the node from the one before
	token  int64             // of the lease
	leased time.Time         // when it was last renewed; zero: not held
	told   map[string]string // order → what was last recorded of its waiting
	purged time.Time
	silent map[string]time.Time // couriers with orders → since when not heard of
	rounds func(Round)
}

// Round is what one round did, for metrics.
type Round struct {
	Waiting  int
	Couriers int
	Given    int // assigned or offered
	Lost     int // to a race; they wait for the next round
	Took     time.Duration
}

// NewLoop makes the loop of a service; observe (may be nil) is told of each
// round.
func NewLoop(s *Service, observe func(Round)) *Loop {
	if observe == nil {
		observe = func(Round) {}
	}
	return &Loop{Service: s, run: s.NewID(), told: map[string]string{}, silent: map[string]time.Time{}, rounds: observe}
}

// The lease that makes one node's loop the one that works. A node that dies
// is replaced after leaseTTL; all of it is real time.
const (
	leaseArea = "dispatch"
	leaseTTL  = 10 * time.Second
)

// hold takes or renews the lease; false: another node has it.
func (l *Loop) hold(ctx context.Context) (bool, error) {
	if !l.leased.IsZero() && time.Since(l.leased) < leaseTTL/3 {
		return true, nil
	}
	began := time.Now()
	tokens, err := l.Store.Leases(ctx, Holder{l.Node, l.run}, []string{leaseArea}, leaseTTL)
	token, held := tokens[leaseArea]
	if err != nil || !held {
		l.leased = time.Time{}
		return false, err
	}
	l.token, l.leased = token, began
	return true, nil
}

// release lets another node begin at once.
func (l *Loop) release(ctx context.Context) {
	if l.leased.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, err := l.Store.Leases(ctx, Holder{l.Node, l.run}, []string{leaseArea}, 0); err != nil {
		l.Log.LogAttrs(ctx, slog.LevelWarn, "lease not given back", slog.Any("err", err))
	}
}

// minGap keeps a storm of events from making each its own round.
const minGap = 100 * time.Millisecond

// Run rounds until ctx ends. A failed round is logged and the next one tries
// again: what it left undone still waits in the store.
func (l *Loop) Run(ctx context.Context) error {
	tick := l.Clock.Ticker(l.Interval)
	defer tick.Stop()
	gap := time.NewTimer(0)
	defer gap.Stop()
	defer l.release(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-l.wake:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-gap.C:
		}
		if err := l.Round(ctx); err != nil && ctx.Err() == nil {
			l.Log.LogAttrs(ctx, slog.LevelError, "dispatch round failed", slog.Any("err", err))
		}
		gap.Reset(minGap)
	}
}

// Round closes what has run out, then matches what waits, if this node holds
// the lease.
func (l *Loop) Round(ctx context.Context) error {
	begun, now := time.Now(), l.Clock.Now()
	if held, err := l.hold(ctx); err != nil || !held {
		return err
	}
	err := errors.Join(l.expireOffers(ctx, now), l.recoverLost(ctx, now))
	snap, err2 := l.snapshot(ctx, now)
	if err = errors.Join(err, err2); err2 != nil {
		return err
	}
	round := Round{Waiting: len(snap.orders), Couriers: len(snap.Couriers)}
	if len(snap.orders) > 0 {
		result, solveErr := l.solve(snap)
		round.Given, round.Lost, err2 = l.commit(ctx, snap, result)
		err = errors.Join(err, solveErr, err2, l.record(ctx, now, result), l.leaveWaiting(ctx, snap, result, now))
	} else {
		clear(l.told)
	}
	round.Took = time.Since(begun)
	l.rounds(round)
	if now.Sub(l.purged) > time.Hour {
		l.purged = now
		err = errors.Join(err, l.Store.Purge(ctx, now.Add(-l.KeepAnswers)))
	}
	return err
}

// solve asks the matcher. A fault of its own costs this round, not the
// process: dispatchers can still assign by hand.
func (l *Loop) solve(snap snapshot) (result match.Result, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			result, err = match.Result{}, fmt.Errorf("the matcher failed: %v", fault)
		}
	}()
	return match.Solve(snap.Snapshot, l.Match), nil
}

// expireOffers closes the offers whose deadline has passed.
func (l *Loop) expireOffers(ctx context.Context, now time.Time) error {
	due, err := l.Store.OpenOffers(ctx, now)
	if err != nil {
		return fmt.Errorf("list due offers: %w", err)
	}
	var errs []error
	for _, offer := range due {
		errs = append(errs, ignoreRace(l.update(ctx, []string{offer.Courier}, func(w *work) error {
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
		since, silent := l.silent[o.Courier]
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
		if since, already := l.silent[o.Courier]; already {
			silent[o.Courier] = since
		}
	}
	fixes, err := l.Locator.Last(ctx, slices.Collect(maps.Keys(silent))...)
	if err != nil {
		return fmt.Errorf("locate couriers: %w", err)
	}
	for _, f := range fixes {
		if l.fresh(f, now) {
			delete(silent, f.Courier)
		}
	}
	l.silent = silent
	return nil
}

// leaveWaiting says of orders that got no courier that one is searched for,
// and raises the alarm for those that have waited too long (I13).
func (l *Loop) leaveWaiting(ctx context.Context, snap snapshot, result match.Result, now time.Time) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(64)
	for _, d := range result.Decisions {
		o := snap.orders[d.Order]
		c := Command{By: Actor{Role: RoleMatcher}}
		switch {
		case d.Outcome != match.OutcomeWaiting:
			continue
		case now.Sub(l.searchedFrom(o)) >= l.SearchLimit:
			c.Type, c.Reason = EventUnassignable, d.Why
		case o.Status == Placed:
			c.Type = EventSearching
		default:
			continue
		}
		g.Go(func() error {
			return ignoreRace(l.onOrder(ctx, o.ID, nil, func(w *work, h *held[Order], _ *held[Courier]) error {
				if h.seen != o.Version {
					return nil
				}
				return w.apply(h, c)
			}))
		})
	}
	return g.Wait()
}

// searchedFrom is when the search for a courier began to matter: a retry
// starts it anew, and food that is not ready yet is not late.
func (l *Loop) searchedFrom(o Order) time.Time {
	from := o.Times[Placed]
	if at := o.Times[Searching]; at.After(from) {
		from = at
	}
	if o.ReadyAt.After(from) {
		from = o.ReadyAt
	}
	return from
}

// record keeps each decision that says something new.
func (l *Loop) record(ctx context.Context, now time.Time, result match.Result) error {
	var news []Decision
	told := make(map[string]string, len(result.Decisions))
	for _, d := range result.Decisions {
		gist := string(d.Outcome) + withoutDigits(d.Why)
		if l.Mode == ModeOffer && d.Outcome == match.OutcomeAssigned {
			d.Outcome = match.OutcomeOffered
		}
		if d.Outcome == match.OutcomeWaiting {
			told[d.Order] = gist
			if l.told[d.Order] == gist {
				continue
			}
		}
		news = append(news, Decision{ID: l.NewID(), Time: now, Decision: d})
	}
	l.told = told
	if len(news) == 0 {
		return nil
	}
	err := l.Store.Update(ctx, func(tx Tx) error {
		for _, d := range news {
			if err := tx.SaveDecision(d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record decisions: %w", err)
	}
	return nil
}

// withoutDigits is a sentence less its figures: "ready in 25 min" a minute
// later is no news.
func withoutDigits(s string) string {
	return string(slices.DeleteFunc([]byte(s), func(b byte) bool { return b >= '0' && b <= '9' }))
}

// commit gives each courier what the matcher chose for it, each by itself,
// side by side so that they share commits. It counts the given and the lost.
func (l *Loop) commit(ctx context.Context, snap snapshot, result match.Result) (given, lost int, err error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(64)
	raced := make([]bool, len(result.Assignments))
	for i, a := range result.Assignments {
		g.Go(func() error {
			err := l.give(ctx, snap, a)
			raced[i] = err != nil && ignoreRace(err) == nil
			return ignoreRace(err)
		})
	}
	err = g.Wait()
	for _, r := range raced {
		if r {
			lost++
		}
	}
	return len(raced) - lost, lost, err
}

// ignoreRace drops the errors that say that the world has moved on: the next
// round sees it as it is.
func ignoreRace(err error) error {
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrCapacity) {
		return nil
	}
	return err
}
