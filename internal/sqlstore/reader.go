package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"courier/dispatch"
	"courier/tracking"
)

// Reader reads a database and cannot change it; a server may have it open.
// Close it.
type Reader struct{ s *Store }

// OpenReader opens the database in a directory to be read alone. Errors:
// ErrNewer, ErrForeign, os.ErrNotExist and others.
func OpenReader(ctx context.Context, c Config) (*Reader, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("sqlstore config: %w", err)
	}
	schema, err := CheckSchema(ctx, c)
	if err != nil {
		return nil, err
	}
	r, err := readSQLite(ctx, c.withDefaults(), schema)
	if err != nil {
		return nil, fmt.Errorf("read the database in %s: %w", c.Dir, err)
	}
	return r, nil
}

func readSQLite(ctx context.Context, c Config, schema Schema) (*Reader, error) {
	path, err := filepath.Abs(filepath.Join(c.Dir, sqliteFile))
	if err != nil {
		return nil, fmt.Errorf("find the data directory: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	if err := schema.current(); err != nil {
		return nil, err
	}
	d := sqliteDialect()
	// The mode lets SQLite make the files beside the log that readers share;
	// _query_only refuses every change.
	db, err := sql.Open("sqlite3", sqliteDSN(path, url.Values{"mode": {"rw"}, "_query_only": {"1"}, "_busy_timeout": {"5000"}}))
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(d.explain(err), db.Close())
	}
	return newReader(d, db), nil
}

// OpenPostgresReader opens a database to be read alone. Errors: ErrNewer,
// ErrForeign, dispatch.ErrUnavailable and others.
func OpenPostgresReader(ctx context.Context, c PostgresConfig) (*Reader, error) {
	schema, err := CheckPostgresSchema(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := schema.current(); err != nil {
		return nil, fmt.Errorf("read the PostgreSQL database: %w", err)
	}
	config, err := postgresSettings(c)
	if err != nil {
		return nil, fmt.Errorf("read the PostgreSQL database: %w", err)
	}
	config.ValidateConnect = nil // it wants a connection that can write
	config.RuntimeParams["default_transaction_read_only"] = "on"
	db := sql.OpenDB(&pgConnector{config: config, reads: true})
	return newReader(postgresDialect(), db), nil
}

// current refuses a schema that a reader may not bring up to date.
func (s Schema) current() error {
	if s.Has != s.Knows {
		return fmt.Errorf("the schema is version %d, not %d: dispatch migrate brings it up to date", s.Has, s.Knows)
	}
	return nil
}

// Orders is dispatch.OrderReader's.
func (r *Reader) Orders(ctx context.Context, q dispatch.OrderQuery) ([]dispatch.Order, string, error) {
	return r.s.Orders(ctx, q)
}

// Events is dispatch.OrderReader's.
func (r *Reader) Events(ctx context.Context, order string, after int64) ([]dispatch.Event, error) {
	return r.s.Events(ctx, order, after)
}

// Couriers is dispatch.CourierReader's.
func (r *Reader) Couriers(ctx context.Context, q dispatch.CourierQuery) ([]dispatch.Courier, string, error) {
	return r.s.Couriers(ctx, q)
}

// Trail is tracking.TrailStore's.
func (r *Reader) Trail(ctx context.Context, courier string, from, to time.Time) ([]tracking.Chunk, error) {
	return r.s.Trail(ctx, courier, from, to)
}

// Close gives the connections back.
func (r *Reader) Close() error { return r.s.Close() }

func newReader(d *dialect, db *sql.DB) *Reader {
	s := &Store{dialect: d, read: db, release: []func() error{db.Close}}
	s.asked = newQuestions(s)
	return &Reader{s}
}
