package bench

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWorkIsDueByTheScheduleHoweverLateItsDoerIs(t *testing.T) {
	start := time.Now()
	s := Schedule{Start: start, Rate: 1000}
	var dues []time.Time
	err := s.Run(t.Context(), start.Add(100*time.Millisecond), func(n int64, due time.Time) error {
		if n == 3 {
			time.Sleep(50 * time.Millisecond)
		}
		if time.Now().Before(due) {
			t.Errorf("item %d was done %s early", n, time.Until(due))
		}
		dues = append(dues, due)
		return nil
	})
	if err != nil || len(dues) != 100 {
		t.Fatalf("%d items, %v; want 100", len(dues), err)
	}
	for n, due := range dues {
		if want := start.Add(time.Duration(n) * time.Millisecond); !due.Equal(want) {
			t.Errorf("item %d was due %s after the start, want %s", n, due.Sub(start), want.Sub(start))
		}
	}
}

func TestPartsOfAScheduleAreTheWhole(t *testing.T) {
	s := Schedule{Start: time.Unix(0, 0), Rate: 1000}
	for p := range int64(4) {
		part := s.Part(int(p), 4)
		for n := range int64(5) {
			if got, want := part.Due(n), s.Due(4*n+p); !got.Equal(want) {
				t.Errorf("item %d of part %d is due %s, want %s", n, p, got, want)
			}
		}
	}
}

func TestOnlyWhatIsDueInTheMeasuredTimeIsCounted(t *testing.T) {
	w := newWindow(time.Unix(100, 0), time.Second, 2*time.Second)
	r := newRecorder(w)
	for _, due := range []float64{100, 100.999, 101, 102.999, 103} {
		at := time.UnixMilli(int64(due * 1000))
		r.record(int(due*1000), at, at.Add(5*time.Millisecond))
	}
	if got := r.total(); got != 2 {
		t.Errorf("%v were counted, want 2", got)
	}
	if l := r.latency(); l.P50 < 4.99 || l.Max > 5.01 {
		t.Errorf("%+v, want 5 ms", l)
	}
}

// staller is a server that answers frames and requests, and stops to once, for
// a while.
type staller struct {
	*httptest.Server
	stall time.Duration

	mu    sync.Mutex
	after time.Time
	done  bool
}

