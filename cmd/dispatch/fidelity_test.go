package main

import (
	"context"
	"encoding/json"
	"testing"

	"courier/internal/mdrp"
	"courier/internal/replay"
	"courier/internal/sim"
)

// The live system, with phones, sockets and a clock that runs, delivers all
// that a replay does, which has none of these, and nothing waits for ages. How
// near it comes depends on the machine, since a tenth of a second is 40 here;
// what the service gives away without one, package rehearse's tests say.
func TestTheLiveSystemLivesAReplayedDay(t *testing.T) {
	day, err := mdrp.Read(madeDay)
	if err != nil {
		t.Fatal(err)
	}
	var replayed replay.Score
	err = replay.MDRP(context.Background(), replay.MDRPConfig{
		Instances: []*mdrp.Instance{day}, Options: replay.MDRPOptions(), Seed: 1,
		Done: func(s replay.Solution) error { replayed = s.Score(); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := dispatchCommand(t, "simulate", "--mdrp", madeDay, "--pace", "400", "--mode", "assign", "--fix-every", "30s", "--grace", "3h",
		"--decline-share", "0", "--ignore-share", "0", "--fail-share", "0", "--cancel-share", "0", "--log-level", "error", "--json")
	var live sim.Report
	if err := json.Unmarshal([]byte(stdout), &live); err != nil || code != 0 {
		t.Fatalf("%d, %v, %s%s", code, err, stdout, stderr)
	}
	if live.Orders.Delivered != replayed.Orders-replayed.Undelivered || live.Times.Avoidable == nil {
		t.Fatalf("delivered %d live, %d of %d replayed", live.Orders.Delivered, replayed.Orders-replayed.Undelivered, replayed.Orders)
	}
	if got, most := *live.Times.Avoidable, 2*replayed.Avoidable; got > most {
		t.Errorf("avoidable %.2f min live, %.2f replayed", got, replayed.Avoidable)
	} else {
		t.Logf("avoidable %.2f min live, %.2f replayed", got, replayed.Avoidable)
	}
}
