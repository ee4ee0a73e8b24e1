package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"courier/internal/sim"
	"courier/internal/testenv"
)

// asDispatch makes this test binary the command itself, so that a test can
// run it as a process of its own and kill it.
const asDispatch = "COURIER_TEST_AS_DISPATCH"

func TestMain(m *testing.M) {
	if os.Getenv(asDispatch) != "" {
		os.Exit(runUntilTold())
	}
	// toxiproxy leaves a goroutine behind where a way ends while it changes.
	goleak.VerifyTestMain(m, testenv.LinkLeaks()...)
}

// asProcess is the command as a process of its own.
func asProcess(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asDispatch+"=1")
	return cmd
}

// newProcess is a server that can be killed and started again. It turns
// nothing away: a slow machine is no overload.
func newProcess(t *testing.T, args ...string) *testenv.Dispatch {
	t.Helper()
	return testenv.StartDispatch(t, "dispatch", asProcess, append([]string{"--admin-addr", "", "--log-level", "warn", "--limit-work", "0"}, args...)...)
}

// rush is a simulated rush against a server, and the ledger of what it has
// promised.
type rush struct {
	*testing.T
	people *sim.Sim
	done   chan rushEnd
}

type rushEnd struct {
	sim.Report
	err error
}

func newRush(t *testing.T, url string, seed uint64, token string, lasts time.Duration) *rush {
	t.Helper()
	people, err := sim.New(sim.Config{
		Server: url, AdminToken: token, Seed: seed,
		Couriers: 30, OrdersPerHour: 240, Flat: true, AtOnce: 20, Duration: lasts, Grace: 90 * time.Minute,
		DeclineShare: 0.1, IgnoreShare: 0.05, FailShare: 0.03, CancelShare: 0.03, FixEvery: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &rush{t, people, make(chan rushEnd, 1)}
	go func() {
		report, err := people.Run(t.Context())
		r.done <- rushEnd{report, err}
	}()
	for people.Figures().Placed == 0 {
		select {
		case e := <-r.done:
			t.Fatalf("it ended before anybody placed an order: %v", e.err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return r
}

// wantKept waits for the end and wants every promise kept.
func (r *rush) wantKept(placed int) {
	r.Helper()
	end := <-r.done
	_ = end.WriteText(r.Output())
	switch {
	case end.err != nil:
		r.Error(end.err)
	case !end.Clean():
		r.Errorf("%d promises were broken", len(end.Violations))
	case end.Orders.Placed < placed || end.Orders.Delivered < end.Orders.Placed*8/10:
		r.Errorf("%d orders placed, %d delivered: this was no rush", end.Orders.Placed, end.Orders.Delivered)
	case end.Orders.Open > 0:
		r.Errorf("%d orders are still open: %v", end.Orders.Open, end.Orders.OpenAs)
	}
}

// fast is the clock of a rush, the same after a restart.
func fast() []string { return faster(30) }

func faster(rate int) []string {
	return []string{"--clock-rate", fmt.Sprint(rate), "--clock-origin", time.Now().UTC().Format(time.RFC3339)}
}

func adminToken(t testing.TB, args ...string) string {
	t.Helper()
	var token strings.Builder
	if code := run(t.Context(), append([]string{"token", "--role", "admin"}, args...), &token, t.Output()); code != 0 {
		t.Fatal("no token")
	}
	return strings.TrimSpace(token.String())
}

func seeded(t *testing.T) (uint64, *rand.Rand) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return seed, rand.New(rand.NewPCG(seed, 9))
}

// The server is killed in the middle of a rush, at random moments, 20 times.
// The simulator's ledger holds it to everything that it had acknowledged.
func TestNothingAcknowledgedIsLostByKill9(t *testing.T) {
	seed, dice := seeded(t)
	dir := t.TempDir()
	p := newProcess(t, append(fast(), "--data-dir", dir)...)
	r := newRush(t, p.URL(), seed, adminToken(t, "--data-dir", dir), 15*time.Minute)
	for range 20 {
		time.Sleep(time.Duration(200+dice.IntN(1300)) * time.Millisecond) // random moments are the point
		p.Kill()
		p.Restart()
		p.WaitReady()
	}
	r.wantKept(50)
}

// The same on shared engines: the node and each engine are killed in turn
// and come back, and Redis comes back empty.
func TestNothingAcknowledgedIsLostWhenEnginesDie(t *testing.T) {
	seed, dice := seeded(t)
	engines := testenv.StartEngines(t)
	database, positions, broker := engines.Postgres, engines.Redis, engines.RabbitMQ
	const key = "a rush on engines has this key, 81c0d9e27b"
	p := newProcess(t, append(fast(), "--auth-secret", key, "--database-url", engines.Database,
		"--redis-url", positions.URL(), "--amqp-url", broker.URL)...)
	r := newRush(t, p.URL(), seed, adminToken(t, "--auth-secret", key), 12*time.Minute)
	for range 2 {
		for _, fault := range []struct {
			kill, start func()
		}{
			{p.Kill, func() { p.Restart(); p.WaitReady() }},
			{database.Kill, database.Restart},
			{positions.Kill, positions.Restart},
			{broker.Kill, broker.Restart},
		} {
			time.Sleep(time.Duration(500+dice.IntN(1500)) * time.Millisecond) // random moments are the point
			fault.kill()
			time.Sleep(time.Duration(dice.IntN(1000)) * time.Millisecond) // so is how long it is away
			fault.start()
		}
	}
	r.wantKept(40)
}
