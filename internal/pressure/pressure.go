// Package pressure says when a node has more to do than it can, and what it
// turns away then: positions first, then reads, then new orders. What a
// courier, a customer or a dispatcher decides is never turned away.
//
//	request → Enter → a slot, or a short line whose wait is bounded → Leave
//	line that does not empty ┐
//	goroutines that wait for a processor (Watch) ┴→ Pressed → positions are held back
package pressure

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Class is a kind of work, by what it is worth.
type Class uint8

// The classes, the one of least worth first.
const (
	Position Class = iota // a courier's place; a newer one follows
	Read                  // what can be asked again
	Order                 // new work
	Act                   // a decision on work that was taken: always done
	classes
)

func (c Class) String() string { return [...]string{"position", "read", "order", "act"}[c] }

// Sheddable are the classes that may be turned away.
func Sheddable() []Class { return []Class{Position, Read, Order} }

// Busy says that work was turned away and when to come again, in real time.
type Busy struct{ After time.Duration }

func (b *Busy) Error() string { return fmt.Sprintf("too much to do: come again in %v", b.After) }

// Config sets a Gate up. A zero duration takes its default; zero Slots mean
// that nothing is ever turned away.
type Config struct {
	Slots int // reads and orders worked on at once
	// Burst is how long the line may last before it counts as overload; so
	// long does a newcomer wait until then. Default 100 ms.
	Burst time.Duration
	// Target is how long an order waits for a slot under overload. Default
	// 10 ms.
	Target time.Duration
	// Work is how long the work of one may last, in the mean, under overload:
	// where it lasts longer, fewer are worked on at once. Default 25 ms.
	Work time.Duration
	// Hold is how long overload is assumed after it was last seen. Default 1 s.
	Hold time.Duration
}

// Gate lets work in. It is safe for concurrent use; a nil Gate lets
// everything in.
type Gate struct {
	Config
	until atomic.Int64 // Unix ns until which overload is assumed; 0: never seen
	shed  [classes]atomic.Uint64

	mu      sync.Mutex
	busy    int       // slots taken
	line    []*waiter // oldest first
	pace    pace
	crowded time.Time // since when a slot has always had a taker; zero: it has not
}

type waiter struct{ in chan struct{} }

// New checks the configuration and reports every fault of it.
func New(c Config) (*Gate, error) {
	var errs []error
	if c.Slots < 0 {
		errs = append(errs, fmt.Errorf("Slots: %d is negative", c.Slots))
	}
	for _, d := range []struct {
		name     string
		value    *time.Duration
		standard time.Duration
	}{{"Burst", &c.Burst, 100 * time.Millisecond}, {"Target", &c.Target, 10 * time.Millisecond}, {"Work", &c.Work, 25 * time.Millisecond}, {"Hold", &c.Hold, time.Second}} {
		if *d.value == 0 {
			*d.value = d.standard
		}
		if *d.value < 0 {
			errs = append(errs, fmt.Errorf("%s: %v is negative", d.name, *d.value))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("pressure: %w", err)
	}
	return &Gate{Config: c, pace: pace{slots: float64(c.Slots) / 2}}, nil
}

// Pressed says whether there is more to do than goes.
func (g *Gate) Pressed() bool {
	if g == nil {
		return false
	}
	until := g.until.Load()
	return until != 0 && time.Now().UnixNano() < until
}

// press assumes overload from now on, for Hold.
func (g *Gate) press(now time.Time) { g.until.Store(now.Add(g.Hold).UnixNano()) }

// Enter lets work in, at once or after a wait; whoever is in calls Leave. The
// error is *Busy, or ctx's.
func (g *Gate) Enter(ctx context.Context, class Class) error {
	switch {
	case g == nil || g.Slots == 0 || class == Act:
		return nil
	case class == Position:
		if g.Pressed() {
			return g.Refuse(class)
		}
		return nil
	}
	w, patience := g.ask(class)
	switch {
	case w == nil:
		return nil
	case patience == 0:
		return g.Refuse(class)
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-w.in:
		return nil
	case <-ctx.Done():
		if g.giveUp(w) {
			return context.Cause(ctx)
		}
	case <-t.C:
		if g.giveUp(w) {
			return g.Refuse(class)
		}
	}
	return nil // the slot came with the end of the wait
}

// ask takes a slot, and then there is no waiter, or a place in the line.
func (g *Gate) ask(class Class) (*waiter, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if g.busy < g.limit() {
		g.pace.busy(g.busy, now)
		g.busy++
		return nil, 0
	}
	switch {
	case g.crowded.IsZero():
		g.crowded = now
	case now.Sub(g.crowded) > g.Burst:
		g.press(now)
	}
	w, patience := &waiter{in: make(chan struct{})}, g.Burst
	if g.Pressed() {
		if patience = g.Target; class == Read || len(g.line) >= g.most() {
			return w, 0
		}
	}
	g.line = append(g.line, w)
	return w, patience
}

// limit is how many are worked on at once.
func (g *Gate) limit() int {
	if g.Pressed() {
		return max(int(g.pace.slots), 1)
	}
	return g.Slots
}

// most is how many may wait under overload: who comes after them would do so
// in vain.
func (g *Gate) most() int { return max(g.limit()/2, 1) }

// Full is *Busy where Enter would be at once, for those who want to know
// before they have read a request.
func (g *Gate) Full(class Class) error {
	if g == nil || class == Act || !g.Pressed() {
		return nil
	}
	g.mu.Lock()
	full := class == Position || g.busy >= g.limit() && (class == Read || len(g.line) >= g.most())
	if full && class != Position {
		g.press(time.Now())
	}
	g.mu.Unlock()
	if full {
		return g.Refuse(class)
	}
	return nil
}

// giveUp leaves the line; false: the slot is there.
func (g *Gate) giveUp(w *waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, other := range g.line {
		if other == w {
			g.line = append(g.line[:i], g.line[i+1:]...)
			return true
		}
	}
	return false
}

// Leave ends what Enter let in.
func (g *Gate) Leave(class Class) {
	if g == nil || g.Slots == 0 || class == Act || class == Position {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.pace.busy(g.busy, now)
	g.pace.end(g.Config, g.Pressed(), now)
	if len(g.line) == 0 {
		g.busy--
		g.crowded = time.Time{}
		return
	}
	if g.busy > g.limit() {
		g.busy--
		return
	}
	close(g.line[0].in) // the slot passes on
	g.line[0] = nil
	g.line = g.line[1:]
}

// Refuse counts work as turned away.
func (g *Gate) Refuse(class Class) error {
	g.shed[class].Add(1)
	return &Busy{After: g.Hold}
}

// Stats are a Gate's figures.
type Stats struct {
	Pressed bool
	Limit   int // slots that may be taken now
	Busy    int // slots taken
	Waiting int
	Shed    map[Class]uint64
}

// Stats reads them.
func (g *Gate) Stats() Stats {
	s := Stats{Pressed: g.Pressed(), Shed: map[Class]uint64{}}
	for _, c := range Sheddable() {
		s.Shed[c] = g.shed[c].Load()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	s.Limit, s.Busy, s.Waiting = g.limit(), g.busy, len(g.line)
	return s
}
