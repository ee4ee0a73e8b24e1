// Command cluster runs Courier on many nodes as plain processes, with the
// settings of docker-compose.yml: two nodes behind HAProxy on PostgreSQL,
// Redis and RabbitMQ, watched by Prometheus. All of it is private to this
// run: on free ports, in a temporary folder, gone with it.
//
//	people ─► haproxy ─► dispatch serve (two) ─► postgres, redis, rabbitmq
//	prometheus ─► metrics of each
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"courier/internal/testenv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "cluster: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	binary := flag.String("dispatch", "bin/dispatch", "The binary of the nodes.")
	demo := flag.Bool("demo", false, "Let simulated couriers, customers and merchants loose on it.")
	command := flag.String("run", "", "Run a shell's command against it, with COURIER, ADMIN and DISPATCH_AUTH_SECRET in its environment, and stop when it ends.")
	flag.Parse()
	path, err := filepath.Abs(*binary)
	if err != nil {
		return fmt.Errorf("find %s: %w", *binary, err)
	}
	if _, err := exec.LookPath(path); err != nil {
		return fmt.Errorf("no binary of the nodes: %w (make build)", err)
	}
	return testenv.Whole(ctx, os.Stderr, func(t testenv.T) {
		fmt.Fprintln(os.Stderr, "PostgreSQL, Redis, RabbitMQ, two nodes, HAProxy and Prometheus are starting …")
		c := start(t, path)
		if *command != "" {
			c.run(ctx, t, *command)
			return
		}
		c.tell(t, os.Stdout)
		if *demo {
			c.people(t, os.Stdout, ctx.Done())
		}
		<-ctx.Done()
		fmt.Fprintln(os.Stderr, "\nstopping …")
	})
}
