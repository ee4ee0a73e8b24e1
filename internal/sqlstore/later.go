package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
)

// A write whose effect is known beforehand need not be waited for: on
// PostgreSQL it goes with the next statement that is, or with the others of
// its kind when the closure has returned. So an update takes a round trip for
// each row that it reads, one for all that it writes, and its commit.

// write is such a statement.
type write struct {
	attempted string
	query     string
	args      []any
	none      func() error          // what it means that it affected no row; nil: a fault
	refused   func(err error) error // what the database's refusal means; nil, or nil of it: a fault
}

// fine is for a write that need not affect a row.
func fine() error { return nil }

// later runs a write now or later. What becomes of it fails the closure, or
// nothing does.
func (t *tx) later(w write) error {
	if t.closed {
		return errTxKept
	}
	if t.line == nil {
		var affected int64
		result, err := t.q.ExecContext(context.Background(), w.query, w.args...)
		if err == nil {
			affected, err = result.RowsAffected()
		}
		return t.done(w, affected, err)
	}
	args, err := driverValues(w.args)
	if err != nil {
		return t.fail(fmt.Errorf("%s: %w", w.attempted, err))
	}
	return t.line.reach(func(l pipeline) error {
		l.ahead(statement{w.query, args, func(affected int64, err error) error { return t.done(w, affected, err) }})
		return nil
	})
}

// atOnce runs a write whose effect the closure has to know, and may go on
// after if it affected nothing.
func (t *tx) atOnce(w write) error {
	n, err := t.exec(w.attempted, w.query, w.args...)
	if err != nil && w.refused != nil {
		if means := w.refused(err); means != nil {
			return means
		}
	}
	if err == nil && n == 0 && w.none != nil {
		return w.none()
	}
	return err
}

// flush sends what waits.
func (t *tx) flush() error {
	if t.line == nil {
		return nil
	}
	return t.line.reach(func(l pipeline) error { return l.flush(t.line.ctx) })
}

// done is told what became of a write.
func (t *tx) done(w write, affected int64, err error) error {
	switch {
	case err != nil:
		if w.refused != nil {
			if means := w.refused(err); means != nil {
				return t.fail(means)
			}
		}
		return t.fail(fmt.Errorf("%s: %w", w.attempted, t.dialect.explain(err)))
	case affected > 0:
		return nil
	case w.none == nil:
		return t.fail(fmt.Errorf("%s: no row is there", w.attempted))
	}
	if err := w.none(); err != nil {
		return t.fail(err)
	}
	return nil
}

// pipeline is a connection that statements can wait on. Each answer to a query
// or to flush comes after those to the statements ahead of it, whose first
// failure is its own.
type pipeline interface {
	ahead(s statement)
	flush(ctx context.Context) error
}

// statement is one on its way.
type statement struct {
	query string
	args  []driver.NamedValue
	done  func(affected int64, err error) error // nil: nobody minds how many
}

// line is the way to a pipeline through database/sql.
type line struct {
	conn *sql.Conn
	ctx  context.Context //nolint:containedctx // of the transaction
}

func (l *line) reach(do func(pipeline) error) (err error) {
	failed := l.conn.Raw(func(c any) error {
		err = do(c.(pipeline))
		return nil // else the connection is closed here, not where it is known why
	})
	if err == nil {
		err = failed
	}
	return err
}

// driverValues are arguments as database/sql hands them to a driver.
func driverValues(args []any) ([]driver.NamedValue, error) {
	out := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		v := driver.NamedValue{Ordinal: i + 1, Value: arg}
		if checkNamedValue(&v) != nil {
			var err error
			if v.Value, err = driver.DefaultParameterConverter.ConvertValue(arg); err != nil {
				return nil, fmt.Errorf("parameter %d: %w", i+1, err)
			}
		}
		out[i] = v
	}
	return out, nil
}
