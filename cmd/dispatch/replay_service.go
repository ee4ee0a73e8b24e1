package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"courier/dispatch/match"
	"courier/internal/rehearse"
	"courier/internal/replay"
)

// service lives meal delivery days with the service itself, one after the
// other: a day's rounds are on all cores.
func (c replayCommand) service(ctx context.Context, s *streams, wrong *settings) error {
	for flag, given := range map[string]bool{"out": c.Out != "", "baseline": c.Baseline != "", "every": c.Every != 0, "parallel": c.Parallel != 0} {
		if given {
			wrong.add(flag, "not together with --service")
		}
	}
	if c.Step <= 0 {
		wrong.add("step", "%v is not over 0", c.Step)
	}
	for flag, d := range map[string]time.Duration{"delay": c.Delay, "seen": c.Seen} {
		if d < 0 {
			wrong.add(flag, "%v is under 0", d)
		}
	}
	if _, err := match.Set(replay.MDRPOptions(), c.Set); err != nil {
		wrong.add("set", "%v", err)
	}
	if err := wrong.err(); err != nil {
		return err
	}
	instances, err := findInstances(append([]string{c.MDRP}, c.More...))
	if err != nil {
		return err
	}
	table := replay.NewTable(s.out, nil)
	for _, instance := range instances {
		score, err := c.lived(ctx, instance)
		if err != nil {
			return err
		}
		if err := table.Row(score); err != nil {
			return err
		}
	}
	return table.Mean()
}

func (c replayCommand) lived(ctx context.Context, instance string) (score replay.Score, err error) {
	dir, err := os.MkdirTemp("", "courier-day-")
	if err != nil {
		return score, fmt.Errorf("make a folder for the day: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return rehearse.Day(ctx, rehearse.Config{
		Dir: instance, Set: c.Set, Seed: c.Seed, Step: c.Step, Delay: c.Delay, Seen: c.Seen, Store: dir,
	})
}
