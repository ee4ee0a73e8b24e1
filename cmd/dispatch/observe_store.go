package main

import (
	"context"
	"database/sql"
	"math"
	"time"
)

// storePatience bounds what /metrics waits for the store: a scrape has to
// come back and say that it is not ready.
const storePatience = 2 * time.Second

// observeStore names the figures of the store: whether it commits, what it
// has not published, its connections.
func (n *node) observeStore(gauge func(name, help string, read func() float64)) {
	gauge("ready", "1 if a commit is possible now, else 0.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), storePatience)
		defer cancel()
		if n.ready(ctx) != nil {
			return 0
		}
		return 1
	})
	backlog := func(read func(rows int, since time.Time) float64) func() float64 {
		return func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), storePatience)
			defer cancel()
			rows, since, err := n.engines.store.Backlog(ctx)
			if err != nil {
				return math.NaN()
			}
			return read(rows, since)
		}
	}
	gauge("outbox_waiting", "Messages of this node that are not published yet, counted to 100,000.", backlog(func(rows int, _ time.Time) float64 {
		return float64(rows)
	}))
	gauge("outbox_age_seconds", "Since what the first of this node's messages that are not published tells of happened.", backlog(func(_ int, since time.Time) float64 {
		if since.IsZero() {
			return 0
		}
		return max(0, n.clock.Now().Sub(since).Seconds())
	}))
	pools := n.engines.store.Pools
	for name := range pools() {
		use := func(state string, read func(sql.DBStats) int) {
			n.metrics.Gauge("courier_database_connections", "Connections to the database, by what they are for.",
				map[string]string{"pool": name, "state": state}, func() float64 { return float64(read(pools()[name])) })
		}
		use("in use", func(s sql.DBStats) int { return s.InUse })
		use("idle", func(s sql.DBStats) int { return s.Idle })
		n.metrics.Gauge("courier_database_connections_limit", "Most connections to the database.",
			map[string]string{"pool": name}, func() float64 { return float64(pools()[name].MaxOpenConnections) })
		n.metrics.Counter("courier_database_wait_seconds_total", "Time that statements waited for a connection.",
			map[string]string{"pool": name}, func() float64 { return pools()[name].WaitDuration.Seconds() })
	}
}
