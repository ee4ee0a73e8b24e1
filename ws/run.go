package ws

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"courier/internal/bus"
	"courier/tracking"
)

// The topics of the bus that the hub knows, besides order.<status>.
const (
	topicOrder          = "order."
	topicCourierChanged = "courier.changed"
	topicCourierRevoked = "courier.revoked" // key: the courier
	topicLinkRevoked    = "link.revoked"    // key: the order; body: {"id": the link's}
)

// Run keeps the sockets live until ctx ends, and then closes them within
// WriteTimeout, unless Shutdown has done so.
func (h *Hub) Run(ctx context.Context) error {
	feed := h.Feed.Subscribe()
	g, ctx := errgroup.WithContext(ctx)
	for range h.Workers {
		g.Go(func() error { h.work.worker(h.ctx); return nil })
	}
	for range locators {
		g.Go(func() error { h.locate(ctx); return nil })
	}
	g.Go(func() error { h.watchBus(ctx); return nil })
	g.Go(func() error { h.regions.keep(ctx, feed); return nil })
	g.Go(func() error { h.watchFeed(feed); return nil })
	g.Go(func() error { h.sweepLoop(ctx); return nil })
	g.Go(func() error { h.keepAlive(ctx); return nil })
	g.Go(func() error { h.fleet.run(ctx); return nil })
	g.Go(func() error {
		<-ctx.Done()
		bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.WriteTimeout)
		defer cancel()
		err := h.Shutdown(bound)
		feed.Close()
		h.work.end()
		return err
	})
	return g.Wait()
}

// watchBus holds a subscription, and another one after it has broken.
func (h *Hub) watchBus(ctx context.Context) {
	const pause = 500 * time.Millisecond
	for ctx.Err() == nil {
		err := h.subscribe(ctx)
		h.interest.reset()
		if ctx.Err() != nil {
			return
		}
		h.Log.LogAttrs(ctx, slog.LevelWarn, "bus subscription ended, opening another", slog.Any("err", err))
		h.lost()
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (h *Hub) subscribe(ctx context.Context) error {
	sub, err := h.Bus.Subscribe(ctx)
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	defer func() { _ = sub.Close() }()
	// What is watched is set beside the reading: a broker may take its time,
	// and must not find nobody reading meanwhile.
	ctx, cancel := context.WithCancel(ctx)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { defer cancel(); return h.receiveAll(ctx, sub) })
	g.Go(func() error { defer cancel(); return h.keepInterest(ctx, sub) })
	return g.Wait()
}

func (h *Hub) receiveAll(ctx context.Context, sub bus.Subscription) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sub.Lost():
			h.lost()
		case m, open := <-sub.Messages():
			if !open {
				return fmt.Errorf("subscription: %w", bus.ErrClosed)
			}
			h.message(m)
		}
	}
}

func (h *Hub) keepInterest(ctx context.Context, sub bus.Subscription) error {
	narrow := time.NewTicker(10 * h.Sweep)
	defer narrow.Stop()
	for {
		narrowing := false
		select {
		case <-ctx.Done():
			return nil
		case <-h.interest.dirty:
		case <-narrow.C:
			narrowing = true
		}
		if err := h.interest.apply(ctx, sub, narrowing); err != nil {
			return fmt.Errorf("watch shards: %w", err)
		}
	}
}

// message wakes whoever watches the key. It does no work itself.
func (h *Hub) message(m bus.Message) {
	if h.Heard != nil && !m.Time.IsZero() {
		h.Heard(time.Duration(float64(h.Clock.Now().Sub(m.Time)) / h.Clock.Rate()))
	}
	switch {
	case strings.HasPrefix(m.Topic, topicOrder):
		h.orders.hear(m)
		h.orders.changed(m.Key, m.Version)
		h.fleet.orderChanged(m.Key, m.Version)
	case m.Topic == topicCourierChanged:
		for _, s := range h.couriers.get(m.Key) {
			h.work.add(&s.task)
		}
		h.fleet.courierChanged(m.Key)
	case m.Topic == topicCourierRevoked:
		h.CourierRevoked(m.Key)
	case m.Topic == topicLinkRevoked:
		var link struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(m.Body, &link) == nil && link.ID != "" {
			h.Revoked(link.ID)
		}
	}
}

func (h *Hub) watchFeed(feed tracking.Watcher) {
	for fixes := range feed.Fixes() {
		h.count.fixes.Add(uint64(len(fixes)))
		h.orders.moved(fixes)
		h.fleet.moved(fixes)
	}
}

// lost has everything watched looked at again, at once.
func (h *Hub) lost() {
	h.count.busLost.Add(1)
	select {
	case h.sweepNow <- struct{}{}:
	default:
	}
}

// wait gives the bus a moment to watch a new key. If it does not, the
// sweeper finds what was missed.
func (h *Hub) wait(ctx context.Context, watched <-chan struct{}) {
	const most = 2 * time.Second
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-watched:
	case <-ctx.Done():
	case <-t.C:
	}
}
