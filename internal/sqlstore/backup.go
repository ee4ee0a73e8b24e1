package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// Backup writes the database in a directory, whole and as of one moment, into
// a file that must not be there yet. A server may have the database open: it
// is read as any reader reads it, and nobody waits. The file is checked, and
// on the disk under its name, when Backup returns nil; before, there is
// nothing under that name.
//
// Errors: os.ErrExist, os.ErrNotExist, ErrForeign, ErrCorrupt and others.
func Backup(ctx context.Context, dir, file string) (err error) {
	from, err := filepath.Abs(filepath.Join(dir, sqliteFile))
	if err != nil {
		return fmt.Errorf("find the data directory: %w", err)
	}
	if file, err = filepath.Abs(file); err != nil {
		return fmt.Errorf("find the backup's place: %w", err)
	}
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("back up to %s: %w", file, os.ErrExist)
	}
	beside, err := os.MkdirTemp(filepath.Dir(file), ".courier-backup-*") // mode 0700
	if err != nil {
		return fmt.Errorf("back up to %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(beside)) }()
	copied := filepath.Join(beside, filepath.Base(file))
	if err := copyDatabase(ctx, from, copied); err != nil {
		return fmt.Errorf("back up %s: %w", from, err)
	}
	if err := checkCopy(ctx, copied); err != nil {
		return fmt.Errorf("check the backup: %w", err)
	}
	return settle(copied, file)
}

func copyDatabase(ctx context.Context, from, to string) (err error) {
	d := sqliteDialect()
	db, err := sql.Open("sqlite3", sqliteDSN(from, url.Values{"mode": {"rw"}, "_busy_timeout": {"5000"}}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := checkOurs(ctx, db); err != nil {
		return d.explain(err)
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO $1", to); err != nil {
		return d.explain(err)
	}
	return nil
}

// checkCopy reads the whole copy, and finds what a faulty disk has done to it.
func checkCopy(ctx context.Context, file string) (err error) {
	d := sqliteDialect()
	db, err := sql.Open("sqlite3", sqliteDSN(file, url.Values{"mode": {"ro"}}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := checkOurs(ctx, db); err != nil {
		return d.explain(err)
	}
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return d.explain(err)
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", ErrCorrupt, found)
	}
	return nil
}

func checkOurs(ctx context.Context, db *sql.DB) error {
	application, err := applicationOf(ctx, db)
	if err != nil {
		return err
	}
	if application != sqliteApplication {
		return ErrForeign
	}
	return nil
}

// settle puts a file on the disk under another name, if that is still free.
func settle(file, name string) error {
	if err := os.Chmod(file, 0o600); err != nil { // people's names and addresses are in it
		return err
	}
	if err := syncPath(file); err != nil {
		return err
	}
	if err := os.Link(file, name); err != nil {
		return err
	}
	return syncPath(filepath.Dir(name))
}

func syncPath(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Sync()
}
