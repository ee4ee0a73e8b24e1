package gather

import (
	"slices"
	"testing"
)

func TestLanes(t *testing.T) {
	var batches [][]int
	l := New(2, 3, func(batch []int) { batches = append(batches, batch) })
	for i := range 7 {
		if alone := l.Enter(i); alone != (i < 2) {
			t.Errorf("%d of 2 lanes' goes alone: %t", i, alone)
		}
	}
	for range 4 { // two who went alone, two batches
		l.Leave()
	}
	if want := [][]int{{2, 3, 4}, {5, 6}}; !slices.EqualFunc(batches, want, slices.Equal[[]int]) {
		t.Errorf("batches %v, want %v", batches, want)
	}
	if !l.Enter(7) || !l.Enter(8) || l.Enter(9) {
		t.Error("not two lanes are free in the end")
	}
}
