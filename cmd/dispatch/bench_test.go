package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"courier/internal/bench"
	"courier/internal/testenv"
)

// runBench runs the command with small sizes and returns its lines. Servers
// and floors are processes of this test.
func runBench(t *testing.T, args ...string) []bench.Result {
	t.Helper()
	t.Setenv(asDispatch, "1")
	var out bytes.Buffer
	args = append([]string{"bench", "--short", "--warm", "200ms", "--time", "500ms"}, args...)
	if code := run(t.Context(), args, &out, t.Output()); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	results, err := bench.ReadJSON(&out)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// wantSound checks what is so of every figure, however fast the machine.
func wantSound(t *testing.T, r bench.Result) {
	t.Helper()
	name := r.Scenario + ": " + r.What
	if r.Scenario == "" || r.What == "" || r.Unit == "" || r.Engines != "embedded" || r.Machine == "" || r.Version == "" || r.Date.IsZero() {
		t.Errorf("%s: something is left out: %+v", name, r)
	}
	if r.Count <= 0 || r.Errors != 0 {
		t.Errorf("%s: %d were counted, %d errors", name, r.Count, r.Errors)
	}
	if l := r.Latency; l != nil && !(0 < l.P50 && l.P50 <= l.P99 && l.P99 <= l.P999 && l.P999 <= l.Max) {
		t.Errorf("%s: %+v is no distribution", name, *l)
	}
	if r.Floor != nil && (r.Floor.What == "" || r.Floor.Value < 0) {
		t.Errorf("%s: floor %+v", name, *r.Floor)
	}
	if r.Scenario == "latency" && r.Goal != nil && (r.Floor == nil || r.Floor.Value == 0) {
		t.Errorf("%s: no floor", name)
	}
	if r.Goal != nil && (r.Goal.Line == "" || r.Goal.Is == "" || r.Goal.Limit <= 0) {
		t.Errorf("%s: goal %+v", name, *r.Goal)
	}
	if took, ok := r.More["server_took"]; ok && (took != r.More["answered"] || took == 0) {
		t.Errorf("%s: the server took %v and has answered %v", name, took, r.More["answered"])
	}
}

func TestBenchTellsWhatTheServerItselfSaysItTook(t *testing.T) {
	for scenario, lines := range map[string]string{
		"fixes":       "S1 S11 - -",
		"orders":      "S3 S3",
		"latency":     "S4 S5 -",
		"fanout":      "S7 S7 -",
		"connections": "S6",
		"match":       "S8 S8",
		"start":       "S10 S10 S10",
		"scale":       "S9 S9 S9",
		"mixed":       "- - -",
		"deaf":        "deaf deaf",
	} {
		t.Run(scenario, func(t *testing.T) {
			var got []string
			for _, r := range runBench(t, scenario) {
				wantSound(t, r)
				line := "-"
				if r.Goal != nil {
					line = r.Goal.Line
				}
				got = append(got, line)
			}
			if all := strings.Join(got, " "); all != lines {
				t.Errorf("its lines are %q, want %q", all, lines)
			}
		})
	}
}

// Customers of a node that is killed are told on another what they missed.
func TestBenchKillsANodeOfTwo(t *testing.T) {
	e := testenv.StartEngines(t)
	results := runBench(t, "reconnect", "--database-url", e.Database, "--redis-url", e.Redis.URL(), "--amqp-url", e.RabbitMQ.URL)
	if len(results) != 1 {
		t.Fatalf("%d results", len(results))
	}
	r := results[0]
	if r.Count != 100 || r.Errors != 0 || r.More["gaps"] != 0 || r.More["transactions_each"] <= 0 || !(r.Value > 0 && r.Value < 30) {
		t.Errorf("%+v", r)
	}
}

func TestBenchLoadsARunningServer(t *testing.T) {
	dir := t.TempDir()
	node := newProcess(t, "--data-dir", dir, "--limit-credential", "off", "--limit-address", "off")
	results := runBench(t, "orders", "--url", node.URL(), "--token", adminToken(t, "--data-dir", dir), "--pid", fmt.Sprint(node.PID()))
	for _, r := range results {
		wantSound(t, r)
		if r.Resident == 0 {
			t.Errorf("%s: the memory of a process on this machine is not there", r.What)
		}
		if _, ok := r.More["server_took"]; ok {
			t.Errorf("%s: figures of an admin listener that is out of reach", r.What)
		}
	}
	if err := testenv.Asked(node.URL() + "/readyz"); err != nil {
		t.Errorf("bench has stopped a server that was not its own: %v", err)
	}
}

func TestBenchRefusesWrongSettings(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"bench", "fixes", "everything", "--batch", "300", "--rate=-1", "--time", "1ms", "--url", "https://courier.example"}, &out, &errs)
	if code != 2 || out.Len() > 0 {
		t.Fatalf("exit code %d, output %q", code, &out)
	}
	for _, want := range []string{"scenario", "--batch", "--rate", "--time", "--url", "--token"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("nothing about %s in %s", want, &errs)
		}
	}
}

// Five times what goes is brought: some is turned away, but no decision of a
// courier; what was acknowledged is there; and soon after, all is taken again.
func TestUnderOverloadNoDecisionIsRefusedAndNothingAcknowledgedIsLost(t *testing.T) {
	results := runBench(t, "overload", "--time", "1s")
	if len(results) != 2 {
		t.Fatalf("%d results, want those of orders and of decisions", len(results))
	}
	for _, r := range results {
		wantSound(t, r)
	}
	orders, decisions := results[0], results[1]
	if m := orders.More; m["shed_order"] == 0 || m["acknowledged"] == 0 || m["acknowledged_and_lost"] != 0 || m["fixes_refused"] != 0 {
		t.Errorf("orders: %v", m)
	}
	if after := time.Duration(orders.More["recovered_after_ms"]) * time.Millisecond; after > 10*time.Second {
		t.Errorf("it recovered after %s", after)
	}
	if decisions.Count < 20 {
		t.Errorf("%d decisions were made", decisions.Count)
	}
}
