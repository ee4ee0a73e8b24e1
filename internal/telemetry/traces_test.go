package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"courier/internal/follow"
	"courier/internal/telemetry"
	"courier/internal/telemetry/tracetest"
)

const order = "01932f6e-7a10-7cc3-9d41-0123456789ab"

func open(t *testing.T, c telemetry.TraceConfig) *telemetry.Traces {
	t.Helper()
	c.Node, c.Version = "n1", "v1"
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	traces, err := telemetry.NewTraces(c)
	if err != nil {
		t.Fatal(err)
	}
	return traces
}

func one(f *follow.Follower) {
	_, span := f.Begin(context.Background(), "POST /v1/orders", trace.SpanKindServer, follow.Origin{ID: order, Order: true, New: true})
	span.End()
}

func TestSpansComeToTheCollector(t *testing.T) {
	c := tracetest.New(t)
	traces := open(t, telemetry.TraceConfig{URL: c.URL, Orders: 1})
	one(traces.Follow)
	if err := traces.Close(); err != nil {
		t.Fatal(err)
	}
	spans := c.Spans()
	if len(spans) != 1 {
		t.Fatalf("%d spans:\n%s", len(spans), tracetest.Print(spans))
	}
	s := spans[0]
	if s.Service != "courier" || s.Node != "n1" || s.Version != "v1" || s.Name != "POST /v1/orders" || s.Kind != "server" {
		t.Errorf("span: %+v", s)
	}
	if s.Trace != strings.ReplaceAll(order, "-", "") || s.Parent != "" || s.Attributes["order.id"] != order {
		t.Errorf("it is not the order's: %+v", s)
	}
}

// Nobody waits for a collector that takes the connection and says nothing:
// not who begins spans, however many, nor for long who shuts down.
func TestACollectorThatHangsHoldsUpNobody(t *testing.T) {
	hanging, left, done := make(chan struct{}, 64), make(chan struct{}, 64), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else it is not seen that the client leaves
		hanging <- struct{}{}
		select {
		case <-done:
		case <-r.Context().Done():
			left <- struct{}{}
		}
	}))
	defer server.Close()
	defer close(done)
	traces := open(t, telemetry.TraceConfig{URL: server.URL, Orders: 1})
	begun := time.Now()
	for range 20_000 { // far more than may wait
		one(traces.Follow)
	}
	<-hanging
	if took := time.Since(begun); took > 8*time.Second {
		t.Errorf("spans were begun for %v", took)
	}
	begun = time.Now()
	if err := traces.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("the shut-down waited for %v", took)
	}
	select {
	case <-left:
	case <-time.After(4 * time.Second):
		t.Error("it goes on after the shut-down")
	}
}

// A collector that is full gets the spans again, one that will never take them
// does not; both see the headers that were asked for.
func TestACollectorIsAskedAgainWhereThatHelps(t *testing.T) {
	for _, test := range []struct{ refusal, tries int }{{http.StatusServiceUnavailable, 2}, {http.StatusBadRequest, 1}} {
		tries := make(chan []byte, 8)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Api-Key") != "secret" {
				t.Errorf("headers: %v", r.Header)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			if tries <- body; len(tries) == 1 {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(test.refusal)
			}
		}))
		traces := open(t, telemetry.TraceConfig{URL: server.URL, Headers: map[string]string{"Api-Key": "secret"}, Orders: 1})
		one(traces.Follow)
		if err := traces.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
		if close(tries); len(tries) != test.tries {
			t.Errorf("%d: %d tries", test.refusal, len(tries))
		}
		first := <-tries
		for again := range tries {
			if !bytes.Equal(first, again) {
				t.Errorf("%d: other spans the second time", test.refusal)
			}
		}
	}
}

func TestACollectorThatIsAwayIsTold(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	traces := open(t, telemetry.TraceConfig{URL: away, Orders: 1, Log: slog.New(slog.NewTextHandler(&logged, nil))})
	one(traces.Follow)
	begun := time.Now()
	if err := traces.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("the shut-down waited for %v", took)
	}
	if strings.Count(logged.String(), "spans not taken by the collector") > 1 {
		t.Errorf("logged: %s", logged.String())
	}
}

func TestSharesOutsideBoundsAreRefused(t *testing.T) {
	for _, c := range []telemetry.TraceConfig{
		{URL: "localhost:4318"}, {URL: "ftp://c"}, {URL: "http://c", Orders: 1.1}, {URL: "http://c", Fixes: -1},
	} {
		if traces, err := telemetry.NewTraces(c); err == nil {
			_ = traces.Close()
			t.Errorf("%+v was taken", c)
		}
	}
}

func TestLogsCarryTheSpan(t *testing.T) {
	traces := open(t, telemetry.TraceConfig{URL: tracetest.New(t).URL, Orders: 1})
	defer func() { _ = traces.Close() }()
	var out bytes.Buffer
	log, err := telemetry.NewLogger(&out, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	ctx, span := traces.Follow.Begin(t.Context(), "x", trace.SpanKindServer, follow.Origin{ID: order, New: true})
	log.With("a", 1).LogAttrs(ctx, slog.LevelInfo, "with")
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got["trace_id"] != strings.ReplaceAll(order, "-", "") || got["span_id"] != span.SpanContext().SpanID().String() {
		t.Errorf("logged: %v", got)
	}
	out.Reset()
	log.LogAttrs(t.Context(), slog.LevelInfo, "without")
	if strings.Contains(out.String(), "trace_id") {
		t.Errorf("logged: %s", out.String())
	}
}
