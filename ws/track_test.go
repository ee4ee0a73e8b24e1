package ws_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"courier/dispatch"
	"courier/internal/bus"
	"courier/tracking"
	"courier/ws"
	"courier/ws/wstest"
)

type statusFrame struct {
	Seq    int64
	Status dispatch.Status
	View   dispatch.View
}

func TestACustomerSeesEveryStatus(t *testing.T) {
	w := newWorld(t)
	w.place("o1")
	w.hire("c1", dispatch.Available)
	w.step("o1", dispatch.Searching)
	w.step("o1", dispatch.Offered)
	c := w.open(t, "track", "ct_o1", 0)
	var snap struct {
		Seq     int64
		View    dispatch.View
		History []dispatch.HistoryStep
	}
	c.Want("snapshot").Into(t, &snap)
	if snap.Seq != 3 || len(snap.History) != 3 || snap.History[2].Status != dispatch.Searching || snap.View.Status != dispatch.Searching {
		t.Errorf("snapshot %+v", snap)
	}
	w.carry("o1", "c1")
	for i, status := range []dispatch.Status{dispatch.AtPickup, dispatch.PickedUp, dispatch.AtDropoff, dispatch.Delivered} {
		w.step("o1", status)
		if i == 0 {
			c.Want("status") // assigned
		}
		var got statusFrame
		c.Until("status").Into(t, &got)
		if got.Seq != int64(5+i) || got.Status != status {
			t.Errorf("got %+v, want %s", got, status)
		}
	}
	c.Want("ended")
	c.WantClose(1000)
	if n := w.hub.Counters(); n.WatchedOrders != 0 {
		eventually(t, "nobody watches", func() bool { return w.hub.Counters().WatchedOrders == 0 })
	}
}

func TestResumeSendsExactlyTheRest(t *testing.T) {
	w := newWorld(t)
	w.place("o1")
	for _, s := range []dispatch.Status{dispatch.Searching, dispatch.Offered, dispatch.Assigned} {
		w.step("o1", s)
	}
	for seq := int64(1); seq <= 4; seq++ {
		c := w.open(t, "track", "ct_o1", seq)
		for want := seq + 1; want <= 4; want++ {
			if got := c.Want("status").Seq; got != want {
				t.Errorf("after %d: got %d, want %d", seq, got, want)
			}
		}
		c.Close()
	}
	if c := w.open(t, "track", "ct_o1", 99); c.Want("snapshot").Seq != 4 {
		t.Error("a seq from the future got no snapshot")
	}
}

func TestThePositionIsShownWhenTheServiceSaysSo(t *testing.T) {
	w := newWorld(t)
	w.place("o1")
	w.hire("c1", dispatch.Available)
	w.carry("o1", "c1")
	c := w.open(t, "track", "ct_o1", 0)
	c.Want("snapshot")
	at := kitchen
	w.drive("c1", at)
	c.Want("eta") // and no position
	began := time.Now()
	w.step("o1", dispatch.PickedUp)
	c.Want("status")
	moves := 0
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				moves++
				at = at.Offset(5, 5)
				w.drive("c1", at)
			}
		}
	}()
	const enough = 15
	positions := 0
	for positions < enough {
		f, err := c.Next()
		if err != nil {
			t.Fatal(err)
		}
		if f.Type == "position" {
			positions++
		}
	}
	took := time.Since(began)
	close(stop)
	<-done
	// One comes with the status, and one look may have begun before it.
	if took < (enough-3)*20*time.Millisecond {
		t.Errorf("%d positions in %s; the throttle is 20 ms", positions, took)
	}
	if moves < positions {
		t.Errorf("%d positions of %d moves", positions, moves)
	}
	w.step("o1", dispatch.Delivered)
	for {
		f, err := c.Next()
		if err != nil {
			t.Fatal(err)
		}
		if f.Type == "status" {
			break
		}
	}
	c.Want("ended") // no position after it
	c.WantClose(1000)
}

