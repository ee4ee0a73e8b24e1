package sqlstore

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"courier/dispatch"
)

func wantOpenFails(t *testing.T, dir string, want error, says string) {
	t.Helper()
	s, err := Open(t.Context(), Config{Dir: dir})
	if err == nil {
		_ = s.Close()
	}
	if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), says) {
		t.Errorf("Open: %v, want %v with %q", err, want, says)
	}
}

// edit changes the closed database of a directory by plain SQL.
func edit(t *testing.T, dir, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(dir, sqliteFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// made is a directory with a closed store in it.
func made(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestConfigFaults(t *testing.T) {
	_, err := Open(t.Context(), Config{Readers: -1, Group: -2})
	for _, says := range []string{"Dir is empty", "Readers is -1", "Group is -2"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Run("a store that is open", func(t *testing.T) {
		dir := t.TempDir()
		open(t, dir)
		wantOpenFails(t, dir, ErrInUse, "pid")
	})
	t.Run("a newer schema", func(t *testing.T) {
		dir := made(t)
		edit(t, dir, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
		wantOpenFails(t, dir, ErrNewer, "version 999")
	})
	t.Run("another program's database", func(t *testing.T) {
		dir := t.TempDir()
		edit(t, dir, "CREATE TABLE recipes (id INTEGER)")
		wantOpenFails(t, dir, ErrForeign, "not a Courier database")
	})
	t.Run("a file that is no database", func(t *testing.T) {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, sqliteFile), []byte(strings.Repeat("not a database ", 500)))
		wantOpenFails(t, dir, ErrCorrupt, dir)
	})
	t.Run("a database cut short", func(t *testing.T) {
		dir := made(t)
		if err := os.Truncate(filepath.Join(dir, sqliteFile), 8192); err != nil {
			t.Fatal(err)
		}
		wantOpenFails(t, dir, ErrCorrupt, dir)
	})
	t.Run("a log without its database", func(t *testing.T) {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, sqliteFile+"-wal"), []byte("orders"))
		wantOpenFails(t, dir, ErrCorrupt, "missing")
	})
	t.Run("a directory whose parent is missing", func(t *testing.T) {
		wantOpenFails(t, filepath.Join(t.TempDir(), "disk", "courier"), os.ErrNotExist, "disk")
	})
	t.Run("a file for a directory", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "data")
		writeFile(t, file, nil)
		wantOpenFails(t, file, nil, "not a directory")
	})
	t.Run("a directory for a database", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, sqliteFile), 0o700); err != nil {
			t.Fatal(err)
		}
		wantOpenFails(t, dir, nil, dir)
	})
	if os.Geteuid() != 0 { // root may write to anything
		t.Run("a read-only file", func(t *testing.T) {
			dir := made(t)
			if err := os.Chmod(filepath.Join(dir, sqliteFile), 0o400); err != nil {
				t.Fatal(err)
			}
			wantOpenFails(t, dir, ErrReadOnly, dir)
		})
	}
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOpenTakesOddPaths(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "50% of? #1&mode=memory ü")
	s := open(t, dir)
	placeOne(t, s, "o1")
	if _, err := os.Stat(filepath.Join(dir, sqliteFile)); err != nil {
		t.Error(err)
	}
}

func TestSettings(t *testing.T) {
	s := open(t, t.TempDir())
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "temp_store": "2"} {
		var got string
		if err := s.writer.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s (%v), want %s", pragma, got, err, want)
		}
	}
	if _, err := s.read.ExecContext(t.Context(), "DELETE FROM zones"); !errors.Is(s.dialect.explain(err), ErrReadOnly) {
		t.Errorf("a reader writes: %v", err)
	}
}

func TestClosed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	placeOne(t, s, "o1")
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Update(t.Context(), func(dispatch.Tx) error { return nil }); !errors.Is(err, ErrClosed) || !errors.Is(err, dispatch.ErrUnavailable) {
		t.Errorf("update after the end: %v", err)
	}
	if _, err := s.Order(t.Context(), "o1"); err == nil || errors.Is(err, dispatch.ErrNotFound) {
		t.Errorf("read after the end: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, sqliteFile+"-wal")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log outlives a clean end: %v", err)
	}
}
