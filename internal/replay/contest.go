package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"courier/dispatch"
	"courier/dispatch/match"
	"courier/geo"
)

// MadeHistory is a period that nobody has recorded: orders placed within it,
// in order of time, and couriers on duty.
func MadeHistory(from, to time.Time, orders []dispatch.Order, workers []Worker) *History {
	return &History{From: from, To: to, Orders: orders, Workers: workers, work: map[string][]span{}}
}

// Contender is a way to match, by its name in the table.
type Contender struct {
	Name    string
	Options match.Options
	Nearest *Nearest // set: not the matcher, but this
}

func (c Contender) solver() func(match.Snapshot, match.Options) match.Result {
	if c.Nearest != nil {
		return c.Nearest.solve
	}
	return match.Solve
}

// ContestConfig says over which periods matchers are compared. Outcomes are
// measured by the options of the first contender.
type ContestConfig struct {
	Histories  []*History
	Contenders []Contender
	Every      time.Duration // between rounds
	Lead       time.Duration // how long before it is ready an order is looked at
	Target     time.Duration // later after its placement an order without a promise is late
	Seed       uint64
	Processor  func() time.Duration // the process's processor time so far
}

func (c ContestConfig) validate() error {
	var errs []error
	if len(c.Histories) == 0 || len(c.Contenders) == 0 {
		errs = append(errs, errors.New("Histories, Contenders: none"))
	}
	for _, h := range c.Histories {
		if len(h.Orders) == 0 || len(h.Workers) == 0 {
			errs = append(errs, errors.New("Histories: one has no orders or nobody on duty"))
		}
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"Every", c.Every}, {"Lead", c.Lead}, {"Target", c.Target}} {
		if d.value <= 0 {
			errs = append(errs, fmt.Errorf("%s: %v is not over 0", d.name, d.value))
		}
	}
	for _, m := range c.Contenders {
		if err := m.Options.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.Name, err))
		}
	}
	return errors.Join(errs...)
}

// Entry is how a contender did, period by period.
type Entry struct {
	Name     string
	Outcomes []Outcome
	Took     []time.Duration // processor time
}

// Contest lets each contender live each period, one after the other, and
// calls done with each contender's entry.
func Contest(ctx context.Context, c ContestConfig, done func(Entry) error) error {
	if err := c.validate(); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	for _, m := range c.Contenders {
		e := Entry{Name: m.Name}
		for i, h := range c.Histories {
			t := tally{kinds: vehiclesOf(h.Workers), c: &WhatIfConfig{
				History: h, As: c.Contenders[0].Options, Every: c.Every, Lead: c.Lead, Target: c.Target, Seed: c.Seed + uint64(i),
			}}
			began := c.Processor()
			out, err := t.lived(ctx, h.Workers, m.Options, m.solver())
			if err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
			e.Outcomes, e.Took = append(e.Outcomes, out), append(e.Took, c.Processor()-began)
		}
		if err := done(e); err != nil {
			return err
		}
	}
	return nil
}

// contestColumns are the figures of the table, each with its spread.
var contestColumns = []struct {
	name string
	of   func(Outcome) float64
}{
	{"avoidable", func(o Outcome) float64 { return o.Avoidable.Minutes() }},
	{"late %", func(o Outcome) float64 { return o.Late }},
	{"click-to-door", func(o Outcome) float64 { return o.ClickToDoor.Minutes() }},
	{"ready-to-pickup", func(o Outcome) float64 { return o.Wait.Minutes() }},
	{"standing", func(o Outcome) float64 { return o.Stood.Minutes() }},
	{"metres", func(o Outcome) float64 { return o.Metres }},
	{"utilisation %", func(o Outcome) float64 { return o.Utilisation }},
	{"undelivered %", Outcome.undelivered},
}

func (o Outcome) undelivered() float64 {
	if n := o.Orders - o.Cancelled; n > 0 {
		return 100 * float64(n-o.Delivered) / float64(n)
	}
	return 0
}

