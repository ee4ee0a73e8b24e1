package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"

	"courier/dispatch"
)

const (
	sqliteFile = "courier.db"
	// sqliteApplication marks a file as ours (PRAGMA application_id): "Cour".
	sqliteApplication = 0x436f7572
)

func sqliteDialect() *dialect {
	return &dialect{
		name: "sqlite", version: goose.DefaultTablename,
		// Without statistics SQLite guesses, and a wrong guess reads a year
		// of orders to find the last hour's.
		hint:  func(index string) string { return " INDEXED BY " + index },
		lock:  "", // there is one writer
		clock: "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
		any:   " IN (SELECT value FROM json_each(%s))",
		texts: jsonTexts,
		asks:  math.MaxInt, // a statement is no round trip
		lease: sqliteLease,
		unique: func(err error) bool {
			var e sqlite3.Error
			return errors.As(err, &e) && (e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey || e.ExtendedCode == sqlite3.ErrConstraintUnique)
		},
		check: func(err error, constraint string) bool {
			var e sqlite3.Error
			return errors.As(err, &e) && e.ExtendedCode == sqlite3.ErrConstraintCheck && strings.HasSuffix(e.Error(), ": "+constraint)
		},
		explain: explainSQLite,
	}
}

// explainSQLite names the faults that an operator can do something about.
func explainSQLite(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case sqlite3.ErrNotADB, sqlite3.ErrCorrupt:
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	case sqlite3.ErrReadonly, sqlite3.ErrPerm:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fmt.Errorf("%w: %w", ErrInUse, err)
	case sqlite3.ErrFull, sqlite3.ErrIoErr:
		return fmt.Errorf("%w: %w", dispatch.ErrUnavailable, err)
	}
	return err
}

func openSQLite(ctx context.Context, c Config) (_ *Store, err error) {
	s := &Store{dialect: sqliteDialect(), keys: &keyring{}, node: c.Node, now: c.Now, committed: make(chan struct{}, 1)}
	s.asked = newQuestions(s)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := makeDir(c.Dir); err != nil {
		return nil, err
	}
	unlock, err := lockDir(c.Dir)
	if err != nil {
		return nil, err
	}
	s.release = append(s.release, unlock)
	path, err := filepath.Abs(filepath.Join(c.Dir, sqliteFile))
	if err != nil {
		return nil, fmt.Errorf("find the data directory: %w", err)
	}
	if err := checkFiles(path); err != nil {
		return nil, err
	}

	write, err := sql.Open("sqlite3", sqliteDSN(path, url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_foreign_keys": {"1"},
		"_busy_timeout": {"5000"}, "_stmt_cache_size": {"64"}, "_cache_size": {"-16000"},
	}))
	if err != nil {
		return nil, err
	}
	s.release = append(s.release, write.Close)
	write.SetMaxOpenConns(1)
	if s.found, err = prepareSQLite(ctx, s.dialect, write); err != nil {
		return nil, s.dialect.explain(err)
	}

	s.read, err = sql.Open("sqlite3", sqliteDSN(path, url.Values{
		"mode": {"ro"}, "_query_only": {"1"}, "_busy_timeout": {"5000"}, "_stmt_cache_size": {"64"},
	}))
	if err != nil {
		return nil, err
	}
	s.release = append(s.release, s.read.Close)
	s.read.SetMaxOpenConns(c.Readers)
	s.read.SetMaxIdleConns(c.Readers)
	if err := s.read.PingContext(ctx); err != nil {
		return nil, s.dialect.explain(err)
	}

	conn, err := write.Conn(ctx)
	if err != nil {
		return nil, s.dialect.explain(err)
	}
	s.release = append(s.release, conn.Close)
	s.writer = startWriter(s, conn, c.Group)
	return s, nil
}

func sqliteDSN(path string, settings url.Values) string {
	return (&url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}).String()
}

// makeDir makes the directory, but not its parents: a disk that is not
// mounted must not look like a fresh start.
func makeDir(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return errors.New("not a directory")
	case err == nil:
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	return os.Mkdir(dir, 0o700)
}

// checkFiles refuses a database whose log is there without it: SQLite would
// start an empty one and throw the log away.
func checkFiles(path string) error {
	_, err := os.Stat(path)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		return fmt.Errorf("%w: %s is missing but its log %s-wal is there", ErrCorrupt, sqliteFile, sqliteFile)
	}
	return nil
}

// applicationOf is whose file it is.
func applicationOf(ctx context.Context, db *sql.DB) (id int64, err error) {
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return 0, fmt.Errorf("read the file's header: %w", err)
	}
	return id, nil
}

// prepareSQLite makes sure that the file is ours, and migrates it.
func prepareSQLite(ctx context.Context, d *dialect, db *sql.DB) (found int64, err error) {
	application, err := applicationOf(ctx, db)
	if err != nil {
		return 0, err
	}
	var tables int64
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		return 0, fmt.Errorf("read the file's schema: %w", err)
	}
	switch {
	case application == sqliteApplication:
	case application == 0 && tables == 0:
		if _, err := db.ExecContext(ctx, "PRAGMA application_id = "+strconv.Itoa(sqliteApplication)); err != nil {
			return 0, fmt.Errorf("mark the file: %w", err)
		}
	default:
		return 0, ErrForeign
	}
	for _, pragma := range []string{
		"PRAGMA fullfsync = 1", "PRAGMA checkpoint_fullfsync = 1", // macOS: fsync alone is not durable there
		"PRAGMA temp_store = 2",                // savepoints in memory, else each writes its pages to a file
		"PRAGMA wal_autocheckpoint = 4000",     // pages of 4 KiB: fewer, larger checkpoints
		"PRAGMA journal_size_limit = 67108864", // give back what a spike took
	} {
		if _, err := db.ExecContext(ctx, pragma); err != nil {
			return 0, fmt.Errorf("%s: %w", pragma, err)
		}
	}
	return migrate(ctx, d, goose.DialectSQLite3, db)
}
