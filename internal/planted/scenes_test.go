package planted

import (
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"courier/internal/chaos"
	"courier/internal/sim"
	"courier/internal/testenv"
)

// scene lets people loose on a server and returns what the ledger says.
type scene func(t *testing.T, binary string, seed uint64) sim.Report

// rate is how much faster than life scenes go.
const rate = "60"

// starts names the variable that tells a node of play how often it has been
// started, for bugs that begin with the second time.
const starts = "COURIER_PLANTED_STARTS"

// linkGrace is the server's.
const linkGrace = 24 * time.Hour

// people are a small company in a hurry; a scene changes what it is about.
func people() sim.Config {
	return sim.Config{
		Couriers: 30, OrdersPerHour: 240, Flat: true, AtOnce: 20, Duration: 15 * time.Minute, Grace: 45 * time.Minute,
		DeclineShare: 0.1, FailShare: 0.03, RepeatShare: 0.2, SpyShare: 0.1, QuietShare: 0.2,
		FixEvery: 5 * time.Second, StallAfter: 10 * time.Minute, StaleAfter: time.Minute, LinkGrace: linkGrace,
	}
}

// rush is an ordinary one.
func rush(t *testing.T, binary string, seed uint64) sim.Report {
	return play(t, binary, seed, people(), nil)
}

// ignored has couriers who leave offers unanswered.
func ignored(t *testing.T, binary string, seed uint64) sim.Report {
	p := people()
	p.IgnoreShare, p.DeclineShare = 0.5, 0
	return play(t, binary, seed, p, nil)
}

// crowded has more orders than bags have room for.
func crowded(t *testing.T, binary string, seed uint64) sim.Report {
	p := people()
	p.Couriers, p.OrdersPerHour = 4, 400
	return play(t, binary, seed, p, nil)
}

// killed has the server die at random moments.
func killed(t *testing.T, binary string, seed uint64) sim.Report {
	dice := rand.New(rand.NewPCG(seed, 1))
	return play(t, binary, seed, people(), func(node *testenv.Dispatch) {
		for range 12 {
			time.Sleep(time.Duration(200+dice.IntN(900)) * time.Millisecond) // random moments are the point
			node.Kill()
			node.Restart()
			node.WaitReady()
		}
	})
}

// cluster is three nodes on real engines, with some of chaos's faults.
func cluster(faults string) scene {
	return func(t *testing.T, binary string, seed uint64) sim.Report {
		t.Helper()
		table, err := chaos.Run(t.Context(), t, chaos.Config{
			Seed: seed, Couriers: 120, Cities: 2, Orders: 3, Rate: 30, FixEvery: time.Second, Warm: 30 * time.Second, Finish: 60 * time.Second,
			Faults: chaos.Select(chaos.Faults(3, 7*time.Second), faults), Logf: t.Logf,
			Command: func(args ...string) *exec.Cmd { return exec.Command(binary, args...) },
			Token: func(subject string) string {
				token, err := exec.Command(binary, "token", "--role", "admin", "--auth-secret", chaos.Secret,
					"--subject", subject, "--ttl", "8760h").Output()
				if err != nil {
					t.Fatal(err)
				}
				return strings.TrimSpace(string(token))
			},
		})
		if err != nil {
			t.Logf("the run ended with: %v", err) // a bug may well be in its way
		}
		report := table.Report
		for _, row := range table.Rows {
			report.Violations = append(report.Violations, row.Violations...)
		}
		return report
	}
}

// play runs one node with all it needs inside.
func play(t *testing.T, binary string, seed uint64, c sim.Config, trouble func(node *testenv.Dispatch)) sim.Report {
	t.Helper()
	dir := t.TempDir()
	started := 0
	command := func(args ...string) *exec.Cmd {
		started++
		cmd := exec.Command(binary, args...)
		cmd.Env = append(cmd.Environ(), starts+"="+strconv.Itoa(started))
		return cmd
	}
	node := testenv.StartDispatch(t, "dispatch", command, "--data-dir", dir, "--admin-addr", "", "--log-level", "error",
		"--clock-rate", rate, "--clock-origin", time.Now().UTC().Format(time.RFC3339))
	token, err := exec.Command(binary, "token", "--role", "admin", "--data-dir", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	c.Server, c.AdminToken, c.Seed = node.URL(), strings.TrimSpace(string(token)), seed
	s, err := sim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	type end struct {
		sim.Report
		err error
	}
	done := make(chan end, 1)
	go func() {
		report, err := s.Run(t.Context())
		done <- end{report, err}
	}()
	for began := time.Now(); s.Figures().Placed == 0; {
		select {
		case e := <-done:
			t.Fatalf("it ended before anybody placed an order: %v", e.err)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Since(began) > time.Minute {
			t.Fatal("nobody places an order")
		}
	}
	if trouble != nil {
		trouble(node)
	}
	e := <-done
	if e.err != nil {
		t.Fatal(e.err)
	}
	return e.Report
}
