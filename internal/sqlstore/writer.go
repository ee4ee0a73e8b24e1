package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/mattn/go-sqlite3"

	"courier/dispatch"
)

// errExited is what the others of a group get when one closure ends its
// goroutine, as t.FailNow does.
var errExited = errors.New("an update's closure ended the writer's goroutine")

// The states of a call. Only a waiting one can be given up: a closure that
// has begun uses its caller's variables, so the caller stays for the answer.
const (
	waiting int32 = iota
	taken
	abandoned
)

// call is one Update in the writer's queue.
type call struct {
	fn    func(*tx) error
	ended func() error // why the caller waits no more, or nil
	state atomic.Int32
	done  chan struct{}
	err   error // set before done closes
}

// take says whether the closure is to run: its caller still waits, or waits
// since it ran before.
func (c *call) take() bool {
	return c.ended() == nil && (c.state.CompareAndSwap(waiting, taken) || c.state.Load() == taken)
}

func (c *call) answer(err error) {
	c.err = err
	close(c.done)
}

// writer owns the one connection that writes. Its goroutine runs all calls
// that wait in one transaction, so that they share the wait for the disk. If
// one fails after it has written, nothing of that transaction is kept, and in
// another one each has a savepoint of its own.
type writer struct {
	store *Store
	conn  *sql.Conn
	group int
	wake  chan struct{} // something waits, or closed
	ended chan struct{}

	mu     sync.Mutex
	queue  []*call
	closed bool

	current []*call // of the running group, not answered yet; the goroutine's own
}

func startWriter(s *Store, conn *sql.Conn, group int) *writer {
	w := &writer{
		store: s, conn: conn, group: group,
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	go w.loop()
	return w
}

// Update implements dispatch.Store. On SQLite a context that ends while fn
// still waits for its turn takes it out of the queue; once fn has begun,
// Update returns what became of it. On PostgreSQL it also ends what has
// begun, but not a commit.
func (s *Store) Update(ctx context.Context, fn func(tx dispatch.Tx) error) error {
	run := func(t *tx) error { return fn(t) }
	if s.pool != nil && ctx.Err() == nil {
		return s.pool.share(ctx, run)
	}
	return s.update(ctx, run)
}

func (s *Store) update(ctx context.Context, fn func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.pool != nil {
		return s.pool.update(ctx, fn)
	}
	c := &call{fn: fn, ended: ctx.Err, done: make(chan struct{})}
	if !s.writer.enqueue(c) {
		return ErrClosed
	}
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		if c.state.CompareAndSwap(waiting, abandoned) {
			return ctx.Err()
		}
		<-c.done
		return c.err
	}
}

func (w *writer) enqueue(c *call) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.queue = append(w.queue, c)
	w.signal()
	return true
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// close lets the goroutine finish what waits and awaits its end.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.signal()
	w.mu.Unlock()
	<-w.ended
}

// next takes what waits, at most a group; none when closed and empty.
func (w *writer) next() []*call {
	for {
		w.mu.Lock()
		n := min(len(w.queue), w.group)
		calls, closed := w.queue[:n:n], w.closed
		w.queue = w.queue[n:]
		if len(w.queue) == 0 {
			w.queue = nil
		}
		w.mu.Unlock()
		if n > 0 || closed {
			return calls
		}
		<-w.wake
	}
}

func (w *writer) loop() {
	defer func() {
		if w.current == nil {
			close(w.ended)
			return
		}
		// A closure called runtime.Goexit: nobody else may wait for ever.
		_, _ = w.exec("ROLLBACK")
		w.answer(w.current, errExited)
		go w.loop()
	}()
	for {
		w.current = w.next()
		if len(w.current) == 0 {
			w.current = nil
			return
		}
		grouped := len(w.current) > 1
		w.run()
		if grouped {
			runtime.Gosched() // those just answered may have more: larger groups, fewer waits for the disk
		}
	}
}

// run commits the current group and answers it.
func (w *writer) run() {
	if w.together() {
		return
	}
	for len(w.current) > 0 {
		if _, err := w.exec("BEGIN IMMEDIATE"); err != nil {
			w.answer(w.current, w.unavailable(err, "begin"))
			return
		}
		group, errs, rows := w.current, make([]error, 0, len(w.current)), 0
		var broken error
		for _, c := range group {
			if !c.take() {
				errs = append(errs, c.ended())
				continue
			}
			var wrote int
			var err error
			wrote, err, broken = w.attempt(c.fn)
			rows += wrote
			errs = append(errs, err)
			if broken != nil {
				break
			}
		}
		w.current = group[len(errs):]
		w.commit(group[:len(errs)], errs, rows, broken)
	}
}

