package bench

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The table of docs/benchmarks.md stands between these.
const (
	tableBegin = "<!-- make bench: from here -->"
	tableEnd   = "<!-- make bench: to here -->"
)

// Rewrite puts results in place of what stands between the two marks of a
// document.
func Rewrite(document []byte, results []Result) ([]byte, error) {
	before, rest, begins := bytes.Cut(document, []byte(tableBegin))
	_, after, ends := bytes.Cut(rest, []byte(tableEnd))
	if !begins || !ends {
		return nil, errors.New("the document has no place for the table: no " + tableBegin + " and " + tableEnd)
	}
	return slices.Concat(before, []byte(tableBegin+"\n"), []byte(Markdown(results)), []byte(tableEnd), after), nil
}

// Markdown is a table of what has a goal, by the goals' numbers, and one of
// the rest.
func Markdown(results []Result) string {
	if len(results) == 0 {
		return ""
	}
	goals := slices.DeleteFunc(slices.Clone(results), func(r Result) bool { return r.Goal == nil })
	slices.SortStableFunc(goals, func(a, b Result) int {
		return cmp.Or(cmp.Compare(lineNumber(a), lineNumber(b)), strings.Compare(a.Scenario, b.Scenario))
	})
	rest := slices.DeleteFunc(slices.Clone(results), func(r Result) bool { return r.Goal != nil })
	first := results[0]
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s, version %s, %s, load before %.2f to %.2f. Latency counts from when the work was due.\n\n",
		first.Machine, first.Version, first.Date.Format("2 January 2006"), least(results), most(results))
	b.WriteString("| # | what | engines | goal | figure | floor | ratio | reached |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range goals {
		reached := "yes"
		if !r.Goal.Met {
			reached = "**no**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.Goal.Line, what(r), r.Engines, r.Goal.Is, figure(r), floorText(r), ratioText(r), reached)
	}
	if len(rest) > 0 {
		b.WriteString("\n| beside them | engines | figure | floor | ratio |\n|---|---|---|---|---|\n")
		for _, r := range rest {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", what(r), r.Engines, figure(r), floorText(r), ratioText(r))
		}
	}
	b.WriteByte('\n')
	return b.String()
}

func lineNumber(r Result) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(r.Goal.Line, "S"))
	return n
}

func what(r Result) string { return strings.ReplaceAll(r.What, "|", "/") }

// figure is the value, and what has to stand beside it.
func figure(r Result) string {
	text := number(r.Value) + r.Unit
	if !strings.HasPrefix(r.Unit, "/") {
		text = number(r.Value) + " " + r.Unit
	}
	switch {
	case r.Unit == "ms" && r.Latency != nil && r.Latency.P50 < r.Latency.Max:
		text += fmt.Sprintf(" (p50 %s, max %s)", number(r.Latency.P50), number(r.Latency.Max))
	case r.Unit == "/s" && r.ServerCPU > 0:
		text += fmt.Sprintf(" (%s µs of the server's CPU each)", number(r.ServerCPU))
	}
	if kib, ok := r.More["resident_kib"]; ok {
		text += fmt.Sprintf(" (resident %s)", number(kib))
	}
	if n := r.More["not_in_trail"]; n > 0 {
		text += fmt.Sprintf(", %.0f %% not in trails", 100*n/r.More["server_took"])
	}
	if r.Asked > 0 && r.Reached < 0.98*r.Asked {
		text += fmt.Sprintf(", %s of %s a second reached", number(r.Reached), number(r.Asked))
	}
	if r.Errors > 0 {
		text += fmt.Sprintf(", %d errors", r.Errors)
	}
	return text
}

func floorText(r Result) string {
	if r.Floor == nil {
		return ""
	}
	text := number(r.Floor.Value) + " (" + r.Floor.What
	for _, name := range []string{"with_answers", "a_row_a_commit", "100_rows_a_commit", "geoadd_128_a_command"} {
		if v, ok := r.Floor.More[name]; ok {
			text += "; " + strings.ReplaceAll(name, "_", " ") + " " + number(v)
		}
	}
	return text + ")"
}

func ratioText(r Result) string {
	if r.Ratio == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", r.Ratio)
}

func least(results []Result) float64 {
	return slices.MinFunc(results, func(a, b Result) int { return cmp.Compare(a.Load, b.Load) }).Load
}

func most(results []Result) float64 {
	return slices.MaxFunc(results, func(a, b Result) int { return cmp.Compare(a.Load, b.Load) }).Load
}
