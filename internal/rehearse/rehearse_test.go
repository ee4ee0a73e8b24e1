package rehearse_test

import (
	"strings"
	"testing"
	"time"

	"courier/internal/mdrp"
	"courier/internal/rehearse"
	"courier/internal/replay"
)

// made is a small day of our own.
const made = "../replay/testdata/made"

func day(t *testing.T, change func(*rehearse.Config)) replay.Score {
	t.Helper()
	c := rehearse.Config{Dir: made, Seed: 1, Step: 30 * time.Second, Store: t.TempDir(), Set: []string{"Futures.Count=0", "Search.Base=0", "Search.PerOrder=0", "CommitAhead=30s"}}
	if change != nil {
		change(&c)
	}
	s, err := rehearse.Day(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", s)
	s.Took = 0
	return s
}

// The service lives a day as the replay of its matcher does.
func TestTheServiceLivesADay(t *testing.T) {
	s := day(t, nil)
	if s.Orders != 54 || s.Undelivered != 0 {
		t.Errorf("%d of %d orders are left", s.Undelivered, s.Orders)
	}
	if s.Avoidable < 0 || s.ClickToDoor < s.Avoidable || s.ReadyToPickup < 0 {
		t.Errorf("sooner than can be: %+v", s)
	}
	if again := day(t, nil); again != s {
		t.Errorf("the same seed had %+v, then %+v", s, again)
	}
	// What a day costs in which people hear of each other late can be told.
	late := day(t, func(c *rehearse.Config) { c.Delay = 40 * time.Second })
	if late.Undelivered != 0 || late.Avoidable < s.Avoidable+0.5 {
		t.Errorf("%.2f avoidable minutes at once, %.2f if all is heard 40 s late", s.Avoidable, late.Avoidable)
	}
}

// With all that the matcher has the service brings a day's orders as soon as a
// replay does.
func TestTheServiceIsAsGoodAsTheReplay(t *testing.T) {
	in, err := mdrp.Read(made)
	if err != nil {
		t.Fatal(err)
	}
	var replayed replay.Score
	err = replay.MDRP(t.Context(), replay.MDRPConfig{
		Instances: []*mdrp.Instance{in}, Options: replay.MDRPOptions(), Seed: 1, Every: time.Minute,
		Done: func(s replay.Solution) error { replayed = s.Score(); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s := day(t, func(c *rehearse.Config) { c.Set = nil })
	if s.Undelivered != replayed.Undelivered || s.Avoidable > 1.1*replayed.Avoidable {
		t.Errorf("%d left and %.2f avoidable minutes, %d and %.2f in the replay", s.Undelivered, s.Avoidable, replayed.Undelivered, replayed.Avoidable)
	}
}

func TestWrongDaysAreRefused(t *testing.T) {
	for want, c := range map[string]rehearse.Config{
		"Delay":     {Dir: made, Store: "x", Delay: -1},
		"Seen":      {Dir: made, Store: "x", Seen: -1},
		"Step":      {Dir: made, Store: "x", Step: -1},
		"Store":     {Dir: made},
		"nowhere":   {Dir: "nowhere", Store: "x"},
		"MaxBundel": {Dir: made, Store: t.TempDir(), Set: []string{"MaxBundel=2"}},
	} {
		if _, err := rehearse.Day(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in %v", want, err)
		}
	}
}
