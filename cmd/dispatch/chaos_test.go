package main

import (
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"courier/internal/chaos"
)

// shortForm is what every run of the tests goes through. `make chaos` has more
// people and every fault.
func shortForm() chaos.Config {
	return chaos.Config{
		Couriers: 60, Cities: 2, Orders: 1.5, Rate: 30, FixEvery: time.Second, Finish: 20 * time.Second,
		Faults: chaos.Select(chaos.Faults(3, 7*time.Second), "kill -9 of node 1,kill -9 of PostgreSQL,FLUSHALL,node 3 ↔ RabbitMQ black-holed"),
	}
}

// fullForm's numbers are what two cores that do nothing else carry, nodes,
// engines and people: orders at 15 times life stay with their couriers for
// some 75 s.
func fullForm(t *testing.T) chaos.Config {
	return chaos.Config{
		Couriers: int(setting(t, "COURIERS", 2000)), Cities: int(setting(t, "CITIES", 4)), Orders: setting(t, "ORDERS", 20),
		Rate: setting(t, "RATE", 15), FixEvery: time.Duration(setting(t, "FIX_EVERY", 2) * float64(time.Second)),
		Warm: time.Duration(setting(t, "WARM", 100) * float64(time.Second)), Finish: 3 * time.Minute, Faults: chaos.Select(chaos.Faults(3, 15*time.Second), os.Getenv("FAULTS")),
	}
}

// setting is a number from the environment.
func setting(t *testing.T, name string, standard float64) float64 {
	text := os.Getenv(name)
	if text == "" {
		return standard
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// Three nodes on the three engines, people all over them, and one thing after
// another breaks. Nothing acknowledged is lost, nothing is done twice, and
// soon all is normal again.
func TestAClusterUnderFaultsKeepsItsPromises(t *testing.T) {
	seed, _ := seeded(t)
	c := shortForm()
	if os.Getenv("CHAOS") == "full" {
		c = fullForm(t)
		debug.SetGCPercent(400) // the cores are for the nodes
	}
	c.Seed, c.Command, c.Logf = seed, asProcess, t.Logf
	if given := os.Getenv("SEED"); given != "" {
		c.Seed = uint64(setting(t, "SEED", 0))
	}
	c.Token = func(subject string) string {
		return adminToken(t, "--auth-secret", chaos.Secret, "--subject", subject, "--ttl", "8760h")
	}
	table, err := chaos.Run(t.Context(), t, c)
	if err := table.WriteText(t.Output()); err != nil {
		t.Error(err)
	}
	if err := table.Report.WriteText(t.Output()); err != nil {
		t.Error(err)
	}
	if path := os.Getenv("REPORT"); path != "" {
		out, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		if err := table.WriteMarkdown(out); err != nil {
			t.Error(err)
		}
	}
	if err != nil {
		t.Error(err)
	}
	for _, broken := range table.Broken() {
		t.Error(broken)
	}
}
