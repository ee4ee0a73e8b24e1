package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"courier/dispatch"
)

const (
	// updateLanes is how many updates go by themselves before the next ones
	// share, and how many shared transactions run side by side.
	updateLanes = 2
	// updateGroup is the most updates in one transaction.
	updateGroup = 128
	// pace is how long a round trip waits for the others' statements.
	pace = 2 * time.Millisecond
	// patience is how long one update may keep the others: a closure that
	// asks nothing, or a row that another transaction has locked.
	patience = 100 * time.Millisecond
)

// errApart ends a closure that has to run in a transaction of its own.
var errApart = errors.New("the update runs again by itself")

// together is one transaction of several updates. Each closure runs in its
// caller's goroutine; the statements that they wait for at once are one round
// trip, and the commit is one. What one of them has read or written no other
// may touch before the first has returned. A closure that is refused before
// it has written costs the others nothing. Whatever else goes wrong undoes
// all, and each runs again by itself.
type together struct {
	pool  *pool
	ctx   context.Context //nolint:containedctx // of the transaction
	asked chan *question
	left  chan struct{}
	over  chan struct{} // closed when the fate is known
	fate  atomic.Int32  // undecided, committing or undone
	err   error         // why it is not known whether it was committed; set before over closes
	rows  atomic.Int64  // outbox rows written

	mu    sync.Mutex
	owner map[[2]string]*member // who read or wrote what, by kind and id
}

// The fates of a transaction; once it is committing or undone it stays so.
const (
	undecided int32 = iota
	committing
	undone
)

// member is one update that waits for a lane, and then its part in a
// transaction.
type member struct {
	ctx    context.Context //nolint:containedctx // ends the closure's statements
	state  atomic.Int32    // waiting, taken or abandoned
	start  chan *together  // gets the transaction
	in     *together
	wrote  bool
	failed bool // a statement of it did, or what it wanted is another's
	gone   bool // under in.mu: its closure has returned
}

// question is one or more statements on their way.
type question struct {
	statements []statement
	answer     chan result
}

// result is the answers to them: the last one's rows, and how many rows each
// affected.
type result struct {
	rows     *pgRows
	affected []int64
	err      error
}

// join waits for a transaction to share and runs the closure in it. Apart:
// nothing came of it, and it must run by itself.
func (p *pool) join(m *member, fn func(*tx) error) (err error, apart bool) { //nolint:revive // the error is the result
	select {
	case m.in = <-m.start:
	case <-m.ctx.Done():
		if m.state.CompareAndSwap(waiting, abandoned) {
			return nil, true // which finds out why
		}
		m.in = <-m.start
	}
	returned := false
	defer func() { // also when the closure ends its goroutine
		if !returned {
			m.leave(true)
		}
	}()
	rows, err := p.part(m, fn)
	returned = true
	m.in.rows.Add(int64(rows)) // counts for nothing unless all is committed
	m.leave(m.wrote && (err != nil || m.failed))
	select {
	case <-m.in.over:
	case <-m.ctx.Done():
		m.in.fate.CompareAndSwap(undecided, undone)
		if m.in.fate.Load() == undone {
			return nil, true
		}
		<-m.in.over
	}
	switch {
	case m.in.err != nil:
		return m.in.err, false
	case m.in.fate.Load() == undone || m.failed:
		return nil, true
	}
	return err, false
}

// part runs the closure on a connection that is the member's view of the
// transaction.
func (p *pool) part(m *member, fn func(*tx) error) (rows int, err error) {
	conn, err := p.parts.Conn(context.Background())
	if err != nil {
		m.failed = true
		return 0, err
	}
	defer conn.Close()
	_ = conn.Raw(func(c any) error { c.(*partConn).member = m; return nil })
	t := newTx(p.store, conn)
	t.member, t.line = m, &line{conn, m.ctx}
	defer func() { t.closed = true }()
	err = protect(func() error { return t.run(fn) })
	m.failed = m.failed || t.raced
	if err != nil {
		return 0, err
	}
	return t.rows, nil
}

// leave says that the closure has returned.
func (m *member) leave(undo bool) {
	if undo {
		m.in.fate.CompareAndSwap(undecided, undone)
	}
	m.in.mu.Lock()
	m.gone = true
	m.in.mu.Unlock()
	m.in.left <- struct{}{}
}

