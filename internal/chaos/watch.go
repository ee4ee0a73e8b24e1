package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"courier/internal/sim"
	"courier/internal/sim/client"
)

// people are a sim.Sim.
type people interface {
	Figures() sim.Figures
	Now() (now time.Time, rate float64, known bool)
	Loaded(courier string, load, capacity int)
}

// watch sees what a dispatcher, the merchants and the customers see.
type watch struct {
	bounds Bounds
	people people

	mu      sync.Mutex
	maps    []map[string]time.Time // of each page: courier → its newest fix on the map, in the server's time
	matched time.Time              // the newest offer or assignment, in the server's time
	open    map[int]time.Time      // orders that wait for their answer: since when
	asked   time.Time              // when the newest of those that have one was sent
	answers []took                 // the last few seconds'
	shows   []took
	seen    time.Time // when the newest status was shown
}

// took is something that began, or happened, at a time and was done or seen
// so much later.
type took struct {
	done time.Time
	late time.Duration
}

func newWatch(b Bounds) *watch {
	return &watch{bounds: b, open: map[int]time.Time{}}
}

func (w *watch) placing(number int, began time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[number] = began
}

func (w *watch) placed(number int, began time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, number)
	now := time.Now()
	if began.After(w.asked) {
		w.asked = began
	}
	w.answers = append(recent(w.answers, now), took{now, now.Sub(began)})
}

func (w *watch) shown(status string, happened time.Time) {
	server, rate, _ := w.people.Now()
	late := time.Duration(float64(server.Sub(happened)) / rate)
	w.mu.Lock()
	defer w.mu.Unlock()
	if status == "assigned" && happened.After(w.matched) {
		w.matched = happened
	}
	now := time.Now()
	w.seen = now
	w.shows = append(recent(w.shows, now), took{now, late})
}

// window is how far back what people have just lived through counts.
const window = 2 * time.Second

// recent forgets what is long past.
func recent(list []took, now time.Time) []took {
	n := 0
	for n < len(list) && now.Sub(list[n].done) > 2*window {
		n++
	}
	return list[n:]
}

// desk is one more dispatcher's page.
func (w *watch) desk() client.Desk {
	fixes := map[string]time.Time{}
	w.mu.Lock()
	w.maps = append(w.maps, fixes)
	w.mu.Unlock()
	locked := func(f func()) { w.mu.Lock(); defer w.mu.Unlock(); f() }
	return client.Desk{
		Up:    func() {},
		Down:  func() {},
		Whole: func() { locked(func() { clear(fixes) }) },
		Orders: func(orders []client.FleetOrder) {
			locked(func() {
				for _, o := range orders {
					for _, step := range []string{"offered", "assigned"} {
						if at := o.Times[step]; at.After(w.matched) {
							w.matched = at
						}
					}
				}
			})
		},
		Couriers: func(here []client.FleetCourier, removed []string) {
			locked(func() {
				for _, c := range here {
					w.people.Loaded(c.ID, c.Load, c.Capacity)
					if c.Fix != nil && c.Fix.Time.After(fixes[c.ID]) {
						fixes[c.ID] = c.Fix.Time
					}
				}
				for _, id := range removed {
					delete(fixes, id)
				}
			})
		},
	}
}

// The four things that have to be normal.
const (
	onMap = iota
	matching
	orders
	streams
	aspects
)

// Took is how long after the end of a fault each was normal.
type Took [aspects]time.Duration

func (t Took) String() string {
	return fmt.Sprintf("map %.1f s, matching %.1f s, orders %.1f s, streams %.1f s",
		t[onMap].Seconds(), t[matching].Seconds(), t[orders].Seconds(), t[streams].Seconds())
}