// together is run for when nothing goes wrong: false, and nothing done, if a
// closure has failed after it had written and there are others.
func (w *writer) together() bool {
	group, errs, rows := w.current, make([]error, len(w.current)), 0
	if _, err := w.exec("BEGIN IMMEDIATE"); err != nil {
		w.answer(group, w.unavailable(err, "begin"))
		return true
	}
	for i, c := range group {
		if !c.take() {
			errs[i] = c.ended()
			continue
		}
		s := &savepoint{Conn: w.conn, bare: true}
		t := newTx(w.store, s)
		err := protect(func() error { return t.run(c.fn) })
		if t.closed = true; err == nil {
			rows += t.rows
			continue
		}
		over, errOver := s.over()
		if whole := !s.open && !over && errOver == nil; !whole {
			_, _ = w.exec("ROLLBACK")
			if len(group) > 1 {
				return false
			}
			w.answer(group, err)
			return true
		}
		errs[i] = err
	}
	w.commit(group, errs, rows, nil)
	return true
}

// commit ends the transaction, unless it is broken, and answers those that
// were in it.
func (w *writer) commit(group []*call, errs []error, rows int, broken error) {
	if broken == nil {
		_, broken = w.exec("COMMIT")
	}
	if broken != nil {
		_, _ = w.exec("ROLLBACK") // SQLite may have done it itself
	}
	for i, c := range group {
		if errs[i] == nil && broken != nil {
			errs[i] = w.unavailable(broken, "commit")
		}
		c.answer(errs[i])
	}
	if broken == nil && rows > 0 {
		w.store.signalCommitted()
	}
}

// attempt runs one closure of a group. It returns how many outbox rows it
// wrote, what it came to, and broken if the whole transaction is lost.
func (w *writer) attempt(fn func(*tx) error) (rows int, err, broken error) {
	s := &savepoint{Conn: w.conn}
	t := newTx(w.store, s)
	err = protect(func() error { return t.run(fn) })
	t.closed = true
	if err == nil {
		return t.rows, nil, s.end("RELEASE c")
	}
	// A full disk or a damaged page ends the transaction at once, and what
	// ran next would commit by itself.
	if over, errOver := s.over(); over || errOver != nil {
		return 0, err, errors.Join(errors.New("the transaction was rolled back"), errOver)
	}
	return 0, err, s.end("ROLLBACK TO c; RELEASE c")
}

// savepoint is the connection with a savepoint set before the first write:
// a closure that only reads, or is refused before it writes, needs none.
// With bare it is the whole transaction instead, and open says that there is
// something to undo.
type savepoint struct {
	*sql.Conn
	bare bool
	open bool
}

func (s *savepoint) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := s.set(); err != nil {
		return nil, err
	}
	return s.Conn.ExecContext(ctx, query, args...)
}

func (s *savepoint) set() error {
	if s.open || s.bare {
		s.open = true
		return nil
	}
	_, err := s.Conn.ExecContext(context.Background(), "SAVEPOINT c")
	s.open = err == nil
	return err
}

func (s *savepoint) end(statement string) error {
	if !s.open {
		return nil
	}
	_, err := s.Conn.ExecContext(context.Background(), statement)
	return err
}

// over says whether there is no transaction any more.
func (s *savepoint) over() (over bool, err error) {
	err = s.Raw(func(c any) error {
		over = c.(*sqlite3.SQLiteConn).AutoCommit()
		return nil
	})
	return over, err
}

// unavailable is the answer to callers who have done nothing wrong.
func (w *writer) unavailable(err error, attempted string) error {
	return fmt.Errorf("%w: %w", dispatch.ErrUnavailable, w.store.dialect.failed(err, attempted))
}

func (w *writer) answer(calls []*call, err error) {
	for _, c := range calls {
		c.answer(err)
	}
}

func (w *writer) exec(statement string) (sql.Result, error) {
	return w.conn.ExecContext(context.Background(), statement)
}

// protect turns a panic into an error.
func protect(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in an update: %v\n%s", p, debug.Stack())
		}
	}()
	return fn()
}
