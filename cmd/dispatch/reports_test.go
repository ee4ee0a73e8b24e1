package main

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever a node logs as an error is reported, the last before its end too.
func TestANodeReportsItsErrors(t *testing.T) {
	reports := make(chan []byte, 100)
	tracker := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		reports <- body
	}))
	defer tracker.Close()
	s := newServer(t, func(f *serverFlags) { f.SentryDSN = strings.Replace(tracker.URL, "http://", "http://abc@", 1) + "/7" })
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
	code, _, stderr := dispatchCommand(t, "serve", "--sentry-dsn", "https://hunter2pass@")
	if code != 2 || !strings.Contains(stderr, "--sentry-dsn") || strings.Contains(stderr, "hunter2pass") {
		t.Errorf("%d, %s", code, stderr)
	}
}
