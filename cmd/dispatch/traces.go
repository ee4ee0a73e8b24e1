package main

import (
	"fmt"
	"log/slog"
	"net/url"

	"golang.org/x/net/http/httpguts"

	"courier/internal/follow"
	"courier/internal/telemetry"
)

// traceFlags say what is followed by OpenTelemetry traces, and where they go.
type traceFlags struct {
	TraceTo       string            `help:"Collector of OpenTelemetry traces (OTLP over HTTP), like http://127.0.0.1:4318. Empty: nothing is followed." placeholder:"URL" env:"DISPATCH_TRACE_TO,COURIER_TRACE_TO" group:"Traces"`
	TraceHeaders  map[string]string `mapsep:"," help:"Headers for a collector that wants some, such as an API key." placeholder:"NAME=VALUE,…" env:"DISPATCH_TRACE_HEADERS,OTEL_EXPORTER_OTLP_HEADERS" group:"Traces"`
	TraceShare    float64           `default:"0.1" help:"Share of orders that is followed from request to customer (0-1)." group:"Traces"`
	TraceFixShare float64           `default:"0.0001" help:"Share of couriers' messages with positions that is followed to who looks on (0-1)." group:"Traces"`
}

func (f traceFlags) check(s *settings) {
	if _, err := f.headers(); err != nil {
		s.add("trace-headers", "%v", err)
	}
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

// headers are percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS has them.
func (f traceFlags) headers() (map[string]string, error) {
	out := map[string]string{}
	for name, value := range f.TraceHeaders {
		plain, err := url.PathUnescape(value)
		if err != nil || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(plain) {
			return nil, fmt.Errorf("%q is no header with a percent-encoded value", name) // the value may be a secret
		}
		out[name] = plain
	}
	return out, nil
}

// open returns nil where nothing is followed.
func (f traceFlags) open(node string, log *slog.Logger) (*telemetry.Traces, error) {
	if f.TraceTo == "" {
		return nil, nil
	}
	headers, err := f.headers()
	if err != nil {
		return nil, err
	}
	return telemetry.NewTraces(telemetry.TraceConfig{
		URL: f.TraceTo, Headers: headers, Orders: f.TraceShare, Fixes: f.TraceFixShare, Node: node, Version: version, Log: log,
	})
}

// follow is nil where nothing is followed.
func (n *node) follow() *follow.Follower {
	if n.traces == nil {
		return nil
	}
	return n.traces.Follow
}
