package tracking

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"courier/internal/follow"
)

func following(t *testing.T, share float64) (*follow.Follower, *tracetest.SpanRecorder) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	f, err := follow.New(sdk.NewTracerProvider(sdk.WithSpanProcessor(spans), sdk.WithIDGenerator(follow.IDs{})).Tracer(follow.Scope), 0, share)
	if err != nil {
		t.Fatal(err)
	}
	return f, spans
}

// Who watches continues the span of the flush, which continues the message's;
// other fixes of the same flush have none.
func TestAFollowedFixBringsItsSpanToWhoWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, spans := following(t, 1)
		l := startLive(t, 1, Config{Follow: f})
		watcher := l.feed.Subscribe()
		watcher.Watch(0)
		l.send(t, "plain", 0)
		ctx, message := f.Fixes(t.Context(), "courier fixes")
		if _, err := l.Ingest(ctx, "followed", []Fix{{Time: l.clock.Now(), Point: home, Accuracy: 8}}, nil); err != nil {
			t.Fatal(err)
		}
		message.End()
		time.Sleep(time.Second)
		traces := map[string]string{}
		for _, fix := range <-watcher.Fixes() {
			traces[fix.Courier] = fix.Trace
		}
		watcher.Close()
		if err := l.stop(); err != nil {
			t.Error(err)
		}
		if len(spans.Ended()) != 2 {
			t.Fatalf("%d spans", len(spans.Ended()))
		}
		flush := spans.Ended()[1]
		if flush.Parent().SpanID() != message.SpanContext().SpanID() {
			t.Errorf("%s is under %s", flush.Name(), flush.Parent().SpanID())
		}
		if got := traces["followed"]; !strings.Contains(got, flush.SpanContext().SpanID().String()) {
			t.Errorf("the watcher's span is %q", got)
		}
		if got, there := traces["plain"]; got != "" || !there {
			t.Errorf("the other fix has the span %q", got)
		}
	})
}

// The path of a fix that is not followed allocates as much whether or not
// others are: nothing for its sake.
func TestAFixThatIsNotFollowedCostsNothing(t *testing.T) {
	cost := func(f *follow.Follower) float64 {
		r := newRig(t, Config{Follow: f})
		fixes, n := make([]Fix, 1), 0
		return testing.AllocsPerRun(500, func() {
			n++
			fixes[0] = at(time.Duration(n)*time.Second, float64(n))
			ctx, span := f.Fixes(context.Background(), "courier fixes")
			if _, err := r.Ingest(ctx, "c1", fixes, nil); err != nil {
				t.Error(err)
			}
			span.End()
			if err := r.flush(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	few, _ := following(t, 1e-12)
	if without, with := cost(nil), cost(few); with > without {
		t.Errorf("%v allocations a fix, %v where nothing is followed", with, without)
	}
}