// What a message tells of the next version is not read again; what lies before
// it is.
func TestAMessageSavesAReading(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Sweep = time.Hour })
	w.place("o1")
	c := w.open(t, "track", "ct_o1", 0)
	c.Want("snapshot")
	reads := w.called("Events")
	for i, s := range []dispatch.Status{dispatch.Searching, dispatch.Offered, dispatch.Assigned} {
		w.step("o1", s)
		if got := c.Want("status"); got.Seq != int64(i+2) {
			t.Errorf("status %d is %d", i+2, got.Seq)
		}
	}
	if n := w.called("Events") - reads; n != 0 {
		t.Errorf("%d readings of events that had come", n)
	}
	w.silent = true
	w.step("o1", dispatch.AtPickup)
	w.silent = false
	w.step("o1", dispatch.PickedUp)
	for want := int64(5); want <= 6; want++ {
		if got := c.Want("status"); got.Seq != want {
			t.Errorf("status %d is %d", want, got.Seq)
		}
	}
}

// The order moves on, unheard, just while a second customer joins. The first
// must not miss what the second one's snapshot holds.
func TestJoiningTakesNothingFromOthers(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Sweep = time.Hour })
	w.place("o1")
	first := w.open(t, "track", "ct_o1", 0)
	first.Want("snapshot")
	once := true
	w.with(func() {
		w.onEvents = func(after int64) {
			if after == 0 && once {
				once = false
				w.stepLocked("o1", dispatch.EventSearching, dispatch.Searching)
			}
		}
	})
	if got := w.open(t, "track", "ct_o1", 0).Want("snapshot").Seq; got != 2 {
		t.Errorf("the second got %d", got)
	}
	if got := first.Want("status").Seq; got != 2 {
		t.Errorf("the first got %d", got)
	}
}

func TestManyCustomersShareTheWork(t *testing.T) {
	const n = 50
	w := newWorld(t, func(c *ws.Config) { c.Sweep = time.Hour })
	w.place("o1")
	conns := make([]*wstest.Conn, n)
	for i := range conns {
		conns[i] = w.open(t, "track", "ct_o1", 0)
		conns[i].Want("snapshot")
	}
	before := w.called("View")
	w.step("o1", dispatch.Searching)
	for _, c := range conns {
		c.Want("status")
	}
	if calls := w.called("View") - before; calls > 2 {
		t.Errorf("%d views were read for one change", calls)
	}
}

// While one question about positions is under way, all that move meanwhile
// wait for the next.
func TestManyThatMoveAreLookedForTogether(t *testing.T) {
	const n = 40
	w := newWorld(t, func(c *ws.Config) { c.Sweep, c.Position = time.Hour, 5*time.Second }) // one whose watch was busy is looked for again
	var conns []*wstest.Conn
	for i := range n {
		order, courier := fmt.Sprint("o", i), fmt.Sprint("c", i)
		w.hire(courier, dispatch.Available)
		w.place(order)
		w.carry(order, courier)
		w.step(order, dispatch.PickedUp)
		c := w.open(t, "track", "ct_"+order, 0)
		c.Want("snapshot")
		conns = append(conns, c)
	}
	before := w.called("Views")
	w.mu.Lock() // whoever asks waits
	var fixes []tracking.Fix
	for i := range n {
		fix := tracking.Fix{Courier: fmt.Sprint("c", i), Time: time.Now().UTC(), Point: kitchen.Offset(float64(i), 0), Accuracy: 5, Received: time.Now()}
		w.fixes[fix.Courier] = fix
		fixes = append(fixes, fix)
	}
	for _, f := range fixes {
		if err := w.feed.Publish(t.Context(), []tracking.Fix{f}); err != nil {
			t.Error(err)
		}
	}
	w.mu.Unlock()
	for _, c := range conns {
		c.Want("eta")
		c.Want("position")
	}
	if asked := w.called("Views") - before; asked > n/4 {
		t.Errorf("%d questions for %d couriers", asked, n)
	}
}

