package dispatch_test

import (
	"slices"
	"testing"
	"time"

	"courier/dispatch"
)

func TestACouriersDayIsItsOwnAndAddsUp(t *testing.T) {
	w := newWorld(t, assignMode)
	mia, tom := w.courier("Mia", 100, nil), w.courier("Tom", 5000, nil)
	euro := func(cents int64) func(*dispatch.NewOrder) {
		return func(n *dispatch.NewOrder) { n.Pay = &dispatch.Money{Amount: cents, Currency: "EUR"} }
	}
	do := func(courier, order string, steps ...dispatch.Action) {
		t.Helper()
		if _, err := w.Assign(t.Context(), order, courier, because(0)); err != nil {
			t.Fatal(err)
		}
		for _, a := range steps {
			a.Order = order
			w.clock.Advance(time.Second)
			w.must(w.act(courier, a))
		}
	}
	pickUp := dispatch.Action{Type: dispatch.ActComplete, Kind: dispatch.Pickup}
	deliver := dispatch.Action{Type: dispatch.ActComplete, Kind: dispatch.Dropoff}
	yesterday := w.place("k0", euro(1000))
	do(mia, yesterday, pickUp, deliver)
	w.clock.Advance(time.Minute)
	from := w.clock.Now()
	w.at(mia, 100)
	w.at(tom, 100)
	due := from.Add(2 * time.Second)
	first := w.place("k1", func(n *dispatch.NewOrder) { euro(450)(n); n.DeliverBy = &due })
	do(mia, first, pickUp, deliver)
	second, francs := w.place("k2", euro(50)), w.place("k3", func(n *dispatch.NewOrder) { n.Pay = &dispatch.Money{Amount: 7, Currency: "CHF"} })
	do(mia, second, pickUp, deliver)
	do(mia, francs, pickUp, deliver)
	broken := w.place("k4", euro(300))
	do(mia, broken, pickUp, dispatch.Action{Type: dispatch.ActFail, Kind: dispatch.Dropoff, Reason: "damaged"})
	do(tom, w.place("k5", euro(9999)), pickUp, deliver)
	w.clock.Advance(time.Second)

	day, err := w.Day(t.Context(), mia, from, w.clock.Now())
	w.must(err)
	var orders []string
	for _, o := range day.Orders {
		orders = append(orders, o.Order)
	}
	if want := []string{broken, francs, second, first}; !slices.Equal(orders, want) {
		t.Errorf("the day holds %v, want %v", orders, want)
	}
	if want := []dispatch.Money{{Amount: 500, Currency: "EUR"}, {Amount: 7, Currency: "CHF"}}; !sameMoney(day.Earned, want) {
		t.Errorf("earned %v, want %v", day.Earned, want)
	}
	if day.Delivered != 3 || day.Failed != 1 || day.Distance < 2990 || day.Distance > 3010 {
		t.Errorf("%d delivered, %d failed, %.0f m", day.Delivered, day.Failed, day.Distance)
	}
	last := day.Orders[len(day.Orders)-1]
	if !last.Late && last.At.After(due) || last.Dropoff != "East 1" || day.Orders[0].Reason != "damaged" {
		t.Errorf("told of %+v", day.Orders)
	}
}

func sameMoney(a, b []dispatch.Money) bool {
	for _, m := range a {
		if !slices.Contains(b, m) {
			return false
		}
	}
	return len(a) == len(b)
}

func TestPayIsChecked(t *testing.T) {
	w := newWorld(t, nil)
	for name, pay := range map[string]dispatch.Money{
		"negative": {Amount: -1, Currency: "EUR"}, "too much": {Amount: 1_000_000_001, Currency: "EUR"},
		"no currency": {Amount: 1}, "small letters": {Amount: 1, Currency: "eur"}, "four letters": {Amount: 1, Currency: "EURO"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newOrder()
			n.Pay = &pay
			_, _, err := w.Place(t.Context(), merchant, n, name)
			wantField(t, err, "pay.")
		})
	}
}

func TestACouriersDayHasItsTimesOnDuty(t *testing.T) {
	w := newWorld(t, assignMode)
	mia := w.courier("Mia", 100, nil) // on duty since before the day
	w.clock.Advance(time.Hour)
	from := w.clock.Now()
	duty := func(after time.Duration, d dispatch.Duty) time.Time {
		t.Helper()
		w.clock.Advance(after)
		w.must(w.act(mia, dispatch.Action{Type: dispatch.ActSetDuty, Duty: d}))
		return w.clock.Now()
	}
	rest := duty(2*time.Hour, dispatch.Break)
	again := duty(20*time.Minute, dispatch.Available)
	duty(time.Minute, dispatch.Available) // is no change
	home := duty(time.Hour, dispatch.Off)
	late := duty(time.Hour, dispatch.Available)
	w.clock.Advance(time.Minute)

	day, err := w.Day(t.Context(), mia, from, from.Add(24*time.Hour))
	w.must(err)
	want := []dispatch.DutySpan{
		{Duty: dispatch.Available, From: from, To: rest}, {Duty: dispatch.Break, From: rest, To: again},
		{Duty: dispatch.Available, From: again, To: home}, {Duty: dispatch.Available, From: late, To: w.clock.Now()},
	}
	same := func(a, b dispatch.DutySpan) bool { return a.Duty == b.Duty && a.From.Equal(b.From) && a.To.Equal(b.To) }
	if !slices.EqualFunc(day.Duty, want, same) {
		t.Errorf("on duty\n\t%v\nwant\n\t%v", day.Duty, want)
	}
	before, err := w.Day(t.Context(), mia, from.Add(-48*time.Hour), from.Add(-24*time.Hour))
	w.must(err)
	if len(before.Duty) != 0 {
		t.Errorf("before the first change: %v", before.Duty)
	}
}

func TestADutyThatIsRefusedIsNotKept(t *testing.T) {
	w := newWorld(t, assignMode)
	mia := w.courier("Mia", 100, nil)
	if _, err := w.Assign(t.Context(), w.place("k1", nil), mia, because(0)); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Second)
	if err := w.act(mia, dispatch.Action{Type: dispatch.ActSetDuty, Duty: dispatch.Off}); err == nil {
		t.Fatal("went home with stops to do")
	}
	changes, err := w.Duties(t.Context(), mia, w.clock.Now().Add(-time.Hour), w.clock.Now().Add(time.Hour))
	w.must(err)
	if len(changes) != 1 || changes[0].Duty != dispatch.Available {
		t.Errorf("kept %v", changes)
	}
}
