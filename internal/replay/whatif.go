package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"courier/dispatch"
	"courier/dispatch/match"
	"courier/geo"
	"courier/internal/clock"
)

// WhatIfConfig says how a period is lived again, twice.
type WhatIfConfig struct {
	History  *History
	As       match.Options // as it is
	Changed  match.Options
	Couriers int           // more (or, under 0, fewer) in the changed one
	Every    time.Duration // between rounds
	Lead     time.Duration // how long before it is ready an order is looked at
	Target   time.Duration // later after its placement an order without a promise is late
	Seed     uint64
}

func (c WhatIfConfig) validate() error {
	var errs []error
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"Every", c.Every}, {"Lead", c.Lead}, {"Target", c.Target}} {
		if d.value <= 0 {
			errs = append(errs, fmt.Errorf("%s: %v is not over 0", d.name, d.value))
		}
	}
	if have := len(c.History.Workers); have+c.Couriers < 1 {
		errs = append(errs, fmt.Errorf("Couriers: %d of the %d there are leave nobody", c.Couriers, have))
	}
	return errors.Join(append(errs, c.As.Validate(), c.Changed.Validate())...)
}

// Outcome is how a period went. Times are means.
type Outcome struct {
	Orders, Delivered, Cancelled, Couriers int
	Avoidable                              time.Duration // over the earliest thinkable hand-over; see undelivered
	Late                                   float64       // percent of the orders not cancelled
	ClickToDoor                            time.Duration
	Wait                                   time.Duration // from ready, or placed if that is later, to pickup
	Stood                                  time.Duration // how long the courier stood at the pickup until it was ready; replayed only
	Metres                                 float64       // as the crow flies, a delivered order
	Utilisation                            float64       // percent of the time on duty with a plan
}

// WhatIf is a period as it was recorded, replayed as it is, and replayed with
// the changes.
type WhatIf struct{ Recorded, As, Changed Outcome }

// Compare lives the period again, with the options as they are and as
// changed.
func Compare(ctx context.Context, c WhatIfConfig) (out WhatIf, err error) {
	if err := c.validate(); err != nil {
		return out, fmt.Errorf("replay: %w", err)
	}
	t := tally{c: &c, kinds: vehiclesOf(c.History.Workers)}
	out.Recorded = t.recorded()
	if out.As, err = t.lived(ctx, c.History.Workers, c.As, match.Solve); err != nil {
		return out, err
	}
	out.Changed, err = t.lived(ctx, staffed(c.History.Workers, c.Couriers, c.Seed), c.Changed, match.Solve)
	return out, err
}

// staffed adds copies of couriers, or takes some away, by the seed's dice.
func staffed(workers []Worker, change int, seed uint64) []Worker {
	out := slices.Clone(workers)
	dice := rand.New(rand.NewPCG(seed, uint64(len(workers))))
	for i := range change {
		twin := workers[dice.IntN(len(workers))]
		twin.ID = fmt.Sprintf("%s+%d", twin.ID, i+1)
		out = append(out, twin)
	}
	for range -change {
		i := dice.IntN(len(out))
		out = slices.Delete(out, i, i+1)
	}
	return out
}

func vehiclesOf(workers []Worker) []geo.Vehicle {
	var out []geo.Vehicle
	for _, w := range workers {
		if !slices.Contains(out, w.Vehicle) {
			out = append(out, w.Vehicle)
		}
	}
	return out
}

// tally counts outcomes by one measure for all: that of the options as they
// are.
type tally struct {
	c                 *WhatIfConfig
	kinds             []geo.Vehicle
	out               Outcome
	judged            int
	click, wait, over time.Duration
	stood             time.Duration
	late              int
}

// order counts one. Zero times: it did not come so far.
func (t *tally) order(o *dispatch.Order, picked, done time.Time, cancelled bool) {
	t.out.Orders++
	if cancelled {
		t.out.Cancelled++
		return
	}
	t.judged++
	placed, most := o.Times[dispatch.Placed], undelivered*time.Minute
	if done.IsZero() {
		t.over += most
		t.late++
		return
	}
	t.out.Delivered++
	t.click += done.Sub(placed)
	t.wait += max(0, picked.Sub(clock.Later(o.ReadyAt, placed)))
	t.over += min(most, max(0, done.Sub(t.floor(o))))
	due := o.Due()
	if due.IsZero() {
		due = placed.Add(t.c.Target)
	}
	if done.After(due) {
		t.late++
	}
}

