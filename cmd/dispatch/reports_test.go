package main

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newTracker takes reports, and is found by a DSN.
func newTracker(t *testing.T) (dsn string, reports chan []byte) {
	reports = make(chan []byte, 100)
	tracker := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		reports <- body
	}))
	t.Cleanup(tracker.Close)
	return strings.Replace(tracker.URL, "http://", "http://abc@", 1) + "/7", reports
}

// Whatever a node logs as an error is reported, the last before its end too.
func TestANodeReportsItsErrors(t *testing.T) {
	dsn, reports := newTracker(t)
	s := newServer(t, func(f *serverFlags) { f.SentryDSN = dsn })
	s.log.LogAttrs(t.Context(), slog.LevelError, "request failed", slog.Any("err", errors.New("the disk is full")))
	s.stop()
	select {
	case body := <-reports:
		if !bytes.Contains(body, []byte(`"message":"request failed"`)) || !bytes.Contains(body, []byte("the disk is full")) {
			t.Errorf("reported %s", body)
		}
	default:
		t.Error("nothing was reported")
	}
	// Its place for a crash is no reason to make a folder whose disk is away.
	// The address is taken, so that a node that made it ends too.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	away := filepath.Join(t.TempDir(), "disk", "data")
	if code, _, stderr := dispatchCommand(t, "serve", "--addr", taken.Addr().String(), "--admin-addr", "", "--data-dir", away, "--sentry-dsn", dsn); code != 1 {
		t.Errorf("%d, %s", code, stderr)
	}
	if _, err := os.Stat(filepath.Dir(away)); err == nil {
		t.Error("the disk's place was made")
	}
	code, _, stderr := dispatchCommand(t, "serve", "--sentry-dsn", "https://hunter2pass@")
	if code != 2 || !strings.Contains(stderr, "--sentry-dsn") || strings.Contains(stderr, "hunter2pass") {
		t.Errorf("%d, %s", code, stderr)
	}
}

// What ends a node is said to nobody at that time. The next start reports it,
// once, and an orderly end leaves nothing.
func TestACrashIsReportedByTheNextStart(t *testing.T) {
	dsn, reports := newTracker(t)
	dir := t.TempDir()
	node := newProcess(t, "--data-dir", dir, "--sentry-dsn", dsn)
	node.Signal(syscall.SIGABRT) // ends a process as a panic does that nobody recovers
	node.ExitCode()
	kept, err := filepath.Glob(filepath.Join(dir, "crash-*.txt"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept %v, %v", kept, err)
	}
	if info, err := os.Stat(kept[0]); err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
		t.Errorf("%v, %v", info, err)
	}
	node.Restart()
	node.WaitReady()
	var body []byte
	select {
	case body = <-reports:
	case <-time.After(time.Minute):
		t.Fatal("nothing was reported")
	}
	for _, want := range []string{"the process before this one crashed", "SIGABRT", "goroutine ", "ended_at"} {
		if !bytes.Contains(body, []byte(want)) {
			t.Errorf("%q is not in the report %.2000s", want, body)
		}
	}
	if !node.Stop(20 * time.Second) {
		t.Error("did not stop")
	}
	if kept, err := filepath.Glob(filepath.Join(dir, "crash-*.txt")); err != nil || len(kept) != 0 {
		t.Errorf("an orderly end leaves %v, %v", kept, err)
	}
	if len(reports) != 0 {
		t.Errorf("reported again: %.2000s", <-reports)
	}
}
