package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/getsentry/sentry-go"
	"golang.org/x/time/rate"
)

// ReportConfig says where errors are reported.
type ReportConfig struct {
	DSN     string // https://key@host/project, of Sentry or what speaks its protocol
	Node    string
	Version string
}

// What reports may take: a tracker that is slow, hangs or refuses costs
// reports and this much memory, and nobody waits for it.
const (
	waitingReports = 100
	reportTimeout  = 5 * time.Second // of one try; there is one
	reportBurst    = 20
	reportEvery    = 2 * time.Second // on the long run
	lastReports    = 2 * time.Second // what a shut-down waits for what is left
)

// Reports sends what is logged as an error to an error tracker: the attributes
// of reported alone, and texts scrubbed.
type Reports struct {
	client  *sentry.Client
	rate    *rate.Limiter
	held    atomic.Uint64 // not reported since the last one that was
	crashes string        // a file; "" where they are not kept
}

// NewReports does not ask the tracker anything.
func NewReports(c ReportConfig) (*Reports, error) {
	if err := CheckDSN(c.DSN); err != nil {
		return nil, err
	}
	transport := sentry.NewHTTPTransport()
	transport.BufferSize, transport.Timeout = waitingReports, reportTimeout
	client, err := sentry.NewClient(sentry.ClientOptions{
		Dsn: c.DSN, Release: "courier@" + c.Version, ServerName: c.Node, Transport: transport,
		DisableTelemetryBuffer: true,
		// What the library would find out by itself is more than is asked for.
		Integrations: func([]sentry.Integration) []sentry.Integration { return nil },
	})
	if err != nil {
		return nil, fmt.Errorf("report errors: %w", err)
	}
	return &Reports{client: client, rate: rate.NewLimiter(rate.Every(reportEvery), reportBurst)}, nil
}

// CheckDSN says what is wrong with an address of a tracker, without its key.
func CheckDSN(dsn string) error {
	if _, err := sentry.NewDsn(dsn); err != nil {
		return fmt.Errorf("no DSN like https://key@host/project")
	}
	return nil
}

// Handler logs with another handler and reports what is an error.
func (r *Reports) Handler(next slog.Handler) slog.Handler { return reportHandler{Handler: next, to: r} }

// Close sends what is left, for 2 s at most. Nothing may be logged any more.
func (r *Reports) Close() error {
	if r == nil {
		return nil
	}
	r.client.Flush(lastReports)
	r.client.Close()
	return r.forgetCrashes()
}

type reportHandler struct {
	slog.Handler
	to    *Reports
	attrs []slog.Attr
}

func (h reportHandler) Handle(ctx context.Context, record slog.Record) error {
	if record.Level >= slog.LevelError {
		h.to.report(withSpan(ctx, record), h.attrs)
	}
	return h.Handler.Handle(ctx, record) //nolint:wrapcheck // a handler's
}

func (h reportHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return reportHandler{h.Handler.WithAttrs(attrs), h.to, append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

func (h reportHandler) WithGroup(name string) slog.Handler {
	return reportHandler{h.Handler.WithGroup(name), h.to, h.attrs}
}

// report groups by the log's message, which is constant.
func (r *Reports) report(record slog.Record, attrs []slog.Attr) {
	if !r.rate.Allow() {
		r.held.Add(1)
		return
	}
	event := sentry.NewEvent()
	event.Level, event.Timestamp, event.Logger = sentry.LevelError, record.Time, "courier"
	event.Message, event.Fingerprint = record.Message, []string{record.Message}
	event.Tags = map[string]string{}
	said := sentry.Exception{Type: record.Message}
	about := sentry.Context{}
	each := func(a slog.Attr) bool {
		switch value := a.Value.Resolve(); {
		case a.Key == "trace_id", a.Key == "span_id": // which look like keys
			event.Tags[a.Key] = value.String()
		case reported[a.Key]:
			event.Tags[a.Key] = scrub(value.String())
		case a.Key == "err", a.Key == "panic":
			said.Value = scrub(value.String())
		case a.Key == "stack":
			about[a.Key] = scrub(value.String())
		}
		return true
	}
	for _, a := range attrs {
		each(a)
	}
	record.Attrs(each)
	if held := r.held.Swap(0); held > 0 {
		event.Tags["reports_held_back"] = strconv.FormatUint(held, 10)
	}
	if said.Value != "" {
		event.Exception = []sentry.Exception{said}
	}
	if len(about) > 0 {
		event.Contexts = map[string]sentry.Context{"where": about}
	}
	r.client.CaptureEvent(event, nil, nil)
}