func newStaller(t *testing.T, after, stall time.Duration) *staller {
	s := &staller{after: time.Now().Add(after), stall: stall}
	up := websocket.Upgrader{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !websocket.IsWebSocketUpgrade(r) {
			s.pause()
			return
		}
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			_, raw, err := c.ReadMessage()
			if err != nil {
				return
			}
			s.pause()
			id := jsonText(raw, "id")
			if c.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"type":"ack","id":%q,"ok":true,"accepted":%d}`, id, strings.Count(string(raw), "lat"))) != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// pause makes everybody wait, once.
func (s *staller) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.done && time.Now().After(s.after) {
		s.done = true
		time.Sleep(s.stall)
	}
}

// A generator that waits for answers has one request of each client in the
// stall. By the schedule a third of all work was due in it.
func TestAStallShowsInTheLatencyOfAllThatWasDue(t *testing.T) {
	const stall = 400 * time.Millisecond
	wantStall := func(t *testing.T, r *recorder) {
		t.Helper()
		// Of 1.2 s, 0.4 were stalled: a fifth of all was due in the first 0.24
		// of those and waited for 160 ms or more.
		if fifth := float64(r.merged().ValueAtPercentile(80)) / 1000; fifth < 120 {
			t.Errorf("a fifth took longer than %.1f ms only: that is no stall of %s", fifth, stall)
		}
		if l := r.latency(); l.P99 < 350 || l.Max < 390 {
			t.Errorf("%+v does not show a stall of %s", l, stall)
		}
	}
	t.Run("frames", func(t *testing.T) {
		s := newStaller(t, 300*time.Millisecond, stall)
		l := &fixLoad{batch: 2, rate: 400, told: t.Logf}
		for i := range 5 {
			conn, err := dial(t.Context(), s.Listener.Addr().String(), "/", "")
			if err != nil {
				t.Fatal(err)
			}
			l.senders = append(l.senders, newSender(&courier{socket: conn, at: middle}, i))
		}
		defer func() { hangUp(l.senders) }()
		l.window = newWindow(time.Now(), 0, 1200*time.Millisecond)
		if err := l.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := l.answered.total(); n != 240 || l.accepted.Load() != 480 {
			t.Errorf("%v frames and %d fixes were answered, want 240 and 480", n, l.accepted.Load())
		}
		wantStall(t, l.answered)
	})
	t.Run("requests", func(t *testing.T) {
		s := newStaller(t, 300*time.Millisecond, stall)
		l := &callLoad{address: s.Listener.Addr().String(), clients: 4, rate: 200, one: func(c *caller, _ int64, _ time.Time) (bool, error) {
			status, _, err := c.call(http.MethodGet, "/", "", "", nil)
			return status == http.StatusOK, err
		}}
		l.window = newWindow(time.Now(), 0, 1200*time.Millisecond)
		if err := l.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if l.done.Load() != 240 {
			t.Errorf("%d requests were answered, want 240", l.done.Load())
		}
		wantStall(t, l.answered)
	})
}

func TestALostSocketIsAnError(t *testing.T) {
	s := newStaller(t, 0, 0)
	conn, err := dial(t.Context(), s.Listener.Addr().String(), "/", "")
	if err != nil {
		t.Fatal(err)
	}
	l := &fixLoad{batch: 1, rate: 100, told: t.Logf, senders: []*sender{newSender(&courier{socket: conn, at: middle}, 0)}}
	defer func() { hangUp(l.senders) }()
	l.window = newWindow(time.Now(), 0, 200*time.Millisecond)
	hung := time.AfterFunc(100*time.Millisecond, conn.close)
	defer hung.Stop()
	if err := l.run(t.Context()); err == nil {
		t.Error("a socket was lost, and nobody says so")
	}
}

func TestAnswersAreReadWhateverTheySay(t *testing.T) {
	for raw, want := range map[string]answer{
		`{"type":"ack","id":"f1","ok":true,"accepted":10}`:                                                           {Type: "ack", ID: "f1", OK: true, Accepted: 10},
		`{"type":"ack","id":"f1","ok":true,"accepted":1,"rejected":[{"index":0,"reason":"jump"}]}`:                   {Type: "ack", ID: "f1", OK: true, Accepted: 1},
		`{"type":"ack","id":"f1","ok":false,"code":"conflict","detail":"no"}`:                                        {Type: "ack", ID: "f1"},
		`{"type":"plan","seq":42,"duty":"available","courier":{"id":"c1"},"plan":{"version":8,"stops":[]},"id":"p"}`: {Type: "plan", ID: "p"},
	} {
		var got answer
		if err := got.read([]byte(raw)); err != nil {
			t.Fatal(err)
		}
		if got.Rejected = nil; got.Type != want.Type || got.ID != want.ID || got.OK != want.OK || got.Accepted != want.Accepted {
			t.Errorf("%s is read as %+v", raw, got)
		}
	}
	if err := new(answer).read([]byte(`{"type":`)); err == nil {
		t.Error("half a frame is read")
	}
}

func TestASocketReadsFramesOfAnySizeAndAnswersPings(t *testing.T) {
	big := strings.Repeat("x", 70_000)
	pong := make(chan string, 1)
	up := websocket.Upgrader{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		c.SetPongHandler(func(said string) error { pong <- said; return nil })
		for _, text := range []string{"", "small", big[:200], big[:3000]} {
			_ = c.WriteMessage(websocket.TextMessage, []byte(text))
		}
		_ = c.WriteControl(websocket.PingMessage, []byte("there?"), time.Now().Add(time.Second))
		_ = c.WriteMessage(websocket.TextMessage, []byte(big))
		_, raw, err := c.ReadMessage()
		if err == nil {
			_ = c.WriteMessage(websocket.TextMessage, raw)
		}
		_ = c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4408, "too slow"))
	}))
	defer s.Close()
	c, err := dial(t.Context(), s.Listener.Addr().String(), "/", "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for _, want := range []string{"", "small", big[:200], big[:3000], big} {
		if got, err := c.next(); err != nil || string(got) != want {
			t.Fatalf("%d bytes, %v; want %d", len(got), err, len(want))
		}
	}
	if err := c.send([]byte(big)); err != nil {
		t.Fatal(err)
	}
	if got, err := c.next(); err != nil || string(got) != big {
		t.Fatalf("%d bytes came back, %v", len(got), err)
	}
	if said := <-pong; said != "there?" {
		t.Errorf("the pong says %q", said)
	}
	if _, err := c.next(); err == nil || !strings.Contains(err.Error(), "4408 too slow") {
		t.Errorf("the end: %v", err)
	}
}

func TestACallerReadsWholeAndChunkedAnswers(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := new(strings.Builder)
		_, _ = bufio.NewReader(r.Body).WriteTo(body)
		if r.URL.Path == "/chunked" {
			w.WriteHeader(http.StatusCreated)
			w.(http.Flusher).Flush()
		}
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.Header.Get("Authorization"), r.Header.Get("Idempotency-Key"), body)
	}))
	defer s.Close()
	c, err := newCaller(t.Context(), s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for range 2 { // on one connection
		for path, status := range map[string]int{"/": 200, "/chunked": 201} {
			got, raw, err := c.call("POST", path, "secret", "k1", []byte("body"))
			if err != nil || got != status || string(raw) != "POST Bearer secret k1 body" {
				t.Errorf("%s: %d %q %v", path, got, raw, err)
			}
		}
	}
}

func TestTheCollectorsShareIsReadFromItsTrace(t *testing.T) {
	line := "gc 7 @1.200s 2%: 0.10+1.5+0.02 ms clock, 0.20+0.5/2.0/3.0+0.04 ms cpu, 4->4->2 MB, 5 MB goal, 0 MB stacks, 0 MB globals, 2 P"
	if got, ok := gcTime([]byte(line)); !ok || got != 2740*time.Microsecond {
		t.Errorf("%s, %v; want what is not idle, 2.74 ms", got, ok)
	}
	if _, ok := gcTime([]byte(`time=… level=ERROR msg="gc 7"`)); ok {
		t.Error("a log line is taken for a collection")
	}
}

func TestProcessorTimeAndMemoryOfAProcess(t *testing.T) {
	pid := os.Getpid()
	before, err := cpuOf(pid)
	if err != nil {
		t.Fatal(err)
	}
	for own := ownCPU(); ownCPU()-own < 50*time.Millisecond; {
	}
	after, err := cpuOf(pid)
	if err != nil || after-before < 30*time.Millisecond {
		t.Errorf("%s were used, %v; want about 50 ms", after-before, err)
	}
	if m, err := memoryOf(pid); err != nil || m.resident < 1<<20 || m.proportional > m.resident {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := cpuOf(1 << 30); err == nil {
		t.Error("a process that is not there has processor time")
	}
}

func TestTheTableReplacesWhatStandsBetweenTheMarks(t *testing.T) {
	met := Result{What: "server CPU a fix", Unit: "µs", Engines: "embedded", Value: 9, ServerCPU: 9, Count: 5}
	met.against(Floor{What: "bare", Value: 6})
	met.ratioAtMost("S1", 1.5, "1.5 × floor")
	missed := Result{What: "orders", Unit: "/s", Engines: "embedded", Value: 5645, Asked: 8000, Reached: 5645, Errors: 3}
	missed.atLeast("S3", 8000, "8,000/s")
	beside := Result{What: "something else", Unit: "ms", Engines: "embedded", Value: 1}
	document := []byte("before\n" + tableBegin + "\nold\n" + tableEnd + "\nafter\n")
	once, err := Rewrite(document, []Result{missed, beside, met})
	if err != nil {
		t.Fatal(err)
	}
	got := string(once)
	for _, want := range []string{
		"before\n", "\nafter\n",
		"| S1 | server CPU a fix | embedded | 1.5 × floor | 9 µs | 6 (bare) | 1.50 | yes |\n| S3 |",
		"| S3 | orders | embedded | 8,000/s | 5,645/s, 5,645 of 8,000 a second reached, 3 errors |  |  | **no** |",
		"| something else | embedded | 1 ms |  |  |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "old") {
		t.Error("the old table is still there")
	}
	if twice, err := Rewrite(once, []Result{missed, beside, met}); err != nil || string(twice) != got {
		t.Errorf("%v: the second time gives something else:\n%s", err, twice)
	}
	if _, err := Rewrite([]byte("no marks"), nil); err == nil {
		t.Error("a document without a place for the table is rewritten")
	}
}

func TestResultsAreReadBackAndPrinted(t *testing.T) {
	r := Result{Scenario: "fixes", Engines: "embedded", What: "server CPU a fix, 1 a frame", Unit: "µs", Value: 12.5, Count: 100, ServerCPU: 12.5,
		Latency: &Latency{1, 2, 3, 4}, Date: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)}
	r.against(Floor{What: "bare", Value: 10})
	for format, want := range map[Format]string{
		JSON:     `"value":12.5,"latency_ms":{"p50":1,"p99":2,"p999":3,"max":4}`,
		Table:    "fixes: server CPU a fix, 1 a frame  12.5 µs",
		Benchfmt: "BenchmarkServer/scenario=fixes/engines=embedded/what=server-CPU-a-fix-1-a-frame\t100\t12.5 µs\t1.25 x-floor\t12.5 server-µs\t1 p50-ms\t2 p99-ms\n",
	} {
		var out strings.Builder
		p := NewPrinter(&out, format)
		if err := errors.Join(p.Print(r), p.Close()); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v, no %q in\n%s", format, err, want, out.String())
		}
		if format == JSON {
			if back, err := ReadJSON(strings.NewReader(out.String())); err != nil || !reflect.DeepEqual(back, []Result{r}) {
				t.Errorf("%v: %+v comes back", err, back)
			}
		}
	}
	if _, err := ReadJSON(strings.NewReader(`{"what":"x","who":"y"}`)); err == nil {
		t.Error("a line of something else is read")
	}
}
