package web_test

import (
	"bytes"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"courier/internal/follow"
	"courier/internal/telemetry"
	"courier/web"
)

const (
	requestID   = "01932f6e-7a10-7cc3-9d41-0123456789ab"
	callersSpan = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
)

// followed is a site whose requests are followed, and what is seen of them.
func followed(t *testing.T, share float64) (*site, *tracetest.SpanRecorder, *bytes.Buffer) {
	spans, logged := tracetest.NewSpanRecorder(), &bytes.Buffer{}
	provider := sdk.NewTracerProvider(sdk.WithIDGenerator(follow.IDs{}), sdk.WithSpanProcessor(spans))
	f, err := follow.New(provider.Tracer(follow.Scope), share, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := newSiteOn(t, func(d *web.Deps, _ *company) {
		d.Follow, d.NewID = f, func() string { return requestID }
		if d.Log, err = telemetry.NewLogger(logged, "debug", "text"); err != nil {
			t.Fatal(err)
		}
	}, func(c *web.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	return s, spans, logged
}

func place(s *site, from, behind, parent string) int {
	q := request{method: http.MethodPost, path: "/v1/orders", as: "merchant", body: goodOrder, from: from,
		header: map[string]string{"Idempotency-Key": "k", "Content-Type": "application/json"}}
	if behind != "" {
		q.header["X-Forwarded-For"] = behind
	}
	if parent != "" {
		q.header["traceparent"] = parent
	}
	return s.do(q).Code
}

func attribute(s sdk.ReadOnlySpan, key string) string {
	for _, a := range s.Attributes() {
		if string(a.Key) == key {
			return a.Value.String()
		}
	}
	return ""
}

func TestARequestThatPlacesAnOrderBeginsItsTrace(t *testing.T) {
	s, spans, logged := followed(t, 1)
	if code := place(s, "", "", ""); code != http.StatusCreated {
		t.Fatalf("answered %d", code)
	}
	if len(spans.Ended()) != 1 {
		t.Fatalf("%d spans", len(spans.Ended()))
	}
	span := spans.Ended()[0]
	if span.Name() != "POST /v1/orders" || span.SpanContext().TraceID().String() != strings.ReplaceAll(requestID, "-", "") || span.Parent().IsValid() {
		t.Errorf("%s of %s under %v", span.Name(), span.SpanContext().TraceID(), span.Parent())
	}
	for key, want := range map[string]string{
		"http.request.method": "POST", "http.route": "/v1/orders", "http.response.status_code": "201",
		"url.path": "/v1/orders", "url.scheme": "http", "order.id": requestID,
	} {
		if got := attribute(span, key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	if id := s.company.placed.ID; id != requestID {
		t.Errorf("the order is %q", id)
	}
	if !strings.Contains(logged.String(), "trace_id="+span.SpanContext().TraceID().String()) {
		t.Errorf("logged: %s", logged)
	}
}

// What is asked of an order is a part of its trace; what is only read is not
// followed.
func TestARequestAboutAnOrderIsOfItsTrace(t *testing.T) {
	const other = "01932f6e-7a10-7cc3-9d41-bbbbbbbbbbbb"
	s, spans, _ := followed(t, 1)
	s.do(request{path: "/v1/orders/" + other, as: "dispatcher"})
	if n := len(spans.Ended()); n != 0 {
		t.Errorf("%d spans of a read", n)
	}
	s.do(request{method: http.MethodPost, path: "/v1/orders/" + other + "/cancel", as: "dispatcher", body: `{"reason":"x"}`})
	if len(spans.Ended()) != 1 {
		t.Fatalf("%d spans", len(spans.Ended()))
	}
	span := spans.Ended()[0]
	if span.Name() != "POST /v1/orders/{id}/cancel" || span.Parent().TraceID().String() != strings.ReplaceAll(other, "-", "") {
		t.Errorf("%s under %s", span.Name(), span.Parent().TraceID())
	}
}

// Only who comes from a trusted network decides what is followed: a proxy
// there passes on what anyone has written.
func TestWhoDecidesWhatIsFollowed(t *testing.T) {
	for name, tt := range map[string]struct {
		from, behind string
		spans        int
	}{
		"a stranger":                        {"198.51.100.7:4000", "", 0},
		"a stranger by a trusted proxy":     {"10.1.2.3:4000", "198.51.100.7", 0},
		"a service of the house":            {"10.1.2.3:4000", "", 1},
		"a service of the house by a proxy": {"10.1.2.3:4000", "10.9.9.9", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, spans, _ := followed(t, 0)
			place(s, tt.from, tt.behind, callersSpan)
			if len(spans.Ended()) != tt.spans {
				t.Fatalf("%d spans", len(spans.Ended()))
			}
			for _, span := range spans.Ended() {
				if got := span.Parent().SpanID().String(); got != "b7ad6b7169203331" {
					t.Errorf("under %s", got)
				}
			}
		})
	}
}
