package main

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
)

// alive counts the nodes that live, for limits that each gives its share of.
// It beats by a name of its own, since a node's relay and loop live and die
// for other reasons.
type alive struct {
	name  string
	beat  func(ctx context.Context, node string, ttl time.Duration) (names []string, err error)
	log   *slog.Logger
	count atomic.Int64
}

const (
	edgeName   = "edge "
	beatEvery  = 5 * time.Second
	beatLives  = 3 * beatEvery
	beatWithin = 3 * time.Second
)

// nodes is at least 1, and what it last was while the database is away.
func (a *alive) nodes() int { return max(int(a.count.Load()), 1) }

// run beats until ctx ends, and then leaves.
func (a *alive) run(ctx context.Context) error {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		a.once(ctx, beatLives)
		select {
		case <-ctx.Done():
			a.once(context.WithoutCancel(ctx), 0)
			return nil
		case <-tick.C:
		}
	}
}

func (a *alive) once(ctx context.Context, ttl time.Duration) {
	call, cancel := context.WithTimeout(ctx, beatWithin)
	defer cancel()
	names, err := a.beat(call, edgeName+a.name, ttl)
	if err != nil {
		if ctx.Err() == nil {
			a.log.LogAttrs(ctx, slog.LevelDebug, "nodes not counted", slog.Any("err", err))
		}
		return
	}
	var n int64
	for _, name := range names {
		if strings.HasPrefix(name, edgeName) {
			n++
		}
	}
	a.count.Store(n)
}
