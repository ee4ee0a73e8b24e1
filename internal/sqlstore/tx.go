package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	jsonv1 "github.com/go-json-experiment/json/v1"

	"courier/dispatch"
)

var errTxKept = errors.New("a transaction was used after its closure returned")

// tx is one closure's view of a transaction. Its statements have no context
// that could end: when to cut a closure short is its querier's to say.
type tx struct {
	q       querier
	line    *line // where writes may wait; nil: nowhere
	dialect *dialect
	node    string // writes the outbox rows
	now     func() time.Time
	rows    int   // outbox rows written
	fault   error // what the closure cannot recover from
	closed  bool
	orders  map[string]dispatch.Order // as this transaction has read or saved them
	plans   map[string][]string       // courier → orders in its plan, likewise
	table   map[string][]string       // courier → orders that the table of assignments has, before settle
	vers    map[string]int64          // courier → version, likewise
	claims  map[string][]string       // courier → orders new in its plan, see settle
	moved   map[string]bool           // orders whose courier or plan was written
	absent  map[[2]string]bool        // kind and id of what was looked for in vain
	raced   bool                      // … and then was there: run the closure again
	member  *member                   // of a shared transaction, else nil
}

var _ dispatch.Tx = (*tx)(nil)

func newTx(s *Store, q querier) *tx {
	return &tx{
		q: q, dialect: s.dialect, node: s.node, now: s.now,
		orders: map[string]dispatch.Order{}, plans: map[string][]string{}, table: map[string][]string{}, vers: map[string]int64{},
	}
}

func (t *tx) run(fn func(*tx) error) error {
	if err := fn(t); err != nil {
		return err
	}
	if t.fault != nil {
		return t.fault
	}
	if err := t.settle(); err != nil {
		return err
	}
	return t.flush()
}

// exec writes. Its failure fails the closure even if that goes on: a save is
// written whole or not at all.
func (t *tx) exec(attempted, query string, args ...any) (affected int64, err error) {
	if t.closed {
		return 0, errTxKept
	}
	result, err := t.q.ExecContext(context.Background(), query, args...)
	if err == nil {
		affected, err = result.RowsAffected()
	}
	if err != nil {
		return 0, t.fail(fmt.Errorf("%s: %w", attempted, t.dialect.explain(err)))
	}
	return affected, nil
}

// returning runs a statement that writes, for the rows that it returns.
func returning[T any](t *tx, scan func(scanner) (T, error), attempted, query string, args ...any) ([]T, error) {
	if t.closed {
		return nil, errTxKept
	}
	if s, ok := t.q.(*savepoint); ok {
		if err := s.set(); err != nil {
			return nil, t.fail(t.dialect.failed(err, attempted))
		}
	}
	rows, err := collect(context.Background(), t.q, scan, query, args...)
	if err != nil {
		return nil, t.fail(t.dialect.failed(err, attempted))
	}
	return rows, nil
}

// use comes before the first statement about what has this kind and id.
func (t *tx) use(kind, id string) error {
	switch {
	case t.closed:
		return errTxKept
	case t.member != nil:
		return t.member.own(kind, id)
	}
	return nil
}

// fail remembers that the closure cannot succeed any more.
func (t *tx) fail(err error) error {
	if t.fault == nil {
		t.fault = err
	}
	return err
}

// missing is the dialect's, and notes what there was not: no row, no lock.
func (t *tx) missing(err error, kind, id string) error {
	if errors.Is(err, sql.ErrNoRows) && t.dialect.lock != "" {
		if t.absent == nil {
			t.absent = map[[2]string]bool{}
		}
		t.absent[[2]string{kind, id}] = true
	}
	return t.dialect.missing(err, kind, id)
}

// exists notes that an insert found its row there already. If the closure
// had looked for it in vain, someone else was faster, and a serialisable
// transaction would not have seen both.
func (t *tx) exists(kind, id string) {
	t.raced = t.raced || t.absent[[2]string{kind, id}]
}

// forUpdate ends a SELECT that is to lock its rows.
func (t *tx) forUpdate(query string) string { return query + t.dialect.lock }

// micros is how times are stored.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// whole is a time as it will be read back.
func whole(t time.Time) time.Time { return fromMicros(micros(t)) }

// flag is how booleans are stored.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// blob is how bytes are stored: none is empty, not NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func encode(kind, id string, doc any) (string, error) {
	raw, err := json.Marshal(doc)
	if err != nil {
		return "", fmt.Errorf("encode %s %q: %w", kind, id, err)
	}
	return string(raw), nil
}

func decode(kind, id string, raw []byte, into any) error {
	// As encoding/json reads, in half the time.
	if err := jsonv1.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%w: decode %s %q: %w", ErrCorrupt, kind, id, err)
	}
	return nil
}
