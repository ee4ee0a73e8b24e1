package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"courier/dispatch"
	"courier/internal/gather"
)

const (
	// tries is how often a closure may run for one Update.
	tries = 8
	// commitPatience is how long to wait for the answer to a COMMIT, whatever
	// the caller's context: to give up on it is not to know.
	commitPatience = 5 * time.Second
	// rollbackPatience is short: closing the connection rolls back too.
	rollbackPatience = time.Second
)

// pool runs updates: the first ones a transaction each, side by side, and
// those that come while they are under way together, see there.
//
// A transaction is READ COMMITTED and locks each row that it reads. A row
// that is not there cannot be locked: see tx.exists.
type pool struct {
	store   *Store
	db      *sql.DB
	parts   *sql.DB // of shared transactions
	timeout time.Duration
	lanes   *gather.Lanes[*member]

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

func newPool(s *Store, db *sql.DB, timeout time.Duration) *pool {
	p := &pool{store: s, db: db, parts: sql.OpenDB(partConnector{}), timeout: timeout}
	p.parts.SetMaxIdleConns(updateLanes * updateGroup)
	p.lanes = gather.New(updateLanes, updateGroup, func(batch []*member) {
		p.running.Go(func() {
			defer p.lanes.Leave()
			p.together(batch)
		})
	})
	return p
}

func (p *pool) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.running.Add(1)
	return true
}

// close awaits the updates that run.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.running.Wait()
	_ = p.parts.Close() // they have nothing to close
}

func (p *pool) update(ctx context.Context, fn func(*tx) error) error {
	if !p.enter() {
		return ErrClosed
	}
	defer p.running.Done()
	bound, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	return p.insist(ctx, bound, fn)
}

// share is update in a transaction with others, if there are.
func (p *pool) share(ctx context.Context, fn func(*tx) error) error {
	if !p.enter() {
		return ErrClosed
	}
	defer p.running.Done()
	bound, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	m := &member{ctx: bound, start: make(chan *together, 1)}
	if p.lanes.Enter(m) {
		leave := sync.OnceFunc(p.lanes.Leave)
		defer leave()
		defer time.AfterFunc(patience, leave).Stop() // whom a lock keeps, keeps no lane
	} else if err, apart := p.join(m, fn); !apart {
		return err
	}
	return p.insist(ctx, bound, fn)
}

// insist tries until the transaction is done or refused, or until bound ends,
// which ends no later than the caller's ctx.
func (p *pool) insist(ctx, bound context.Context, fn func(*tx) error) error {
	wait := 2 * time.Millisecond
	for n := 1; ; n++ {
		err, again := p.attempt(bound, fn)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case ctx.Err() == nil && bound.Err() != nil && !errors.Is(err, dispatch.ErrUnavailable):
			return fmt.Errorf("%w: %w", dispatch.ErrUnavailable, err)
		case !again || n == tries || bound.Err() != nil:
			return err
		}
		select {
		case <-bound.Done():
		case <-time.After(wait/2 + rand.N(wait)): //nolint:gosec // no secret
		}
		wait *= 2
	}
}

// attempt runs the closure in one transaction. Again says that nothing was
// written and that it may well succeed the next time.
func (p *pool) attempt(ctx context.Context, fn func(*tx) error) (err error, again bool) { //nolint:revive // the error is the result
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return p.store.dialect.failed(err, "connect"), false
	}
	clean := false // else the connection goes, and the transaction with it
	defer func() {
		if !clean {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		_ = conn.Close()
	}()
	_ = onPgConn(conn, func(c *pgConn) error { c.beginAhead(0); return nil })
	t := newTx(p.store, bound{conn, ctx})
	t.line = &line{conn, ctx}
	defer func() { t.closed = true }()
	err = protect(func() error { return t.run(fn) })
	t.closed = true

	var fault error
	_ = onPgConn(conn, func(c *pgConn) error { fault = c.fault; return nil })
	if err == nil && fault != nil { // the closure went on, but the transaction did not
		err = p.store.dialect.failed(fault, "a statement of the update")
	}
	if err != nil {
		if fault == nil || !errors.Is(fault, errLost) {
			patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackPatience)
			defer cancel()
			clean = onPgConn(conn, func(c *pgConn) error { return c.rollback(patience) }) == nil
		}
		if fault != nil && errors.Is(p.store.dialect.explain(fault), dispatch.ErrUnavailable) && !errors.Is(err, dispatch.ErrUnavailable) {
			err = fmt.Errorf("%w: %w", dispatch.ErrUnavailable, err)
		}
		return err, t.raced || retryable(fault)
	}

	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitPatience)
	defer cancel()
	if err := onPgConn(conn, func(c *pgConn) error { return c.commit(patience) }); err != nil {
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.Severity == "ERROR" {
			return p.store.dialect.failed(err, "commit"), retryable(err)
		}
		return fmt.Errorf("%w: commit, which may have been done or not: %w", dispatch.ErrUnavailable, err), false
	}
	clean = true
	if t.rows > 0 {
		p.store.signalCommitted()
	}
	return nil, false
}

// retryable says whether a failure before the commit was of the moment.
func retryable(err error) bool {
	if errors.Is(err, errLost) || errors.Is(err, driver.ErrBadConn) {
		return true
	}
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code {
	case "40001", "40P01": // serialisation failure, deadlock
		return true
	case "23505": // two numbered a decision at once
		return refused.ConstraintName == "decisions_pkey"
	}
	return false
}

func onPgConn(conn *sql.Conn, do func(c *pgConn) error) error {
	return conn.Raw(func(c any) error { return do(c.(*pgConn)) })
}

// bound is a connection whose statements end with the update's context.
type bound struct {
	conn *sql.Conn
	ctx  context.Context //nolint:containedctx // the closure has no other
}

func (b bound) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	return b.conn.ExecContext(b.ctx, query, args...)
}

func (b bound) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	return b.conn.QueryContext(b.ctx, query, args...)
}

func (b bound) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	return b.conn.QueryRowContext(b.ctx, query, args...)
}