// floor is the earliest thinkable hand-over: the fastest courier that may
// carry the order stands at its pickup.
func (t *tally) floor(o *dispatch.Order) time.Time {
	kinds, ride := t.kinds, time.Duration(-1)
	if len(o.Requirements.Vehicles) > 0 {
		kinds = o.Requirements.Vehicles
	}
	for _, v := range kinds {
		if d := t.c.As.Router.Travel(o.Pickup.Point, o.Dropoff.Point, v); ride < 0 || d < ride {
			ride = d
		}
	}
	floor := clock.Later(o.ReadyAt, o.Times[dispatch.Placed]).Add(t.c.As.PickupService/2 + ride + t.c.As.DropoffService/2)
	if o.Window != nil {
		floor = clock.Later(floor, o.Window.From)
	}
	return floor
}

// close turns sums into means, and is ready for the next count.
func (t *tally) close(couriers int, metres float64, busy, duty time.Duration) Outcome {
	out := t.out
	if n := time.Duration(out.Delivered); n > 0 {
		out.ClickToDoor, out.Wait, out.Stood, out.Metres = t.click/n, t.wait/n, t.stood/n, metres/float64(n)
	}
	if t.judged > 0 {
		out.Avoidable, out.Late = t.over/time.Duration(t.judged), 100*float64(t.late)/float64(t.judged)
	}
	if duty > 0 {
		out.Utilisation = 100 * float64(busy) / float64(duty)
	}
	out.Couriers = couriers
	*t = tally{c: t.c, kinds: t.kinds}
	return out
}

func (t *tally) recorded() Outcome {
	for i := range t.c.History.Orders {
		o := &t.c.History.Orders[i]
		t.order(o, o.Times[dispatch.PickedUp], o.Times[dispatch.Delivered], o.Status == dispatch.Cancelled)
	}
	var busy, duty time.Duration
	metres := 0.
	for _, w := range t.c.History.Workers {
		metres += w.path
		for _, s := range w.Spans {
			duty += s.To.Sub(s.From)
		}
		busy += overlap(w.Spans, t.c.History.work[w.ID])
	}
	return t.close(len(t.c.History.Workers), metres, busy, duty)
}

func (t *tally) lived(ctx context.Context, workers []Worker, o match.Options, solve func(match.Snapshot, match.Options) match.Result) (Outcome, error) {
	w := newWorld(t.c.History, workers, o, t.c.Lead, t.c.Seed)
	w.solve = solve
	if err := w.run(ctx, t.c.Every); err != nil {
		return Outcome{}, err
	}
	for i := range w.parcels {
		p := &w.parcels[i]
		t.order(&t.c.History.Orders[i], p.picked, p.done, !p.gone.IsZero())
		t.stood += p.stood
	}
	var busy, duty time.Duration
	metres := 0.
	for _, a := range w.actors {
		metres += a.path
		busy += overlap(a.Spans, a.work)
		for _, s := range a.Spans {
			duty += s.To.Sub(s.From)
		}
	}
	return t.close(len(w.actors), metres, busy, duty), nil
}

// WriteText prints the columns side by side.
func (w WhatIf) WriteText(to io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-30s %12s %12s %12s %12s\n", "", "recorded", "as it is", "changed", "difference")
	count := func(name string, of func(Outcome) int) {
		fmt.Fprintf(&b, "%-30s %12d %12d %12d %+12d\n", name, of(w.Recorded), of(w.As), of(w.Changed), of(w.Changed)-of(w.As))
	}
	number := func(name string, of func(Outcome) float64) {
		fmt.Fprintf(&b, "%-30s %12.1f %12.1f %12.1f %+12.1f\n", name, of(w.Recorded), of(w.As), of(w.Changed), of(w.Changed)-of(w.As))
	}
	count("orders", func(o Outcome) int { return o.Orders })
	count("delivered", func(o Outcome) int { return o.Delivered })
	count("cancelled", func(o Outcome) int { return o.Cancelled })
	count("couriers", func(o Outcome) int { return o.Couriers })
	number("avoidable, min an order", func(o Outcome) float64 { return o.Avoidable.Minutes() })
	number("late, %", func(o Outcome) float64 { return o.Late })
	number("click-to-door, min", func(o Outcome) float64 { return o.ClickToDoor.Minutes() })
	number("wait to pickup, min", func(o Outcome) float64 { return o.Wait.Minutes() })
	number("metres a delivered order", func(o Outcome) float64 { return o.Metres })
	number("couriers' time with work, %", func(o Outcome) float64 { return o.Utilisation })
	if _, err := io.WriteString(to, b.String()); err != nil {
		return fmt.Errorf("print the comparison: %w", err)
	}
	return nil
}
