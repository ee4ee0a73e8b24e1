package ws

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"courier/internal/bus"
	"courier/internal/follow"
)

func following(t *testing.T, c *conn) (begun func(what string) *sent, ended func() map[string]string) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	f, err := follow.New(sdk.NewTracerProvider(sdk.WithSpanProcessor(spans), sdk.WithIDGenerator(follow.IDs{})).Tracer(follow.Scope), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	c.hub.Follow = f
	ctx, _ := f.Fixes(t.Context(), "courier fixes")
	begun = func(what string) *sent { return begin(ctx, c.hub, c, what) }
	ended = func() map[string]string {
		all := map[string]string{}
		for _, s := range spans.Ended() {
			all[strings.TrimPrefix(s.Name(), "send ")] = s.Status().Description
		}
		return all
	}
	return begun, ended
}

// A followed frame's span ends when it is written, and not before; or says
// why it never was.
func TestASpanTellsWhatBecameOfItsFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g := gated(20, true)
		begun, ended := following(t, c)
		c.pushSent(text("written"), begun("written"))
		synctest.Wait() // its write waits in the socket
		c.pushSlotSent(slotPosition, text("a"), begun("overtaken"))
		c.pushSlotSent(slotPosition, text("b"), begun("waiting"))
		if got := ended(); len(got) != 1 || got["overtaken"] != errOvertaken.Error() {
			t.Errorf("before anything is written: %v", got)
		}
		c.pushSent(text(strings.Repeat("x", 20)), begun("too much"))
		g.let()
		synctest.Wait()
		c.pushSent(text("y"), begun("too late"))
		got := ended()
		for what, want := range map[string]string{
			"written": "", "overtaken": errOvertaken.Error(), "waiting": errNotSent.Error(), "too much": errNotSent.Error(), "too late": errNotSent.Error(),
		} {
			if why, there := got[what]; !there || why != want {
				t.Errorf("%s: %q (%t), want %q", what, why, there, want)
			}
		}
	})
}

// A connection that breaks ends the spans of all that it had left to write.
func TestABrokenConnectionEndsTheSpansOfItsFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g := gated(1000, true)
		begun, ended := following(t, c)
		c.net = broken{g}
		c.pushSent(text("first"), begun("first"))
		synctest.Wait()
		c.pushSent(text("behind"), begun("behind"))
		g.let()
		synctest.Wait()
		if got := ended(); got["first"] != "broken" || got["behind"] != errNotSent.Error() {
			t.Errorf("%v", got)
		}
	})
}

// broken is a socket that takes its time to fail.
type broken struct{ *gate }

func (b broken) Write(p []byte) (int, error) {
	_, _ = b.gate.Write(p)
	return 0, errors.New("broken")
}

// What is heard and not yet told is told of its own version only.
func TestWhatIsHeardIsOfItsVersion(t *testing.T) {
	c, _ := gated(20, false)
	following(t, c)
	w := &orderWatch{hub: c.hub, order: "o1"}
	ctx, _ := c.hub.Follow.Fixes(t.Context(), "x")
	for version := range int64(5) { // 0 has been told
		w.hears(bus.Message{Topic: "order.x", Version: version, Trace: follow.Parent(ctx)})
	}
	w.hears(bus.Message{Topic: "order.x", Version: 9}) // is not followed
	news := w.news(3)
	for version := int64(1); version <= 3; version++ {
		if h := news.of(version); h == nil || h.version != version {
			t.Errorf("of version %d: %+v", version, h)
		}
	}
	for _, version := range []int64{0, 4, 9} {
		if h := news.of(version); h != nil {
			t.Errorf("of version %d: %+v", version, h)
		}
	}
	if h := w.news(9); h.of(4) == nil || h.before != nil {
		t.Errorf("then, of version 4: %+v", h)
	}
	news.end(nil)
	if span := news.of(1).span; span.IsRecording() {
		t.Error("its span goes on")
	}
}

// A frame that is not followed costs nothing for the sake of those that are.
func TestAFrameThatIsNotFollowedCostsNothing(t *testing.T) {
	queue := []entry{{frame: text("a")}, {frame: text("b"), slot: slotPing}}
	var h *heard
	if n := testing.AllocsPerRun(100, func() {
		endAll(sentOf(queue), nil)
		h.of(1).end(nil)
		h.end(nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
