package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"courier/geo"
)

// orders measures S3: throughput, and latency at a set rate.
func orders(ctx context.Context, r *run) error {
	rows, err := r.bareSQL(ctx)
	if err != nil {
		return err
	}
	bare, err := r.bareOrders(ctx, flatOutClients)
	if err != nil {
		return err
	}
	bare.More = rows
	rate := size(r, r.Rate, 2500, 200)
	paced, err := r.ordersAt(ctx, 256, rate)
	if err != nil {
		return err
	}
	paced.What, paced.Unit = fmt.Sprintf("order placed, p99 at %.0f/s", rate), "ms"
	if paced.Latency != nil {
		paced.Value = paced.Latency.P99
	}
	paced.atMost("S3", 80, "80 ms")
	if err := r.emit(paced); err != nil {
		return err
	}
	most, err := r.ordersAt(ctx, flatOutClients, 0)
	if err != nil {
		return err
	}
	most.What, most.Unit, most.Value = fmt.Sprintf("orders, as many as go, %d clients", flatOutClients), "/s", most.Reached
	most.against(bare)
	most.atLeast("S3", 8000, "8,000/s")
	return r.emit(most)
}

// flatOutClients are how many place orders as fast as they are answered. With
// 64 of them a core had nothing to do while their group was committed.
const flatOutClients = 128

func (r *run) ordersAt(ctx context.Context, clients int, rate float64) (res Result, err error) {
	t, err := r.server(ctx)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, r.leave(t)) }()
	p, err := newPeople(ctx, t)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	return r.placeAt(ctx, p, clients, rate)
}

func (r *run) placeAt(ctx context.Context, p *people, clients int, rate float64) (res Result, err error) {
	t := p.target
	l := r.orderLoad(t.address(), p.key, clients, rate)
	before, err := r.eventsOf(ctx, t, "order.placed")
	if err != nil {
		return res, err
	}
	if rate > 0 {
		r.Told("%s: %.0f/s for %s", r.scenario, rate, r.Warm+r.Measure)
	} else {
		r.Told("%s: as many as go for %s", r.scenario, r.Warm+r.Measure)
	}
	l.window = newWindow(time.Now().Add(50*time.Millisecond), r.Warm, r.Measure)
	m := &meter{target: t}
	g, loading := errgroup.WithContext(ctx)
	g.Go(func() error { return l.run(loading) })
	g.Go(func() error { return m.watch(loading, l.window) })
	if err := g.Wait(); err != nil {
		return res, err
	}
	res = r.result("", "", 0)
	l.tell(&res)
	m.tell(&res, l.counted.Load())
	if t.Admin == "" {
		return res, nil
	}
	// What the server says that it took has to be what it answered.
	now, err := r.settled(ctx, t, "order.placed", before+float64(l.done.Load()))
	res.more("server_took", now-before)
	res.more("answered", float64(l.done.Load()))
	return res, err
}

// orderLoad places orders that are to be ready in two hours, so that none is
// matched yet.
func (r *run) orderLoad(address, key string, clients int, rate float64) *callLoad {
	name := strconv.FormatInt(time.Now().UnixNano(), 36)
	ready := time.Now().Add(2 * time.Hour).UTC().Format(time.RFC3339)
	refused := &refusals{told: r.Told}
	return &callLoad{
		address: address, clients: clients, rate: rate,
		one: func(c *caller, n int64, _ time.Time) (bool, error) {
			reference := name + "-" + strconv.FormatInt(n, 10)
			status, answer, err := c.call(http.MethodPost, "/v1/orders", key, reference, orderBody(reference, ready, n))
			if err == nil && status != http.StatusCreated {
				refused.tell(status, answer)
			}
			return status == http.StatusCreated, err
		},
	}
}

// orderBody is an order as a shop would place it, from one of a hundred places.
func orderBody(reference, ready string, n int64) []byte {
	from := middle.Offset(float64(n%10)*700-3500, float64(n/10%10)*700-3500)
	to := from.Offset(float64(n%7)*300-900, float64(n%11)*200-1000)
	return fmt.Appendf(nil, `{"reference":%q,"pickup":{"point":%s,"address":"Kiln Street %d","contact":{"name":"Kitchen","phone":"+1 555 0100"},"note":"back door"},`+
		`"dropoff":{"point":%s,"address":"Elm Row %d","contact":{"name":"Ann","phone":"+1 555 0101"}},"ready_at":%q,"size":1,"items":"2 soups, 1 bread"}`,
		reference, pointJSON(from), n%100, pointJSON(to), n%200, ready)
}

func pointJSON(p geo.Point) string { return fmt.Sprintf(`{"lat":%.6f,"lng":%.6f}`, p.Lat, p.Lng) }

// eventsOf is how many events of a topic the server has given to its bus.
func (r *run) eventsOf(ctx context.Context, t *Target, topic string) (float64, error) {
	f, err := r.counters(ctx, t)
	return f[fmt.Sprintf("courier_events_total{topic=%q}", topic)], err
}

// settled waits until the server has counted so many events, or has had long
// enough to.
func (r *run) settled(ctx context.Context, t *Target, topic string, want float64) (float64, error) {
	for until := time.Now().Add(drainWithin); ; {
		now, err := r.eventsOf(ctx, t, topic)
		if err != nil || now >= want || time.Now().After(until) {
			return now, err
		}
		if !sleep(ctx, time.Now().Add(100*time.Millisecond)) {
			return now, ctx.Err()
		}
	}
}
