package replay

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"courier/dispatch"
	"courier/dispatch/match"
	"courier/geo"
)

var center = geo.Point{Lat: 52, Lng: 5}

// one is an order ready some minutes from noon, from a place in metres east of
// the center to another.
func one(id string, ready int, from, to float64, change ...func(*match.Order)) match.Order {
	o := match.Order{ID: id, Placed: noon, Ready: minutes(ready), Pickup: center.Offset(from, 0), Dropoff: center.Offset(to, 0), Size: 1}
	for _, f := range change {
		f(&o)
	}
	return o
}

func rider(id string, at float64, change ...func(*match.Courier)) match.Courier {
	c := match.Courier{ID: id, At: center.Offset(at, 0), Vehicle: geo.Scooter, Capacity: 2}
	for _, f := range change {
		f(&c)
	}
	return c
}

// until gives a courier something to bring that takes some minutes.
func until(min int) func(*match.Courier) {
	return func(c *match.Courier) {
		c.Onboard = 1
		c.Stops = []match.Stop{{Order: "old", Kind: match.Dropoff, At: c.At, Size: 1, Arrive: noon, Depart: minutes(min)}}
	}
}

func TestTheNearestFreeCourierGetsTheOrder(t *testing.T) {
	cold := func(c *match.Courier) { c.Skills = []string{"cold"} }
	for name, tt := range map[string]struct {
		orders   []match.Order
		couriers []match.Courier
		queue    bool
		want     string
	}{
		"the nearest":                    {[]match.Order{one("o1", 0, 0, 900)}, []match.Courier{rider("far", 900), rider("near", -300)}, false, "near: o1"},
		"whoever is permitted":           {[]match.Order{one("o1", 0, 0, 900, func(o *match.Order) { o.Skills = []string{"cold"} })}, []match.Courier{rider("far", 900, cold), rider("near", 100)}, false, "far: o1"},
		"whoever has room":               {[]match.Order{one("o1", 0, 0, 900, func(o *match.Order) { o.Size = 3 })}, []match.Courier{rider("a", 0)}, false, ""},
		"not before it has to set out":   {[]match.Order{one("o1", 20, 0, 900)}, []match.Courier{rider("a", 0)}, false, ""},
		"who is ready first comes first": {[]match.Order{one("o1", 1, 0, 900), one("o2", 0, 900, 0)}, []match.Courier{rider("a", 0)}, false, "a: o2"},
		"one for each":                   {[]match.Order{one("o1", 0, 0, 900), one("o2", 1, 0, 900)}, []match.Courier{rider("a", 0), rider("b", 500)}, false, "a: o1; b: o2"},
		"nobody is free":                 {[]match.Order{one("o1", 0, 0, 900)}, []match.Courier{rider("a", 0, until(5))}, false, ""},
		"nobody is free: who is soonest": {[]match.Order{one("o1", 0, 0, 900)}, []match.Courier{rider("a", 0, until(9)), rider("b", 300, until(2))}, true, "b: o1"},
		"a free one rather than sooner":  {[]match.Order{one("o1", 0, 0, 900)}, []match.Courier{rider("a", 0, until(1)), rider("b", 2000)}, true, "b: o1"},
		"two behind each other":          {[]match.Order{one("o1", 0, 0, 900), one("o2", 1, 0, 900)}, []match.Courier{rider("a", 0)}, true, "a: o1 o2"},
		"not beyond the radius":          {[]match.Order{one("o1", 0, 0, 900)}, []match.Courier{rider("a", 7000)}, true, ""},
		"not after the shift": {[]match.Order{one("o1", 0, 0, 900)}, []match.Courier{rider("a", 900, func(c *match.Courier) {
			c.ShiftEnd = minutes(1)
		})}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			s := match.Snapshot{Now: noon, Orders: tt.orders, Couriers: tt.couriers}
			for _, a := range (Nearest{Queue: tt.queue}).solve(s, match.DefaultOptions()).Assignments {
				got = append(got, a.Courier+": "+strings.Join(a.Orders, " "))
			}
			if got := strings.Join(got, "; "); got != tt.want {
				t.Errorf("assigned %q, want %q", got, tt.want)
			}
		})
	}
}