// own makes what has this kind and id the member's until it leaves.
func (m *member) own(kind, id string) error {
	m.in.mu.Lock()
	defer m.in.mu.Unlock()
	key := [2]string{kind, id}
	if has := m.in.owner[key]; has != nil && has != m && !has.gone {
		m.failed = true
		return errApart
	}
	m.in.owner[key] = m
	return nil
}

// ask has statements run in the next round trip.
func (m *member) ask(statements []statement) result {
	q := &question{statements, make(chan result, 1)}
	err := errApart
	if !m.failed {
		select {
		case m.in.asked <- q: // has room for one of each
			select {
			case r := <-q.answer:
				m.failed = r.err != nil
				return r
			case <-m.in.over:
			case <-m.ctx.Done():
				err = m.ctx.Err()
			}
		case <-m.in.over:
		}
	}
	m.failed = true
	return result{err: err}
}

// together runs one transaction of those who wait.
func (p *pool) together(batch []*member) {
	s := &together{pool: p, over: make(chan struct{}), owner: map[[2]string]*member{},
		asked: make(chan *question, len(batch)), left: make(chan struct{}, len(batch))}
	bound, cancel := context.WithTimeout(context.Background(), p.timeout)
	defer cancel()
	s.ctx = bound
	defer close(s.over)
	conn, err := p.db.Conn(bound)
	if err == nil {
		defer conn.Close()
		_ = onPgConn(conn, func(c *pgConn) error { s.run(c, batch); return nil })
		return
	}
	s.fate.Store(undone)
	s.admit(batch)
}

// admit hands the transaction to those who still wait.
func (s *together) admit(batch []*member) (live int) {
	for _, m := range batch {
		if m.state.CompareAndSwap(waiting, taken) {
			m.start <- s
			live++
		}
	}
	return live
}

// run is the transaction, from begin to its end.
func (s *together) run(c *pgConn, batch []*member) {
	c.beginAhead(patience)
	live := s.admit(batch)
	for live > 0 && s.fate.Load() == undecided {
		var round []*question
		if round, live = s.gather(live); len(round) > 0 && !c.round(s.ctx, round) {
			s.fate.CompareAndSwap(undecided, undone)
		}
	}
	if !s.fate.CompareAndSwap(undecided, committing) {
		if !c.conn.IsClosed() {
			bound, cancel := context.WithTimeout(context.Background(), rollbackPatience)
			defer cancel()
			_ = c.rollback(bound) // else the connection is not put back
		}
		return
	}
	bound, cancel := context.WithTimeout(context.Background(), commitPatience)
	defer cancel()
	err := c.commit(bound)
	var refused *pgconn.PgError
	switch {
	case err == nil:
		if s.rows.Load() > 0 {
			s.pool.store.signalCommitted()
		}
	case errors.Is(err, errRolledBack), errors.As(err, &refused) && refused.SeverityUnlocalized == "ERROR":
		s.fate.Store(undone)
	default:
		s.err = fmt.Errorf("%w: commit, which may have been done or not: %w", dispatch.ErrUnavailable, err)
	}
}

// gather collects what is asked until all have asked or left. It undoes the
// transaction if nobody does for long.
func (s *together) gather(live int) (round []*question, still int) {
	late := time.NewTimer(patience)
	defer late.Stop()
	for len(round) < live {
		select {
		case q := <-s.asked:
			if round = append(round, q); len(round) == 1 {
				late.Reset(pace)
			}
		case <-s.left:
			live--
		case <-late.C:
			if len(round) == 0 {
				s.fate.CompareAndSwap(undecided, undone)
			}
			return round, live
		}
	}
	return round, live
}

// round runs statements in one round trip and answers them, or says that one
// of them failed.
func (c *pgConn) round(ctx context.Context, asked []*question) (done bool) {
	all := c.takeAhead()
	first := len(all)
	for _, q := range asked {
		all = append(all, q.statements...)
	}
	rows, affected, _, err := c.send(ctx, all)
	for _, q := range asked {
		n := first + len(q.statements)
		if err != nil {
			q.answer <- result{err: errApart}
		} else {
			q.answer <- result{rows[n-1], affected[first:n], nil}
		}
		first = n
	}
	return err == nil
}
