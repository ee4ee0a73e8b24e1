// Package telemetry makes the process visible: logs, metrics, profiles, traces and runtime traces. The
// admin handler is for operators alone: serve it on loopback.
//
//	package figures → Metrics → /metrics
//	spans (follow) → Traces → an OpenTelemetry collector
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"runtime/trace"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewLogger writes structured lines of a level (debug, info, warn, error)
// and up, as text or json.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q: %w", level, err)
	}
	options := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		return slog.New(spanHandler{slog.NewTextHandler(w, options)}), nil
	case "json":
		return slog.New(spanHandler{slog.NewJSONHandler(w, options)}), nil
	}
	return nil, fmt.Errorf("log format %q is neither text nor json", format)
}

// Metrics are the process's figures.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	rounds   prometheus.Histogram
	given    prometheus.Counter
	lost     prometheus.Counter
	waiting  prometheus.Gauge
	waits    prometheus.Histogram
	couriers *prometheus.GaugeVec
	promises *prometheus.CounterVec
	late     prometheus.Histogram
	door     prometheus.Histogram
	events   *prometheus.CounterVec
	relayed  prometheus.Histogram
	heard    prometheus.Histogram
	flight   atomic.Pointer[trace.FlightRecorder] // nil: none runs
}

// NewMetrics registers them, and the Go runtime's own.
func NewMetrics(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "courier_http_request_seconds", Help: "HTTP requests by route and status.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}, []string{"route", "status"}),
		rounds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "courier_match_round_seconds", Help: "Duration of a matching round.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
		given:   prometheus.NewCounter(prometheus.CounterOpts{Name: "courier_match_given_total", Help: "Bundles assigned or offered."}),
		lost:    prometheus.NewCounter(prometheus.CounterOpts{Name: "courier_match_lost_total", Help: "Decisions that lost a race."}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "courier_orders_waiting", Help: "Orders in the last round."}),
		waits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "courier_order_assign_seconds", Help: "From an order's placing until it is assigned or offered, by the server's clock.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 13),
		}),
		couriers: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "courier_couriers_matchable", Help: "Couriers in the last round that had orders, by whether they have a stop to make.",
		}, []string{"state"}),
		promises: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "courier_orders_delivered_total", Help: "Orders delivered, by what became of the time that was promised; counted by the node that committed it.",
		}, []string{"promise"}),
		late: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "courier_order_late_seconds", Help: "How much later than promised orders were delivered that were late, by the server's clock.",
			Buckets: prometheus.ExponentialBuckets(15, 2, 10),
		}),
		door: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "courier_order_delivery_seconds", Help: "From an order's placing to its hand-over, by the server's clock.",
			Buckets: prometheus.ExponentialBuckets(60, 1.5, 14),
		}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "courier_events_total", Help: "Committed events by topic, counted by the node that gave them to the bus.",
		}, []string{"topic"}),
		relayed: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "courier_event_relay_seconds", Help: "From an event to the bus's confirmation.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}),
		heard: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "courier_event_delivery_seconds", Help: "From an event to its coming to this node by the bus, of those that somebody here may watch.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "courier_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	for _, promise := range []string{promiseKept, promiseBroken, promiseNone} {
		m.promises.WithLabelValues(promise) // a rise needs something to rise from
	}
	m.registry.MustRegister(m.requests, m.rounds, m.given, m.lost, m.waiting, m.waits, m.couriers, m.promises, m.late, m.door, m.events, m.relayed, m.heard, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Request counts one HTTP request.
func (m *Metrics) Request(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// Round counts one matching round.
func (m *Metrics) Round(waiting, given, lost int, took time.Duration) {
	m.rounds.Observe(took.Seconds())
	m.waiting.Set(float64(waiting))
	m.given.Add(float64(given))
	m.lost.Add(float64(lost))
}

// Assigned counts orders by how long each has waited.
func (m *Metrics) Assigned(waits []time.Duration) {
	for _, w := range waits {
		m.waits.Observe(w.Seconds())
	}
}

// Couriers says how many a round could match, and how many of them had
// nothing to do.
func (m *Metrics) Couriers(all, idle int) {
	m.couriers.WithLabelValues("idle").Set(float64(idle))
	m.couriers.WithLabelValues("busy").Set(float64(all - idle))
}

// What becomes of a promise.
const (
	promiseKept   = "kept"
	promiseBroken = "broken"
	promiseNone   = "none"
)

// Delivered counts an order's hand-over, and whether it was by the time that
// was promised; a zero due: none was.
func (m *Metrics) Delivered(placed, due, at time.Time) {
	m.door.Observe(at.Sub(placed).Seconds())
	switch {
	case due.IsZero():
		m.promises.WithLabelValues(promiseNone).Inc()
	case at.After(due):
		m.promises.WithLabelValues(promiseBroken).Inc()
		m.late.Observe(at.Sub(due).Seconds())
	default:
		m.promises.WithLabelValues(promiseKept).Inc()
	}
}

// Topics makes the counters of events start at zero, so that the first event
// of a topic shows as a rise.
func (m *Metrics) Topics(topics ...string) {
	for _, t := range topics {
		m.events.WithLabelValues(t)
	}
}

// Event counts one event that the bus has taken, so long after it happened.
func (m *Metrics) Event(topic string, after time.Duration) {
	m.events.WithLabelValues(topic).Inc()
	m.relayed.Observe(after.Seconds())
}

// Heard counts one event that the bus has brought, so long after it happened.
func (m *Metrics) Heard(after time.Duration) { m.heard.Observe(after.Seconds()) }

// Gauge reads a figure whenever it is asked for.
func (m *Metrics) Gauge(name, help string, labels map[string]string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, read))
}

// Counter reads a growing figure whenever it is asked for.
func (m *Metrics) Counter(name, help string, labels map[string]string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, read))
}
