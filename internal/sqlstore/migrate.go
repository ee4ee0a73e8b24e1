package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// Schema is the version of a database's schema, 0 when it is empty, and the
// newest one that this program knows.
type Schema struct{ Has, Knows int64 }

// migrate brings the schema up to what this program knows, and refuses one
// that is further on. It returns the version that it found.
func migrate(ctx context.Context, d *dialect, g goose.Dialect, db *sql.DB) (from int64, err error) {
	files, err := fs.Sub(migrations, "migrations/"+d.name)
	if err != nil {
		return 0, fmt.Errorf("find migrations: %w", err)
	}
	provider, err := goose.NewProvider(g, db, files, goose.WithDisableGlobalRegistry(true), goose.WithTableName(d.version))
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	have, know, err := provider.GetVersions(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the schema's version: %w", err)
	}
	if have > know {
		return 0, newer(Schema{have, know})
	}
	if have == know {
		return have, nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return have, fmt.Errorf("migrate the schema from version %d to %d: %w", have, know, err)
	}
	return have, nil
}

func newer(s Schema) error {
	return fmt.Errorf("%w: its schema is version %d, this program knows %d", ErrNewer, s.Has, s.Knows)
}

// Migrated is the schema as Open found it.
func (s *Store) Migrated() Schema { return Schema{Has: s.found, Knows: s.dialect.newest()} }

// newest is the version of the last migration.
func (d *dialect) newest() (version int64) {
	files, err := migrations.ReadDir("migrations/" + d.name)
	for _, file := range files {
		number, _, _ := strings.Cut(file.Name(), "_")
		var n int64
		n, err = strconv.ParseInt(number, 10, 64)
		version = max(version, n)
	}
	if err != nil {
		panic(err) // they are part of the program
	}
	return version
}

// CheckSchema reads the version of a directory's database and changes
// nothing; a server may have it open. Errors: ErrNewer, ErrForeign and others.
func CheckSchema(ctx context.Context, c Config) (Schema, error) {
	if err := c.validate(); err != nil {
		return Schema{}, fmt.Errorf("sqlstore config: %w", err)
	}
	s, err := checkSQLite(ctx, sqliteDialect(), c.Dir)
	if err != nil {
		return s, fmt.Errorf("check the database in %s: %w", c.Dir, err)
	}
	return s, nil
}

func checkSQLite(ctx context.Context, d *dialect, dir string) (Schema, error) {
	path, err := filepath.Abs(filepath.Join(dir, sqliteFile))
	if err != nil {
		return Schema{}, fmt.Errorf("find the data directory: %w", err)
	}
	if err := checkFiles(path); err != nil {
		return Schema{}, err
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return Schema{Knows: d.newest()}, nil
	}
	db, err := sql.Open("sqlite3", sqliteDSN(path, url.Values{"mode": {"rw"}, "_query_only": {"1"}, "_busy_timeout": {"5000"}}))
	if err != nil {
		return Schema{}, err
	}
	s, err := checkSchema(ctx, d, db, "SELECT count(*) > 0 FROM sqlite_master WHERE name = $1", "SELECT count(*) > 0 FROM sqlite_master")
	return s, errors.Join(err, db.Close())
}

// CheckPostgresSchema reads the version of a database and changes nothing.
// Errors: ErrNewer, ErrForeign, dispatch.ErrUnavailable.
func CheckPostgresSchema(ctx context.Context, c PostgresConfig) (Schema, error) {
	if err := c.validate(); err != nil {
		return Schema{}, fmt.Errorf("sqlstore config: %w", err)
	}
	config, err := postgresSettings(c)
	if err != nil {
		return Schema{}, fmt.Errorf("check the PostgreSQL database: %w", err)
	}
	db := sql.OpenDB(&pgConnector{config: config, reads: true})
	s, err := checkSchema(ctx, postgresDialect(), db, "SELECT to_regclass($1) IS NOT NULL",
		"SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema())")
	if err := errors.Join(err, db.Close()); err != nil {
		return s, fmt.Errorf("check the PostgreSQL database: %w", err)
	}
	return s, nil
}

// checkSchema asks whether there is a table of versions, or any at all.
func checkSchema(ctx context.Context, d *dialect, db *sql.DB, hasTable, hasAny string) (Schema, error) {
	s := Schema{Knows: d.newest()}
	var ours, some bool
	if err := db.QueryRowContext(ctx, hasTable, d.version).Scan(&ours); err != nil {
		return s, d.failed(err, "read the schema")
	}
	if !ours {
		err := db.QueryRowContext(ctx, hasAny).Scan(&some)
		if err == nil && some {
			return s, ErrForeign
		}
		return s, d.failed(err, "read the schema")
	}
	err := db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM "+d.version).Scan(&s.Has) //nolint:gosec // a constant
	if err == nil && s.Has > s.Knows {
		return s, newer(s)
	}
	return s, d.failed(err, "read the schema's version")
}
