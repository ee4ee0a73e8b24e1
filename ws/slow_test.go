package ws_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"courier/dispatch"
	"courier/ws"
	"courier/ws/wstest"
)

// asleep opens a customer's socket with a small receive buffer that nobody
// reads after the snapshot.
func asleep(t *testing.T, w *world, bearer string) *wstest.Conn {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"dispatch.v1"}, NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if tcp, ok := c.(*net.TCPConn); ok {
			err = errors.Join(err, tcp.SetReadBuffer(4<<10))
		}
		return c, err
	}}
	c, resp, err := d.Dial("ws"+w.server[4:]+"/v1/ws/track", http.Header{"Authorization": {"Bearer " + bearer}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	t.Cleanup(func() { c.Close() })
	out := wstest.Wrap(t, doc(t), c, "track")
	out.Want("welcome")
	out.Send(map[string]any{"type": "resume", "seq": 0})
	out.Want("snapshot")
	return out
}

// A reader who is too slow for statuses is sent away, to resume later; one
// who only misses positions is not. Both hold a bounded amount of memory.
func TestASlowReader(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) {
		c.Queue, c.WriteTimeout, c.Position, c.Sweep = 32<<10, 30*time.Second, 100*time.Microsecond, time.Hour
	})
	w.hire("c1", dispatch.Available)
	w.place("o1")
	w.carry("o1", "c1")
	w.step("o1", dispatch.PickedUp)
	c := asleep(t, w, "ct_o1")
	at := kitchen
	eventually(t, "hundreds of positions are overtaken", func() bool { // the socket is full long since
		at = at.Offset(1, 1)
		w.drive("c1", at)
		return w.hub.Counters().Overtaken > 300
	})
	if n := w.hub.Counters(); n.TooSlow != 0 || n.Open["track"] != 1 {
		t.Fatalf("positions alone ended the connection: %+v", n)
	}
	eventually(t, "too many statuses wait", func() bool { // now what must not be lost
		w.step("o1", dispatch.AtDropoff)
		return w.hub.Counters().TooSlow > 0
	})
	c.WantClose(4408)
	eventually(t, "the socket is gone", func() bool { return w.hub.Counters().Open["track"] == 0 })
}

func TestShutdownTellsEveryoneAndWaits(t *testing.T) {
	w := newWorld(t)
	w.place("o1")
	online := online(t, w, "c1")
	track, fleet := w.open(t, "track", "ct_o1", 0), w.open(t, "fleet", "staff", 0)
	early := wstest.Dial(t, doc(t), w.server, "fleet", "") // still in the handshake
	track.Want("snapshot")
	fleet.Want("snapshot")
	eventually(t, "all are there", func() bool { return w.hub.Counters().Open["fleet"] == 2 })
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		done <- w.hub.Shutdown(ctx)
	}()
	for _, c := range []*wstest.Conn{online, track, fleet, early} {
		c.WantClose(1001)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := w.hub.Counters(); n.Open["courier"]+n.Open["track"]+n.Open["fleet"] != 0 {
		t.Errorf("%+v", n)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server+"/v1/ws/fleet", nil)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d after Shutdown", resp.StatusCode)
	}
}

// Those who are sent away do not all knock elsewhere at once, and whoever has
// not been sent away is served as ever.
func TestShutdownSendsOneAfterTheOther(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Leave = 10 })
	w.place("o1")
	left := make(chan []wstest.Frame, 10)
	for range cap(left) {
		c := w.open(t, "track", "ct_o1", 0)
		c.Want("snapshot")
		go func() { left <- c.WantClose(1001) }()
	}
	began, done := time.Now(), make(chan error, 1)
	go func() { done <- w.hub.Shutdown(context.Background()) }()
	<-left
	w.step("o1", dispatch.PickedUp)
	told := 0
	for range cap(left) - 1 {
		if len(<-left) > 0 {
			told++
		}
	}
	if took := time.Since(began); took < 850*time.Millisecond {
		t.Errorf("ten sockets, ten a second, were sent away within %s", took)
	}
	if told == 0 {
		t.Error("those who had not been sent away were told nothing more")
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestShutdownIsBounded(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.CloseWait, c.WriteTimeout = time.Hour, time.Hour })
	w.place("o1")
	c := w.open(t, "track", "ct_o1", 0) // never answers the close
	c.Want("snapshot")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := w.hub.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}

// Whoever tells many does not wait for one who does not read, who in turn
// misses nothing once it does.
func TestOneWhoDoesNotReadHoldsNobodyUp(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Queue, c.WriteTimeout, c.Sweep = 64<<20, time.Hour, time.Hour })
	w.hire("c1", dispatch.Available)
	w.place("o1")
	w.carry("o1", "c1")
	w.step("o1", dispatch.PickedUp)
	sleeper := asleep(t, w, "ct_o1") // the first to be told
	awake := w.open(t, "track", "ct_o1", 0)
	first := awake.Want("snapshot").Seq
	last, out := first, w.hub.Counters().FramesOut
	for w.hub.Counters().FramesOut+50 > out { // until they pile up for the sleeper
		w.step("o1", dispatch.AtDropoff)
		last, out = last+1, out+2
		if got := awake.Want("status").Seq; got != last {
			t.Fatalf("version %d is told, not %d", got, last)
		}
	}
	for seq := first + 1; seq <= last; seq++ {
		if got := sleeper.Want("status").Seq; got != seq {
			t.Fatalf("the sleeper has version %d, not %d", got, seq)
		}
	}
}
