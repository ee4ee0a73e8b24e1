package main

import "courier/internal/redis"

// positions are the parts of Redis that a node uses; nil without it.
type positions struct {
	index   *redis.Index
	feed    *redis.Feed
	limiter *redis.Limiter
}

// observe names the figures of Redis for /metrics.
func (p *positions) observe(gauge func(name, help string, read func() float64), counter func(name, help string, read func() uint64)) {
	if p == nil {
		return
	}
	for part, stats := range map[string]func() redis.CallStats{
		"index":   p.index.Stats,
		"feed":    func() redis.CallStats { return p.feed.Stats().CallStats },
		"limiter": func() redis.CallStats { return p.limiter.Stats().CallStats },
	} {
		counter("redis_"+part+"_calls", "Calls of Redis for the "+part+".", func() uint64 { return stats().Calls })
		counter("redis_"+part+"_failures", "Calls of Redis for the "+part+" that failed.", func() uint64 { return stats().Failures })
	}
	counter("redis_feed_messages_out", "Messages sent to the feed: one a region and flush.", func() uint64 { return p.feed.Stats().Sent })
	counter("redis_feed_messages_in", "Messages that the feed brought, this node's own too.", func() uint64 { return p.feed.Stats().Received })
	counter("redis_feed_reconnects", "Connections of the feed that broke or could not be made.", func() uint64 { return p.feed.Stats().Broken })
	gauge("redis_feed_channels", "Channels of the feed that someone here looks at.", func() float64 { return float64(p.feed.Stats().Channels) })
	gauge("redis_feed_away_seconds", "For how long the feed has not been heard; 0 if it is.", func() float64 { return p.feed.Stats().Away.Seconds() })
	gauge("redis_limiter_alone", "1 while this node counts limits for itself.", func() float64 {
		if p.limiter.Stats().Alone {
			return 1
		}
		return 0
	})
	counter("redis_limiter_local", "Limits that this node counted for itself.", func() uint64 { return p.limiter.Stats().Local })
}
