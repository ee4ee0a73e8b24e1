package main

import "testing"

// On a fast clock a moment in which the machine is busy does not cost couriers
// minutes in which nobody knows where they are.
func TestAFastSimulationTurnsNoPositionsAway(t *testing.T) {
	for pace, want := range map[float64]int{0: 64, 1: 64, 60: 0} {
		c := simulateCommand{Pace: pace}
		c.LimitWork, c.ClockRate = 64, 1
		f, err := c.ownServer(t.TempDir())
		if err != nil || f.LimitWork != want {
			t.Errorf("at pace %v: %d at once, %v; want %d", pace, f.LimitWork, err, want)
		}
	}
}
