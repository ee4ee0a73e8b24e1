package main

import (
	"courier/dispatch"
	"courier/internal/bus"
	"courier/ws"
)

// observe names the figures of every part for /metrics.
func (n *node) observe() {
	gauge := func(name, help string, read func() float64) { n.metrics.Gauge("courier_"+name, help, nil, read) }
	counter := func(name, help string, read func() uint64) {
		n.metrics.Counter("courier_"+name+"_total", help, nil, func() float64 { return float64(read()) })
	}
	n.engines.redis.observe(gauge, counter)
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

	n.observeMatching(gauge, counter)

	for kind := range n.hub.Counters().Open {
		n.metrics.Gauge("courier_sockets", "Open WebSockets, by endpoint.", map[string]string{"endpoint": kind},
			func() float64 { return float64(n.hub.Counters().Open[kind]) })
	}
	for name, figure := range map[string]struct {
		help string
		of   func(ws.Counters) uint64
	}{
		"feed_fixes":      {"Fixes taken in for who looks at them here.", func(c ws.Counters) uint64 { return c.FeedFixes }},
		"frames_in":       {"Frames received.", func(c ws.Counters) uint64 { return c.FramesIn }},
		"frames_out":      {"Frames sent.", func(c ws.Counters) uint64 { return c.FramesOut }},
		"socket_writes":   {"System calls that carried the frames sent.", func(c ws.Counters) uint64 { return c.Writes }},
		"frames_dropped":  {"Frames dropped for newer ones.", func(c ws.Counters) uint64 { return c.Overtaken }},
		"sockets_slow":    {"Sockets closed because their client was too slow.", func(c ws.Counters) uint64 { return c.TooSlow }},
		"frames_delayed":  {"Frames that waited because their socket sent too many.", func(c ws.Counters) uint64 { return c.Delayed }},
		"frames_bad":      {"Frames that could not be read.", func(c ws.Counters) uint64 { return c.BadFrames }},
		"sockets_refused": {"Handshakes refused.", func(c ws.Counters) uint64 { return c.Rejected }},
		"orders_healed":   {"Orders that the sweeper found behind.", func(c ws.Counters) uint64 { return c.HealedOrders }},
	} {
		counter(name, figure.help, func() uint64 { return figure.of(n.hub.Counters()) })
	}
	n.observePressure(gauge)
	n.observeStore(gauge)
	counter("events_published", "Messages taken from the outbox to the bus.", func() uint64 { return n.relay.Counters().Published })
	counter("events_adopted", "Messages that nodes left behind which do not live any more.", func() uint64 { return n.relay.Counters().Adopted })
	counter("events_publish_failures", "Failures to publish.", func() uint64 { return n.relay.Counters().Failures })
	n.observeBus(gauge, counter)
}

func (n *node) observeBus(gauge func(string, string, func() float64), counter func(string, string, func() uint64)) {
	stats := n.engines.bus.Stats
	gauge("bus_connected", "1 while events go out to other nodes and come in.", func() float64 {
		if stats().Connected {
			return 1
		}
		return 0
	})
	gauge("bus_work_waiting", "Messages that wait for a worker on the broker, seen every 10 s; the same from every node.",
		func() float64 { return float64(stats().WorkWaiting) })
	gauge("bus_work_parked_depth", "Messages parked on the broker for a person, seen every 10 s; the same from every node.",
		func() float64 { return float64(stats().ParkedDepth) })
	for name, figure := range map[string]struct {
		help string
		of   func(bus.Stats) uint64
	}{
		"published":        {"Messages taken by the bus.", func(s bus.Stats) uint64 { return s.Published }},
		"publish_failures": {"Batches that the bus did not take.", func(s bus.Stats) uint64 { return s.Failed }},
		"refused":          {"Messages that the broker did not confirm.", func(s bus.Stats) uint64 { return s.Refused }},
		"returned":         {"Messages that came back because exchanges were not as declared.", func(s bus.Stats) uint64 { return s.Returned }},
		"reconnects":       {"Connections to the broker made again.", func(s bus.Stats) uint64 { return s.Reconnects }},
		"blocked":          {"Alarms under which the broker took nothing.", func(s bus.Stats) uint64 { return s.Blocked }},
		"delivered":        {"Messages put before this node's sockets.", func(s bus.Stats) uint64 { return s.Delivered }},
		"lost":             {"Times that messages may have been missed.", func(s bus.Stats) uint64 { return s.Lost }},
		"work_done":        {"Messages whose work is done.", func(s bus.Stats) uint64 { return s.WorkDone }},
		"work_failed":      {"Tries of work that failed.", func(s bus.Stats) uint64 { return s.WorkFailed }},
		"work_parked":      {"Messages parked for a person by this node.", func(s bus.Stats) uint64 { return s.WorkParked }},
	} {
		counter("bus_"+name, figure.help, func() uint64 { return figure.of(stats()) })
	}
}

