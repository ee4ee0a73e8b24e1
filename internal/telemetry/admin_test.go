package telemetry

import (
	"bytes"
	"net/http/httptest"
	"testing"
)

// traceHeader is what every runtime trace begins with.
var traceHeader = []byte("go 1.")

func get(m *Metrics, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	m.AdminHandler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func TestRuntimeTraceOnDemand(t *testing.T) {
	w := get(NewMetrics("test"), "/debug/pprof/trace?seconds=0.01")
	if w.Code != 200 || !bytes.HasPrefix(w.Body.Bytes(), traceHeader) {
		t.Errorf("%d, %.40q", w.Code, w.Body)
	}
}

func TestTheFlightRecorderHasTheLastSeconds(t *testing.T) {
	m := NewMetrics("test")
	if w := get(m, "/debug/flight"); w.Code != 404 {
		t.Fatalf("without a recorder: %d", w.Code)
	}
	stop, err := m.Record()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Record(); err == nil {
		t.Error("a second recorder runs beside the first")
	}
	if w := get(m, "/debug/flight"); w.Code != 200 || !bytes.HasPrefix(w.Body.Bytes(), traceHeader) {
		t.Errorf("%d, %.40q", w.Code, w.Body)
	}
	if w := get(m, "/debug/pprof/trace?seconds=0.01"); w.Code != 200 {
		t.Errorf("a trace beside the recorder: %d", w.Code)
	}
	stop()
	if w := get(m, "/debug/flight"); w.Code != 404 {
		t.Errorf("after it was stopped: %d", w.Code)
	}
}
