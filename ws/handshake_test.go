package ws_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"courier/dispatch"
	"courier/ws"
	"courier/ws/wstest"
)

func TestTheCredentialComesInTheHeaderOrTheFirstFrame(t *testing.T) {
	w := newWorld(t)
	w.place("o1")
	first := wstest.Dial(t, doc(t), w.server, "track", "")
	first.Send(map[string]any{"type": "auth", "token": "ct_o1"})
	for _, c := range []*wstest.Conn{first, wstest.Dial(t, doc(t), w.server, "track", "ct_o1")} {
		var got struct {
			Role string
			ID   string
			Seq  int64
			Rate float64
		}
		c.Want("welcome").Into(t, &got)
		if got.Role != "customer" || got.ID != "link-o1" || got.Seq != 1 || got.Rate != 1 {
			t.Errorf("welcome %+v", got)
		}
		c.Send(map[string]any{"type": "resume", "seq": 0})
		c.Want("snapshot")
	}
}

func TestWhoIsTurnedAway(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.AuthTimeout = 300 * time.Millisecond })
	w.place("o1")
	w.with(func() { delete(w.orders, "o1") })
	for name, tt := range map[string]struct {
		channel, bearer string
		frames          []string
		code            int
		fault           string
	}{
		"an unknown credential":        {"fleet", "nobody", nil, 4401, "unauthenticated"},
		"an unknown token in a frame":  {"fleet", "", []string{`{"type":"auth","token":"nobody"}`}, 4401, "unauthenticated"},
		"silence":                      {"fleet", "", nil, 4401, "unauthenticated"},
		"resume before auth":           {"fleet", "", []string{`{"type":"resume","seq":0}`}, 4401, "unauthenticated"},
		"a merchant at the fleet":      {"fleet", "shop", nil, 4403, "forbidden"},
		"a dispatcher at a customer's": {"track", "staff", nil, 4403, "forbidden"},
		"a customer at the fleet":      {"fleet", "ct_o1", nil, 4403, "forbidden"},
		"an order that is gone":        {"track", "ct_o1", nil, 4404, "not_found"},
		"no JSON":                      {"fleet", "", []string{`{`}, 4400, "malformed"},
		"an unknown frame":             {"fleet", "", []string{`{"type":"hello"}`}, 4400, "invalid"},
		"an unknown field":             {"fleet", "", []string{`{"type":"auth","token":"staff","x":1}`}, 4400, "invalid"},
		"a field twice":                {"fleet", "", []string{`{"type":"auth","token":"staff","token":"staff"}`}, 4400, "invalid"},
		"auth after the header":        {"fleet", "staff", []string{`{"type":"auth","token":"staff"}`}, 4400, "invalid"},
		"no resume":                    {"fleet", "staff", nil, 4400, "invalid"},
		"a frame over the limit":       {"fleet", "staff", []string{`{"type":"resume","seq":0}`, strings.Repeat(" ", 40<<10)}, 4400, "too_large"},
		"a frame of another endpoint":  {"fleet", "staff", []string{`{"type":"resume","seq":0}`, `{"type":"duty","duty":"off"}`}, 4400, "invalid"},
		"resume twice":                 {"fleet", "staff", []string{`{"type":"resume","seq":0}`, `{"type":"resume","seq":0}`}, 4400, "invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			c := wstest.Dial(t, doc(t), w.server, tt.channel, tt.bearer)
			for _, f := range tt.frames {
				c.SendRaw(f)
			}
			frames := c.WantClose(tt.code)
			if len(frames) == 0 || frames[len(frames)-1].Type != "error" || !strings.Contains(string(frames[len(frames)-1].Raw), `"code":"`+tt.fault+`"`) {
				t.Errorf("no error frame with %s before the close: %v", tt.fault, frames)
			}
		})
	}
	eventually(t, "all sockets are gone", func() bool { return w.hub.Counters().Open["fleet"]+w.hub.Counters().Open["track"] == 0 })
}

func TestABinaryFrameIsBad(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "fleet", "staff", 0)
	c.Want("snapshot")
	if err := c.WriteMessage(websocket.BinaryMessage, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	c.WantClose(4400)
}

func TestOriginAndSubprotocol(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Origins = []string{"https://shop.example"} })
	for name, tt := range map[string]struct {
		origin []string
		proto  string
		auth   string
		status int
	}{
		"no origin: not a browser":      {nil, "dispatch.v1", "", 101},
		"the same host":                 {[]string{w.server}, "dispatch.v1", "", 101},
		"a configured origin":           {[]string{"https://shop.example"}, "x, dispatch.v1", "", 101},
		"another site":                  {[]string{"https://evil.example"}, "dispatch.v1", "", 403},
		"the configured host over http": {[]string{"http://shop.example"}, "dispatch.v1", "", 403},
		"a sandboxed page":              {[]string{"null"}, "dispatch.v1", "", 403},
		"two origins":                   {[]string{w.server, w.server}, "dispatch.v1", "", 403},
		"no subprotocol":                {nil, "", "", 400},
		"another subprotocol":           {nil, "dispatch.v2", "", 400},
		"a header that is no bearer":    {nil, "dispatch.v1", "Basic abc", 401},
	} {
		t.Run(name, func(t *testing.T) {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server+"/v1/ws/fleet", nil)
			for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
				"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": tt.proto, "Authorization": tt.auth} {
				if v != "" {
					req.Header.Set(k, v)
				}
			}
			req.Header["Origin"] = tt.origin
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tt.status {
				t.Errorf("status %d, want %d", resp.StatusCode, tt.status)
			}
			if tt.status != 101 && resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("content type %q", resp.Header.Get("Content-Type"))
			}
			if resp.Header.Get("Sec-Websocket-Extensions") != "" {
				t.Error("compression was agreed on")
			}
		})
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestSilenceIsDropped(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Ping, c.Silence = 50*time.Millisecond, 300*time.Millisecond })
	w.place("o1")
	awake, asleep := w.open(t, "track", "ct_o1", 0), w.open(t, "track", "ct_o1", 0)
	pings := 0
	awake.SetPingHandler(func(data string) error {
		pings++
		return awake.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
	})
	asleep.Want("snapshot")
	awake.Want("snapshot")
	asleep.SetPingHandler(func(string) error { return nil })
	go func() {
		time.Sleep(700 * time.Millisecond)
		w.step("o1", dispatch.Searching)
	}()
	beats := 0
	for f, err := awake.Next(); f.Type != "status"; f, err = awake.Next() { // after twice the silence
		if err != nil {
			t.Fatal(err)
		}
		if f.Type == "beat" {
			beats++
		}
	}
	if pings < 3 || beats < 3 {
		t.Errorf("%d pings, %d beats", pings, beats)
	}
	eventually(t, "the silent one is gone", func() bool { return w.hub.Counters().Open["track"] == 1 })
}

func TestEveryFaultIsReported(t *testing.T) {
	_, err := ws.New(ws.Config{Ping: time.Hour, Queue: -1, Sweep: -1, Origins: []string{"shop.example"}, Limits: ws.Limits{CourierFrames: ws.Limit{PerSecond: 1}}}, ws.Ports{})
	for _, want := range []string{"Ping", "Queue", "Sweep", "Origins", "Limits.CourierFrames", "Limiter", "Auth", "Bus", "Clock", "Log"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in %v", want, err)
		}
	}
}
