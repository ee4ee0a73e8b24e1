package bench

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// changing is every how manieth order changes while its customer is away.
const changing = 50

// reconnect kills the node that all customers are on. They come back to
// another within a second, and hear of what has changed meanwhile.
func reconnect(ctx context.Context, r *run) (err error) {
	if r.Target != nil || r.DatabaseURL == "" {
		return errors.New("one of two nodes is killed: it takes --database-url, --redis-url and --amqp-url, and no --url")
	}
	n := size(r, r.Customers, 10_000, 100)
	dies, err := r.server(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dies.stop()) }()
	stays, err := r.beside(ctx, dies)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stays.stop()) }()
	p, err := newPeople(ctx, stays)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	r.Told("%s: %d customers come to one of two nodes", r.scenario, n)
	parcels, err := p.parcels(ctx, n)
	if err != nil {
		return err
	}
	before := &people{target: dies}
	defer before.hangUp()
	if err := before.watch(ctx, parcels, func(int, []byte, time.Time) {}); err != nil {
		return err
	}
	idle, err := r.transactions(ctx, dies.database)
	if err != nil {
		return err
	}
	r.Told("%s: it is killed", r.scenario)
	b := &backs{people: p, parcels: parcels, took: make([]time.Duration, n), killed: time.Now()}
	if err := dies.child.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill the node: %w", err)
	}
	before.hangUp() // what is dead must not keep the files that who comes back needs
	if err := b.all(ctx); err != nil {
		return err
	}
	busy, err := r.transactions(ctx, dies.database)
	if err != nil {
		return err
	}
	return r.emit(b.result(r, float64(busy-idle)/float64(n)))
}

// backs are customers who come back.
type backs struct {
	*people
	parcels []parcel
	killed  time.Time
	took    []time.Duration // since then, until each had all that it should; 0: it never had
	gaps    atomic.Int64    // statuses missed, or told again
}

// all has customers come back, spread over a second, while merchants cancel
// some of their orders.
func (b *backs) all(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return each(ctx, (len(b.parcels)+changing-1)/changing, func(ctx context.Context, i int) error {
			_, err := b.client.Cancel(ctx, b.key, b.parcels[i*changing].order, "bench")
			return err
		})
	})
	for i := range b.parcels {
		g.Go(func() error {
			if !sleep(ctx, b.killed.Add(time.Second*time.Duration(i)/time.Duration(len(b.parcels)))) {
				return ctx.Err()
			}
			if b.one(ctx, i) == nil {
				b.took[i] = time.Since(b.killed)
			}
			return nil
		})
	}
	return g.Wait()
}

func (b *backs) one(ctx context.Context, i int) error {
	s, err := dial(ctx, b.target.address(), "/v1/ws/track", b.parcels[i].secret)
	if err != nil {
		return err
	}
	b.keep(s)
	if err := s.conn.SetReadDeadline(b.killed.Add(patience)); err != nil {
		return err
	}
	has := b.parcels[i].version
	want := has
	if i%changing == 0 {
		want++
	}
	if err := s.send(fmt.Appendf(nil, `{"type":"resume","seq":%d}`, has)); err != nil {
		return err
	}
	for welcome := false; !welcome || has < want; {
		raw, err := s.next()
		if err != nil {
			return err
		}
		switch {
		case bytes.HasPrefix(raw, []byte(`{"type":"welcome"`)):
			welcome = true
		case bytes.HasPrefix(raw, []byte(`{"type":"status"`)), bytes.HasPrefix(raw, []byte(`{"type":"snapshot"`)):
			seq, _ := jsonNumber(raw, "seq")
			if seq != has+1 {
				b.gaps.Add(1)
			}
			has = seq
		}
	}
	return nil
}

func (b *backs) result(r *run, transactions float64) Result {
	slices.Sort(b.took)
	lost := 0
	for lost < len(b.took) && b.took[lost] == 0 {
		lost++
	}
	back := b.took[lost:]
	res := r.result(fmt.Sprintf("a node with %d customers is killed, until the last has resumed on another", len(b.took)), "s", 0)
	if len(back) > 0 {
		at := func(share float64) float64 {
			return float64(back[int(share*float64(len(back)-1))]) / float64(time.Millisecond)
		}
		res.Value = back[len(back)-1].Seconds()
		res.Latency = &Latency{P50: at(0.5), P99: at(0.99), P999: at(0.999), Max: at(1)}
	}
	res.Count, res.Errors = int64(len(back)), int64(lost)+b.gaps.Load()
	res.more("gaps", float64(b.gaps.Load()))
	res.more("transactions_each", transactions)
	return res
}

// transactions is how many a database has had so far. Its sessions tell of
// theirs a second late.
func (r *run) transactions(ctx context.Context, database string) (n int64, err error) {
	if !sleep(ctx, time.Now().Add(2*time.Second)) {
		return 0, ctx.Err()
	}
	db, err := sql.Open("pgx", database)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()").Scan(&n)
	return n, err
}
