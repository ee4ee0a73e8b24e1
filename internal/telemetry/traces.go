package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"courier/internal/follow"
)

// TraceConfig says where spans go and what is followed.
type TraceConfig struct {
	URL     string            // of a collector that takes OTLP over HTTP, like http://127.0.0.1:4318
	Headers map[string]string // of every request to it
	Orders  float64           // share that is followed, 0-1
	Fixes   float64           // share of couriers' messages with fixes that is followed, 0-1
	Node    string
	Version string
	Log     *slog.Logger
}

// What spans may take: a collector that is slow, hangs or refuses costs
// spans and this much memory, and nobody waits for it.
const (
	waitingSpans  = 4096             // more are dropped; a few MB
	sentSpans     = 512              // at once
	gatherSpans   = 2 * time.Second  // before they are sent
	sendTimeout   = 10 * time.Second // of one try, and of all tries with one batch
	lastSpans     = 2 * time.Second  // what a shut-down waits for what is left
	complainAfter = time.Minute      // between two warnings
)

// Traces sends spans to a collector.
type Traces struct {
	provider *sdk.TracerProvider
	exporter *boundExporter
	// Follow begins the spans.
	Follow *follow.Follower
}

// NewTraces does not wait for the collector.
func NewTraces(c TraceConfig) (*Traces, error) {
	to, err := TracesURL(c.URL)
	if err != nil {
		return nil, err
	}
	sender, err := otlptrace.New(context.Background(), &collector{
		url: to, headers: c.Headers, http: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}, //nolint:forcetypeassert // the standard library's own
	})
	if err != nil {
		return nil, fmt.Errorf("send traces: %w", err)
	}
	t := &Traces{exporter: newBoundExporter(sender, c.Log)}
	t.provider = sdk.NewTracerProvider(
		sdk.WithIDGenerator(follow.IDs{}),
		sdk.WithSampler(sdk.ParentBased(sdk.AlwaysSample())), // whoever begins a span has decided
		sdk.WithBatcher(t.exporter, sdk.WithMaxQueueSize(waitingSpans), sdk.WithMaxExportBatchSize(sentSpans),
			sdk.WithBatchTimeout(gatherSpans), sdk.WithExportTimeout(sendTimeout)),
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "courier"),
			attribute.String("service.version", c.Version),
			attribute.String("service.instance.id", c.Node),
		)))
	if t.Follow, err = follow.New(t.provider.Tracer(follow.Scope), c.Orders, c.Fixes); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// TracesURL is where a collector takes spans: a URL without a path gets
// OTLP's own.
func TracesURL(to string) (string, error) {
	u, err := url.Parse(to)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", fmt.Errorf("%q is no http(s) URL", to)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	return u.String(), nil
}

// Close sends what is left, for 2 s at most. Nothing may be begun any more.
func (t *Traces) Close() error {
	if t == nil {
		return nil
	}
	bound, cancel := context.WithTimeout(context.Background(), lastSpans)
	defer cancel()
	defer context.AfterFunc(bound, t.exporter.cut)()
	defer t.exporter.cut() // whoever still sends when the time is up
	if err := t.provider.Shutdown(bound); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("end traces: %w", err)
	}
	return nil
}

// boundExporter logs what the collector does not take, and can be cut short.
type boundExporter struct {
	sdk.SpanExporter
	log      *slog.Logger
	ctx      context.Context // of all sending
	cut      context.CancelFunc
	failures atomic.Uint64 // spans lost
	told     atomic.Int64  // when the last warning was given, in ns
}

func newBoundExporter(to sdk.SpanExporter, log *slog.Logger) *boundExporter {
	e := &boundExporter{SpanExporter: to, log: log}
	e.ctx, e.cut = context.WithCancel(context.Background())
	return e
}

// ExportSpans loses what the collector does not take: an error would only be
// written to the process's standard error.
func (e *boundExporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)()
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		return nil
	}
	lost := e.failures.Add(uint64(len(spans)))
	now := time.Now().UnixNano()
	if last := e.told.Load(); e.ctx.Err() == nil && (last == 0 || now-last > int64(complainAfter)) && e.told.CompareAndSwap(last, now) {
		e.log.LogAttrs(ctx, slog.LevelWarn, "spans not taken by the collector", slog.Uint64("lost", lost), slog.Any("err", err))
	}
	return nil
}
