package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"courier/dispatch/match"
)

// Loop finds couriers for orders, round by round: for those of the areas
// that this node holds. See holding for how nodes share the areas.
type Loop struct {
	*Service
	run     string        // tells this life of the node from those before
	ttl     time.Duration // of its leases
	beats   string        // what the name begins with that it beats by; under holding.keeping
	holding holding
	cover   cover
	ahead   foresight
	told    map[string]string // order → what was last recorded of its waiting
	house   house
	rounds  func(Round)
}

// Round is what one round did, for metrics.
type Round struct {
	Waiting  int
	Couriers int
	Given    int             // assigned or offered
	Lost     int             // to a race; they wait for the next round
	Idle     int             // of the couriers, those without a stop
	Waits    []time.Duration // of the orders given: since each was placed
	Took     time.Duration
}

// NewLoop makes the loop of a service; observe (may be nil) is told of each
// round.
func NewLoop(s *Service, observe func(Round)) *Loop {
	if observe == nil {
		observe = func(Round) {}
	}
	return &Loop{
		Service: s, run: s.NewID(), ttl: leaseTTL, holding: newHolding(), told: map[string]string{}, house: newHouse(), rounds: observe,
	}
}

// A storm of events does not make each its own round: between two is minGap
// at least, and so long that matching takes no more than a fifth of a core,
// up to the interval.
const (
	minGap    = 100 * time.Millisecond
	restShare = 4 // of the time that the round took
)

// Run rounds until ctx ends. A failed round is logged and the next one tries
// again: what it left undone still waits in the store.
func (l *Loop) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.keepOn(ctx) })
	g.Go(func() error { return l.runRounds(ctx) })
	err := g.Wait()
	l.leave(ctx)
	return err
}

func (l *Loop) runRounds(ctx context.Context) error {
	tick := l.Clock.Ticker(l.Interval)
	defer tick.Stop()
	gap := time.NewTimer(0)
	defer gap.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-gap.C:
		}
		begun := time.Now()
		if err := l.Round(ctx); err != nil && ctx.Err() == nil {
			l.Log.LogAttrs(ctx, slog.LevelError, "dispatch round failed", slog.Any("err", err))
		}
		interval := time.Duration(float64(l.Interval) / max(1, l.Clock.Rate()))
		gap.Reset(min(interval, max(minGap, restShare*time.Since(begun))))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-l.wake:
		}
	}
}

// Round keeps house if that is this node's, then matches what waits in the
// areas that it holds.
func (l *Loop) Round(ctx context.Context) error {
	begun, now := time.Now(), l.Clock.Now()
	l.holding.begin(begun)
	defer l.holding.end()
	if err := l.keep(ctx); err != nil {
		return err
	}
	areas, house := l.holding.held(begun)
	l.cover.look(ctx, l, areas)
	var err error
	if house {
		err = l.keepHouse(ctx, now)
	}
	if len(areas) == 0 {
		l.ahead = foresight{}
		clear(l.told)
		return err
	}
	snap, err2 := l.snapshot(ctx, areas, now)
	if err = errors.Join(err, err2); err2 != nil {
		return err
	}
	round := Round{Waiting: len(snap.orders), Couriers: len(snap.couriers), Idle: snap.idle()}
	if len(snap.orders) > 0 {
		foreseen := l.ahead.add(ctx, l, &snap)
		result, solveErr := l.solve(snap)
		l.ahead.intents, l.ahead.votes = result.Intents, result.Votes
		err = errors.Join(err, foreseen)
		round.Waits, round.Given, round.Lost, err2 = l.commit(ctx, snap, result)
		err = errors.Join(err, solveErr, err2, l.record(ctx, now, result), l.leaveWaiting(ctx, snap, result, now))
	} else {
		clear(l.told)
	}
	round.Took = time.Since(begun)
	l.rounds(round)
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
		g.Go(func() error { return l.step(ctx, o, c) })
	}
	return g.Wait()
}

// step takes a step of an order that is still as it was seen.
func (l *Loop) step(ctx context.Context, o Order, c Command) error {
	return ignoreRace(l.onOrder(ctx, o.ID, nil, func(w *work, h *held[Order], _ *held[Courier]) error {
		if h.seen != o.Version {
			return nil
		}
		return w.apply(h, c)
	}))
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
func (l *Loop) commit(ctx context.Context, snap snapshot, result match.Result) (waits []time.Duration, given, lost int, err error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(64)
	raced, failed := make([]bool, len(result.Assignments)), make([]bool, len(result.Assignments))
	for i, a := range result.Assignments {
		g.Go(func() error {
			err := l.give(ctx, snap, a)
			failed[i] = err != nil
			raced[i] = failed[i] && ignoreRace(err) == nil
			return ignoreRace(err)
		})
	}
	err = g.Wait()
	for i, a := range result.Assignments {
		switch {
		case raced[i]:
			lost++
		case !failed[i]:
			given++
			for _, id := range a.Orders {
				waits = append(waits, snap.Now.Sub(snap.orders[id].Times[Placed]))
			}
		}
	}
	return waits, given, lost, err
}

// ignoreRace drops the errors that say that the world has moved on: the next
// round sees it as it is.
func ignoreRace(err error) error {
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrCapacity) {
		return nil
	}
	return err
}
