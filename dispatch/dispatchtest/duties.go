package dispatchtest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"courier/dispatch"
)

func testDuties(t *testing.T, open Open) {
	s := open(t)
	whole := fill[dispatch.DutyChange](t)
	update(t, s, func(tx dispatch.Tx) error { return tx.SaveDuty(whole) })
	got, err := s.Duties(t.Context(), whole.Courier, whole.At, whole.At.Add(time.Second))
	wantNo(t, err)
	wantSame(t, got, []dispatch.DutyChange{whole})

	at := func(hours float64) time.Time { return start.Add(time.Duration(hours * float64(time.Hour))) }
	change := func(courier string, version int64, duty dispatch.Duty, hours float64) dispatch.DutyChange {
		return dispatch.DutyChange{Courier: courier, Version: version, Duty: duty, At: at(hours)}
	}
	on, rest, off := change("c1", 2, dispatch.Available, 0), change("c1", 5, dispatch.Break, 1), change("c1", 9, dispatch.Off, 2)
	update(t, s, func(tx dispatch.Tx) error {
		return errors.Join(tx.SaveDuty(off), tx.SaveDuty(on), tx.SaveDuty(rest), tx.SaveDuty(change("c2", 2, dispatch.Available, 1.2)))
	})
	for name, tt := range map[string]struct {
		from, to float64
		want     []dispatch.DutyChange
	}{
		"before the first":            {-2, 0, nil},
		"the first in it":             {-2, 1, []dispatch.DutyChange{on}},
		"from the very moment":        {0, 1, []dispatch.DutyChange{on}},
		"what held when it began":     {0.5, 1.5, []dispatch.DutyChange{on, rest}},
		"all":                         {-1, 3, []dispatch.DutyChange{on, rest, off}},
		"nothing new, the last holds": {5, 6, []dispatch.DutyChange{off}},
	} {
		got, err := s.Duties(t.Context(), "c1", at(tt.from), at(tt.to))
		wantNo(t, err)
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	none, err := s.Duties(t.Context(), "nobody", at(-5), at(5))
	wantNo(t, err)
	if len(none) != 0 {
		t.Errorf("somebody unknown has %v", none)
	}

	wantErr(t, s.Update(t.Context(), func(tx dispatch.Tx) error { return tx.SaveDuty(rest) }), dispatch.ErrConflict)
	failed := errors.New("no")
	wantErr(t, s.Update(t.Context(), func(tx dispatch.Tx) error {
		return errors.Join(tx.SaveDuty(change("c1", 10, dispatch.Available, 3)), failed)
	}), failed)
	got, err = s.Duties(t.Context(), "c1", at(2.5), at(9))
	wantNo(t, err)
	if fmt.Sprint(got) != fmt.Sprint([]dispatch.DutyChange{off}) {
		t.Errorf("what was undone is kept: %v", got)
	}
}
