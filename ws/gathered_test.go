package ws_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"courier/dispatch"
	"courier/ws"
	"courier/ws/wstest"
)

// unhurried is a courier who leaves so many seconds to the answers to its fixes.
func unhurried(t *testing.T, w *world, id string, seconds float64) *wstest.Conn {
	t.Helper()
	w.hire(id, dispatch.Available)
	c := wstest.Dial(t, doc(t), w.server, "courier", "courier-"+id)
	c.Want("welcome")
	c.Send(map[string]any{"type": "resume", "seq": 0, "patience": seconds})
	c.Want("plan")
	return c
}

func sendFix(c *wstest.Conn, id string) {
	c.Send(map[string]any{"type": "fixes", "id": id, "fixes": []map[string]any{{"time": time.Now(), "lat": 52.1, "lng": 4.3, "accuracy": 8}}})
}

// answered are the ids of the next n answers.
func answered(t *testing.T, c *wstest.Conn, n int) (ids []string) {
	t.Helper()
	for range n {
		var a struct {
			ID string `json:"id"`
			OK bool   `json:"ok"`
		}
		if c.Want("ack").Into(t, &a); !a.OK {
			t.Errorf("%s was refused", a.ID)
		}
		ids = append(ids, a.ID)
	}
	return ids
}

// waitTaken waits until the tracker has taken so many fixes.
func (w *world) waitTaken(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprint(n, " fixes are taken"), func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.ingested >= n
	})
}

// rarely has answers that nothing else takes along wait for the test's end.
func rarely(c *ws.Config) { c.Ping, c.Silence = 2*time.Hour, 3*time.Hour }

func TestAnswersToFixesAreGathered(t *testing.T) {
	w := newWorld(t, rarely)
	c := unhurried(t, w, "c1", 30)
	for _, id := range []string{"f1", "f2", "f3"} {
		sendFix(c, id)
	}
	w.waitTaken(t, 3)
	before := w.hub.Counters()
	c.Send(map[string]any{"type": "offer.accept", "id": "a1", "offer": "o1"})
	if got := answered(t, c, 4); !slices.Equal(got, []string{"f1", "f2", "f3", "a1"}) {
		t.Errorf("the answers are %v: those to fixes come before what was done after", got)
	}
	if now := w.hub.Counters(); now.FramesOut-before.FramesOut < 4 || now.Writes-before.Writes > 2 {
		t.Errorf("%d frames took %d writes", now.FramesOut-before.FramesOut, now.Writes-before.Writes)
	}
}

func TestGatheredAnswersComeByThemselves(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Ping, c.Silence = time.Minute, 2*time.Minute })
	for _, patience := range []float64{0, 0.3} {
		c := unhurried(t, w, fmt.Sprint("c", patience), patience)
		began := time.Now()
		sendFix(c, "f1")
		if got := answered(t, c, 1); !slices.Equal(got, []string{"f1"}) {
			t.Errorf("%v is answered", got)
		}
		if waited := time.Since(began); waited.Seconds() < patience {
			t.Errorf("the answer came after %s; there were %g s for more of them", waited, patience)
		}
	}
}

// A phone that empties a long queue does not wait out its own patience.
func TestManyGatheredAnswersDoNotWait(t *testing.T) {
	w := newWorld(t, rarely)
	c := unhurried(t, w, "c1", 60)
	var want []string
	for i := range 64 {
		want = append(want, fmt.Sprint("f", i))
		sendFix(c, want[i])
	}
	if got := answered(t, c, 64); !slices.Equal(got, want) {
		t.Errorf("the answers are %v", got)
	}
}

// Whoever is sent away has been told what was taken, and need not send it to
// the next server again.
func TestGatheredAnswersComeBeforeTheEnd(t *testing.T) {
	w := newWorld(t, rarely)
	c := unhurried(t, w, "c1", 60)
	sendFix(c, "f1")
	w.waitTaken(t, 1)
	w.hub.CourierSignedIn("c1", 1<<40)
	if got := answered(t, c, 1); !slices.Equal(got, []string{"f1"}) {
		t.Errorf("%v is answered", got)
	}
	c.WantClose(4409)
}

func TestPatienceIsBounded(t *testing.T) {
	w := newWorld(t)
	for _, resume := range []string{
		`{"type":"resume","seq":0,"patience":60.1}`, `{"type":"resume","seq":0,"patience":-1}`, `{"type":"resume","seq":-1,"patience":1}`,
	} {
		w.hire("c1", dispatch.Available)
		c := wstest.Dial(t, doc(t), w.server, "courier", "courier-c1")
		c.Want("welcome")
		c.SendRaw(resume)
		c.WantClose(4400)
	}
}
