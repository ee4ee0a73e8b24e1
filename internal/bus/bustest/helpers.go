package bustest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"courier/internal/bus"
)

func subscribe(t *testing.T, b bus.Bus, shards []uint8) bus.Subscription {
	t.Helper()
	s, err := b.Subscribe(t.Context())
	if err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if shards != nil {
		watch(t, s, shards)
	}
	return s
}

func watch(t *testing.T, s bus.Subscription, shards []uint8) {
	t.Helper()
	if err := s.Watch(t.Context(), shards); err != nil {
		t.Fatalf("watch: %v", err)
	}
}

func publish(t *testing.T, b bus.Bus, messages ...bus.Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := b.Publish(ctx, messages); err != nil {
		t.Fatalf("publish: %v", err)
	}
}

// wantAll reads until every wanted message has come and returns all that
// came, by id.
func wantAll(t *testing.T, s bus.Subscription, want []bus.Message) map[string]bus.Message {
	t.Helper()
	got, missing := map[string]bus.Message{}, map[string]bool{}
	for _, m := range want {
		missing[m.ID] = true
	}
	wait := time.After(patience)
	for len(missing) > 0 {
		select {
		case m, open := <-s.Messages():
			if !open {
				t.Fatal("the subscription ended by itself")
			}
			got[m.ID] = m
			delete(missing, m.ID)
		case <-wait:
			t.Fatalf("%d of %d messages did not come", len(missing), len(want))
		}
	}
	return got
}

// wantNone asks for what has come already; call it once a message published
// later has reached another subscription.
func wantNone(t *testing.T, s bus.Subscription, who string) {
	t.Helper()
	select {
	case m := <-s.Messages():
		t.Errorf("%s saw %s", who, m.ID)
	default:
	}
}

func batch(prefix string, n int) []bus.Message {
	out := make([]bus.Message, n)
	for i := range out {
		out[i] = message(fmt.Sprintf("%s-%d", prefix, i), fmt.Sprintf("key-%d", i))
	}
	return out
}

func message(id, key string) bus.Message {
	return bus.Message{ID: id, Topic: "order.placed", Key: key, Version: 1, Time: time.Unix(1_764_000_000, 0).UTC(), Body: []byte(`{}`)}
}

// keyIn finds a key of a shard.
func keyIn(shard uint8) string {
	for i := 0; ; i++ {
		if key := fmt.Sprintf("k%d", i); bus.Shard(key) == shard {
			return key
		}
	}
}