// observeMatching names the figures of areas, mirror and wake-ups.
func (n *node) observeMatching(gauge func(name, help string, read func() float64), counter func(name, help string, read func() uint64)) {
	loop := n.loop.Stats
	gauge("matching_nodes", "Nodes that share the areas, as far as this one knows.", func() float64 { return float64(loop().Nodes) })
	gauge("areas_held", "Areas that this node has the lease of.", func() float64 { return float64(loop().Areas) })
	gauge("areas_blocked", "Areas that fall to this node while another holds them.", func() float64 { return float64(loop().Blocked) })
	for state, of := range map[string]func(dispatch.Stats) int{
		"idle": func(s dispatch.Stats) int { return s.CouriersFree },
		"busy": func(s dispatch.Stats) int { return s.CouriersOnDuty - s.CouriersFree },
	} {
		n.metrics.Gauge("courier_company_couriers", "Couriers on duty in all areas, told by one of the nodes and 0 from the others.",
			map[string]string{"state": state}, func() float64 { return float64(of(loop().Company)) })
	}
	for state, of := range map[string]func(dispatch.Stats) int{
		"waiting":      func(s dispatch.Stats) int { return s.Waiting },
		"under_way":    func(s dispatch.Stats) int { return s.Active },
		"unassignable": func(s dispatch.Stats) int { return s.Unassignable },
	} {
		n.metrics.Gauge("courier_company_orders", "Open orders of all areas, told by one of the nodes and 0 from the others.",
			map[string]string{"state": state}, func() float64 { return float64(of(loop().Company)) })
	}
	counter("leases_lost", "Leases that ran out or were taken over.", func() uint64 { return loop().Lost })
	if n.waker != nil {
		counter("wakes_sent", "Hints to other nodes that there is something to match.", func() uint64 { return n.waker.Counters().Sent })
		counter("wakes_heard", "Hints from other nodes.", func() uint64 { return n.waker.Counters().Heard })
		counter("wake_failures", "Hints that the bus did not take.", func() uint64 { return n.waker.Counters().Failures })
	}
	if n.engines.mirror == nil {
		return
	}
	mirror := n.engines.mirror.Stats
	gauge("mirror_couriers", "Couriers in this node's copy of the shared index.", func() float64 { return float64(mirror().Couriers) })
	gauge("mirror_regions", "Regions that the copy covers.", func() float64 { return float64(mirror().Regions) })
	gauge("mirror_lag_seconds", "From a fix's receipt, on any node, to the copy.", func() float64 { return mirror().Lag.Seconds() })
	gauge("mirror_age_seconds", "Since the copy was last compared with the index.", func() float64 { return mirror().Age.Seconds() })
	counter("mirror_snapshots", "Times that the index was read for the copy.", func() uint64 { return mirror().Snapshots })
	counter("mirror_failures", "Times that it could not be read.", func() uint64 { return mirror().Failures })
}
