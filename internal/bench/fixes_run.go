package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// fixes measures S1 and S11, or S2 with several in a frame.
func fixes(ctx context.Context, r *run) error {
	batch := max(r.Batch, 1)
	couriers := size(r, r.Couriers, 1000, 50)
	rate := size(r, r.Rate, 20_000*float64(min(batch, 5)), 1000)
	bareOne, err := r.bareFixes(ctx, "/read", couriers, batch, rate)
	if err != nil {
		return err
	}
	answering, err := r.bareFixes(ctx, "/answer", couriers, batch, rate)
	if err != nil {
		return err
	}
	paced, err := r.fixesAt(ctx, couriers, batch, rate)
	if err != nil {
		return err
	}
	paced.What, paced.Unit, paced.Value = fmt.Sprintf("server CPU a fix at %.0f/s, %d a frame, %d couriers", rate, batch, couriers), "µs", paced.ServerCPU
	paced.against(Floor{What: "gorilla/websocket, frames read and decoded", Value: bareOne.ServerCPU,
		More: map[string]float64{"with_answers": answering.ServerCPU}})
	if batch == 1 && r.Engines == "embedded" {
		paced.ratioAtMost("S1", 1.5, "1.5 × floor")
	} else if batch == 1 {
		paced.ratioAtMost("S1", 2, "2 × floor")
	}
	if err := r.emit(paced); err != nil {
		return err
	}
	if batch == 1 {
		gc := paced
		gc.What, gc.Unit, gc.Value = fmt.Sprintf("share of the server's CPU in the collector, %.0f fixes/s", rate), "%", paced.GC
		gc.Floor, gc.Ratio, gc.Latency = nil, 0, nil
		gc.atMost("S11", 10, "under 10 %")
		if err := r.emit(gc); err != nil {
			return err
		}
	}
	return r.mostFixes(ctx, couriers, batch)
}

// mostFixes is how many go through, generator and server on one machine.
func (r *run) mostFixes(ctx context.Context, couriers, batch int) error {
	bareMost, err := r.bareFixes(ctx, "/answer", couriers, batch, 0)
	if err != nil {
		return err
	}
	most, err := r.fixesAt(ctx, couriers, batch, 0)
	if err != nil {
		return err
	}
	most.What, most.Unit, most.Value = fmt.Sprintf("fixes, as many as go, %d a frame, %d couriers", batch, couriers), "/s", most.Reached
	bare := Floor{What: "gorilla/websocket, frames read, decoded and answered", Value: bareMost.Reached,
		More: map[string]float64{"server_cpu_us": bareMost.ServerCPU}}
	if r.RedisURL != "" {
		one, many, err := r.bareRedis(ctx)
		if err != nil {
			return err
		}
		bare.More["geoadd_one_a_command"], bare.More["geoadd_128_a_command"] = one, many
	}
	most.against(bare)
	if batch == 10 && r.Engines == "embedded" {
		most.atLeast("S2", 300_000, "300,000/s")
	}
	if err := r.emit(most); err != nil {
		return err
	}
	cost := most
	cost.What, cost.Unit, cost.Value = fmt.Sprintf("server CPU a fix when as many come as go, %d a frame, %d couriers", batch, couriers), "µs", most.ServerCPU
	cost.against(Floor{What: "gorilla/websocket, frames read, decoded and answered", Value: bareMost.ServerCPU})
	cost.Goal = nil
	return r.emit(cost)
}

// appPatience is for how many seconds the courier's app lets the answers to
// its fixes be gathered.
const appPatience = 10

// fixesAt loads a server; rate 0 is as many as go, and then each courier waits
// for answers.
func (r *run) fixesAt(ctx context.Context, couriers, batch int, rate float64) (res Result, err error) {
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
	if rate > 0 {
		p.patience = appPatience
	}
	r.Told("%s: %d couriers sign in", r.scenario, couriers)
	if err := p.hire(ctx, couriers); err != nil {
		return res, err
	}
	l := &fixLoad{senders: p.senders(), batch: batch, rate: rate}
	before, err := r.counters(ctx, t)
	if err != nil {
		return res, err
	}
	if res, err = r.loadFixes(ctx, t, l, fmt.Sprintf("%d fixes a frame", batch)); err != nil {
		return res, err
	}
	if t.Admin != "" { // what it says that it took has to be what it answered
		after, err := r.counters(ctx, t)
		if err != nil {
			return res, err
		}
		const accepted, dropped = "courier_fixes_accepted_total", "courier_trail_dropped_total"
		res.more("server_took", after[accepted]-before[accepted])
		res.more("answered", float64(l.accepted.Load()))
		res.more("not_in_trail", after[dropped]-before[dropped])
	}
	return res, nil
}

// counters are the server's metrics; none, if they are out of reach.
func (r *run) counters(ctx context.Context, t *Target) (figures, error) {
	if t.Admin == "" {
		return figures{}, nil
	}
	return scrape(ctx, t.Admin)
}

// bareFixes loads a floor the same way.
func (r *run) bareFixes(ctx context.Context, path string, couriers, batch int, rate float64) (res Result, err error) {
	f, err := r.floor(ctx)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, f.stop()) }()
	l := &fixLoad{batch: batch, rate: rate, silent: path == "/read"}
	l.senders = make([]*sender, couriers)
	err = each(ctx, couriers, func(ctx context.Context, i int) error {
		s, err := dial(ctx, f.address(), path, "")
		if err == nil {
			l.senders[i] = newSender(&courier{socket: s, at: middle}, i)
		}
		return err
	})
	defer hangUp(l.senders)
	if err != nil {
		return res, err
	}
	if res, err = r.loadFixes(ctx, f.Target, l, "floor "+path); err != nil {
		return res, err
	}
	for until := time.Now().Add(drainWithin); ; { // what the kernel holds
		taken, err := f.taken(ctx)
		switch {
		case err != nil || taken == l.sent.Load():
			return res, err
		case time.Now().After(until):
			return res, fmt.Errorf("the floor took %d fixes of %d", taken, l.sent.Load())
		case !sleep(ctx, time.Now().Add(20*time.Millisecond)):
			return res, ctx.Err()
		}
	}
}

func (r *run) loadFixes(ctx context.Context, t *Target, l *fixLoad, what string) (Result, error) {
	l.told = r.Told
	l.window = newWindow(time.Now().Add(50*time.Millisecond), r.Warm, r.Measure)
	m := &meter{target: t}
	if l.rate > 0 {
		r.Told("%s: %s, %.0f/s for %s", r.scenario, what, l.rate, r.Warm+r.Measure)
	} else {
		r.Told("%s: %s, as many as go for %s", r.scenario, what, r.Warm+r.Measure)
	}
	g, loading := errgroup.WithContext(ctx)
	g.Go(func() error { return l.run(loading) })
	g.Go(func() error { return m.watch(loading, l.window) })
	if err := g.Wait(); err != nil {
		return Result{}, err
	}
	if l.silent {
		l.counted.Store(m.after.taken - m.before.taken)
	}
	res := r.result("", "", 0)
	l.tell(&res)
	m.tell(&res, l.counted.Load())
	return res, nil
}
