package dispatch_test

import (
	"fmt"
	"testing"
	"time"

	"courier/dispatch"
)

func TestHistoryIsOfWhatWasOpenInAPeriod(t *testing.T) {
	w := newWorld(t, assignMode)
	began := w.clock.Now()
	gone := w.place("k1", nil)
	_, err := w.Cancel(t.Context(), gone, dispatch.Override{By: ann, Reason: "a mistake"})
	w.must(err)
	w.clock.Advance(time.Hour)
	kept := w.place("k2", nil)
	w.clock.Advance(time.Hour)
	_, err = w.Cancel(t.Context(), kept, dispatch.Override{By: ann, Reason: "too late"})
	w.must(err)
	w.clock.Advance(time.Hour)
	later := w.place("k3", nil)

	for name, tt := range map[string]struct {
		from, to time.Duration
		want     string
	}{
		"the first hour":         {0, time.Hour, "[" + gone + " cancelled]"},
		"the middle":             {time.Hour, 2 * time.Hour, "[" + kept + " placed]"},
		"from the second's end":  {2 * time.Hour, 3 * time.Hour, "[" + kept + " cancelled]"},
		"after the second's end": {2*time.Hour + 1, 3 * time.Hour, "[]"},
		"all":                    {0, 4 * time.Hour, "[" + later + " placed " + kept + " cancelled " + gone + " cancelled]"},
		"what is open still":     {4 * time.Hour, 5 * time.Hour, "[" + later + " placed]"},
		"placed long before":     {30 * time.Hour, 31 * time.Hour, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			page, next, err := w.History(t.Context(), began.Add(tt.from), began.Add(tt.to), 50, "")
			w.must(err)
			got := []string{}
			for _, h := range page {
				got = append(got, h.Order.ID, string(h.Events[len(h.Events)-1].Status))
			}
			if fmt.Sprint(got) != tt.want || next != "" {
				t.Errorf("got %v and %q, want %s", got, next, tt.want)
			}
		})
	}
}