// WriteHeader prints the names of the columns, as a Markdown table.
func WriteHeader(to io.Writer) error {
	names, rule := "| |", "|---|"
	for _, col := range contestColumns {
		names, rule = names+" "+col.name+" |", rule+"---|"
	}
	_, err := fmt.Fprintf(to, "%s s |\n%s---|\n", names, rule)
	if err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	return nil
}

// WriteText prints the entry as a row: means, and the standard deviation
// between periods if there are several.
func (e Entry) WriteText(to io.Writer) error {
	var b strings.Builder
	b.WriteString("| " + e.Name + " |")
	for _, col := range contestColumns {
		mean, spread := meanOf(len(e.Outcomes), func(i int) float64 { return col.of(e.Outcomes[i]) })
		digits := 2
		if mean >= 100 {
			digits = 0
		} else if mean >= 10 {
			digits = 1
		}
		fmt.Fprintf(&b, " %.*f", digits, mean)
		if len(e.Outcomes) > 1 {
			fmt.Fprintf(&b, " ± %.*f", digits, spread)
		}
		b.WriteString(" |")
	}
	took, _ := meanOf(len(e.Took), func(i int) float64 { return e.Took[i].Seconds() })
	fmt.Fprintf(&b, " %.1f |\n", took)
	if _, err := io.WriteString(to, b.String()); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	return nil
}

// meanOf is the mean and the standard deviation of n figures.
func meanOf(n int, of func(int) float64) (mean, deviation float64) {
	for i := range n {
		mean += of(i) / float64(n)
	}
	if n < 2 {
		return mean, 0
	}
	for i := range n {
		deviation += (of(i) - mean) * (of(i) - mean) / float64(n-1)
	}
	return mean, math.Sqrt(deviation)
}

func near(a, b geo.Point, radius float64) bool { return geo.Distance(a, b) <= radius }

// Ablation is a matcher part by part: from the nearest courier on, each row
// with one part more, to all that the options have and futures besides; then
// the options with one part less.
func Ablation(o match.Options, futures int) []Contender {
	at := func(name string, change ...func(*match.Options)) Contender {
		c := Contender{Name: name, Options: o}
		for _, f := range change {
			f(&c.Options)
		}
		return c
	}
	batch := func(o *match.Options) {
		o.MaxBundle, o.Search, o.Futures.Count = 1, match.Search{}, 0
		o.AppendOnly, o.Interleave, o.CommitAhead = true, false, o.LookAhead
	}
	bundles := func(p *match.Options) { batch(p); p.MaxBundle = o.MaxBundle }
	search := func(p *match.Options) { bundles(p); p.Search = o.Search }
	several := func(p *match.Options) { search(p); p.AppendOnly, p.Interleave = o.AppendOnly, true }
	lazy := func(p *match.Options) { several(p); p.CommitAhead = o.CommitAhead }
	waits, queues := at("nearest free courier, one by one"), at("the same, queuing where nobody is free")
	waits.Nearest, queues.Nearest = &Nearest{}, &Nearest{Queue: true}
	return []Contender{
		waits, queues,
		at("assignment in batches", batch), at("+ bundles of one place", bundles), at("+ search", search),
		at("+ several places, and new stops between committed ones", several), at("+ lazy commitment", lazy),
		at(fmt.Sprintf("+ %d futures", futures), lazy, func(o *match.Options) { o.Futures.Count = futures }),
		at("as set"),
		at("as set, but no two orders under way together", func(o *match.Options) { o.MaxBundle = 1 }),
		at("as set, but no search", func(o *match.Options) { o.Search, o.Futures.Count = match.Search{}, 0 }),
		at("as set, but one place at a time", func(o *match.Options) { o.Interleave = false }),
		at("as set, but nothing between committed stops", func(o *match.Options) { o.AppendOnly = true }),
	}
}
