package chaos

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"courier/internal/sim"
	"courier/internal/sim/ledger"
)

// Table is what a run has shown.
type Table struct {
	Config Config
	Rows   []Row
	Report sim.Report
}

// Row is what one fault has cost.
type Row struct {
	Fault                         string
	Lost, Doubled, Streams, Other int
	Took                          Took
	Peak                          int64  // most memory of any node so far, bytes
	Stuck                         string // what did not become normal
	Violations                    []ledger.Violation
}

// Broken lists which promises of the table are broken.
func (t Table) Broken() (broken []string) {
	b := t.Config.Bounds
	for _, r := range t.Rows {
		if r.Stuck != "" {
			broken = append(broken, r.Fault+": "+r.Stuck)
		}
		if r.Took[onMap] > b.Map {
			broken = append(broken, fmt.Sprintf("%s: couriers on the map after %.1f s", r.Fault, r.Took[onMap].Seconds()))
		}
		if r.Took[matching] > b.Matching {
			broken = append(broken, fmt.Sprintf("%s: matching after %.1f s", r.Fault, r.Took[matching].Seconds()))
		}
		for _, v := range r.Violations {
			broken = append(broken, fmt.Sprintf("%s: %s: %s", r.Fault, v.Kind, strings.TrimSpace(v.Order+" "+v.Courier+" "+v.Detail)))
		}
	}
	return broken
}

func (r Row) String() string {
	s := fmt.Sprintf("%s: lost %d, doubled %d, streams %d, other %d; %s", r.Fault, r.Lost, r.Doubled, r.Streams, r.Other, r.Took)
	if r.Stuck != "" {
		s += "; " + r.Stuck
	}
	return s
}

var head = []string{"fault", "lost", "doubled", "streams broken", "other", "map", "matching", "orders", "statuses", "MiB"}

func (r Row) cells() []string {
	cells := []string{r.Fault, fmt.Sprint(r.Lost), fmt.Sprint(r.Doubled), fmt.Sprint(r.Streams), fmt.Sprint(r.Other)}
	for _, took := range r.Took {
		cell := fmt.Sprintf("%.1f", max(0, took.Seconds()))
		if r.Stuck != "" {
			cell += "?"
		}
		cells = append(cells, cell)
	}
	return append(cells, fmt.Sprint(r.Peak>>20))
}

// WriteText writes the table for people: seconds to normal in the last four
// columns.
func (t Table) WriteText(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, strings.Join(head, "\t"))
	for _, r := range t.Rows {
		fmt.Fprintln(tab, strings.Join(r.cells(), "\t"))
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, t.foot())
	return err
}

// WriteMarkdown writes it for docs/benchmarks.md.
func (t Table) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(head)
	line(strings.Split(strings.Repeat("---,", len(head)-1)+"---", ","))
	for _, r := range t.Rows {
		line(r.cells())
	}
	fmt.Fprintf(&b, "\n%s\n", t.foot())
	_, err := io.WriteString(w, b.String())
	return err
}

// foot says who was there.
func (t Table) foot() string {
	o := t.Report.Orders
	return fmt.Sprintf("%d couriers, a fix every %s, %v orders a second, clock at %v, seed %d: %d orders placed, %d delivered, %d reconnects. Seconds from the end of the fault until couriers are on the map, work is matched, orders are answered, and customers see statuses; the most memory a node has had by then.",
		t.Config.Couriers, t.Config.FixEvery.Round(time.Millisecond), t.Config.Orders, t.Config.Rate, t.Config.Seed,
		o.Placed, o.Delivered, t.Report.Reconnects)
}
