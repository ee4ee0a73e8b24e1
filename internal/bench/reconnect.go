package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// reconnect kills a node that all customers are connected to and has them come
// back at once on another one. Statuses change while they are away: each has
// to get every version, once and in order.
func reconnect(ctx context.Context, r *run) (err error) {
	if r.Target != nil {
		return errors.New("a server that runs is not killed: leave out --url")
	}
	database, gone, err := r.database(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, gone()) }()
	stays, err := r.serverOn(ctx, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stays.stop()) }()
	dies, err := r.serverOn(ctx, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dies.stop()) }()
	p, err := newPeople(ctx, stays)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()

	name := strings.TrimPrefix(mustPath(database), "/")
	idle, err := r.transactionRate(ctx, name)
	if err != nil {
		return err
	}
	customers := size(r, r.Customers, 10_000, 100)
	r.Told("%s: %d customers come to the node that will be killed", r.scenario, customers)
	back, changing, err := r.toBeKilled(ctx, p, dies.address(), customers)
	if err != nil {
		return err
	}
	dies.child.kill()
	if err := each(ctx, len(changing), func(ctx context.Context, i int) error {
		return p.give(ctx, changing[i], p.couriers[i%len(p.couriers)].id)
	}); err != nil {
		return err
	}
	before, err := r.transactions(ctx, name)
	if err != nil {
		return err
	}

	r.Told("%s: all come back", r.scenario)
	start := time.Now()
	took := newRecorder(window{from: start, until: start.Add(time.Hour)})
	var last, again, gaps atomic.Int64
	storm, comeBack := errgroup.WithContext(ctx)
	for i, c := range back {
		storm.Go(func() error {
			err := c.comeBack(comeBack, stays.address(), &again)
			now := time.Now()
			took.record(i, start, now)
			for old := last.Load(); now.UnixNano() > old && !last.CompareAndSwap(old, now.UnixNano()); old = last.Load() {
			}
			gaps.Add(c.gaps)
			return err
		})
	}
	err = storm.Wait()
	defer func() {
		for _, c := range back {
			if c.socket != nil {
				c.close()
			}
		}
	}()
	if err != nil {
		return err
	}
	all := time.Unix(0, last.Load()).Sub(start)
	after, err := r.transactions(ctx, name)
	if err != nil {
		return err
	}
	for i, one := range changing { // what they had is what they have
		if back[i].seq != one.version {
			gaps.Add(1)
		}
	}

	res := r.result(fmt.Sprintf("until the last of %d customers whose node was killed is back on the other", customers), "ms", float64(all.Milliseconds()))
	res.Count, res.Errors, res.Latency = int64(customers), gaps.Load(), took.latency()
	res.more("gaps", float64(gaps.Load()))
	res.more("changed_meanwhile", float64(len(changing)))
	res.more("tried_again", float64(again.Load()))
	cost := r.result("database transactions of a customer who comes back", "", (after.count-before.count-idle*after.at.Sub(before.at).Seconds())/float64(customers))
	cost.Count = int64(customers)
	cost.more("idle_a_second", idle)
	return errors.Join(r.emit(res), r.emit(cost))
}

// toBeKilled connects customers to a node, and says which orders are to change
// once it is gone, the first ones: of one in ten.
func (r *run) toBeKilled(ctx context.Context, p *people, address string, n int) (all []*returning, changing []*parcel, err error) {
	parcels, err := p.parcels(ctx, n)
	if err != nil {
		return nil, nil, err
	}
	changes := min(max(n/10, 10), n)
	if err := p.hire(ctx, min(changes, 100)); err != nil { // each stands by every hundredth order
		return nil, nil, err
	}
	for _, c := range p.couriers {
		if err := p.stand(c); err != nil {
			return nil, nil, err
		}
	}
	all = make([]*returning, n)
	err = each(ctx, n, func(ctx context.Context, i int) error {
		all[i] = &returning{secret: parcels[i].secret}
		return all[i].come(ctx, address)
	})
	for i := range changes {
		changing = append(changing, &parcels[i])
	}
	return all, changing, err
}

// returning is a customer who loses its node.
type returning struct {
	*socket
	secret string
	seq    int64 // of the last status seen
	gaps   int64 // versions left out, or sent twice
}

// come opens the socket, resumes and returns when all that was missed is here:
// the answer to a ping that is sent after it.
func (c *returning) come(ctx context.Context, address string) error {
	s, err := dial(ctx, address, "/v1/ws/track", c.secret)
	if err != nil {
		return err
	}
	c.socket = s
	err1 := s.send(fmt.Appendf(nil, `{"type":"resume","seq":%d}`, c.seq))
	err2 := s.write(opPing, []byte("all"))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	for {
		op, raw, err := s.frame()
		switch {
		case err != nil:
			return err
		case op == opPong:
			return nil
		case op == opClose:
			return fmt.Errorf("closed by the server: %s", raw[min(2, len(raw)):])
		case op == opText:
			c.see(raw)
		}
	}
}

func (c *returning) see(raw []byte) {
	first, status := bytes.HasPrefix(raw, []byte(`{"type":"snapshot"`)), bytes.HasPrefix(raw, []byte(`{"type":"status"`))
	if !first && !status {
		return
	}
	seq, _ := jsonNumber(raw, "seq")
	if (first && c.seq != 0) || (status && seq != c.seq+1) {
		c.gaps++
	}
	c.seq = seq
}

// comeBack notices that the node is gone and goes to another, until it is in.
func (c *returning) comeBack(ctx context.Context, address string, again *atomic.Int64) error {
	for {
		if _, err := c.next(); err != nil {
			break
		}
	}
	c.close()
	const pause = 500 * time.Millisecond
	for until := time.Now().Add(time.Minute); ; again.Add(1) {
		err := c.come(ctx, address)
		if err == nil {
			return nil
		}
		if time.Now().After(until) || !sleep(ctx, time.Now().Add(pause)) {
			return fmt.Errorf("come back: %w", err)
		}
	}
}

// committed is how many transactions a database has had until a moment.
type committed struct {
	count float64
	at    time.Time
}

// transactions waits until the database's processes have told of theirs, which
// they do once a second.
func (r *run) transactions(ctx context.Context, database string) (c committed, err error) {
	if !sleep(ctx, time.Now().Add(1500*time.Millisecond)) {
		return c, ctx.Err()
	}
	return r.told(ctx, database)
}

func (r *run) told(ctx context.Context, database string) (c committed, err error) {
	c.at = time.Now()
	c.count, err = r.ask(ctx, "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1", database)
	return c, err
}

// transactionRate is how many there are in a second while nobody is there.
func (r *run) transactionRate(ctx context.Context, database string) (float64, error) {
	first, err := r.told(ctx, database)
	if err != nil || !sleep(ctx, time.Now().Add(r.Warm)) {
		return 0, errors.Join(err, ctx.Err())
	}
	second, err := r.transactions(ctx, database)
	return (second.count - first.count) / second.at.Sub(first.at).Seconds(), err
}

func mustPath(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Path
}
