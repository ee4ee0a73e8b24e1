package main

import (
	"fmt"
	"io"
	"os/exec"
	"syscall"

	"courier/internal/testenv"
)

// tell prints where everything is.
func (c *cluster) tell(t testenv.T, out io.Writer) {
	admin := c.token(t, "admin")
	fmt.Fprintf(out, "\nCourier on two nodes. Nothing here leaves this machine, and all of it goes with it.\n\n")
	fmt.Fprintf(out, "  dispatcher   %s/admin#token=%s\n", c.url(), c.token(t, "dispatcher"))
	fmt.Fprintf(out, "  courier      %s/courier\n", c.url())
	fmt.Fprintf(out, "  API          %s/docs\n", c.url())
	fmt.Fprintf(out, "  Prometheus   http://%s\n", c.watcher)
	fmt.Fprintf(out, "  balancer     http://%s/metrics\n", c.private)
	for _, n := range c.nodes {
		fmt.Fprintf(out, "  %s       %s (metrics: http://%s/metrics), process %d\n", n.name, n.URL(), n.metrics, n.PID())
	}
	fmt.Fprintf(out, "  PostgreSQL   %s\n  Redis        %s\n  RabbitMQ     %s\n\n", c.engines.database, c.engines.redis.URL(), c.engines.rabbitmq.URL)
	fmt.Fprintf(out, "export COURIER=%s\nexport ADMIN=%s\n\n", c.url(), admin)
	fmt.Fprintf(out, "Grafana has no package in Debian: point one of yours at Prometheus and import deploy/grafana/dashboards/*.json.\nKill a node (kill -9 %d) and see it go on. Stop everything with Ctrl-C.\n\n", c.nodes[0].PID())
}

// people are simulated until they are told to stop; they print their figures.
func (c *cluster) people(t testenv.T, out io.Writer, stop <-chan struct{}) {
	cmd := exec.Command(c.binary, "simulate", "--server", c.url(), "--couriers", "60", "--orders-per-hour", "400", "--token", c.token(t, "admin"), "--log-level", "warn") //nolint:gosec // ours
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is told to it, not typed at it
	if err := cmd.Start(); err != nil {
		t.Fatalf("simulate: %v", err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	select {
	case <-done:
		t.Logf("the simulation has ended: %v", cmd.ProcessState)
		return
	case <-stop:
	}
	_ = cmd.Process.Kill() // people do not go home first: what they stand on ends too
	<-done
}
