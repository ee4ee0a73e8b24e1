package tracking

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"
)

func TestForgetLeavesTheMapAtOnce(t *testing.T) {
	r := newRig(t, Config{})
	r.send(t, at(0, 0))
	r.marker(t, "c1")
	r.send(t, at(time.Second, 10)) // and not yet flushed
	if err := r.Forget(t.Context(), "c1"); err != nil {
		t.Fatal(err)
	}
	if _, there := r.marker(t, "c1"); there {
		t.Error("still on the map")
	}
	if p, err := r.Last(t.Context(), "c1"); err != nil || len(p) != 0 {
		t.Errorf("still known at %v, %v", p, err)
	}
	if result := r.send(t, at(0, 0), at(500*time.Millisecond, 5)); len(result.Late) != 1 || len(result.Rejected) != 1 {
		t.Errorf("the order is forgotten too: %+v", result)
	}
	if _, there := r.marker(t, "c1"); there {
		t.Error("a late fix brought the courier back")
	}
	r.send(t, at(2*time.Second, 20))
	if _, there := r.marker(t, "c1"); !there {
		t.Error("a new fix did not")
	}
	if err := r.Forget(t.Context(), "nobody"); err != nil {
		t.Error(err)
	}
}

func TestForgetSaysWhatFailed(t *testing.T) {
	r := newRig(t, Config{})
	r.updating <- struct{}{} // a flush that hangs
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("client gone"))
	if err := r.Forget(ctx, "c1"); err == nil {
		t.Error("no error")
	}
}

func TestPresenceIsByTheServersClock(t *testing.T) {
	r := newRig(t, Config{})
	r.send(t, at(-30*time.Minute, 0)) // an old fix, but heard now
	r.clock.pass(60 * time.Second)
	fresh, err := r.Fresh(t.Context(), "c1", "nobody")
	if err != nil || len(fresh) != 1 || fresh["c1"].Age != time.Minute || fresh["c1"].Stale {
		t.Errorf("%+v, %v", fresh, err)
	}
	r.marker(t, "c1")
	r.clock.pass(time.Millisecond)
	if fresh, err := r.Fresh(t.Context(), "c1"); err != nil || len(fresh) != 0 {
		t.Errorf("a minute and more later: %+v, %v", fresh, err)
	}
	if last, err := r.Last(t.Context(), "c1"); err != nil || !last["c1"].Stale || last["c1"].Courier != "c1" {
		t.Errorf("%+v, %v", last, err)
	}
}

// another is a second node on the same index, feed, store and clock.
func (r *rig) another(t *testing.T) *rig {
	t.Helper()
	other := *r
	var err error
	other.Tracker, err = New(Config{}, r.index, r.feed, r.store, r.clock, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return &other
}

func TestOrderSurvivesARestart(t *testing.T) {
	r := newRig(t, Config{})
	r.send(t, at(10*time.Second, 100))
	r.marker(t, "c1")
	after := r.another(t)
	result := after.send(t, at(5*time.Second, 50), at(10*time.Second, 100), at(12*time.Second, 90_000))
	if len(result.Late) != 1 || len(result.Rejected) != 2 ||
		result.Rejected[0].Reason != Duplicate || result.Rejected[1].Reason != Jump {
		t.Errorf("%+v", result)
	}
	if result := after.send(t, at(20*time.Second, 110), at(10*time.Second, 100)); result.Accepted != 1 ||
		len(result.Rejected) != 1 || result.Rejected[0].Reason != Duplicate {
		t.Errorf("sent again across the restart: %+v", result)
	}
}

func TestOrderSurvivesAStayAtAnotherNode(t *testing.T) {
	here := newRig(t, Config{})
	there := here.another(t)
	here.send(t, at(0, 0))
	here.marker(t, "c1")
	here.clock.pass(40 * time.Second)
	there.send(t, at(40*time.Second, 40))
	there.marker(t, "c1")
	here.clock.pass(time.Second)
	if result := here.send(t, at(20*time.Second, 20)); len(result.Late) != 1 {
		t.Errorf("what another node took is not known here: %+v", result)
	}
	if last, err := here.Last(t.Context(), "c1"); err != nil || !last["c1"].Time.Equal(noon.Add(40*time.Second)) {
		t.Errorf("%+v, %v", last, err)
	}
}

func TestReturnFromAnotherNodeAfterForget(t *testing.T) {
	here := newRig(t, Config{})
	there := here.another(t)
	here.send(t, at(0, 0))
	if err := here.Forget(t.Context(), "c1"); err != nil {
		t.Fatal(err)
	}
	here.clock.pass(40 * time.Second)
	there.send(t, at(40*time.Second, 40))
	there.marker(t, "c1")
	here.send(t, at(20*time.Second, 20)) // late: it moves nothing here
	if last, err := here.Last(t.Context(), "c1"); err != nil || len(last) != 1 {
		t.Errorf("on the map, but %+v, %v", last, err)
	}
}

func TestIngestWorksOnWhileTheIndexIsDown(t *testing.T) {
	r := newRig(t, Config{})
	down := &broken{Index: r.index, err: errors.New("down")}
	tracker, err := New(Config{}, down, r.feed, r.store, r.clock, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	r.Tracker = tracker
	if result := r.send(t, at(time.Second, 0), at(0, 0)); result.Accepted != 2 || len(result.Late) != 1 {
		t.Errorf("%+v", result)
	}
	if _, err := r.Last(t.Context(), "c1"); err == nil {
		t.Error("Last hides that the index is down")
	}
}

func TestIngestNeedsACourier(t *testing.T) {
	if _, err := newRig(t, Config{}).Ingest(t.Context(), "", []Fix{at(0, 0)}, nil); err == nil {
		t.Error("fixes of nobody taken")
	}
}