func TestRevokedAndExpiredLinks(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Recheck = 50 * time.Millisecond })
	for name, end := range map[string]func(id string){
		"revoked on this node": func(id string) { w.hub.Revoked("link-" + id) },
		"revoked on another": func(id string) {
			w.post(bus.Message{ID: id, Topic: "link.revoked", Key: id, Body: []byte(`{"id":"link-` + id + `"}`)})
		},
		"revoked, and the message was lost": func(id string) { w.with(func() { delete(w.tokens, "ct_"+id) }) },
	} {
		t.Run(name, func(t *testing.T) {
			id := fmt.Sprint("o", rand.Int())
			w.place(id)
			c := w.open(t, "track", "ct_"+id, 0)
			c.Want("snapshot")
			end(id)
			if got := asJSON(c.Want("ended").Raw); got != `{"type":"ended","reason":"revoked"}` {
				t.Error(got)
			}
			c.WantClose(1000)
		})
	}
	w.place("late")
	w.with(func() {
		id := w.tokens["ct_late"]
		id.Expires = time.Now().Add(100 * time.Millisecond)
		w.tokens["ct_late"] = id
	})
	c := w.open(t, "track", "ct_late", 0)
	c.Want("snapshot")
	if got := asJSON(c.Want("ended").Raw); got != `{"type":"ended","reason":"expired"}` {
		t.Error(got)
	}
	c.WantClose(1000)
}

// Between the check of its credential and its resume a socket is nobody's yet.
func TestALinkRevokedInTheHandshakeIsFoundSoon(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Recheck = time.Hour })
	w.place("o1")
	c := wstest.Dial(t, doc(t), w.server, "track", "ct_o1")
	c.Want("welcome")
	w.with(func() { delete(w.tokens, "ct_o1") })
	w.hub.Revoked("link-o1")
	c.Send(map[string]any{"type": "resume", "seq": 0})
	c.Want("snapshot")
	if got := asJSON(c.Want("ended").Raw); got != `{"type":"ended","reason":"revoked"}` {
		t.Error(got)
	}
	c.WantClose(1000)
}

// Whatever the bus loses, doubles or mixes up, and however often the
// customer's connection breaks, the statuses count up without a gap and each
// is applied once (I6, I7).
func TestGaplessUnderALossyBus(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.IntRange(5, 30).Draw(rt, "steps")
		lose := rapid.Float64Range(0, 1).Draw(rt, "lose")
		seed := rapid.Uint64().Draw(rt, "seed")
		breaks := rapid.SliceOfN(rapid.IntRange(0, steps), 0, 4).Draw(rt, "breaks")
		rng := rand.New(rand.NewPCG(seed, 0))
		w := newWorld(t, func(c *ws.Config) { c.Sweep = 15 * time.Millisecond })
		var held []bus.Message
		w.mangle = func(messages []bus.Message) []bus.Message {
			var out []bus.Message
			for _, m := range messages {
				switch {
				case rng.Float64() < lose:
				case rng.Float64() < 0.3: // later
					held = append(held, m)
				case rng.Float64() < 0.3: // twice, and what was held
					out = append(append(out, m, m), held...)
					held = nil
				default:
					out = append(out, m)
				}
			}
			return out
		}
		w.place("o1")
		go func() {
			for i := range steps {
				time.Sleep(time.Duration(rng.IntN(2)) * time.Millisecond)
				w.step("o1", []dispatch.Status{dispatch.Searching, dispatch.Offered}[i%2])
			}
		}()
		last, c := int64(0), w.open(t, "track", "ct_o1", 0)
		for last < int64(steps)+1 {
			f, err := c.Next()
			if err != nil {
				rt.Fatal(err)
			}
			switch f.Type {
			case "snapshot":
				if last != 0 {
					rt.Fatalf("a snapshot after %d", last)
				}
			case "status":
				if f.Seq != last+1 {
					rt.Fatalf("%d came after %d", f.Seq, last)
				}
			default:
				rt.Fatalf("%s", f.Raw)
			}
			last = f.Seq
			for _, at := range breaks {
				if int64(at) == last {
					c.Close()
					c = w.open(t, "track", "ct_o1", last)
				}
			}
		}
		c.Close()
		rt.Log("done")
	})
}
