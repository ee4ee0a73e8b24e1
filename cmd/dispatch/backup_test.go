package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"courier/dispatch"
)

// A server that is given a copy of a running one's database, and its signing
// key, is that server at the time of the copy: to its merchants, its couriers
// and whoever has a link.
func TestABackupIsAServerAgain(t *testing.T) {
	s := newServer(t, nil)
	key := s.merchant("Bakery")
	order := s.place(key, "before")
	secret := s.link(key, order)
	_, courier := s.hire("Mia")
	dir := t.TempDir()
	file := filepath.Join(dir, "courier.db")
	code, stdout, stderr := dispatchCommand(t, "backup", "--data-dir", s.flags.DataDir, file)
	if code != 0 || !strings.Contains(stdout, file) {
		t.Fatalf("%d, %s%s", code, stdout, stderr)
	}
	after := s.place(key, "after")
	if code, _, stderr := dispatchCommand(t, "backup", "--data-dir", s.flags.DataDir, file); code != 1 || !strings.Contains(stderr, "exists") {
		t.Errorf("over a backup: %d, %s", code, stderr)
	}
	if code, _, stderr := dispatchCommand(t, "backup", "--data-dir", t.TempDir(), filepath.Join(dir, "other")); code != 1 || !strings.Contains(stderr, "--data-dir") {
		t.Errorf("of nothing: %d, %s", code, stderr)
	}
	signing, err := os.ReadFile(filepath.Join(s.flags.DataDir, "auth.secret"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "auth.secret"), signing, 0o600); err != nil {
		t.Fatal(err)
	}
	s.stop()

	back := newServer(t, func(f *serverFlags) { f.DataDir = dir })
	var got dispatch.Order
	back.call(http.MethodGet, "/v1/orders/"+order, key, nil, http.StatusOK, &got)
	if got.Reference != "before" {
		t.Errorf("the order is %+v", got)
	}
	back.call(http.MethodGet, "/v1/orders/"+after, key, nil, http.StatusNotFound, nil)
	back.call(http.MethodGet, "/v1/track", secret, nil, http.StatusOK, nil)
	back.call(http.MethodGet, "/v1/me/day?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z", courier, nil, http.StatusOK, nil)
}
