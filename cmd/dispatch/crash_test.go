package main

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"courier/internal/sim"
)

// asDispatch makes this test binary the command itself, so that a test can
// run it as a process of its own and kill it.
const asDispatch = "COURIER_TEST_AS_DISPATCH"

func TestMain(m *testing.M) {
	if os.Getenv(asDispatch) != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// process is a server that can be killed and started again.
type process struct {
	*testing.T
	args []string
	addr string
	cmd  *exec.Cmd
	logs strings.Builder
}

func newProcess(t *testing.T, args ...string) *process {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &process{T: t, addr: l.Addr().String()}
	_ = l.Close()
	p.args = append([]string{"serve", "--addr", p.addr, "--admin-addr", "", "--log-level", "warn"}, args...)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the server said:\n%s", p.logs.String())
		}
	})
	p.start()
	return p
}

func (p *process) start() {
	p.Helper()
	p.cmd = exec.Command(os.Args[0], p.args...)
	p.cmd.Env = append(os.Environ(), asDispatch+"=1")
	p.cmd.Stdout, p.cmd.Stderr = io.Discard, &p.logs
	if err := p.cmd.Start(); err != nil {
		p.Fatal(err)
	}
	for until := time.Now().Add(30 * time.Second); ; {
		resp, err := http.Get("http://" + p.addr + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(until) {
			p.Fatalf("the server does not get ready: %v\n%s", err, p.logs.String())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// kill is kill -9: no warning, no shut-down.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// The server is killed in the middle of a rush, at random moments, 20 times.
// The simulator's ledger holds it to everything that it had acknowledged.
func TestNothingAcknowledgedIsLostByKill9(t *testing.T) {
	const kills = 20
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 9))
	dir := t.TempDir()
	p := newProcess(t, "--data-dir", dir, "--clock-rate", "30", "--clock-origin", time.Now().UTC().Format(time.RFC3339))
	var token strings.Builder
	if code := run(t.Context(), []string{"token", "--role", "admin", "--data-dir", dir}, &token, t.Output()); code != 0 {
		t.Fatal("no token")
	}
	people, err := sim.New(sim.Config{
		Server: "http://" + p.addr, AdminToken: strings.TrimSpace(token.String()), Seed: seed,
		Couriers: 30, OrdersPerHour: 240, Flat: true, AtOnce: 20, Duration: 15 * time.Minute, Grace: 90 * time.Minute,
		DeclineShare: 0.1, IgnoreShare: 0.05, FailShare: 0.03, CancelShare: 0.03, FixEvery: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		sim.Report
		err error
	}
	done := make(chan result, 1)
	go func() {
		r, err := people.Run(t.Context())
		done <- result{r, err}
	}()
	for people.Figures().Placed == 0 { // the rush has begun
		time.Sleep(10 * time.Millisecond)
	}
	for range kills {
		time.Sleep(time.Duration(200+dice.IntN(1300)) * time.Millisecond) // random moments are the point
		p.kill()
		p.start()
	}
	r := <-done
	_ = r.WriteText(t.Output())
	switch {
	case r.err != nil:
		t.Error(r.err)
	case !r.Clean():
		t.Errorf("%d promises were broken", len(r.Violations))
	case r.Orders.Placed < 50 || r.Orders.Delivered < r.Orders.Placed*8/10:
		t.Errorf("%d orders placed, %d delivered: this was no rush", r.Orders.Placed, r.Orders.Delivered)
	case r.Orders.Open > 0:
		t.Errorf("%d orders are still open: %v", r.Orders.Open, r.Orders.OpenAs)
	}
}
