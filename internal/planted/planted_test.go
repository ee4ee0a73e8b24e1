package planted

import (
	"maps"
	"os"
	"slices"
	"testing"
)

// all asks for every bug, not only the short ones.
const all = "COURIER_PLANTED"

// TestTheCheckerSees plants each bug and wants it found. A checker that has
// never been seen to object proves nothing by its silence.
func TestTheCheckerSees(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(bugs)) {
		b := bugs[name]
		if !b.short && os.Getenv(all) == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			const seed = 7
			binary := build(t, name, b.edits)
			report := b.scene(t, binary, seed)
			seen := map[string]int{}
			for _, v := range report.Violations {
				seen[v.Kind]++
			}
			t.Logf("%d orders; violations: %v", report.Orders.Placed, seen)
			for _, kind := range b.kinds {
				if seen[kind] > 0 {
					return
				}
			}
			_ = report.WriteText(t.Output())
			t.Errorf("the checker did not see it: wanted one of %v", b.kinds)
		})
	}
}

// TestEveryBugFits keeps the bugs in step with the sources, also those that
// do not run.
func TestEveryBugFits(t *testing.T) {
	for name, b := range bugs {
		if _, err := lay(t.TempDir(), b.edits); err != nil {
			t.Errorf("bug %q does not fit the sources any more: %v", name, err)
		}
	}
}
