// Package sqlstore keeps the truth in SQL: orders, couriers, credentials,
// trails, and the outbox that tells everyone else. One package, dialect by
// dialect; SQLite is the embedded one:
//
//	Update ─┐
//	Update ─┼→ writer: one transaction → one fsync → answers
//	Update ─┘                                           └→ Committed → outbox relay
//	Order, Orders, … → a pool of read-only connections
//
// and PostgreSQL the one that many nodes share:
//
//	Update → pool: the first ones a transaction each, rows locked as read → COMMIT → answer
//	Update ─┐                                                                └→ Committed → outbox relay
//	Update ─┼→ together: who comes meanwhile shares round trips → COMMIT → answers
//	Update ─┘
//	Create ─┐
//	Create ─┼→ creator: what waits becomes one transaction → COMMIT → answers
//	Create ─┘
//	Order, Courier, … → asks: who comes while two ask shares a statement ─┐
//	Orders, Couriers, … ──────────────────────────────────────────────────┴→ a pool of its own
//
// A Store implements dispatch.Store, outbox.Source, auth.Store and
// tracking.TrailStore. Times are kept to the microsecond.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"courier/dispatch"
)

// The errors of a Store beside those of its ports, to be told apart with
// errors.Is.
var (
	ErrInUse    = errors.New("in use by another process")
	ErrNewer    = errors.New("written by a newer version of Courier")
	ErrForeign  = errors.New("not a Courier database")
	ErrCorrupt  = errors.New("damaged")
	ErrReadOnly = errors.New("not writable")
	ErrClosed   = fmt.Errorf("store is closed: %w", dispatch.ErrUnavailable)
)

// Config says where a Store keeps its data.
type Config struct {
	Dir     string           // the data directory; made if only it is missing
	Readers int              // connections that read; 0: 4
	Group   int              // most closures in one commit; 0: 256
	Node    string           // the name of this node; empty: "node"
	Now     func() time.Time // dates what has no time of its own; nil: time.Now
}

// onlyNode is the name of a node that has none.
const onlyNode = "node"

func (c Config) validate() error {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("Dir is empty"))
	}
	if c.Readers < 0 {
		errs = append(errs, fmt.Errorf("Readers is %d, under 0", c.Readers))
	}
	if c.Group < 0 {
		errs = append(errs, fmt.Errorf("Group is %d, under 0", c.Group))
	}
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	if c.Readers == 0 {
		c.Readers = 4
	}
	if c.Group == 0 {
		c.Group = 256
	}
	if c.Node == "" {
		c.Node = onlyNode
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Store is a database. All its methods may be called from any goroutine.
type Store struct {
	dialect   *dialect
	read      *sql.DB
	asked     *questions
	keys      *keyring // SQLite's, else nil
	writer    *writer  // SQLite's, else nil
	pool      *pool    // PostgreSQL's, else nil
	creator   *creator // likewise
	node      string   // whose rows in the outbox are this store's
	found     int64    // the version of the schema before it was migrated
	now       func() time.Time
	committed chan struct{}
	release   []func() error // what Close gives back, last first
	close     sync.Once
	closeErr  error
}

// Open opens the database in a directory, makes it if there is none, and
// brings its schema up to date. Close it.
//
// Errors: ErrInUse, ErrNewer, ErrForeign, ErrCorrupt, ErrReadOnly.
func Open(ctx context.Context, c Config) (*Store, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("sqlstore config: %w", err)
	}
	s, err := openSQLite(ctx, c.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("open database in %s: %w", c.Dir, err)
	}
	return s, nil
}

// Close answers the updates that wait, refuses new ones with ErrClosed, and
// closes the database. Later calls return what the first one did.
func (s *Store) Close() error {
	s.close.Do(func() {
		if s.writer != nil {
			s.writer.close()
		}
		if s.pool != nil {
			s.pool.close()
		}
		if s.creator != nil {
			s.creator.close()
		}
		for i := len(s.release) - 1; i >= 0; i-- {
			s.closeErr = errors.Join(s.closeErr, s.release[i]())
		}
	})
	return s.closeErr
}

// querier is what reading code asks: a pool outside a transaction, the one
// connection inside.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// scanner is a row, of one or of many.
type scanner interface{ Scan(into ...any) error }

// collect reads all rows of a query.
func collect[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) (all []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
