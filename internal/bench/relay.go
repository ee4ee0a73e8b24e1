package bench

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
)

// bareRelay is the floor of latency: a bare loop that reads and decodes a
// frame and writes back at once, with as many sockets at the same rate.
func (r *run) bareRelay(ctx context.Context, rate float64, sockets int) (out Floor, err error) {
	f, err := r.floor(ctx)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, f.stop()) }()
	l := &fixLoad{batch: 1, rate: rate, told: r.Told, senders: make([]*sender, sockets)}
	defer func() { hangUp(l.senders) }()
	err = each(ctx, sockets, func(ctx context.Context, i int) error {
		s, err := dial(ctx, f.address(), "/answer", "")
		if err == nil {
			l.senders[i] = newSender(&courier{socket: s, at: middle}, i)
		}
		return err
	})
	if err != nil {
		return out, err
	}
	l.window = newWindow(time.Now().Add(50*time.Millisecond), r.Warm/2, r.Measure/2)
	r.Told("%s: floor, %.0f/s answered at once", r.scenario, rate)
	g, loading := errgroup.WithContext(ctx)
	g.Go(func() error { return l.run(loading) })
	if err := g.Wait(); err != nil {
		return out, err
	}
	return Floor{What: "gorilla/websocket, frame to answer", Value: p99(l.answered)}, nil
}
