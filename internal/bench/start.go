package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// start measures S10: from the command to ready, memory at rest, and the size
// of the binary.
func start(ctx context.Context, r *run) error {
	if r.Target != nil {
		return errors.New("a server that runs cannot be started: leave out --url")
	}
	times := size(r, 0, 7, 2)
	ready, bare := newRecorder(window{}), newRecorder(window{})
	var rest memory
	for i := range times {
		r.Told("%s: %d of %d", r.scenario, i+1, times)
		took, err := r.bareStart()
		if err != nil {
			return err
		}
		bare.add(0, took)
		if took, rest, err = r.oneStart(ctx, i == times-1); err != nil {
			return err
		}
		ready.add(0, took)
	}
	l := ready.latency()
	res := r.result("from the command to ready, median", "ms", l.P50)
	res.Latency, res.Count = l, int64(times)
	res.against(Floor{What: "dispatch version", Value: bare.latency().P50})
	res.atMost("S10", 300, "300 ms")
	held := r.result("memory at rest, resident", "MiB", mib(rest.resident))
	held.Count, held.Resident, held.PSS = 1, mib(rest.resident), mib(rest.proportional)
	held.atMost("S10", 50, "50 MiB")
	info, err := os.Stat(r.Binary)
	if err != nil {
		return fmt.Errorf("size of the binary: %w", err)
	}
	file := r.result("the binary", "MiB", mib(info.Size()))
	file.Count = 1
	file.atMost("S10", 60, "60 MiB")
	return errors.Join(r.emit(res), r.emit(held), r.emit(file))
}

func (r *run) oneStart(ctx context.Context, rest bool) (took time.Duration, m memory, err error) {
	t, took, err := r.serve(ctx, "--admin-addr", "")
	if err != nil {
		return 0, m, err
	}
	defer func() { err = errors.Join(err, t.stop()) }()
	if !rest {
		return took, m, nil
	}
	if !sleep(ctx, time.Now().Add(r.Warm)) {
		return took, m, ctx.Err()
	}
	m, err = memoryOf(t.PID)
	return took, m, err
}

// bareStart is how long the binary takes to do next to nothing.
func (r *run) bareStart() (time.Duration, error) {
	cmd := r.Bare()
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("start the bare binary: %w", err)
	}
	return time.Since(began), nil
}
