package bench

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Format is how results are written.
type Format string

// JSON is a line each, Table is for a person, Benchfmt for benchstat.
const (
	JSON     Format = "json"
	Table    Format = "table"
	Benchfmt Format = "benchfmt"
)

// Printer writes results.
type Printer struct {
	out    io.Writer
	format Format
	table  *tabwriter.Writer
}

// NewPrinter writes to out. A table comes with Close.
func NewPrinter(out io.Writer, f Format) *Printer {
	p := &Printer{out: out, format: f, table: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	if f == Table {
		fmt.Fprintln(p.table, "LINE\tWHAT\tFIGURE\tFLOOR\tRATIO\tP50 / P99 / MAX ms\tREACHED\tSERVER / OWN CPU µs\tGOAL")
	}
	return p
}

// Print takes one result.
func (p *Printer) Print(r Result) error {
	switch p.format {
	case Table:
		return p.row(r)
	case Benchfmt:
		_, err := io.WriteString(p.out, benchLine(r))
		return err
	}
	return r.WriteJSON(p.out)
}

// Close writes what is left.
func (p *Printer) Close() error { return p.table.Flush() }

func (p *Printer) row(r Result) error {
	line, goal, floor, latency, reached := "", "", "", "", ""
	if r.Goal != nil {
		line, goal = r.Goal.Line, r.Goal.Is+", not met"
		if r.Goal.Met {
			goal = r.Goal.Is + ", met"
		}
	}
	if r.Floor != nil {
		floor = number(r.Floor.Value)
	}
	if l := r.Latency; l != nil {
		latency = fmt.Sprintf("%s / %s / %s", number(l.P50), number(l.P99), number(l.Max))
	}
	if r.Reached > 0 {
		reached = number(r.Reached) + "/s"
		if r.Asked > 0 {
			reached += " of " + number(r.Asked)
		}
	}
	if r.Errors > 0 {
		reached += fmt.Sprintf(", %d errors", r.Errors)
	}
	_, err := fmt.Fprintf(p.table, "%s\t%s: %s\t%s %s\t%s\t%s\t%s\t%s\t%s / %s\t%s\n", line, r.Scenario, r.What, number(r.Value), r.Unit,
		floor, ratioText(r), latency, reached, number(r.ServerCPU), number(r.OwnCPU), goal)
	return err
}

// benchLine is a result as a Go benchmark would print it.
func benchLine(r Result) string {
	name := strings.NewReplacer(" ", "-", "'", "", ",", "").Replace(r.What)
	unit := r.Unit
	if unit == "/s" {
		unit = "per-s"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "BenchmarkServer/scenario=%s/engines=%s/what=%s\t%d\t%g %s", r.Scenario, r.Engines, name, max(r.Count, 1), r.Value, unit)
	if r.Ratio > 0 {
		fmt.Fprintf(&b, "\t%g x-floor", r.Ratio)
	}
	if r.ServerCPU > 0 {
		fmt.Fprintf(&b, "\t%g server-µs", r.ServerCPU)
	}
	if l := r.Latency; l != nil {
		fmt.Fprintf(&b, "\t%g p50-ms\t%g p99-ms", l.P50, l.P99)
	}
	return b.String() + "\n"
}

// number writes three digits, with thousands apart.
func number(v float64) string {
	if v < 1000 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
