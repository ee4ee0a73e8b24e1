package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
)

// lastWords bounds what is read of what a process said at its end: with many
// sockets that is megabytes, and the goroutine at fault comes first.
const lastWords = 64 << 10

// KeepCrashes has what the runtime says when a panic or a fatal signal ends
// the process written to a file too, readable by its owner alone, and logs as
// an error what an earlier process has left there: at its end nobody can
// report anything. One process may have a file at a time. Close removes it. The
// folder is made, but not its parents: a disk that is not mounted must not look
// like a fresh start.
func (r *Reports) KeepCrashes(path string, log *slog.Logger) error {
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keep crashes: %w", err)
	}
	if err := logCrash(path, log); err != nil {
		return fmt.Errorf("read what the last process said: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep crashes: %w", err)
	}
	r.crashes = path
	err = debug.SetCrashOutput(file, debug.CrashOptions{}) // has the file open for itself
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("keep crashes: %w", err)
	}
	return nil
}

func (r *Reports) forgetCrashes() error {
	if r.crashes == "" {
		return nil
	}
	if err := errors.Join(debug.SetCrashOutput(nil, debug.CrashOptions{}), os.Remove(r.crashes)); err != nil {
		return fmt.Errorf("keep no crashes: %w", err)
	}
	return nil
}

func logCrash(path string, log *slog.Logger) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	said, err := io.ReadAll(io.LimitReader(file, lastWords))
	if err != nil || len(bytes.TrimSpace(said)) == 0 {
		return err
	}
	why, stack, _ := strings.Cut(string(bytes.TrimSpace(said)), "\n")
	log.LogAttrs(context.Background(), slog.LevelError, "the process before this one crashed",
		slog.String("panic", why), slog.String("stack", strings.TrimSpace(stack)), slog.String("ended_at", info.ModTime().UTC().Format(time.RFC3339)))
	return nil
}
