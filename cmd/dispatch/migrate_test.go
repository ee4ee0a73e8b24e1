package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"courier/internal/testenv"
)

func TestMigrate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	migrations, err := os.ReadDir("../../internal/sqlstore/migrations/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	newest := strconv.Itoa(len(migrations))
	for name, where := range map[string][]string{
		"SQLite":     {"--data-dir", dir},
		"PostgreSQL": {"--database-url", testenv.Postgres(t)},
	} {
		t.Run(name, func(t *testing.T) {
			wantSaid := func(code int, says string, args ...string) {
				t.Helper()
				got, stdout, stderr := dispatchCommand(t, append(append([]string{"migrate"}, where...), args...)...)
				if got != code || !strings.Contains(stdout+stderr, says) {
					t.Errorf("%v: %d, %s%s, want %d, %s", args, got, stdout, stderr, code, says)
				}
			}
			wantSaid(1, "version 0 and not up to date", "--check")
			wantSaid(1, "version 0 and not up to date", "--check") // which has changed nothing
			wantSaid(0, "went from version 0 to "+newest)
			wantSaid(0, "up to date at version "+newest, "--check")
			wantSaid(0, "up to date at version "+newest)
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "auth.secret")); err == nil {
		t.Error("it made a signing key")
	}
	code, _, stderr := dispatchCommand(t, "migrate", "--check", "--data-dir", "/dev/null")
	if code != 1 || !strings.Contains(stderr, "/dev/null") {
		t.Errorf("no directory: %d, %s", code, stderr)
	}
}

// A server may be running while somebody checks.
func TestMigrateCheckBesideAServer(t *testing.T) {
	s := newServer(t, nil)
	if code, stdout, stderr := dispatchCommand(t, "migrate", "--check", "--data-dir", s.flags.DataDir); code != 0 {
		t.Errorf("%d, %s%s", code, stdout, stderr)
	}
	if code, _, stderr := dispatchCommand(t, "migrate", "--data-dir", s.flags.DataDir); code != 1 || !strings.Contains(stderr, "in use") {
		t.Errorf("%d, %s", code, stderr)
	}
}