// ills says what is not normal now, of each aspect; "" where it is. Only what
// began after the end of the fault counts.
func (w *watch) ills(end time.Time) (ills [aspects]string) {
	f := w.people.Figures()
	server, rate, known := w.people.Now()
	now := time.Now()
	if !known || f.OnDuty == 0 {
		return [aspects]string{"nobody", "nobody", "nobody", "nobody"}
	}
	in := func(d time.Duration) time.Duration { return time.Duration(float64(d) / rate) }
	w.mu.Lock()
	defer w.mu.Unlock()

	for _, fixes := range w.maps {
		fresh := 0
		for _, at := range fixes {
			if ago := in(server.Sub(at)); ago <= w.bounds.Fresh && ago <= now.Sub(end) {
				fresh++
			}
		}
		if float64(fresh) < w.bounds.Share*float64(f.OnDuty) {
			ills[onMap] = fmt.Sprintf("%d of %d couriers on a map", fresh, f.OnDuty)
		}
	}

	switch ago := in(server.Sub(w.matched)); {
	case ago > now.Sub(end):
		ills[matching] = fmt.Sprintf("nothing matched yet, for %.1f s", ago.Seconds())
	case ago > w.bounds.Match:
		ills[matching] = fmt.Sprintf("nothing matched for %.1f s", ago.Seconds())
	}

	for _, a := range w.answers {
		if began := a.done.Add(-a.late); began.Before(end) || now.Sub(a.done) > window {
			continue
		}
		if a.late > w.bounds.Answer {
			ills[orders] = fmt.Sprintf("an order took %.1f s", a.late.Seconds())
		}
	}
	for _, began := range w.open {
		if !began.Before(end) && now.Sub(began) > w.bounds.Answer {
			ills[orders] = fmt.Sprintf("an order waits for %.1f s", now.Sub(began).Seconds())
		}
	}
	if w.asked.Before(end) && ills[orders] == "" {
		ills[orders] = "no order answered yet"
	}

	seen, late := 0, 0
	for _, s := range w.shows {
		if s.done.Before(end) || now.Sub(s.done) > window {
			continue
		}
		if seen++; s.late > w.bounds.Late {
			late++
		}
	}
	switch {
	case float64(f.PagesUp) < w.bounds.Share*float64(f.Watching):
		ills[streams] = fmt.Sprintf("%d of %d pages up", f.PagesUp, f.Watching)
	case w.seen.Before(end):
		ills[streams] = "no status shown yet"
	case float64(late) > (1-w.bounds.Share)*float64(seen):
		ills[streams] = fmt.Sprintf("%d of %d statuses late", late, seen)
	}
	return ills
}

// tellEvery is how often a wait for what is normal says what it waits for.
const tellEvery = 15 * time.Second

// list joins what is not normal.
func list(ills [aspects]string) string {
	some := slices.DeleteFunc(ills[:], func(ill string) bool { return ill == "" })
	return cmp.Or(strings.Join(some, "; "), "it does not last")
}

var errNotNormal = errors.New("not normal")

// normal waits until everything is normal and stays so, and says how long
// after the end of the fault each became so for good.
func (w *World) normal(ctx context.Context, end time.Time, giveUp time.Duration) (Took, error) {
	var since [aspects]time.Time
	told := time.Now()
	for {
		now := time.Now()
		ills := w.watch.ills(end)
		held := true
		var took Took
		for i, ill := range ills {
			switch {
			case ill != "":
				since[i] = time.Time{}
			case since[i].IsZero():
				since[i] = now
			}
			held = held && !since[i].IsZero() && now.Sub(since[i]) >= w.c.Bounds.Hold
			took[i] = since[i].Sub(end)
			if since[i].IsZero() {
				took[i] = now.Sub(end)
			}
		}
		if held {
			return took, nil
		}
		if now.Sub(end) > giveUp {
			return took, fmt.Errorf("%w after %s: %s", errNotNormal, giveUp, list(ills))
		}
		if now.Sub(told) > tellEvery {
			told = now
			w.c.Logf("  not normal after %.0f s: %s", now.Sub(end).Seconds(), list(ills))
		}
		if !sleep(ctx, 100*time.Millisecond) {
			return took, ctx.Err()
		}
	}
}
