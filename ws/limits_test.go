package ws_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"courier/dispatch"
	"courier/ws"
	"courier/ws/wstest"
)

// knock asks for a WebSocket and returns the answer's status and Retry-After.
func knock(t *testing.T, w *world, bearer, from string) (status int, retry string) {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server+"/v1/ws/fleet", nil)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "dispatch.v1", "X-Test-Address": from} {
		req.Header.Set(k, v)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close() // and the socket, if it has become one
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return resp.StatusCode, resp.Header.Get("Retry-After")
}

func byHeader(c *ws.Config) {
	c.Address = func(r *http.Request) string { return r.Header.Get("X-Test-Address") }
}

func TestHandshakesAreLimited(t *testing.T) {
	w := newWorld(t, byHeader, func(c *ws.Config) {
		c.Limits.Handshakes, c.Limits.Credential = ws.Limit{PerSecond: 1, Burst: 3}, ws.Limit{PerSecond: 1, Burst: 2}
	})
	for i, tt := range []struct {
		bearer, from string
		status       int
	}{
		{"", "a", 101}, {"staff", "a", 101}, {"other", "a", 101},
		{"", "a", 429}, {"fourth", "a", 429}, // of the address
		{"staff", "b", 101}, {"staff", "b", 429}, // of the credential, wherever from
		{"", "b", 101}, {"", "b", 429}, {"", "c", 101},
	} {
		status, retry := knock(t, w, tt.bearer, tt.from)
		if status != tt.status || (status == 429) != (retry == "2") {
			t.Errorf("%d: %q from %s got %d, Retry-After %q, want %d", i, tt.bearer, tt.from, status, retry, tt.status)
		}
	}
	// Where the credential comes in a frame, the answer does too.
	c := wstest.Dial(t, doc(t), w.server, "fleet", "")
	c.Send(map[string]any{"type": "auth", "token": "staff"})
	wantLimited(t, c)
}

func wantLimited(t *testing.T, c *wstest.Conn) {
	t.Helper()
	frames := c.WantClose(4429)
	if len(frames) == 0 || !strings.Contains(string(frames[len(frames)-1].Raw), `"code":"rate_limited"`) {
		t.Errorf("no error frame with rate_limited before the close: %v", frames)
	}
}

func TestALimiterThatDoesNotAnswerLetsEveryoneIn(t *testing.T) {
	w := newWorld(t, byHeader, func(c *ws.Config) { c.Limits.Handshakes = ws.Limit{PerSecond: 1, Burst: 3} })
	w.with(func() { w.broken = fmt.Errorf("away") })
	if status, _ := knock(t, w, "", "a"); status != 101 {
		t.Errorf("got %d", status)
	}
}

func TestOpenSocketsAreLimited(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Limits.PerCustomer, c.Limits.PerStaff = 2, 3 })
	w.place("o1")
	w.place("o2")
	for channel, tt := range map[string]struct {
		bearer, other string
		most          int
	}{"track": {"ct_o1", "ct_o2", 2}, "fleet": {"staff", "", 3}} {
		var open []*wstest.Conn
		for range tt.most {
			c := w.open(t, channel, tt.bearer, 0)
			c.Want("snapshot")
			open = append(open, c)
		}
		wantLimited(t, wstest.Dial(t, doc(t), w.server, channel, tt.bearer))
		if tt.other != "" {
			w.open(t, channel, tt.other, 0).Want("snapshot")
		}
		_ = open[0].Close()
		eventually(t, channel+" has room again", func() bool {
			c := wstest.Dial(t, doc(t), w.server, channel, tt.bearer)
			f, err := c.Next()
			return err == nil && f.Type == "welcome"
		})
	}
}

func TestOpenSocketsOfAnAddressAreLimited(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Limits.PerAddress = 2 })
	w.place("o1")
	w.open(t, "track", "ct_o1", 0).Want("snapshot")
	last := w.open(t, "track", "ct_o1", 0)
	last.Want("snapshot")
	if status, retry := knock(t, w, "ct_o1", ""); status != 429 || retry != "10" {
		t.Errorf("a third from the same address: %d, Retry-After %q", status, retry)
	}
	_ = last.Close()
	eventually(t, "there is room again", func() bool { status, _ := knock(t, w, "ct_o1", ""); return status == 101 })
}

// TestACourierThatSendsTooMuchIsReadNoFaster loses nothing of it.
func TestACourierThatSendsTooMuchIsReadNoFaster(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Limits.CourierFrames = ws.Limit{PerSecond: 100, Burst: 20} })
	w.hire("c1", dispatch.Available)
	c := w.open(t, "courier", "courier-c1", 1)
	begun := time.Now()
	const frames = 70
	for i := range frames {
		c.SendRaw(fixesFrame(i))
	}
	for i := range frames {
		if got := c.Until("ack"); !strings.Contains(string(got.Raw), fmt.Sprintf(`"id":"f%d"`, i)) {
			t.Fatalf("ack %d is %s", i, got.Raw)
		}
	}
	if took := time.Since(begun); took < 450*time.Millisecond {
		t.Errorf("%d frames at 100/s and 20 at once took %v", frames, took)
	}
	if n := w.hub.Counters().Delayed; n < 40 || n > frames {
		t.Errorf("%d frames waited", n)
	}
}

func TestACourierThatGoesOnSendingTooMuchIsClosed(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) {
		c.Limits.CourierFrames, c.FramePatience = ws.Limit{PerSecond: 100, Burst: 5}, 200*time.Millisecond
	})
	w.hire("c1", dispatch.Available)
	c := w.open(t, "courier", "courier-c1", 1)
	for i := range 1000 {
		if c.WriteMessage(1, []byte(fixesFrame(i))) != nil {
			break // closed
		}
	}
	wantLimited(t, c)
	w.with(func() {
		if w.ingested > 60 {
			t.Errorf("%d frames were taken", w.ingested)
		}
	})
}

func fixesFrame(i int) string {
	return fmt.Sprintf(`{"type":"fixes","id":"f%d","fixes":[{"time":"2026-11-23T08:00:00Z","lat":52.1,"lng":4.3,"accuracy":8}]}`, i)
}
