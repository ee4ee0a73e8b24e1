package redis

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// silence after which a lane asks the server for a sign of life; twice
	// that and it connects anew.
	silence = 3 * time.Second
	// linger is how long a channel stays subscribed to when nobody wants it
	// any more: until the one that takes its place has surely begun, and
	// whoever comes and goes costs no commands.
	linger = time.Second
)

// lane keeps the subscriptions to some channels of one slot alive.
type lane struct {
	feed *Feed
	news chan struct{} // the wanted channels have changed

	heard atomic.Int64 // Unix ns of the last sign of the server, or of the first wish for one
	deaf  atomic.Bool  // the connection broke, and none has taken its place

	mu     sync.Mutex
	wanted map[string]time.Time // until when; zero: for good
	ending map[string]int       // unsubscriptions not yet confirmed
}

func newLane(f *Feed) *lane {
	return &lane{feed: f, news: make(chan struct{}, 1), wanted: make(map[string]time.Time)}
}

// want says whether a channel is wanted from now on.
func (l *lane) want(channel string, wanted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	until, is := l.wanted[channel]
	switch {
	case wanted:
		l.wanted[channel] = time.Time{}
		if !is {
			l.notify()
		}
	case is && until.IsZero():
		l.wanted[channel] = time.Now().Add(linger)
		time.AfterFunc(linger, l.notify)
	}
}

func (l *lane) notify() {
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// channels are those wanted now.
func (l *lane) channels() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(l.wanted, func(_ string, until time.Time) bool { return !until.IsZero() && !now.Before(until) })
	return slices.Collect(maps.Keys(l.wanted))
}

// away is for how long nothing can be heard of what is wanted.
func (l *lane) away() time.Duration {
	if !l.deaf.Load() || len(l.channels()) == 0 {
		return 0
	}
	return time.Since(time.Unix(0, l.heard.Load()))
}

// run subscribes, receives and, after a failure, starts again, until ctx ends.
func (l *lane) run(ctx context.Context) {
	for attempt := 0; ; {
		if len(l.channels()) == 0 {
			attempt = 0
			select {
			case <-ctx.Done():
				return
			case <-l.news:
			}
			l.heard.Store(time.Now().UnixNano())
			l.deaf.Store(false)
			continue
		}
		lived, err := l.serve(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			continue // nothing is wanted any more
		}
		l.deaf.Store(true)
		l.feed.count.broken.Add(1)
		if lived {
			attempt = 0
		}
		if attempt == 0 {
			l.feed.db.config.Log.LogAttrs(ctx, slog.LevelWarn, "feed interrupted", slog.Any("err", err))
		}
		if !pause(ctx, attempt) {
			return
		}
		attempt++
		if c, ok := l.feed.db.client.(*redis.ClusterClient); ok {
			c.ReloadState(ctx) // the slot may have another master now
		}
	}
}

// serve is one connection's life. lived says that it has got an answer.
func (l *lane) serve(ctx context.Context) (lived bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sub := l.feed.db.client.Subscribe(ctx) // no channel, no connection yet
	stop := context.AfterFunc(ctx, func() { _ = sub.Close() })
	defer stop()
	defer sub.Close()
	have := make(map[string]struct{}) // changed by sync alone
	l.mu.Lock()
	l.ending = make(map[string]int)
	l.mu.Unlock()
	if err := l.sync(ctx, sub, have); err != nil {
		return false, err
	}
	failed := make(chan error, 1)
	var updates sync.WaitGroup
	defer updates.Wait()
	defer cancel()
	updates.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-l.news:
				if err := l.sync(ctx, sub, have); err != nil {
					failed <- err
					_ = sub.Close()
					return
				}
				if len(have) == 0 {
					failed <- nil
					_ = sub.Close()
					return
				}
			}
		}
	})
	lived, err = l.receive(ctx, sub)
	select {
	case err = <-failed: // the reason why sub is closed
	default:
	}
	return lived, err
}

// sync makes the server's subscriptions what is wanted.
func (l *lane) sync(ctx context.Context, sub *redis.PubSub, have map[string]struct{}) error {
	var more, less []string
	wanted := l.channels()
	for _, channel := range wanted {
		if _, ok := have[channel]; !ok {
			more = append(more, channel)
			have[channel] = struct{}{}
		}
	}
	for channel := range have {
		if !slices.Contains(wanted, channel) {
			less = append(less, channel)
			delete(have, channel)
		}
	}
	l.mu.Lock()
	for _, channel := range less {
		l.ending[channel]++
	}
	l.mu.Unlock()
	subscribe, unsubscribe := sub.Subscribe, sub.Unsubscribe
	if l.feed.db.sharded {
		subscribe, unsubscribe = sub.SSubscribe, sub.SUnsubscribe
	}
	if len(more) > 0 {
		if err := subscribe(ctx, more...); err != nil {
			return err
		}
	}
	if len(less) > 0 {
		return unsubscribe(ctx, less...)
	}
	return nil
}

// receive reads until something fails.
func (l *lane) receive(ctx context.Context, sub *redis.PubSub) (lived bool, err error) {
	for asked := false; ; {
		message, err := sub.ReceiveTimeout(ctx, silence)
		var timeout net.Error
		switch {
		case errors.As(err, &timeout) && timeout.Timeout() && !asked:
			if err := sub.Ping(ctx); err != nil {
				return lived, err
			}
			asked = true
			continue
		case err != nil:
			return lived, err
		}
		lived, asked = true, false
		l.heard.Store(time.Now().UnixNano())
		l.deaf.Store(false)
		switch m := message.(type) {
		case *redis.Message:
			if err := l.feed.receive(ctx, m.Channel, m.Payload); err != nil {
				l.feed.db.config.Log.LogAttrs(ctx, slog.LevelWarn, "feed message not understood", slog.Any("err", err))
			}
		case *redis.Subscription:
			if m.Kind == "sunsubscribe" && !l.ended(m.Channel) {
				return lived, errLost // the slot has moved
			}
		}
	}
}

// ended says whether it was we who ended the subscription to a channel.
func (l *lane) ended(channel string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.ending[channel]
	if n <= 1 {
		delete(l.ending, channel)
	} else {
		l.ending[channel]--
	}
	return n > 0
}

var errLost = errors.New("the server ended the subscription")
