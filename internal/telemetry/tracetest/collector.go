// Package tracetest is a collector of OpenTelemetry traces for tests: it takes
// what a node sends by OTLP over HTTP and shows the spans.
package tracetest

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collect "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one that has been sent.
type Span struct {
	Node                string // service.instance.id
	Service, Version    string
	Trace, ID, Parent   string // hex; Parent is "" for none
	Name                string
	Kind                string // server, internal, client, producer or consumer
	Attributes          map[string]string
	Links               []string // traces that it links to
	Failed              bool
	StartNano, EndNanos uint64
}

// Collector takes spans.
type Collector struct {
	URL string

	mu    sync.Mutex
	spans []Span
	came  chan struct{} // closed when more have come
}

// New starts one, which ends with the test.
func New(t testing.TB) *Collector {
	c := &Collector{came: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := c.take(r); err != nil {
			t.Errorf("collector: %v", err)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

func (c *Collector) take(r *http.Request) error {
	if r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		return fmt.Errorf("%s %s of %q", r.Method, r.URL.Path, r.Header.Get("Content-Type"))
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return fmt.Errorf("unzip: %w", err)
		}
		body = unzipped
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	var request collect.ExportTraceServiceRequest
	if err := proto.Unmarshal(raw, &request); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.ResourceSpans {
		of := attributes(resource.Resource.Attributes)
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				span := Span{
					Node: of["service.instance.id"], Service: of["service.name"], Version: of["service.version"],
					Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
					Name: s.Name, Kind: strings.ToLower(strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_")),
					Attributes: attributes(s.Attributes), Failed: s.Status.GetCode() == 2,
					StartNano: s.StartTimeUnixNano, EndNanos: s.EndTimeUnixNano,
				}
				for _, l := range s.Links {
					span.Links = append(span.Links, hex.EncodeToString(l.TraceId))
				}
				c.spans = append(c.spans, span)
			}
		}
	}
	close(c.came)
	c.came = make(chan struct{})
	return nil
}

func attributes(from []*common.KeyValue) map[string]string {
	all := make(map[string]string, len(from))
	for _, a := range from {
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			all[a.Key] = v.StringValue
		default:
			all[a.Key] = fmt.Sprint(a.Value.GetIntValue())
		}
	}
	return all
}

// Spans are those that have come.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// Wait returns the spans once they are enough for found, and fails the test
// if they are not within 20 s.
func (c *Collector) Wait(t testing.TB, what string, found func([]Span) bool) []Span {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		c.mu.Lock()
		spans, came := slices.Clone(c.spans), c.came
		c.mu.Unlock()
		if found(spans) {
			return spans
		}
		select {
		case <-came:
		case <-late:
			t.Fatalf("no %s among the spans:\n%s", what, Print(spans))
		}
	}
}

// Print shows spans as trees.
func Print(spans []Span) string {
	var b strings.Builder
	for _, s := range spans {
		fmt.Fprintf(&b, "%s %s under %-16s %-8s %-28s on %s %v\n", s.Trace, s.ID, s.Parent, s.Kind, s.Name, s.Node, s.Attributes)
	}
	return b.String()
}
