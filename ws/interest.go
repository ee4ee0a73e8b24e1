package ws

import (
	"context"
	"sync"

	"courier/internal/bus"
)

// interest counts who watches which shards of the bus, so that a node takes
// in no more of it than its viewers look at.
type interest struct {
	mu     sync.Mutex
	shards [bus.Shards]int
	all    int // watchers of everything

	watched [bus.Shards]bool // by the subscription, as last set
	ready   bool             // there is a subscription
	waiting []chan struct{}  // for watched to hold all of shards
	dirty   chan struct{}    // something to set
}

func newInterest() *interest { return &interest{dirty: make(chan struct{}, 1)} }

// addKey watches the shard of a key. The channel closes once the bus does.
func (i *interest) addKey(key string) <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.shards[bus.Shard(key)]++
	return i.waitLocked()
}

// dropKey lets the shard go, at the next sweep.
func (i *interest) dropKey(key string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.shards[bus.Shard(key)]--
}

// addAll watches everything.
func (i *interest) addAll() <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.all++
	return i.waitLocked()
}

// dropAll lets the shards go, at the next sweep.
func (i *interest) dropAll() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.all--
}

func (i *interest) waitLocked() <-chan struct{} {
	done := make(chan struct{})
	if i.coveredLocked() {
		close(done)
	} else {
		i.waiting = append(i.waiting, done)
	}
	if len(i.waiting) > 0 {
		i.signal()
	}
	return done
}

func (i *interest) coveredLocked() bool {
	if !i.ready {
		return false
	}
	for s, n := range i.shards {
		if (n > 0 || i.all > 0) && !i.watched[s] {
			return false
		}
	}
	return true
}

func (i *interest) signal() {
	select {
	case i.dirty <- struct{}{}:
	default:
	}
}

// apply brings the bus in line. Shards nobody needs any more stay until
// narrow, since setting them may cost a broker's round trip.
func (i *interest) apply(ctx context.Context, sub bus.Subscription, narrow bool) error {
	i.mu.Lock()
	var want [bus.Shards]bool
	var list []uint8
	for s, n := range i.shards {
		if want[s] = n > 0 || i.all > 0 || i.watched[s] && !narrow; want[s] {
			list = append(list, uint8(s)) //nolint:gosec // under Shards
		}
	}
	if i.ready && want == i.watched {
		i.freeLocked()
		i.mu.Unlock()
		return nil
	}
	i.mu.Unlock()
	if err := sub.Watch(ctx, list); err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.watched, i.ready = want, true
	if i.coveredLocked() {
		i.freeLocked()
	} else {
		i.signal() // more came meanwhile
	}
	return nil
}

func (i *interest) freeLocked() {
	for _, done := range i.waiting {
		close(done)
	}
	i.waiting = nil
}

// reset forgets a subscription that has ended.
func (i *interest) reset() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.watched, i.ready = [bus.Shards]bool{}, false
	i.signal()
}
