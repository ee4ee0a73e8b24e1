package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver sqlite3
	"golang.org/x/sync/errgroup"
)

// sqlFloor writes rows of an order's size to the engine of the run, durably,
// and does nothing else.
type sqlFloor struct {
	db      *sql.DB
	gone    func() error // of its database; may be nil
	dir, at string       // where it is: a folder or a URL
	writers int
	insert  string // one row
	many    func(rows int) string
	last    atomic.Int64
}

// together is how many rows the second figure writes in a commit.
const together = 100

// bareSQL is how many rows a second go in: with a commit for each, and for 100.
func (r *run) bareSQL(ctx context.Context) (rows map[string]float64, err error) {
	w, err := r.openSQL(ctx)
	if err != nil {
		return nil, fmt.Errorf("bare writer: %w", err)
	}
	defer func() { err = errors.Join(err, w.close()) }()
	took := max(r.Measure/4, 200*time.Millisecond)
	r.Told("%s: floor, rows into the same engine for %s", r.scenario, 2*took)
	one, err := w.rate(ctx, took, 1)
	if err != nil {
		return nil, fmt.Errorf("bare writer: %w", err)
	}
	hundred, err := w.rate(ctx, took, together)
	if err != nil {
		return nil, fmt.Errorf("bare writer: %w", err)
	}
	return map[string]float64{"a_row_a_commit": one, "100_rows_a_commit": hundred}, nil
}

func (r *run) openSQL(ctx context.Context) (*sqlFloor, error) {
	open := r.openSQLite
	if r.DatabaseURL != "" {
		open = r.openPostgres
	}
	w, err := open(ctx)
	if err != nil {
		return nil, err
	}
	w.db.SetMaxOpenConns(w.writers)
	w.db.SetMaxIdleConns(w.writers)
	if _, err := w.db.ExecContext(ctx, "CREATE TABLE bench_floor (id BIGINT PRIMARY KEY, body TEXT NOT NULL)"); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (r *run) openSQLite(context.Context) (w *sqlFloor, err error) {
	dir, err := os.MkdirTemp(r.Dir, "floor-")
	if err != nil {
		return nil, err
	}
	w = &sqlFloor{dir: dir, writers: 1, insert: "INSERT INTO bench_floor VALUES (?, ?)"}
	w.many = func(rows int) string { return w.insert + strings.Repeat(", (?, ?)", rows-1) }
	w.db, err = sql.Open("sqlite3", filepath.Join(dir, "floor.db")+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate")
	return w, err
}

func (r *run) openPostgres(ctx context.Context) (w *sqlFloor, err error) {
	w = &sqlFloor{writers: 8, insert: "INSERT INTO bench_floor VALUES ($1, $2)"}
	w.many = func(int) string { return "INSERT INTO bench_floor SELECT * FROM unnest($1::bigint[], $2::text[])" }
	at, gone, err := r.database(ctx)
	if err != nil {
		return nil, err
	}
	w.gone, w.at = gone, at
	w.db, err = sql.Open("pgx", at)
	return w, err
}

func (w *sqlFloor) close() error {
	err := w.db.Close()
	if w.gone != nil {
		err = errors.Join(err, w.gone())
	}
	return err
}

// rate is how many rows a second go in.
func (w *sqlFloor) rate(ctx context.Context, took time.Duration, rows int) (float64, error) {
	var written atomic.Int64
	body := string(orderBody("floor-reference-1", "2026-11-23T10:00:00Z", 1))
	start := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for range w.writers {
		g.Go(func() error {
			for time.Since(start) < took {
				if err := w.write(ctx, rows, body); err != nil {
					return err
				}
				written.Add(int64(rows))
			}
			return nil
		})
	}
	err := g.Wait()
	return float64(written.Load()) / time.Since(start).Seconds(), err
}

func (w *sqlFloor) write(ctx context.Context, rows int, body string) error {
	var err error
	switch {
	case rows == 1:
		_, err = w.db.ExecContext(ctx, w.insert, w.last.Add(1), body)
	case w.writers > 1: // PostgreSQL
		ids, bodies := make([]int64, rows), make([]string, rows)
		for i := range rows {
			ids[i], bodies[i] = w.last.Add(1), body
		}
		_, err = w.db.ExecContext(ctx, w.many(rows), ids, bodies)
	default:
		args := make([]any, 0, 2*rows)
		for range rows {
			args = append(args, w.last.Add(1), body)
		}
		_, err = w.db.ExecContext(ctx, w.many(rows), args...)
	}
	return err
}
