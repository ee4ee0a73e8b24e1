package main

import (
	"context"
	"time"

	"courier/dispatch"
	"courier/internal/bus"
	"courier/internal/clock"
	"courier/internal/telemetry"
)

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
