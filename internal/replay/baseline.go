package replay

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// Baseline is what another matcher reached, by instance.
type Baseline map[string]struct {
	Avoidable   float64 `json:"avoidable"`
	ClickToDoor float64 `json:"click_to_door"`
	Late        float64 `json:"late"`
	Undelivered int     `json:"undelivered"`
}

// ReadBaseline reads a JSON file: {"<instance>": {"avoidable": …,
// "click_to_door": …, "late": …, "undelivered": …}, …}.
func ReadBaseline(path string) (Baseline, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read baseline: %w", err)
	}
	var b Baseline
	if err := json.Unmarshal(raw, &b); err != nil {
		return nil, fmt.Errorf("read baseline %s: %w", path, err)
	}
	return b, nil
}

// falls says whether an instance leaves more orders undelivered than the
// baseline does: then its other figures do not count.
func (b Baseline) falls(s Score) bool {
	bar, ok := b[s.Name]
	return ok && s.Undelivered > bar.Undelivered
}

// figures are what days are compared by.
type figures struct {
	undelivered, avoidable, late, click, half float64 // half: click-to-door of half-size days of seed 0
}

func (b Baseline) mean(scores []Score) (f figures, known bool) {
	var all []Score
	for _, s := range scores {
		if bar, ok := b[s.Name]; ok {
			all = append(all, Score{
				Name: s.Name, Orders: s.Orders, Avoidable: bar.Avoidable, Late: bar.Late, ClickToDoor: bar.ClickToDoor, Undelivered: bar.Undelivered,
			})
		}
	}
	return figuresOf(all), len(all) > 0 && len(all) == len(scores)
}

func figuresOf(scores []Score) figures {
	m, lost := Mean(scores)
	var half []Score
	for _, s := range scores {
		if strings.HasPrefix(s.Name, "0o50") || strings.HasPrefix(s.Name, "0r50") {
			half = append(half, s)
		}
	}
	h, _ := Mean(half)
	return figures{lost, m.Avoidable, m.Late, m.ClickToDoor, h.ClickToDoor}
}

// The goals over the 144 published days that Courier is measured by.
var goals = []struct {
	name string
	figures
}{
	{"at least", figures{0.05, 1.40, 21.4, 0, 31.05}},
	{"aim", figures{0.03, 1.25, 21.0, 0, 30.9}},
}

// Compare prints the mean beside a baseline (nil: there is none) and, over
// all the published days, the goals. It returns how many gates have fallen.
func (t *Table) Compare(b Baseline) (fallen int, err error) {
	for _, s := range t.scores {
		if b.falls(s) {
			fallen++
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\n%-26s %13s %9s %6s %13s %21s\n", "mean", "undelivered %", "avoidable", "late %", "click-to-door", "half-size days, seed 0")
	ours := figuresOf(t.scores)
	line := func(name string, f figures, marks ...string) {
		cell := func(v float64, digits int) string {
			if v == 0 && name != "this replay" {
				return "-"
			}
			return fmt.Sprintf("%.*f", digits, v)
		}
		fmt.Fprintf(&out, "%-26s %13s %9s %6s %13s %21s  %s\n", name,
			cell(f.undelivered, 2), cell(f.avoidable, 2), cell(f.late, 1), cell(f.click, 2), cell(f.half, 2), strings.Join(marks, " "))
	}
	if simple, known := b.mean(t.scores); known {
		line("simple matching", simple)
	}
	line("this replay", ours)
	if len(t.scores) == publishedDays {
		for _, g := range goals {
			mark := func(what string, ours, goal float64) string {
				if ours <= goal {
					return "✓ " + what
				}
				return "✗ " + what
			}
			line(g.name, g.figures, mark("undelivered", ours.undelivered, g.undelivered), mark("avoidable", ours.avoidable, g.avoidable),
				mark("late", ours.late, g.late), mark("half-size", ours.half, g.half))
		}
	}
	switch {
	case b == nil:
		fmt.Fprintln(&out, "\nNo baseline: gates are not judged.")
	case fallen > 0:
		fmt.Fprintf(&out, "\n✗ %d of %d gates have fallen: more undelivered than the baseline.\n", fallen, len(t.scores))
	default:
		fmt.Fprintf(&out, "\n✓ No gate of %d has fallen.\n", len(t.scores))
	}
	if _, err := io.WriteString(t.w, out.String()); err != nil {
		return fallen, fmt.Errorf("print scores: %w", err)
	}
	return fallen, nil
}

// publishedDays are what the goals are about.
const publishedDays = 144
