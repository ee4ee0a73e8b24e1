package telemetry

import (
	"fmt"
	"net/http"
	"net/http/pprof"
	"runtime/trace"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// AdminHandler serves /metrics, /debug/pprof and, of a flight recorder that
// runs, /debug/flight: a runtime trace of the last seconds.
func (m *Metrics) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/flight", m.serveFlight)
	return mux
}

// flightAge and flightBytes bound what the recorder keeps.
const (
	flightAge   = 10 * time.Second
	flightBytes = 16 << 20
)

// Record keeps a runtime trace of the last 10 s, 16 MiB at most, in memory
// until stop is called. A process has one recorder at a time.
func (m *Metrics) Record() (stop func(), err error) {
	r := trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: flightAge, MaxBytes: flightBytes})
	if err := r.Start(); err != nil {
		return nil, fmt.Errorf("start the flight recorder: %w", err)
	}
	m.flight.Store(r)
	return func() {
		m.flight.Store(nil)
		r.Stop()
	}, nil
}

// serveFlight answers 404 while no recorder runs, 409 while another request
// reads it.
func (m *Metrics) serveFlight(w http.ResponseWriter, r *http.Request) {
	recorder := m.flight.Load()
	if recorder == nil {
		http.Error(w, "no flight recorder runs: start the node with --flight-recorder", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="flight.trace"`)
	if n, err := recorder.WriteTo(w); err != nil && n == 0 {
		w.Header().Del("Content-Disposition")
		http.Error(w, err.Error(), http.StatusConflict)
	}
}
