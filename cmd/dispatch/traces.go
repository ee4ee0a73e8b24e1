package main

import (
	"log/slog"

	"courier/internal/follow"
	"courier/internal/telemetry"
)

// traceFlags say what is followed by OpenTelemetry traces, and where they go.
type traceFlags struct {
	TraceTo       string  `help:"Collector of OpenTelemetry traces (OTLP over HTTP), like http://127.0.0.1:4318. Empty: nothing is followed." placeholder:"URL" env:"DISPATCH_TRACE_TO,COURIER_TRACE_TO" group:"Traces"`
	TraceShare    float64 `default:"0.1" help:"Share of orders that is followed from request to customer (0-1)." group:"Traces"`
	TraceFixShare float64 `default:"0.0001" help:"Share of couriers' messages with positions that is followed to who looks on (0-1)." group:"Traces"`
}

func (f traceFlags) check(s *settings) {
	if f.TraceTo != "" {
		if _, err := telemetry.TracesURL(f.TraceTo); err != nil {
			s.add("trace-to", "%v", err)
		}
	}
	for flag, share := range map[string]float64{"trace-share": f.TraceShare, "trace-fix-share": f.TraceFixShare} {
		if !(share >= 0 && share <= 1) {
			s.add(flag, "%v is not within 0 and 1", share)
		}
	}
}

// open returns nil where nothing is followed.
func (f traceFlags) open(node string, log *slog.Logger) (*telemetry.Traces, error) {
	if f.TraceTo == "" {
		return nil, nil
	}
	return telemetry.NewTraces(telemetry.TraceConfig{
		URL: f.TraceTo, Orders: f.TraceShare, Fixes: f.TraceFixShare, Node: node, Version: version, Log: log,
	})
}

// follow is nil where nothing is followed.
func (n *node) follow() *follow.Follower {
	if n.traces == nil {
		return nil
	}
	return n.traces.Follow
}
