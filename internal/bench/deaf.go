package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// deaf has customers see where their couriers are, alone and then among others
// who are sent as much and read nothing of it: customers of the same orders,
// and dispatchers, who are sent the whole fleet.
func deaf(ctx context.Context, r *run) (err error) {
	t, err := r.server(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.leave(t)) }()
	couriers := size(r, r.Couriers, 1000, 20)
	w, err := r.newTown(ctx, t, couriers, couriers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	rate := size(r, r.Rate, 2000, 40)
	alone, _, err := w.shownWithin(ctx, rate)
	if err != nil {
		return err
	}
	before, err := memoryOf(t.PID)
	if err != nil {
		return err
	}
	for _, crowd := range []struct{ customers, dispatchers int }{
		{size(r, r.Customers, 990, 45), size(r, 0, 10, 1)}, {0, size(r, 0, 90, 4)},
	} {
		r.Told("%s: %d customers and %d dispatchers come and never read", r.scenario, crowd.customers, crowd.dispatchers)
		if err := w.comeDeaf(ctx, crowd.customers, crowd.dispatchers); err != nil {
			return err
		}
		among, peak, err := w.shownWithin(ctx, rate)
		if err != nil {
			return err
		}
		res := r.result(fmt.Sprintf("courier's fix to customer's socket, p99 at %.0f/s among %d customers and %d dispatchers who never read",
			rate, w.deafCustomers, w.deafDispatchers), "ms", among.P99)
		res.Latency, res.Count = among, w.shown.Load()
		res.Resident = mib(peak)
		res.more("grown_mib", mib(peak-before.resident))
		res.against(Floor{What: "without them", Value: alone.P99})
		res.ratioAtMost("deaf", 2, "2 × what it is without them")
		if err := r.emit(res); err != nil {
			return err
		}
	}
	return nil
}

// shownWithin is how old positions are when customers get them, and the most
// memory that the server has had at the end of it.
func (w *town) shownWithin(ctx context.Context, rate float64) (*Latency, int64, error) {
	window := newWindow(time.Now().Add(50*time.Millisecond), w.run.Warm, w.run.Measure)
	seen := newRecorder(window)
	w.positions.Store(seen)
	if _, err := w.ride(ctx, rate, window); err != nil {
		return nil, 0, err
	}
	m, err := memoryOf(w.target.PID)
	if err != nil {
		return nil, 0, err
	}
	quiet(ctx, w.shown.Load)
	l := seen.latency()
	if l == nil {
		return nil, 0, errors.New("no customer was shown a position")
	}
	return l, m.resident, nil
}

// comeDeaf opens sockets that say what they want and read nothing more. What
// the kernel would take in for them is kept small.
func (w *town) comeDeaf(ctx context.Context, customers, dispatchers int) error {
	w.deafCustomers += customers
	w.deafDispatchers += dispatchers
	return each(ctx, customers+dispatchers, func(ctx context.Context, i int) error {
		path, bearer := "/v1/ws/fleet", w.target.Token
		if i < customers {
			path, bearer = "/v1/ws/track", w.carried[i%len(w.carried)].secret
		}
		s, err := dial(ctx, w.target.address(), path, bearer)
		if err != nil {
			return err
		}
		w.keep(s)
		if tcp, ok := s.conn.(*net.TCPConn); ok {
			if err := tcp.SetReadBuffer(4 << 10); err != nil {
				return fmt.Errorf("read little: %w", err)
			}
		}
		frames := [][]byte{[]byte(`{"type":"resume","seq":0}`)}
		if i >= customers {
			at := fmt.Appendf(nil, `{"type":"view","bounds":{"south":%.1f,"west":%.1f,"north":%.1f,"east":%.1f},"zoom":13}`,
				middle.Lat-1, middle.Lng-1, middle.Lat+1, middle.Lng+1)
			frames = append(frames, at)
		}
		for _, frame := range frames {
			if err := s.send(frame); err != nil {
				return fmt.Errorf("say what is wanted: %w", err)
			}
		}
		return nil
	})
}
