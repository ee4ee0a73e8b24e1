package dispatch_test

import (
	"slices"
	"testing"
	"time"

	"courier/dispatch"
)

// day is the report of the 24 hours from noon.
func (w *world) day(courier string) dispatch.Report {
	w.Helper()
	r, err := w.Report(w.Context(), dispatch.ReportQuery{From: noon, To: noon.Add(24 * time.Hour), Courier: courier})
	w.must(err)
	return r
}

// finish has a courier carry an order to the door.
func (w *world) finish(courier, order string) {
	w.Helper()
	w.must(w.act(courier, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Pickup}))
	w.must(w.act(courier, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Dropoff}))
}

// done is an override that must work.
func (w *world) done(_ dispatch.Order, err error) {
	w.Helper()
	w.must(err)
}

func TestAReportCountsWhereThingsHappened(t *testing.T) {
	w := newWorld(t, assignMode)
	ada := w.courier("Ada", 50, nil)
	due := noon.Add(30 * time.Minute)
	promised := func(n *dispatch.NewOrder) { n.DeliverBy = &due }
	kept := w.place("kept", promised)
	broken := w.place("broken", promised)
	w.round()
	w.clock.Advance(20 * time.Minute)
	w.at(ada, 900)
	w.finish(ada, kept)
	w.clock.Advance(50 * time.Minute) // 13:10
	w.at(ada, 900)
	w.finish(ada, broken)
	dropped := w.place("dropped", nil)
	w.done(w.Cancel(t.Context(), dropped, because(0)))
	bo := w.courier("Bo", 60, nil)
	lost := w.place("lost", nil)
	w.done(w.Assign(t.Context(), lost, bo, because(0)))
	w.must(w.act(bo, dispatch.Action{Type: dispatch.ActComplete, Order: lost, Kind: dispatch.Pickup}))
	w.must(w.act(bo, dispatch.Action{Type: dispatch.ActFail, Order: lost, Kind: dispatch.Dropoff, Reason: "no_answer"}))
	w.clock.Advance(26 * time.Hour)
	w.done(w.Return(t.Context(), lost, because(0)))

	r := w.day("")
	want := dispatch.Figures{Placed: 4, Delivered: 2, Failed: 1, Cancelled: 1, Promised: 2, Late: 1, MedianDeliverySeconds: 70 * 60}
	if r.Total != want {
		t.Errorf("the day is\n%+v, want\n%+v", r.Total, want)
	}
	if len(r.Hours) != 24 || !r.Hours[1].From.Equal(noon.Add(time.Hour)) {
		t.Fatalf("%d hours, the second from %s", len(r.Hours), r.Hours[1].From)
	}
	first := dispatch.Figures{Placed: 2, Delivered: 1, Promised: 1, MedianDeliverySeconds: 20 * 60}
	second := dispatch.Figures{Placed: 2, Delivered: 1, Failed: 1, Cancelled: 1, Promised: 1, Late: 1, MedianDeliverySeconds: 70 * 60}
	if r.Hours[0].Figures != first || r.Hours[1].Figures != second || r.Hours[2].Figures != (dispatch.Figures{}) {
		t.Errorf("the first hours are\n%+v\n%+v\n%+v", r.Hours[0], r.Hours[1], r.Hours[2])
	}
	var names []string
	for _, c := range r.Couriers {
		names = append(names, c.Name)
	}
	if !slices.Equal(names, []string{"Ada", "Bo"}) || r.Couriers[0].Late != 1 || r.Couriers[1].Failed != 1 {
		t.Errorf("by courier: %+v", r.Couriers)
	}

	own := w.day(bo)
	if own.Total.Delivered != 0 || own.Total.Failed != 1 || len(own.Couriers) != 1 || own.Couriers[0].Courier != bo {
		t.Errorf("Bo's day is %+v", own)
	}
}

func TestAReportHasABeginningAndAnEnd(t *testing.T) {
	w := newWorld(t, assignMode)
	for name, span := range map[string]time.Duration{"backwards": -time.Hour, "empty": 0, "too long": dispatch.LongestReport + 1} {
		if _, err := w.Report(t.Context(), dispatch.ReportQuery{From: noon, To: noon.Add(span)}); err == nil {
			t.Errorf("%s: it is made", name)
		}
	}
	r, err := w.Report(t.Context(), dispatch.ReportQuery{From: noon, To: noon.Add(90 * time.Minute)})
	w.must(err)
	if len(r.Hours) != 2 || r.Total != (dispatch.Figures{}) || r.Couriers == nil {
		t.Errorf("of a company that did nothing: %+v", r)
	}
}

func TestACourierFarBehindItsPlanIsAnAlert(t *testing.T) {
	w := newWorld(t, assignMode)
	c := w.courier("Roamer", 0, nil)
	order := w.place("k", nil)
	w.round()
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Pickup}))
	planned := w.order(order).ETA.Dropoff
	alerts := func() []dispatch.Alert {
		watched, err := w.Watch(t.Context())
		w.must(err)
		return watched.Alerts
	}
	w.clock.Advance(time.Minute)
	w.at(c, 200)
	if got := alerts(); len(got) != 0 {
		t.Fatalf("on its way it is %+v", got)
	}
	w.clock.Advance(w.Deviation)
	w.at(c, -3000)
	got := alerts()
	if len(got) != 1 || got[0].Kind != dispatch.AlertDeviation || got[0].Courier != c || !got[0].Time.Equal(planned) {
		t.Fatalf("going the wrong way it is %+v, planned for %s", got, planned)
	}
	w.at(c, 1000)
	w.must(w.act(c, dispatch.Action{Type: dispatch.ActArrive, Order: order, Kind: dispatch.Dropoff}))
	if got := alerts(); len(got) != 0 {
		t.Errorf("once it is there it is %+v", got)
	}
}
