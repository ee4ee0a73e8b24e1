package ws_test

import (
	"strings"
	"testing"
	"time"

	"courier/internal/pressure"
	"courier/ws"
)

// pressed is a gate with more before it than goes through.
func pressed(t *testing.T) *pressure.Gate {
	t.Helper()
	g, err := pressure.New(pressure.Config{Slots: 1, Burst: time.Microsecond, Target: time.Microsecond, Hold: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for !g.Pressed() {
		_ = g.Enter(t.Context(), pressure.Order)
	}
	return g
}

func TestUnderPressureFixesAreHeldBackAndActionsAreNot(t *testing.T) {
	gate := pressed(t)
	w := newWorld(t, func(c *ws.Config) { c.Pressure = gate })
	c := online(t, w, "c1")
	send := func(id string) string {
		t.Helper()
		fix := map[string]any{"time": time.Now().UTC(), "lat": 52, "lng": 4.3, "accuracy": 8}
		c.Send(map[string]any{"type": "fixes", "id": id, "fixes": []any{fix}})
		return string(c.Until("ack").Raw)
	}
	if got := send("f1"); !strings.Contains(got, `"id":"f1","ok":true`) {
		t.Errorf("nobody is to get out of sight: the first is answered %s", got)
	}
	if got := send("f2"); !strings.Contains(got, `"id":"f2","ok":false,"code":"unavailable"`) || !strings.Contains(got, `"retry_after":`) {
		t.Errorf("the second is answered %s", got)
	}
	c.Send(map[string]any{"type": "offer.accept", "id": "a1", "offer": "o1"})
	if got := string(c.Until("ack").Raw); got != `{"type":"ack","id":"a1","ok":true}` {
		t.Errorf("the action is answered %s", got)
	}
	w.with(func() {
		if w.ingested != 1 {
			t.Errorf("%d fixes were taken, want 1", w.ingested)
		}
	})
	if shed := gate.Stats().Shed[pressure.Position]; shed != 1 {
		t.Errorf("%d are counted as held back, want 1", shed)
	}
}
