package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// housekeeping is the area of what is in none: offers that run out, silent
// couriers, what waits where nobody looks, what is to be deleted.
const housekeeping = "housekeeping"

// The times of leases; all of them are real ones.
const (
	leaseTTL = 10 * time.Second // a node that dies is replaced after this
	renewals = 3                // in one leaseTTL
	idleTTLs = 3                // an area with nothing to do is given back after so many
	// hintedBeat is how soon another beat may follow when a node has hinted
	// at this one: it may have come or gone.
	hintedBeat = 500 * time.Millisecond
	// hangTTLs is how long, in leaseTTLs, a round may take and its areas stay
	// this node's. A loop that hangs longer is a dead one, whatever else of
	// the node lives.
	hangTTLs = 3
)

// holding is what a node holds of the areas, and who else there is.
type holding struct {
	keeping sync.Mutex // one beat at a time

	mu      sync.Mutex
	alive   []string             // nodes whose loops live, sorted
	tokens  map[string]int64     // of the leases held, by area
	until   time.Time            // they run out, unless renewed
	beaten  time.Time            // when nodes and leases were last asked for
	busy    map[string]time.Time // when an area held last had orders waiting
	blocked map[string]time.Time // areas that fall to this node and another holds, since when
	round   time.Time            // when the round under way began; zero: there is none
	lost    uint64
	company Stats // as it was counted last; worth something while housekeeping is held
}

func newHolding() holding {
	return holding{tokens: map[string]int64{}, busy: map[string]time.Time{}, blocked: map[string]time.Time{}}
}

// LoopStats are figures of the areas.
type LoopStats struct {
	Nodes   int    // that share the areas
	Areas   int    // held now, housekeeping too
	Blocked int    // fall to this node, and another still holds them
	Lost    uint64 // leases that ran out or were taken, since the start
	Company Stats  // of all areas, told by the node that keeps house and zero from others
}

// Stats is safe to call at any time.
func (l *Loop) Stats() LoopStats {
	h := &l.holding
	h.mu.Lock()
	defer h.mu.Unlock()
	s := LoopStats{Nodes: len(h.alive), Areas: len(h.tokens), Blocked: len(h.blocked), Lost: h.lost}
	if _, house := h.tokens[housekeeping]; house {
		s.Company = h.company
	}
	return s
}

// keep takes the areas that have something to do and fall to this node, and
// gives back what falls to another or has been idle for long. Every
// third of a lease it says that this node lives, and renews what it holds.
func (l *Loop) keep(ctx context.Context) error {
	h := &l.holding
	h.keeping.Lock()
	defer h.keeping.Unlock()
	begun := time.Now()
	due := h.due(begun, l.ttl, l.hinted.Swap(false))
	if due {
		beating, err := l.beat(ctx)
		if err != nil {
			return fmt.Errorf("beat: %w", err)
		}
		l.nodes.set(h.living(beating))
	}
	waiting, err := l.Store.Areas(ctx)
	if err != nil {
		return fmt.Errorf("list areas: %w", err)
	}
	take, give := h.plan(l.Node, waiting, due, begun, idleTTLs*l.ttl)
	if len(give) > 0 {
		if _, err := l.Store.Leases(ctx, l.holder(), give, 0); err != nil {
			return fmt.Errorf("give areas back: %w", err)
		}
		h.drop(give)
		l.look(give...) // whoever they fall to now
	}
	if len(take) > 0 {
		tokens, err := l.Store.Leases(ctx, l.holder(), take, l.ttl)
		if err != nil {
			return fmt.Errorf("lease areas: %w", err)
		}
		l.took(ctx, take, tokens, begun)
	}
	if due {
		h.mu.Lock()
		h.beaten, h.until = begun, begun.Add(l.ttl)
		h.mu.Unlock()
	}
	return nil
}

// What the names begin with that loops beat by. They are not the nodes' own:
// a node may live, and publish, whose loop does not. A blind one does not see
// other nodes' couriers, and leaves the areas to those that do, if any.
const (
	loopName  = "loop "
	blindName = "blind loop "
)

// beat says that this loop lives, and returns the names of all who beat.
func (l *Loop) beat(ctx context.Context) (beating []string, err error) {
	name, other := loopName, blindName
	if l.Mirror != nil && l.Mirror.Blind() {
		name, other = other, name
	}
	if l.beats != name {
		if l.beats != "" {
			l.Log.LogAttrs(ctx, slog.LevelWarn, "whether this node sees all couriers has changed", slog.Bool("blind", name == blindName))
		}
		if _, err := l.Store.Beat(ctx, other+l.Node, 0); err != nil {
			return nil, err
		}
		l.beats = name
	}
	return l.Store.Beat(ctx, name+l.Node, l.ttl)
}

