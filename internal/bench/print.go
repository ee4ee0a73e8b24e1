package bench

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Printer writes results as JSON lines, or for a person as a table.
type Printer struct {
	out   io.Writer
	table *tabwriter.Writer // nil: JSON
}

// NewPrinter writes to out; for a person the table comes with Close.
func NewPrinter(out io.Writer, person bool) *Printer {
	p := &Printer{out: out}
	if person {
		p.table = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(p.table, "LINE\tWHAT\tFIGURE\tFLOOR\tRATIO\tP50 / P99 / MAX MS\tREACHED\tSERVER / OWN CPU µs\tGOAL")
	}
	return p
}

// Print takes one result.
func (p *Printer) Print(r Result) error {
	if p.table == nil {
		return r.WriteJSON(p.out)
	}
	line, goal := "", ""
	if r.Goal != nil {
		line, goal = r.Goal.Line, r.Goal.Is+", "+met(r.Goal.Met)
	}
	floor, ratio, latency, reached := "", "", "", ""
	if r.Floor != nil {
		floor = number(r.Floor.Value)
	}
	if r.Ratio > 0 {
		ratio = fmt.Sprintf("%.2f", r.Ratio)
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
		floor, ratio, latency, reached, number(r.ServerCPU), number(r.OwnCPU), goal)
	return err
}

// Close prints the table.
func (p *Printer) Close() error {
	if p.table == nil {
		return nil
	}
	return p.table.Flush()
}

func met(yes bool) string {
	if yes {
		return "met"
	}
	return "not met"
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
