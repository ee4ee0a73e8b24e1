package chaos

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"courier/internal/sim"
	"courier/internal/sim/client"
	"courier/internal/sim/ledger"
)

// town has ten couriers on duty and ten customers, and a clock that runs ten
// times as fast as life.
type town struct {
	began   time.Time
	pagesUp int
	placed  int
	desks   []client.Desk
	over    string
}

const rate = 10

func (p *town) Figures() sim.Figures {
	return sim.Figures{Couriers: 10, OnDuty: 10, Watching: 10, PagesUp: p.pagesUp}
}

func (p *town) Now() (time.Time, float64, bool) {
	return p.began.Add(rate * time.Since(p.began)), rate, true
}

func (p *town) Loaded(courier string, load, capacity int) {
	if load > capacity {
		p.over = courier
	}
}

// live has a second pass in which all is as it should be, but for what skip
// names.
func live(w *watch, skip string) {
	p := w.people.(*town)
	if w.maps == nil {
		p.desks = []client.Desk{w.desk(), w.desk()}
	}
	for n := range 10 {
		time.Sleep(100 * time.Millisecond)
		server, _, _ := w.people.Now()
		p.desks[0].Couriers([]client.FleetCourier{{ID: fmt.Sprint("c", n), Load: 1, Capacity: 1, Fix: &client.Fix{Time: server}}}, nil)
		if skip != "couriers" || n < 5 {
			p.desks[1].Couriers([]client.FleetCourier{{ID: fmt.Sprint("c", n), Load: 1, Capacity: 1, Fix: &client.Fix{Time: server}}}, nil)
		}
		if skip != "matching" {
			p.desks[0].Orders([]client.FleetOrder{{ID: "o", Times: map[string]time.Time{"assigned": server}}})
		}
		p.placed++
		w.placing(p.placed, time.Now())
		if skip != "orders" {
			w.placed(p.placed, time.Now().Add(-10*time.Millisecond))
		}
		switch skip {
		case "statuses":
		case "late statuses":
			w.shown("picked_up", server.Add(-6*rate*time.Second))
		default:
			w.shown("picked_up", server)
		}
	}
}

func TestWhatIsNotNormalIsSeen(t *testing.T) {
	for skip, want := range map[string][aspects]string{
		"":              {},
		"couriers":      {onMap: "5 of 10 couriers on a map"},
		"matching":      {matching: "nothing matched yet"},
		"orders":        {orders: "an order waits"},
		"statuses":      {streams: "no status shown yet"},
		"late statuses": {streams: "statuses late"},
		"pages":         {streams: "1 of 10 pages up"},
	} {
		t.Run(skip, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &town{began: time.Now(), pagesUp: 10}
				w := newWatch(Config{FixEvery: time.Second}.withDefaults().Bounds)
				w.people = p
				if skip == "pages" {
					p.pagesUp = 1
				}
				live(w, "") // before the fault, which counts for nothing after
				time.Sleep(time.Millisecond)
				end := time.Now()
				for range 4 {
					live(w, skip)
				}
				ills := w.ills(end)
				for i, ill := range ills {
					if !strings.Contains(ill, want[i]) || want[i] == "" && ill != "" {
						t.Errorf("aspect %d: %q, want %q", i, ill, want[i])
					}
				}
			})
		})
	}
}

func TestSecondsToNormalCountFromTheEndOfTheFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &World{c: Config{FixEvery: time.Second}.withDefaults()}
		w.watch = newWatch(w.c.Bounds)
		w.watch.people = &town{began: time.Now(), pagesUp: 10}
		done := make(chan struct{})
		defer func() { <-done }()
		go func() {
			defer close(done)
			for range 2 {
				live(w.watch, "") // too short to be called normal
			}
			for range 3 {
				live(w.watch, "late statuses")
			}
			for range 6 {
				live(w.watch, "")
			}
		}()
		took, err := w.normal(t.Context(), time.Now(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if m := took[streams].Seconds(); m < 5 || m > 7.2 { // what is two seconds old counts
			t.Errorf("statuses after %.1f s, want 5 to 7", m)
		}
		if m := took[onMap].Seconds(); m > 1.2 {
			t.Errorf("on the map after %.1f s, want 1", m)
		}
	})
}

func TestTheTableNamesWhatIsBroken(t *testing.T) {
	table := Table{Config: Config{}.withDefaults(), Rows: []Row{
		{Fault: "kept", Took: Took{onMap: 10 * time.Second, matching: 20 * time.Second, streams: time.Minute}},
		{Fault: "slow map", Took: Took{onMap: 11 * time.Second}},
		{Fault: "slow matching", Took: Took{matching: 21 * time.Second}},
		{Fault: "stuck", Stuck: "nothing matched"},
	}}
	lossy := Row{Fault: "lossy"}
	lossy.count([]ledger.Violation{{Kind: ledger.Missing}, {Kind: ledger.LostAct}, {Kind: ledger.TwoHands}, {Kind: ledger.BadStream}, {Kind: ledger.TokenBack}})
	table.Rows = append(table.Rows, lossy)
	broken := strings.Join(table.Broken(), "\n")
	if n := len(table.Broken()); n != 8 || strings.Contains(broken, "kept") {
		t.Errorf("%d broken:\n%s", n, broken)
	}
	if lossy.Lost != 2 || lossy.Doubled != 1 || lossy.Streams != 1 || lossy.Other != 1 {
		t.Errorf("%+v", lossy)
	}
	var text strings.Builder
	if err := table.WriteMarkdown(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "| lossy | 2 | 1 | 1 | 1 |") {
		t.Error(text.String())
	}
}

func TestFaultsAreChosenByTheirWords(t *testing.T) {
	all := Faults(3, time.Second)
	names := map[string]bool{}
	for _, f := range all {
		if names[f.Name] {
			t.Errorf("%s twice", f.Name)
		}
		names[f.Name] = true
	}
	if some := Select(all, "SIGSTOP, FLUSHALL"); len(some) != 4 || len(Select(all, "")) != len(all) || len(Select(all, "nothing")) != 0 {
		t.Errorf("%d faults", len(some))
	}
}
