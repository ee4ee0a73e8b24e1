package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"courier/internal/telemetry"
)

// tracker takes envelopes of events, as Sentry does.
type tracker struct {
	*httptest.Server
	events chan event
	raw    chan string
}

type event struct {
	Message     string            `json:"message"`
	Level       string            `json:"level"`
	Release     string            `json:"release"`
	ServerName  string            `json:"server_name"`
	Fingerprint []string          `json:"fingerprint"`
	Tags        map[string]string `json:"tags"`
	Exception   []struct{ Type, Value string }
	Contexts    map[string]map[string]any `json:"contexts"`
}

func newTracker(t *testing.T) *tracker {
	tr := &tracker{events: make(chan event, 1000), raw: make(chan string, 1000)}
	tr.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/api/7/envelope/" || !strings.Contains(r.Header.Get("X-Sentry-Auth"), "sentry_key=abc") {
			t.Errorf("%s of %v, %v", r.URL, r.Header, err)
		}
		lines := bytes.SplitN(body, []byte("\n"), 3)
		var e event
		if err := json.Unmarshal(lines[len(lines)-1], &e); err != nil {
			t.Errorf("%v: %s", err, body)
		}
		tr.raw <- string(body)
		tr.events <- e
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(tr.Close)
	return tr
}

func dsn(url string) string { return strings.Replace(url, "http://", "http://abc@", 1) + "/7" }

// reporting is a log whose errors are reported to a tracker.
func reporting(t *testing.T, url string) (*slog.Logger, *telemetry.Reports, *bytes.Buffer) {
	t.Helper()
	reports, err := telemetry.NewReports(telemetry.ReportConfig{DSN: dsn(url), Node: "node-a", Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	return slog.New(reports.Handler(slog.NewTextHandler(&logged, nil))), reports, &logged
}

func TestErrorsAreReported(t *testing.T) {
	tr := newTracker(t)
	log, reports, logged := reporting(t, tr.URL)
	log.With("order_id", "o-1").LogAttrs(t.Context(), slog.LevelError, "request failed",
		slog.String("request_id", "r-1"), slog.String("subject", "ann"), slog.Any("err", errors.New("no such table: orders")))
	log.LogAttrs(t.Context(), slog.LevelWarn, "only a warning")
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	log.LogAttrs(trace.ContextWithSpanContext(t.Context(), span), slog.LevelError, "followed")
	log.LogAttrs(t.Context(), slog.LevelError, "panic in a handler", slog.Any("panic", "index out of range [3]"), slog.String("stack", "goroutine 7 [running]:\nweb.place"))
	if err := reports.Close(); err != nil {
		t.Fatal(err)
	}
	close(tr.events)
	got := map[string]event{}
	for e := range tr.events {
		got[e.Message] = e
	}
	failed, panicked := got["request failed"], got["panic in a handler"]
	if followed := got["followed"]; followed.Tags["trace_id"] != span.TraceID().String() {
		t.Errorf("of a trace, and reported %+v", followed)
	}
	if len(got) != 3 || len(failed.Exception) != 1 || failed.Exception[0].Value != "no such table: orders" || failed.Level != "error" ||
		fmt.Sprint(failed.Tags) != "map[order_id:o-1 request_id:r-1]" || fmt.Sprint(failed.Fingerprint) != "[request failed]" ||
		failed.Release != "courier@1.2.3" || failed.ServerName != "node-a" {
		t.Errorf("reported %+v", got)
	}
	if len(panicked.Exception) != 1 || panicked.Exception[0].Value != "index out of range [3]" || !strings.Contains(fmt.Sprint(panicked.Contexts), "web.place") {
		t.Errorf("reported %+v", panicked)
	}
	if n := strings.Count(logged.String(), "level="); n != 4 {
		t.Errorf("%d lines in the log: %s", n, logged)
	}
}

// What names people or lets somebody in stays, wherever it stands.
func TestReportsHoldNoSecrets(t *testing.T) {
	planted := []string{
		"hunter2pass", "ann@example.com", "555 0100", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl", "mk_live_8d7f6a5b4c3d2e1f0a9b8c7d",
		"Elm Row 9", "52.123456, 4.312345", "s3cretquery", "Ann Lee",
	}
	planted = append(planted, "hun/ter8", "ter9", "hunter3", "hunter4", "hunter5", "hunter6", "hunter7", "52.654321", "4.543210")
	text := "api_key=hunter3; access_token: hunter4; Authorization: Bearer hunter5; Authorization: Basic hunter6; Get \"/v1/x?sig=hunter7\": EOF; " +
		"{52.654321 4.543210}; amqp://courier:hun/ter8@broker/x amqp://courier:hun@ter9@broker/y; dial postgres://courier:hunter2pass@db.internal:5432/courier?password=s3cretquery: refused; ann@example.com, +1 555 0100; " +
		"Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl; key mk_live_8d7f6a5b4c3d2e1f0a9b8c7d at 52.123456, 4.312345; " +
		"order 01932f6e-7a10-7cc3-9d41-0123456789ab"
	tr := newTracker(t)
	log, reports, _ := reporting(t, tr.URL)
	log.With("address", "Elm Row 9").LogAttrs(t.Context(), slog.LevelError, "it failed", slog.Any("err", errors.New(text)),
		slog.Any("panic", text), slog.String("stack", text), slog.String("doing", text), slog.String("name", "Ann Lee"), slog.String("subject", "ann@example.com"))
	if err := reports.Close(); err != nil {
		t.Fatal(err)
	}
	raw := <-tr.raw
	for _, secret := range planted {
		if strings.Contains(raw, secret) {
			t.Errorf("%q is in the report: %s", secret, raw)
		}
	}
	for _, useful := range []string{"db.internal:5432", "refused", "01932f6e-7a10-7cc3-9d41-0123456789ab"} {
		if !strings.Contains(raw, useful) {
			t.Errorf("%q is not in the report: %s", useful, raw)
		}
	}
}

// A storm of errors is a handful of reports, and who logs waits for nobody.
func TestAStormOfErrorsIsAHandfulOfReports(t *testing.T) {
	tr := newTracker(t)
	log, reports, _ := reporting(t, tr.URL)
	for range 10_000 {
		log.Error("it failed")
	}
	if err := reports.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(tr.events); n == 0 || n > 30 {
		t.Errorf("%d reports", n)
	}
}

func TestATrackerThatHangsHoldsUpNobody(t *testing.T) {
	done := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-done:
		case <-r.Context().Done():
		}
	}))
	defer hanging.Close()
	defer close(done)
	log, reports, _ := reporting(t, hanging.URL)
	begun := time.Now()
	for range 1000 {
		log.Error("it failed")
	}
	if err := reports.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 8*time.Second {
		t.Errorf("logging and the shut-down took %v", took)
	}
}

func TestAWrongDSNIsNotRepeated(t *testing.T) {
	for _, wrong := range []string{"https://sentry.example/7", "abc", "https://hunter2pass@"} {
		if err := telemetry.CheckDSN(wrong); err == nil || strings.Contains(err.Error(), "hunter2pass") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
