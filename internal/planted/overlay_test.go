package planted

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// edit replaces what stands once in a file of the sources.
type edit struct {
	file     string // from the repository's root
	old, new string
}

// root is the repository's.
const root = "../.."

// build compiles the server with the edits laid over its sources.
func build(t *testing.T, name string, edits []edit) (binary string) {
	t.Helper()
	dir := t.TempDir()
	overlay, err := lay(dir, edits)
	if err != nil {
		t.Fatalf("bug %q does not fit the sources any more: %v", name, err)
	}
	binary = filepath.Join(dir, "dispatch")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", binary, "./cmd/dispatch")
	cmd.Dir = root
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build with %q: %v\n%s", name, err, said)
	}
	return binary
}

// lay writes the edited files and the list that go build wants of them.
func lay(dir string, edits []edit) (overlay string, err error) {
	texts := map[string]string{}
	for _, e := range edits {
		path, err := filepath.Abs(filepath.Join(root, e.file))
		if err != nil {
			return "", err
		}
		text, read := texts[path]
		if !read {
			raw, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			text = string(raw)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return "", fmt.Errorf("%s has %d of %q", e.file, n, e.old)
		}
		texts[path] = strings.Replace(text, e.old, e.new, 1)
	}
	replace := map[string]string{}
	for path, text := range texts {
		edited := filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		if err := os.WriteFile(edited, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[path] = edited
	}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, raw, 0o600)
}
