package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"courier/internal/sim"
	"courier/internal/sim/client"
	"courier/internal/sim/ledger"
	"courier/internal/testenv"
)

// World is a cluster and its people, for faults to happen to.
type World struct {
	t        testenv.T
	c        Config
	engines  *testenv.Engines
	nodes    []*testenv.Dispatch
	links    links
	balancer *testenv.Balancer
	people   *sim.Sim
	watch    *watch
	dice     *rand.Rand
	peak     int64 // most memory of any node so far, bytes
}

// links are the ways to engines that faults happen to: each engine has one
// node with such a way. The others go straight, as a way costs the machine as
// much again as what passes.
type links struct{ postgres, redis, rabbitmq *testenv.Link }

// The nodes, by number, whose ways to engines can fail.
const (
	postgresBy = iota
	redisBy
	rabbitMQBy
)

func newWorld(ctx context.Context, t testenv.T, c Config) (*World, error) {
	w := &World{t: t, c: c, watch: newWatch(c.Bounds), dice: rand.New(rand.NewPCG(c.Seed, 0xc4a05))}
	w.engines = testenv.StartEngines(t)
	// through leads a node's way past where it can fail, if it is that node.
	through := func(node, by int, url, engine, addr string, l **testenv.Link) string {
		if node != by%c.Nodes {
			return url
		}
		*l = testenv.StartLink(t, fmt.Sprintf("node %d to %s", node+1, engine), addr)
		if !strings.Contains(url, addr) {
			t.Fatalf("%s does not lead to %s: the link would be passed by", url, addr)
		}
		return strings.Replace(url, addr, (*l).Addr, 1)
	}
	origin := time.Now()
	var addrs []string
	e := w.engines
	for i := range c.Nodes {
		node := testenv.StartDispatch(t, fmt.Sprintf("node-%d", i+1), c.Command, c.serve(
			origin,
			through(i, postgresBy, e.Database, "PostgreSQL", e.Postgres.Addr(), &w.links.postgres),
			through(i, redisBy, e.Redis.URL(), "Redis", e.Redis.Addr, &w.links.redis),
			through(i, rabbitMQBy, e.RabbitMQ.URL, "RabbitMQ", e.RabbitMQ.Address, &w.links.rabbitmq),
		)...)
		w.nodes, addrs = append(w.nodes, node), append(addrs, node.Addr)
	}
	w.balancer = testenv.StartBalancer(t, addrs...)
	var err error
	w.people, err = sim.New(c.people(w.balancer.URL(), sim.Watch{Placing: w.watch.placing, Placed: w.watch.placed, Shown: w.watch.shown}))
	w.watch.people = w.people
	return w, err
}

// run is everything after the start.
func (w *World) run(ctx context.Context) (Table, error) {
	day, night := context.WithCancel(ctx)
	defer night()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var report sim.Report
	table := Table{Config: w.c}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		defer stop()
		report, err = w.people.Run(day)
		return err
	})
	desk, err := client.New(client.Config{Server: w.balancer.URL(), Seed: w.c.Seed})
	if err != nil {
		return table, err
	}
	defer desk.Close()
	for i := range w.c.Nodes { // by the balancer's turns: a page on each, to begin with
		g.Go(func() error {
			return quiet(desk.Watch(ctx, w.c.Token(fmt.Sprintf("dispatcher-%d", i+1)), w.watch.desk()))
		})
	}
	g.Go(func() error { return quiet(w.tell(ctx)) })
	g.Go(func() error {
		defer night()
		return quiet(w.faults(ctx, &table))
	})
	err = g.Wait()
	table.Report = report
	last := Row{Fault: "the end, all orders"}
	last.Peak = w.remember()
	last.count(w.people.Fresh(report.Violations))
	table.Rows = append(table.Rows, last)
	return table, err
}

// startUp is how long it may take until all is normal for the first time.
const startUp = 5 * time.Minute

// faults lets each fault happen once all is normal.
func (w *World) faults(ctx context.Context, table *Table) error {
	began := time.Now()
	for float64(w.people.Figures().Couriers) < w.c.Bounds.Share*float64(w.c.Couriers) {
		if time.Since(began) > startUp {
			return fmt.Errorf("not all couriers have come: %s", w.people.Figures())
		}
		if !sleep(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
	if _, err := w.normal(ctx, time.Now(), startUp); err != nil {
		return fmt.Errorf("before any fault: %w", err)
	}
	if !sleep(ctx, w.c.Warm) {
		return ctx.Err()
	}
	w.c.Logf("normal after %s: %s", time.Since(began).Round(time.Second), w.people.Figures())
	for _, f := range w.c.Faults {
		row, err := w.fault(ctx, f)
		table.Rows = append(table.Rows, row)
		w.c.Logf("%s", row)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

func (w *World) fault(ctx context.Context, f Fault) (Row, error) {
	row := Row{Fault: f.Name}
	w.c.Logf("%s …", f.Name)
	f.Do(w)
	if !sleep(ctx, f.Lasts) {
		return row, ctx.Err()
	}
	if f.Undo != nil {
		f.Undo(w)
	}
	var err error
	row.Took, err = w.normal(ctx, time.Now(), w.c.Bounds.GiveUp)
	if errors.Is(err, errNotNormal) {
		row.Stuck = err.Error()
		err = nil
	}
	if err == nil && f.After != nil {
		f.After(w)
	}
	row.Peak = w.remember()
	if err != nil {
		return row, err
	}
	bound, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	found, err := w.people.Settle(bound)
	if err != nil {
		return row, fmt.Errorf("settle: %w", err)
	}
	row.count(found)
	for i, v := range found {
		if i < 10 {
			w.c.Logf("  %s: %s %s %s", v.Kind, v.Order, v.Courier, v.Detail)
		}
	}
	return row, nil
}

// remember looks how much memory the nodes have taken; a kill takes that
// along.
func (w *World) remember() int64 {
	for _, n := range w.nodes {
		w.peak = max(w.peak, n.Peak())
	}
	return w.peak
}

// tell logs the figures now and then.
func (w *World) tell(ctx context.Context) error {
	for sleep(ctx, time.Minute) {
		w.c.Logf("%s", w.people.Figures())
	}
	return ctx.Err()
}

// quiet drops the end that everybody is told of.
func quiet(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// sleep is false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// count sorts violations into the columns.
func (r *Row) count(found []ledger.Violation) {
	r.Violations = append(r.Violations, found...)
	for _, v := range found {
		switch v.Kind {
		case ledger.Missing, ledger.LostAct:
			r.Lost++
		case ledger.Doubled, ledger.DoubleAct, ledger.TwoHands:
			r.Doubled++
		case ledger.BadStream:
			r.Streams++
		default:
			r.Other++
		}
	}
}
