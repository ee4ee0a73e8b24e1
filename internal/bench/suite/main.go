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
	"slices"
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
	only    []string // scenarios; nil: all
	all     []bench.Result
}

// onEngines are the scenarios that engines make a difference to.
var onEngines = []string{"fixes", "orders", "latency", "mixed", "overload", "flood", "deaf", "reconnect"}

func run(ctx context.Context) error {
	binary := flag.String("dispatch", "bin/dispatch", "The binary.")
	document := flag.String("write", "", "The document whose table is written anew.")
	results := flag.String("results", ".cache/bench.json", "Where the JSON lines go.")
	from := flag.Bool("from", false, "Run nothing: write what is in --results.")
	only := flag.String("only", "", "Scenarios, with commas between. Default: all.")
	embedded := flag.Bool("embedded", true, "Run with everything inside.")
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
	if *only != "" {
		s.only = strings.Split(*only, ",")
	}
	switch {
	case *from:
		err = s.read()
	default:
		if *embedded {
			err = s.embedded(ctx)
		}
		if *engines && err == nil {
			err = s.engines(ctx)
		}
	}
	if err != nil {
		return err
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
	return s.set(ctx, nil, slices.DeleteFunc(bench.Names(), bench.NeedsEngines))
}

// set runs scenarios of those asked for, positions in frames of one and of
// ten.
func (s *suite) set(ctx context.Context, flags, scenarios []string) error {
	for _, name := range scenarios {
		if s.only != nil && !slices.Contains(s.only, name) {
			continue
		}
		err := s.bench(ctx, flags, name)
		if err == nil && name == "fixes" {
			err = s.bench(ctx, append(slices.Clone(flags), "--batch", "10"), name)
		}
		if err != nil {
			return err
		}
	}
	return nil
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
		fault = s.set(ctx, at, onEngines)
	})
	if fault != nil {
		return fault
	}
	return err
}

// bench runs a scenario and keeps its lines.
func (s *suite) bench(ctx context.Context, flags []string, scenario string) error {
	args := slices.Concat([]string{"bench", scenario, "--format", "json"}, s.flags, flags)
	cmd := exec.CommandContext(ctx, s.binary, args...) //nolint:gosec // ours
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("dispatch bench %s: %w", scenario, err)
	}
	lines := out.Bytes()
	results, err := bench.ReadJSON(bytes.NewReader(lines))
	if err != nil {
		return err
	}
	s.all = append(s.all, results...)
	return s.keep(lines)
}

// read takes lines that were kept.
func (s *suite) read() error {
	f, err := os.Open(s.results)
	if err != nil {
		return fmt.Errorf("read results: %w", err)
	}
	defer f.Close()
	s.all, err = bench.ReadJSON(f)
	return err
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
