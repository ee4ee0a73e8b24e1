package main

import (
	"context"

	"golang.org/x/sync/errgroup"

	"courier/dispatch"
	"courier/internal/bus"
)

// links is the work of closing customers' links when their order has ended.
var links = bus.Queue{Name: "links", Topics: []string{
	"order." + string(dispatch.Delivered), "order." + string(dispatch.Returned), "order." + string(dispatch.Cancelled),
}}

// queues is all work that one of all nodes does.
func queues() []bus.Queue { return []bus.Queue{links} }

// work does this node's share of it until ctx ends.
func (n *node) work(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return n.engines.bus.Work(ctx, links.Name, links.Topics, func(ctx context.Context, m bus.Message) error {
			return n.auth.CloseLinks(ctx, m.Key, m.Time)
		})
	})
	return g.Wait()
}
