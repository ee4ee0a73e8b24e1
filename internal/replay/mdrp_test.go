package replay

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"courier/dispatch/match"
	"courier/internal/mdrp"
)

const made = "testdata/made"

func solve(t *testing.T, set ...string) Solution {
	t.Helper()
	in, err := mdrp.Read(made)
	if err != nil {
		t.Fatal(err)
	}
	o, err := match.Set(MDRPOptions(), set)
	if err != nil {
		t.Fatal(err)
	}
	var out Solution
	err = MDRP(t.Context(), MDRPConfig{
		Instances: []*mdrp.Instance{in}, Options: o, Seed: 1,
		Done: func(s Solution) error { out = s; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, s Solution) (folder string) {
	t.Helper()
	out := t.TempDir()
	if err := s.Write(out); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(out, "made")
}

func TestAReplayedDayKeepsTheRulesAndItsScoreIsTrue(t *testing.T) {
	for name, tt := range map[string]struct {
		set       []string
		avoidable float64 // at most: the day is a busy one
	}{
		"searched": {nil, 13},
		"one shot": {[]string{"Search.Base=0", "Search.PerOrder=0"}, 18},
	} {
		t.Run(name, func(t *testing.T) {
			s := solve(t, tt.set...)
			v := newReferee(t, made).judge(t, write(t, s))
			if len(v.faults) > 0 {
				t.Errorf("faults:\n%s", strings.Join(v.faults, "\n"))
			}
			got := s.Score()
			near := func(what string, got, want float64) {
				if math.Abs(got-want) > 1e-9 {
					t.Errorf("%s: %v, the referee says %v", what, got, want)
				}
			}
			near("undelivered", float64(got.Undelivered), float64(v.undelivered))
			near("late", got.Late, v.late)
			near("click-to-door", got.ClickToDoor, v.click)
			near("ready-to-pickup", got.ReadyToPickup, v.readyToPickup)
			near("avoidable", got.Avoidable, v.excess)
			if got.Undelivered > 0 || got.Avoidable > tt.avoidable {
				t.Errorf("ten couriers can do better: %+v", got)
			}
		})
	}
}

func TestTheSameSeedGivesTheSameDay(t *testing.T) {
	a, b := solve(t), solve(t)
	if !reflect.DeepEqual(a.Tasks, b.Tasks) {
		t.Error("two replays differ")
	}
}

func TestTheRefereeSeesACheat(t *testing.T) {
	honest := solve(t)
	last := len(honest.Tasks) - 1
	for name, cheat := range map[string]struct {
		do   func(s *Solution)
		says string
	}{
		"an order handed over earlier than it can be": {func(s *Solution) { s.Tasks[3].Drops[0].At-- }, "claims"},
		"goods taken before they are there": {func(s *Solution) {
			s.Tasks[3].Pickup -= 10
			s.Tasks[3].Drops[0].Leave -= 10
		}, "claims a pickup"},
		"a leg set out on too early": {func(s *Solution) {
			s.Tasks[3].Drops[0].Leave--
			s.Tasks[3].Drops[0].At--
		}, "cannot go"},
		"a pickup after the shift": {func(s *Solution) { // everything of the last task an hour and a half later
			task := &s.Tasks[last]
			task.Given, task.Pickup = task.Given+90, task.Pickup+90
			for i := range task.Drops {
				task.Drops[i].Leave, task.Drops[i].At = task.Drops[i].Leave+90, task.Drops[i].At+90
			}
		}, "picks up at"},
		"an instruction before the placement": {func(s *Solution) { s.Tasks[0].Given -= 30 }, "before it is placed"},
		"an order carried twice":              {func(s *Solution) { s.Tasks = append(s.Tasks, s.Tasks[last]) }, "carried twice"},
	} {
		t.Run(name, func(t *testing.T) {
			s := honest
			s.Tasks = nil
			for _, task := range honest.Tasks {
				task.Drops = append([]Drop(nil), task.Drops...)
				s.Tasks = append(s.Tasks, task)
			}
			cheat.do(&s)
			v := newReferee(t, made).judge(t, write(t, s))
			if !strings.Contains(strings.Join(v.faults, "\n"), cheat.says) {
				t.Errorf("not seen: %q", v.faults)
			}
		})
	}
}

func TestARoundKnowsNothingThatIsToCome(t *testing.T) {
	in, err := mdrp.Read(made)
	if err != nil {
		t.Fatal(err)
	}
	d := newDay(in, MDRPOptions(), 1)
	s := d.snapshot(60)
	if len(s.Orders) == 0 || len(s.Past) == 0 {
		t.Fatal("nothing is placed in an hour")
	}
	for _, o := range s.Orders {
		if o.Placed.After(s.Now) {
			t.Errorf("%s is placed at %v", o.ID, o.Placed)
		}
	}
	for _, p := range s.Past {
		if p.Placed.After(s.Now) || s.Now.Sub(p.Placed).Minutes() >= 60 {
			t.Errorf("the past has an order of %v at %v", p.Placed, s.Now)
		}
	}
}

func TestSettingsAreCheckedTogether(t *testing.T) {
	_, err := match.Set(MDRPOptions(), []string{"MaxBundle=lots", "Colour=red", "LookAhead=5", "search.base=7"})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{`MaxBundle: "lots" is no whole number`, `no option "Colour"; there are `, `LookAhead: "5" is no duration`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
	if _, err := match.Set(MDRPOptions(), []string{"MaxBundle=9"}); err == nil {
		t.Error("a bundle of nine is accepted")
	}
	if o, err := match.Set(MDRPOptions(), []string{"search.base=7"}); err != nil || o.Search.Base != 7 {
		t.Errorf("%+v, %v", o.Search, err)
	}
}

func TestNothingIsWrittenWhereADayIsRefused(t *testing.T) {
	in, err := mdrp.Read(made)
	if err != nil {
		t.Fatal(err)
	}
	o := MDRPOptions()
	o.MaxBundle = 0
	out := t.TempDir()
	err = MDRP(t.Context(), MDRPConfig{Instances: []*mdrp.Instance{in, in}, Options: o, Done: func(s Solution) error { return s.Write(out) }})
	if err == nil || !strings.Contains(err.Error(), "MaxBundle") || !strings.Contains(err.Error(), "two are called made") {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(out); len(left) > 0 {
		t.Errorf("written: %v", left)
	}
}
