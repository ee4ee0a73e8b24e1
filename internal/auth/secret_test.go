package auth_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"courier/internal/auth"
)

func TestLoadOrCreateSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	var wg sync.WaitGroup
	got := make([][]byte, 8)
	for i := range got {
		wg.Go(func() { got[i], _ = auth.LoadOrCreateSecret(path) })
	}
	wg.Wait()
	for _, s := range got {
		if len(s) != 64 || !bytes.Equal(s, got[0]) {
			t.Fatalf("got %q and %q", s, got[0])
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("%d files are left behind", len(files))
	}
}

func TestLoadSecretRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		content string
		mode    os.FileMode
	}{
		"readable by others": {"kX9v2LqT7mZ4pW1sB8nR6cY3dF5gH0jA", 0o644},
		"empty":              {"", 0o600},
		"short":              {"abc", 0o600},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			if s, err := auth.LoadOrCreateSecret(path); err == nil {
				t.Errorf("took %q", s)
			}
		})
	}
	if _, err := auth.LoadOrCreateSecret(filepath.Join(t.TempDir(), "no", "such", "directory")); err == nil {
		t.Error("no error")
	}
}
