// Package bus carries committed events to every node that wants them, and to
// one of all nodes where there is something to do. A message is a wake-up with
// a copy: it may come twice, late or out of order, and what it lost the
// database still has.
//
//	outbox → Bus.Publish ─► Subscription.Messages, each → ws hub
//	                     └► queue of its topic, one   → Worker.Work → Handler
package bus

import (
	"context"
	"hash/fnv"
	"time"
)

// Shards is how many parts the keys are spread over.
const Shards = 256

// Message is one thing that happened.
type Message struct {
	ID      string    // unique; the same message sent again has the same
	Topic   string    // order.<status>, courier.changed, link.revoked
	Key     string    // the order's or courier's id; decides the shard
	Version int64     // of what Key names, after it
	Time    time.Time // when it was committed
	Body    []byte    // JSON: dispatch.Event for order.*
	Trace   string    // the span that it comes from, see follow.Parent; empty: it is not followed
}

// Shard is the part of the key space that a key falls in.
func Shard(key string) uint8 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // never fails
	return uint8(h.Sum32())     //nolint:gosec // the low byte is what is wanted
}

// Bus is a fan-out: every subscription sees every message of its shards.
type Bus interface {
	// Publish returns nil once the messages are taken: after that only a
	// fault of the broker loses them.
	Publish(ctx context.Context, messages []Message) error
	// Subscribe opens a subscription that sees nothing until Watch.
	Subscribe(ctx context.Context) (Subscription, error)
}

// Subscription is one node's window on the bus.
type Subscription interface {
	// Watch replaces the shards watched. Nil watches none; All, everything.
	Watch(ctx context.Context, shards []uint8) error
	// Messages yields what comes. It closes when the subscription ends.
	Messages() <-chan Message
	// Lost yields whenever messages may have been missed (a slow reader, a
	// broken connection): re-read what you watch.
	Lost() <-chan struct{}
	Close() error
}

// All lists every shard.
func All() []uint8 {
	all := make([]uint8, Shards)
	for i := range all {
		all[i] = uint8(i) //nolint:gosec // Shards is 256
	}
	return all
}
