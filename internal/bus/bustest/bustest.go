// Package bustest is the contract of bus.Bus: every implementation runs
// TestBus. It waits for what is promised and for nothing else: messages may
// come twice, late or out of order.
package bustest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"courier/internal/bus"
)

// patience bounds every wait; brokers under load are slow, not wrong.
const patience = 20 * time.Second

// TestBus runs the contract. Open gives a bus that carries nothing yet and
// closes it with t.Cleanup.
func TestBus(t *testing.T, open func(t *testing.T) bus.Bus) {
	for name, test := range map[string]func(*testing.T, bus.Bus){
		"every subscription sees every message":         testBroadcast,
		"a message comes through whole":                 testWhole,
		"nothing is seen before Watch or without":       testUnwatched,
		"only the watched shards are seen":              testShards,
		"Watch replaces what was watched":               testReplace,
		"what was published before is not replayed":     testNoReplay,
		"Close ends one subscription and no other":      testClose,
		"publishing nothing is no error":                testEmpty,
		"a reader who sleeps hears of what it lost":     testLost,
		"publishing and watching may go on in parallel": testParallel,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func testBroadcast(t *testing.T, b bus.Bus) {
	subs := []bus.Subscription{subscribe(t, b, bus.All()), subscribe(t, b, bus.All()), subscribe(t, b, bus.All())}
	sent := batch("m", 300)
	publish(t, b, sent[:100]...)
	publish(t, b, sent[100:]...)
	for _, s := range subs {
		wantAll(t, s, sent)
	}
}

func testWhole(t *testing.T, b bus.Bus) {
	s := subscribe(t, b, bus.All())
	want := bus.Message{
		ID: "019a-1", Topic: "order.at_pickup", Key: "order-é-1", Version: 1 << 53,
		Time: time.Date(2026, 11, 23, 10, 0, 0, 123456000, time.UTC), Body: []byte(`{"a":"ü \u0000"}`),
		Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
	publish(t, b, want)
	got := wantAll(t, s, []bus.Message{want})[want.ID]
	if got.Topic != want.Topic || got.Key != want.Key || got.Version != want.Version || !got.Time.Equal(want.Time) || !bytes.Equal(got.Body, want.Body) || got.Trace != want.Trace {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func testUnwatched(t *testing.T, b bus.Bus) {
	never, stopped, all := subscribe(t, b, nil), subscribe(t, b, bus.All()), subscribe(t, b, bus.All())
	watch(t, stopped, nil)
	sent := batch("u", 50)
	publish(t, b, sent...)
	wantAll(t, all, sent) // by now the others would have seen something
	wantNone(t, never, "a subscription that watches nothing")
	wantNone(t, stopped, "a subscription that stopped watching")
}

func testShards(t *testing.T, b bus.Bus) {
	mine, other := keyIn(7), keyIn(200)
	some, all := subscribe(t, b, []uint8{7, 9}), subscribe(t, b, bus.All())
	sent := []bus.Message{message("s1", other), message("s2", mine), message("s3", other), message("s4", mine)}
	publish(t, b, sent...)
	wantAll(t, all, sent)
	for id := range wantAll(t, some, []bus.Message{sent[1], sent[3]}) {
		if id != "s2" && id != "s4" {
			t.Errorf("saw %s, of a shard that is not watched", id)
		}
	}
}

func testReplace(t *testing.T, b bus.Bus) {
	s, all := subscribe(t, b, []uint8{1, 2}), subscribe(t, b, bus.All())
	watch(t, s, []uint8{2, 3})
	sent := []bus.Message{message("r1", keyIn(1)), message("r2", keyIn(2)), message("r3", keyIn(3))}
	publish(t, b, sent...)
	wantAll(t, all, sent)
	if _, saw := wantAll(t, s, sent[1:])["r1"]; saw {
		t.Error("saw a message of a shard that is no longer watched")
	}
}

func testNoReplay(t *testing.T, b bus.Bus) {
	all := subscribe(t, b, bus.All())
	before := batch("before", 20)
	publish(t, b, before...)
	wantAll(t, all, before) // they have passed
	late := subscribe(t, b, bus.All())
	after := batch("after", 20)
	publish(t, b, after...)
	for id := range wantAll(t, late, after) {
		if bytes.HasPrefix([]byte(id), []byte("before")) {
			t.Errorf("saw %s, published before the subscription", id)
		}
	}
}

func testClose(t *testing.T, b bus.Bus) {
	gone, stays := subscribe(t, b, bus.All()), subscribe(t, b, bus.All())
	if err := gone.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	wait := time.After(patience)
	for open := true; open; {
		select {
		case _, open = <-gone.Messages():
		case <-wait:
			t.Fatal("Messages is still open after Close")
		}
	}
	if err := gone.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
	if err := gone.Watch(t.Context(), bus.All()); err == nil {
		t.Error("Watch after Close returned nil")
	}
	sent := batch("c", 20)
	publish(t, b, sent...)
	wantAll(t, stays, sent)
}

func testEmpty(t *testing.T, b bus.Bus) {
	publish(t, b)
	s := subscribe(t, b, bus.All())
	sent := batch("e", 1)
	publish(t, b, sent...)
	wantAll(t, s, sent)
}

// testLost lets one reader sleep through far more than any buffer should
// hold. The publisher must not wait for it, readers that do read must not
// suffer, and the sleeper either gets everything or is told.
func testLost(t *testing.T, b bus.Bus) {
	sleeper, reader := subscribe(t, b, bus.All()), subscribe(t, b, bus.All())
	const rounds, size = 40, 250
	seen := map[string]bool{}
	for round := range rounds {
		sent := batch(fmt.Sprintf("l%d", round), size)
		publish(t, b, sent...)
		for id := range wantAll(t, reader, sent) {
			seen[id] = true
		}
	}
	if len(seen) != rounds*size {
		t.Fatalf("the reader saw %d of %d", len(seen), rounds*size)
	}
	got, wait := map[string]bool{}, time.After(patience)
	for len(got) < rounds*size {
		select {
		case m := <-sleeper.Messages():
			got[m.ID] = true
		case <-sleeper.Lost():
			return
		case <-wait:
			t.Fatalf("the sleeper got %d of %d and no word of a loss", len(got), rounds*size)
		}
	}
}

func testParallel(t *testing.T, b bus.Bus) {
	const publishers, each = 4, 50
	all := subscribe(t, b, bus.All())
	done := make(chan error, publishers+1)
	var sent []bus.Message
	for p := range publishers {
		mine := batch(fmt.Sprintf("p%d", p), each)
		sent = append(sent, mine...)
		go func() {
			var err error
			for _, m := range mine {
				if err == nil {
					err = b.Publish(context.WithoutCancel(t.Context()), []bus.Message{m})
				}
			}
			done <- err
		}()
	}
	go func() { // comes and goes in the meantime
		var err error
		for i := range uint8(10) {
			var s bus.Subscription
			if s, err = b.Subscribe(t.Context()); err == nil {
				if err = s.Watch(t.Context(), []uint8{i, i + 1}); err == nil {
					err = s.Close()
				}
			}
			if err != nil {
				break
			}
		}
		done <- err
	}()
	for range publishers + 1 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	wantAll(t, all, sent)
}
