// Command suite runs dispatch bench with everything inside and on private
// engines, and writes the table of docs/benchmarks.md anew.
//
//	dispatch bench, PostgreSQL + Redis + RabbitMQ → results → table
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"courier/internal/bench"
	"courier/internal/testenv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// suite is what to run, and where.
type suite struct {
	binary  string
	results string // file of JSON lines
	flags   []string
	all     []bench.Result
}

// onEngines are the scenarios that engines make a difference to.
var onEngines = []string{"fixes", "orders", "latency", "mixed"}

func run(ctx context.Context) error {
	binary := flag.String("dispatch", "bin/dispatch", "The binary.")
	document := flag.String("write", "", "The document whose table is written anew.")
	results := flag.String("results", ".cache/bench.json", "Where the JSON lines go.")
	short := flag.Bool("short", false, "Small sizes, for a try.")
	engines := flag.Bool("engines", true, "Run on PostgreSQL, Redis and RabbitMQ too.")
	flag.Parse()
	path, err := filepath.Abs(*binary)
	if err != nil {
		return fmt.Errorf("find %s: %w", *binary, err)
	}
	s := &suite{binary: path, results: *results, flags: []string{"--time", "8s"}}
	if *short {
		s.flags = []string{"--short", "--warm", "300ms", "--time", "1s"}
	}
	if err := s.embedded(ctx); err != nil {
		return err
	}
	if *engines {
		if err := s.engines(ctx); err != nil {
			return err
		}
	}
	if *document == "" {
		fmt.Fprint(os.Stdout, bench.Markdown(s.all))
		return nil
	}
	text, err := os.ReadFile(*document)
	if err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	if text, err = bench.Rewrite(text, s.all); err != nil {
		return err
	}
	return os.WriteFile(*document, text, 0o644) //nolint:gosec // a document
}

func (s *suite) embedded(ctx context.Context) error {
	if err := s.bench(ctx, nil, bench.Names()...); err != nil {
		return err
	}
	return s.bench(ctx, []string{"--batch", "10"}, "fixes")
}

func (s *suite) engines(ctx context.Context) error {
	var fault error
	err := testenv.Whole(ctx, os.Stderr, func(t testenv.T) {
		fmt.Fprintln(os.Stderr, "PostgreSQL, Redis and RabbitMQ are starting …")
		var database string
		var redis *testenv.Redis
		var rabbitmq *testenv.RabbitMQ
		testenv.Together(
			t,
			func(t testenv.T) {
				database = testenv.StartPostgres(t, "shared_buffers=128MB").Database(t)
			},
			func(t testenv.T) { redis = testenv.StartRedis(t) },
			func(t testenv.T) { rabbitmq = testenv.StartRabbitMQ(t) },
		)
		at := []string{"--database-url", database, "--redis-url", redis.URL(), "--amqp-url", rabbitmq.URL}
		if fault = s.bench(ctx, at, onEngines...); fault == nil {
			fault = s.bench(ctx, append(at, "--batch", "10"), "fixes")
		}
	})
	if fault != nil {
		return fault
	}
	return err
}

// bench runs scenarios and keeps their lines.
func (s *suite) bench(ctx context.Context, flags []string, scenarios ...string) error {
	args := append(append(append([]string{"bench", "--format", "json"}, s.flags...), flags...), scenarios...)
	cmd := exec.CommandContext(ctx, s.binary, args...) //nolint:gosec // ours
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("dispatch bench %s: %w", strings.Join(scenarios, " "), err)
	}
	lines := out.Bytes()
	results, err := bench.ReadJSON(bytes.NewReader(lines))
	if err != nil {
		return err
	}
	s.all = append(s.all, results...)
	return s.keep(lines)
}

func (s *suite) keep(lines []byte) error {
	if err := os.MkdirAll(filepath.Dir(s.results), 0o750); err != nil {
		return fmt.Errorf("keep results: %w", err)
	}
	f, err := os.OpenFile(s.results, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep results: %w", err)
	}
	defer f.Close()
	if _, err := io.Copy(f, bytes.NewReader(lines)); err != nil {
		return fmt.Errorf("keep results: %w", err)
	}
	return nil
}
