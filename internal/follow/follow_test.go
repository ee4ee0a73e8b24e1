package follow_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/google/uuid"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"courier/internal/follow"
)

func record(t *testing.T, orders, fixes float64) (*follow.Follower, *tracetest.SpanRecorder) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithIDGenerator(follow.IDs{}), sdk.WithSpanProcessor(spans))
	f, err := follow.New(provider.Tracer(follow.Scope), orders, fixes)
	if err != nil {
		t.Fatal(err)
	}
	return f, spans
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func traceOf(id string) string { return strings.ReplaceAll(id, "-", "") }

// Every later change of an order, on any node, is under its first span.
func TestAnOrdersChangesAreOfItsTrace(t *testing.T) {
	f, spans := record(t, 1, 0)
	other, others := record(t, 1, 0)
	id := newID()
	ctx, placed := f.Begin(t.Context(), "POST", trace.SpanKindServer, follow.Origin{ID: id, Order: true, New: true})
	_, saved := f.Change(ctx, id, "order.placed")
	saved.End()
	placed.End()
	_, assigned := other.Change(t.Context(), id, "order.assigned")
	assigned.End()

	first, save, later := spans.Ended()[1], spans.Ended()[0], others.Ended()[0]
	if got := first.SpanContext().TraceID().String(); got != traceOf(id) || first.Parent().IsValid() {
		t.Errorf("the first span is of trace %s under %v", got, first.Parent().SpanID())
	}
	for name, s := range map[string]sdk.ReadOnlySpan{"the commit": save, "another node's": later} {
		if s.SpanContext().TraceID() != first.SpanContext().TraceID() || s.Parent().SpanID() != first.SpanContext().SpanID() {
			t.Errorf("%s is of trace %s under %s", name, s.SpanContext().TraceID(), s.Parent().SpanID())
		}
	}
}

// What changes several orders is told in the trace of each.
func TestAChangeOfAnotherOrderIsOfThatOrdersTrace(t *testing.T) {
	f, spans := record(t, 1, 0)
	a, b := newID(), newID()
	ctx, _ := f.Begin(t.Context(), "assign", trace.SpanKindServer, follow.Origin{ID: a, Order: true})
	_, span := f.Change(ctx, b, "order.searching")
	span.End()
	s := spans.Ended()[0]
	if s.SpanContext().TraceID().String() != traceOf(b) || len(s.Links()) != 1 || s.Links()[0].SpanContext.TraceID().String() != traceOf(a) {
		t.Errorf("trace %s, links %v", s.SpanContext().TraceID(), s.Links())
	}
}

func TestTheShareOfOrdersIsKept(t *testing.T) {
	f, _ := record(t, 0.1, 0)
	const orders = 20_000
	followed := 0
	for range orders {
		if _, span := f.Change(t.Context(), newID(), "x"); span.IsRecording() {
			followed++
		}
	}
	if got := float64(followed) / orders; math.Abs(got-0.1) > 0.015 { // seven standard deviations
		t.Errorf("%.3f of all orders are followed", got)
	}
}

func TestACallersWord(t *testing.T) {
	const sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	const theirs = "0af7651916cd43dd8448eb211c80319c"
	for name, tt := range map[string]struct {
		share   float64
		trusted bool
		parent  string
		trace   string // "": not followed; own: the order's
		linked  bool
	}{
		"a trusted caller follows":                  {0, true, sampled, theirs, false},
		"a trusted caller does not":                 {0, true, sampled[:len(sampled)-1] + "0", "", false},
		"anyone else cannot have orders followed":   {0, false, sampled, "", false},
		"anyone else's is linked to":                {1, false, sampled, "own", true},
		"a trusted one that does not follow is too": {1, true, sampled[:len(sampled)-1] + "0", "own", true},
		"nonsense": {1, true, "00-zz", "own", false},
	} {
		t.Run(name, func(t *testing.T) {
			f, spans := record(t, tt.share, 0)
			id := newID()
			ctx, span := f.Begin(t.Context(), "POST", trace.SpanKindServer,
				follow.Origin{ID: id, Order: true, New: true, Caller: follow.Parse(tt.parent), Trusted: tt.trusted})
			_, change := f.Change(ctx, id, "order.placed")
			change.End()
			span.End()
			if tt.trace == "" {
				if n := len(spans.Ended()); n != 0 {
					t.Fatalf("%d spans", n)
				}
				return
			}
			want := strings.ReplaceAll(tt.trace, "own", traceOf(id))
			for _, s := range spans.Ended() {
				if got := s.SpanContext().TraceID().String(); got != want {
					t.Errorf("%s is of trace %s, want %s", s.Name(), got, want)
				}
			}
			if s := spans.Ended()[1]; (len(s.Links()) == 1) != tt.linked {
				t.Errorf("links: %v", s.Links())
			}
		})
	}
}

func TestAParentIsContinued(t *testing.T) {
	f, spans := record(t, 1, 0)
	ctx, span := f.Change(t.Context(), newID(), "a")
	_, next := f.Continue(context.Background(), follow.Parent(ctx), "b", trace.SpanKindConsumer)
	next.End()
	if p := spans.Ended()[0].Parent(); p.SpanID() != span.SpanContext().SpanID() || p.TraceID() != span.SpanContext().TraceID() {
		t.Errorf("under %v", p)
	}
	for _, none := range []string{"", "nonsense"} {
		if _, s := f.Continue(context.Background(), none, "b", trace.SpanKindConsumer); s.IsRecording() {
			t.Errorf("%q was continued", none)
		}
	}
}

// What is not followed costs nothing.
func TestNothingIsAllocatedForWhatIsNotFollowed(t *testing.T) {
	few, _ := record(t, 0, 1e-12)
	id, ctx := newID(), t.Context()
	for name, f := range map[string]*follow.Follower{"nothing is": nil, "others are": few} {
		for what, step := range map[string]func(){
			"a change": func() { _, s := f.Change(ctx, id, "order.placed"); s.End() },
			"fixes":    func() { _, s := f.Fixes(ctx, "fixes"); s.End() },
			"a parent": func() { _ = follow.Parent(ctx) },
			"a message": func() {
				_, s := f.Continue(ctx, "", "order.placed", trace.SpanKindConsumer)
				s.End()
			},
			"a request": func() {
				_, s := f.Begin(ctx, "POST", trace.SpanKindServer, follow.Origin{ID: id, Order: true, New: true})
				s.End()
			},
		} {
			if n := testing.AllocsPerRun(100, step); n != 0 {
				t.Errorf("%s where %s followed: %v allocations", what, name, n)
			}
		}
	}
}
