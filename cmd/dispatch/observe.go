package main

import (
	"context"
	"database/sql"
	"math"
	"time"

	"courier/dispatch"
	"courier/internal/bus"
	"courier/internal/clock"
	"courier/internal/telemetry"
	"courier/ws"
)

// readyPatience bounds what /metrics waits for the store: a scrape has to
// come back and say that it is not ready.
const readyPatience = 2 * time.Second

// observe names the figures of every part for /metrics.
func (n *node) observe() {
	gauge := func(name, help string, read func() float64) { n.metrics.Gauge("courier_"+name, help, nil, read) }
	counter := func(name, help string, read func() uint64) {
		n.metrics.Counter("courier_"+name+"_total", help, nil, func() float64 { return float64(read()) })
	}
	gauge("ready", "1 if a commit is possible now, else 0.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), readyPatience)
		defer cancel()
		if n.ready(ctx) != nil {
			return 0
		}
		return 1
	})
	gauge("clock_rate", "Seconds of the server's clock in a real one.", n.clock.Rate)

	fixes := n.tracker.Stats
	counter("fixes_accepted", "Position fixes taken.", func() uint64 { return fixes().Accepted })
	counter("fixes_late", "Fixes that went to the trail only.", func() uint64 { return fixes().Late })
	for reason := range fixes().Rejected {
		n.metrics.Counter("courier_fixes_rejected_total", "Fixes refused, by reason.",
			map[string]string{"reason": string(reason)}, func() float64 { return float64(fixes().Rejected[reason]) })
	}
	counter("fixes_rejected_off_duty", "Fixes refused because the courier was off duty.", func() uint64 { return n.hub.Counters().OffDuty })
	counter("trail_dropped", "Fixes that the trail had no room for.", func() uint64 { return fixes().TrailDropped })
	counter("tracking_failures", "Failures of index, feed and trail store.", func() uint64 { return fixes().Failures })
	gauge("feed_lag_seconds", "From a fix's receipt to index and feed.", func() float64 { return fixes().Lag.Seconds() })
	gauge("couriers_tracked", "Couriers known to this process.", func() float64 { return float64(fixes().Couriers) })

	for kind := range n.hub.Counters().Open {
		n.metrics.Gauge("courier_sockets", "Open WebSockets, by endpoint.", map[string]string{"endpoint": kind},
			func() float64 { return float64(n.hub.Counters().Open[kind]) })
	}
	for name, figure := range map[string]struct {
		help string
		of   func(ws.Counters) uint64
	}{
		"frames_in":       {"Frames received.", func(c ws.Counters) uint64 { return c.FramesIn }},
		"frames_out":      {"Frames sent.", func(c ws.Counters) uint64 { return c.FramesOut }},
		"socket_writes":   {"System calls that carried the frames sent.", func(c ws.Counters) uint64 { return c.Writes }},
		"frames_dropped":  {"Frames dropped for newer ones.", func(c ws.Counters) uint64 { return c.Overtaken }},
		"sockets_slow":    {"Sockets closed because their client was too slow.", func(c ws.Counters) uint64 { return c.TooSlow }},
		"frames_bad":      {"Frames that could not be read.", func(c ws.Counters) uint64 { return c.BadFrames }},
		"sockets_refused": {"Handshakes refused.", func(c ws.Counters) uint64 { return c.Rejected }},
		"orders_healed":   {"Orders that the sweeper found behind.", func(c ws.Counters) uint64 { return c.HealedOrders }},
	} {
		counter(name, figure.help, func() uint64 { return figure.of(n.hub.Counters()) })
	}
	counter("events_published", "Messages taken from the outbox to the bus.", func() uint64 { return n.relay.Counters().Published })
	counter("events_adopted", "Messages that nodes left behind which do not live any more.", func() uint64 { return n.relay.Counters().Adopted })
	gauge("outbox_waiting", "Messages of this node that are not published yet, counted to 100,000.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), readyPatience)
		defer cancel()
		rows, err := n.engines.store.Backlog(ctx)
		if err != nil {
			return math.NaN()
		}
		return float64(rows)
	})
	n.observeDatabase()
	counter("events_publish_failures", "Failures to publish.", func() uint64 { return n.relay.Counters().Failures })
}

// observeDatabase names the figures of the store's connections.
func (n *node) observeDatabase() {
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

// countingBus counts what the relay hands over: of each event, one node's
// relay does.
type countingBus struct {
	bus.Bus
	metrics *telemetry.Metrics
	clock   clock.Clock
}

func countEvents(b bus.Bus, m *telemetry.Metrics, c clock.Clock) bus.Bus {
	for _, s := range dispatch.Statuses() {
		m.Topics("order." + string(s))
	}
	return countingBus{b, m, c}
}

func (b countingBus) Publish(ctx context.Context, messages []bus.Message) error {
	if err := b.Bus.Publish(ctx, messages); err != nil {
		return err
	}
	now, rate := b.clock.Now(), b.clock.Rate()
	for _, m := range messages {
		b.metrics.Event(m.Topic, time.Duration(float64(now.Sub(m.Time))/rate))
	}
	return nil
}
