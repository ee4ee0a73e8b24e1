package replay

import (
	"fmt"
	"io"
	"time"
)

// Table prints scores, a line each, and their mean.
type Table struct {
	w      io.Writer
	bars   Baseline
	scores []Score
}

// NewTable makes a table that is printed to w as its rows come. Rows that
// leave more undelivered than the baseline (may be nil) are marked.
func NewTable(w io.Writer, b Baseline) *Table { return &Table{w: w, bars: b} }

const tableRow = "%-18s %9.2f %6.1f %12s %14.2f %16.2f %8.1f%s\n"

// Row prints one more score.
func (t *Table) Row(s Score) error {
	if len(t.scores) == 0 {
		if _, err := fmt.Fprintf(t.w, "%-18s %9s %6s %12s %14s %16s %8s\n",
			"instance", "avoidable", "late %", "undelivered", "click-to-door", "ready-to-pickup", "seconds"); err != nil {
			return fmt.Errorf("print scores: %w", err)
		}
	}
	t.scores = append(t.scores, s)
	mark := ""
	if bar, ok := t.bars[s.Name]; ok {
		if mark = "  ✓"; t.bars.falls(s) {
			mark = fmt.Sprintf("  ✗ at most %d undelivered", bar.Undelivered)
		}
	}
	return t.print(s.Name, fmt.Sprintf("%d/%d", s.Undelivered, s.Orders), s, mark)
}

// Mean prints the mean over all rows.
func (t *Table) Mean() error {
	m, lost := Mean(t.scores)
	return t.print(fmt.Sprintf("mean of %d", len(t.scores)), fmt.Sprintf("%.2f %%", lost), m, "")
}

func (t *Table) print(name, lost string, s Score, mark string) error {
	_, err := fmt.Fprintf(t.w, tableRow, name, s.Avoidable, s.Late, lost, s.ClickToDoor, s.ReadyToPickup, s.Took.Seconds(), mark)
	if err != nil {
		return fmt.Errorf("print scores: %w", err)
	}
	return nil
}

// Mean is the mean of each figure, and of the percentages undelivered.
func Mean(scores []Score) (mean Score, lost float64) {
	n := float64(len(scores))
	for _, s := range scores {
		mean.Avoidable += s.Avoidable / n
		mean.Late += s.Late / n
		mean.ClickToDoor += s.ClickToDoor / n
		mean.ReadyToPickup += s.ReadyToPickup / n
		mean.Took += s.Took
		lost += s.UndeliveredPercent() / n
	}
	if n > 0 {
		mean.Took /= time.Duration(n)
	}
	return mean, lost
}