// rush is a hard half hour: more orders from five kitchens than couriers who
// carry one at a time can bring. Each number is another.
func rush(number int) *History {
	var orders []dispatch.Order
	for i := range 60 {
		placed := noon.Add(time.Duration(i) * 30 * time.Second)
		orders = append(orders, dispatch.Order{
			ID: fmt.Sprintf("o%02d", i), Size: 1, ReadyAt: placed.Add(8 * time.Minute),
			Pickup:  dispatch.Place{Point: center.Offset(float64((i*7+i/(number+3))%5)*600, 0)},
			Dropoff: dispatch.Place{Point: center.Offset(float64(i*(11+number)%13)*200, 900+float64(i*5%7)*100)},
			Times:   map[dispatch.Status]time.Time{dispatch.Placed: placed},
		})
	}
	var workers []Worker
	for i := range 8 {
		workers = append(workers, Worker{
			Courier: dispatch.Courier{ID: fmt.Sprintf("c%d", i), Vehicle: []geo.Vehicle{geo.Bicycle, geo.Scooter}[i%2], Capacity: 3},
			Spans:   []Span{{noon, minutes(150), center.Offset(float64(i)*300, 0)}},
		})
	}
	return MadeHistory(noon, minutes(30), orders, workers)
}

func contest(t *testing.T) []Entry {
	t.Helper()
	clock := time.Duration(0)
	o := match.DefaultOptions()
	o.Search = match.Search{Base: 20, PerOrder: 1}
	var out []Entry
	err := Contest(t.Context(), ContestConfig{
		Histories: []*History{rush(0), rush(1), rush(2), rush(3)}, Contenders: Ablation(o, 1)[:7],
		Every: 30 * time.Second, Lead: 45 * time.Minute, Target: 40 * time.Minute, Seed: 1,
		Processor: func() time.Duration { clock += time.Second; return clock },
	}, func(e Entry) error {
		out = append(out, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPartByPartTheMatcherBringsOrdersSooner(t *testing.T) {
	entries := contest(t)
	if len(entries) != 7 {
		t.Fatalf("%d entries", len(entries))
	}
	over := func(i int) (mean time.Duration) {
		for _, o := range entries[i].Outcomes {
			mean += o.Avoidable / time.Duration(len(entries[i].Outcomes))
		}
		return mean
	}
	for _, e := range entries {
		o := e.Outcomes[0]
		if o.Orders != 60 || o.Delivered != 60 || e.Took[0] != time.Second {
			t.Errorf("%s: %+v, took %v", e.Name, o, e.Took)
		}
		if floor := 10 * time.Minute; o.ClickToDoor < floor || o.Utilisation <= 0 || o.Utilisation > 100 || o.Metres < 900 {
			t.Errorf("%s: %+v is not possible", e.Name, o)
		}
	}
	// Batches, several places at a time, lazy commitment: each is worth
	// minutes.
	if queued, batches, one, several, all := over(1), over(2), over(4), over(5), over(6); batches >= queued || several > one*4/5 || all > several*4/5 {
		t.Errorf("avoidable %v by the nearest courier, %v in batches, %v with search, %v with several places, %v with all parts", queued, batches, one, several, all)
	}
	again := contest(t)
	for i := range entries {
		if fmt.Sprint(entries[i]) != fmt.Sprint(again[i]) {
			t.Errorf("twice the same contest:\n%+v\n%+v", entries[i], again[i])
		}
	}
}

func TestAContestNamesWhatIsMissing(t *testing.T) {
	o := match.DefaultOptions()
	o.MaxBundle = 0
	err := Contest(context.Background(), ContestConfig{Contenders: []Contender{{Name: "mine", Options: o}}}, nil)
	for _, says := range []string{"Histories", "Every:", "Lead:", "Target:", "mine: MaxBundle:"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is not in %v", says, err)
		}
	}
}

func TestAnEntryIsARowOfMeansAndSpreads(t *testing.T) {
	var b strings.Builder
	e := Entry{Name: "mine", Took: []time.Duration{time.Second, 3 * time.Second}, Outcomes: []Outcome{
		{Orders: 10, Delivered: 10, Avoidable: time.Minute, ClickToDoor: 20 * time.Minute, Metres: 1000},
		{Orders: 12, Cancelled: 2, Delivered: 9, Avoidable: 3 * time.Minute, ClickToDoor: 20 * time.Minute, Metres: 2000},
	}}
	if err := WriteHeader(&b); err != nil {
		t.Fatal(err)
	}
	if err := e.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	const want = `| | avoidable | late % | click-to-door | ready-to-pickup | standing | metres | utilisation % | undelivered % | s |
|---|---|---|---|---|---|---|---|---|---|
| mine | 2.00 ± 1.41 | 0.00 ± 0.00 | 20.0 ± 0.0 | 0.00 ± 0.00 | 0.00 ± 0.00 | 1500 ± 707 | 0.00 ± 0.00 | 5.00 ± 7.07 | 2.0 |
`
	if b.String() != want {
		t.Errorf("\n%s", b.String())
	}
}
