package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"courier/internal/testenv"
)

// What a container's health check says is what a load balancer would see.
func TestHealthSaysWhetherTheServerCanCommit(t *testing.T) {
	database := testenv.StartPostgres(t)
	s := newServer(t, func(f *serverFlags) {
		f.DatabaseURL, f.AuthSecret = database.Database(t), "one node has this key, 1f0c9a7be2d4"
	})
	_, port, err := net.SplitHostPort(s.listen.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DISPATCH_ADDR", "127.0.0.1:"+port) // as the container's server has it
	if code, stdout, stderr := dispatchCommand(t, "health"); code != 0 || stdout != "ready\n" {
		t.Errorf("a ready server: %d, %s%s", code, stdout, stderr)
	}
	database.Kill()
	code, _, stderr := dispatchCommand(t, "health", "--timeout", "20s")
	if code != 1 || !strings.Contains(stderr, "not ready: 503") {
		t.Errorf("without a database: %d, %s", code, stderr)
	}
	database.Restart()
	s.stop()
	if code, _, stderr := dispatchCommand(t, "health"); code != 1 || !strings.Contains(stderr, "ask for health") {
		t.Errorf("without a server: %d, %s", code, stderr)
	}
}

func TestHealthOfAServerThatSaysNothingEnds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	begun := time.Now()
	if code, _, stderr := dispatchCommand(t, "health", "--addr", l.Addr().String(), "--timeout", "50ms"); code != 1 {
		t.Errorf("%d, %s", code, stderr)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	if code, _, stderr := dispatchCommand(t, "health", "--addr", "nowhere"); code != 2 || !strings.Contains(stderr, "--addr") {
		t.Errorf("%d, %s", code, stderr)
	}
}

func TestWhoListensEverywhereIsAskedOnLoopback(t *testing.T) {
	for addr, want := range map[string]string{
		":8080": "localhost:8080", "0.0.0.0:80": "localhost:80", "[::]:80": "localhost:80", "10.1.2.3:80": "10.1.2.3:80", "node-a:80": "node-a:80",
	} {
		if got := reachable(addr); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}