// living notes which nodes share the areas, of all who beat.
func (h *holding) living(beating []string) []string {
	var nodes, blind []string
	for _, name := range beating {
		if node, is := strings.CutPrefix(name, loopName); is {
			nodes = append(nodes, node)
		} else if node, is := strings.CutPrefix(name, blindName); is {
			blind = append(blind, node)
		}
	}
	if len(nodes) == 0 {
		nodes = blind
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.alive = nodes
	return nodes
}

func (l *Loop) holder() Holder { return Holder{Node: l.Node, Run: l.run} }

// plan says which areas to lease, or to renew where that is due, and which to
// give back.
func (h *holding) plan(me string, waiting []string, due bool, now time.Time, idle time.Duration) (take, give []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, area := range append(waiting, housekeeping) {
		if fallsTo(area, h.alive) != me {
			continue
		}
		h.busy[area] = now
		if _, held := h.tokens[area]; !held {
			take = append(take, area)
		}
	}
	for area := range h.tokens {
		switch {
		case fallsTo(area, h.alive) != me || now.Sub(h.busy[area]) > idle:
			give = append(give, area)
		case due:
			take = append(take, area)
		}
	}
	maps.DeleteFunc(h.blocked, func(area string, _ time.Time) bool { return !slices.Contains(take, area) && due })
	return take, give
}

// due says whether it is time for a beat.
func (h *holding) due(now time.Time, ttl time.Duration, hinted bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	ago := now.Sub(h.beaten)
	return ago >= ttl/renewals || hinted && ago >= min(hintedBeat, ttl/renewals)
}

// doubt has the leases asked for anew: one of them is another's.
func (h *holding) doubt() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.beaten = time.Time{}
}

func (h *holding) drop(areas []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, area := range areas {
		delete(h.tokens, area)
		delete(h.busy, area)
	}
}

// took notes which of the areas asked for this node has now.
func (l *Loop) took(ctx context.Context, asked []string, tokens map[string]int64, now time.Time) {
	h := &l.holding
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, area := range asked {
		before, held := h.tokens[area]
		token, got := tokens[area]
		if held && token != before {
			h.lost++
			l.Log.LogAttrs(ctx, slog.LevelWarn, "lease lost", slog.String("area", area), slog.Bool("taken_again", got))
		}
		if got {
			h.tokens[area] = token
			delete(h.blocked, area)
			if !held {
				l.Wake() // for a round, where this is not part of one
			}
			continue
		}
		delete(h.tokens, area)
		since, already := h.blocked[area]
		switch {
		case !already:
			h.blocked[area] = now
		case now.Sub(since) > 3*l.ttl:
			h.blocked[area] = now // says so again after as long
			l.Log.LogAttrs(ctx, slog.LevelWarn, "an area of this node is held by another", slog.String("area", area))
		}
	}
}

// held are the areas that this node may match now, with their tokens, and
// whether it keeps house.
func (h *holding) held(now time.Time) (areas map[string]int64, house bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !now.Before(h.until) {
		return nil, false
	}
	areas = maps.Clone(h.tokens)
	_, house = areas[housekeeping]
	delete(areas, housekeeping)
	return areas, house
}

// begin and end tell of a round under way.
func (h *holding) begin(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.round = now
}

func (h *holding) end() { h.begin(time.Time{}) }

// hangs says whether the round under way has taken too long.
func (h *holding) hangs(now time.Time, limit time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.round.IsZero() && now.Sub(h.round) > limit
}

// keepOn renews while a long round goes on.
func (l *Loop) keepOn(ctx context.Context) error {
	tick := time.NewTicker(l.ttl / renewals)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			if l.holding.hangs(now, hangTTLs*l.ttl) {
				continue
			}
			if err := l.keep(ctx); err != nil && ctx.Err() == nil {
				l.Log.LogAttrs(ctx, slog.LevelWarn, "areas not kept", slog.Any("err", err))
			}
		}
	}
}

// leave gives everything back, so that others begin at once.
func (l *Loop) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	h := &l.holding
	h.keeping.Lock()
	defer h.keeping.Unlock()
	h.mu.Lock()
	areas, others := slices.Collect(maps.Keys(h.tokens)), h.alive
	h.tokens, h.alive, h.beaten = map[string]int64{}, nil, time.Time{}
	h.mu.Unlock()
	if l.beats == "" {
		return // it has not begun
	}
	_, err := l.Store.Beat(ctx, l.beats+l.Node, 0)
	if err == nil && len(areas) > 0 {
		_, err = l.Store.Leases(ctx, l.holder(), areas, 0)
	}
	if err != nil {
		l.Log.LogAttrs(ctx, slog.LevelWarn, "areas not given back", slog.Any("err", err))
	}
	for _, node := range others {
		if node != l.Node && l.WakeNode != nil {
			l.WakeNode(node)
		}
	}
}
