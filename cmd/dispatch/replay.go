package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"courier/internal/mdrp"
	"courier/internal/replay"
)

// replayCommand runs the matcher over days that are known already.
type replayCommand struct {
	MDRP     string        `name:"mdrp" help:"A meal delivery instance, or a folder of them; more may follow." placeholder:"DIR [DIR …]"`
	More     []string      `arg:"" optional:"" name:"dir" help:"More instances, or folders of them."`
	Out      string        `help:"Where the solutions go, a folder for each instance." placeholder:"DIR"`
	Every    time.Duration `default:"1m" help:"Time between rounds, in whole minutes."`
	Parallel int           `help:"Instances at a time. 0: as many as Go uses processors (GOMAXPROCS)."`
	Seed     uint64        `default:"1" help:"The same seed gives the same solutions."`
	Baseline string        `help:"A JSON file with what another matcher reached, by instance: prints it beside, and fails where more is left undelivered." placeholder:"FILE"`
	Set      []string      `sep:"none" help:"Change an option of the matcher, such as MaxBundle=3 or Search.PerOrder=0; may be repeated. An unknown name lists them all." placeholder:"NAME=VALUE"`
}

// Run replays and prints.
func (c replayCommand) Run(ctx context.Context, s *streams, wrong *settings) error {
	config := replay.MDRPConfig{Seed: c.Seed, Every: c.Every, Parallel: c.Parallel}
	if c.MDRP == "" {
		wrong.add("mdrp", "missing: say what to replay")
	}
	if c.Out == "" {
		wrong.add("out", "missing: say where the solutions go")
	}
	if c.Every < time.Minute || c.Every%time.Minute != 0 {
		wrong.add("every", "%v is no number of whole minutes", c.Every)
	}
	if c.Parallel < 0 {
		wrong.add("parallel", "%d is under 0", c.Parallel)
	}
	var err error
	if config.Options, err = replay.Set(replay.MDRPOptions(), c.Set); err != nil {
		wrong.add("set", "%v", err)
	}
	if err := wrong.err(); err != nil {
		return err
	}
	if config.Instances, err = readInstances(append([]string{c.MDRP}, c.More...)); err != nil {
		return err
	}
	var bars replay.Baseline
	if c.Baseline != "" {
		if bars, err = replay.ReadBaseline(c.Baseline); err != nil {
			return err
		}
	}
	table := replay.NewTable(s.out, bars)
	config.Done = func(day replay.Solution) error {
		if err := day.Write(c.Out); err != nil {
			return err
		}
		return table.Row(day.Score())
	}
	if err := replay.MDRP(ctx, config); err != nil {
		return err
	}
	if err := table.Mean(); err != nil || c.Baseline == "" {
		return err
	}
	fallen, err := table.Compare(bars)
	if err == nil && fallen > 0 {
		err = fmt.Errorf("%d instances leave more undelivered than %s", fallen, c.Baseline)
	}
	return err
}

// readInstances reads all that the folders hold, and reports every one that
// cannot be read.
func readInstances(dirs []string) ([]*mdrp.Instance, error) {
	var out []*mdrp.Instance
	var errs []error
	for _, dir := range dirs {
		folders := []string{dir}
		if !mdrp.Is(dir) {
			inside, err := os.ReadDir(dir)
			if err != nil {
				errs = append(errs, fmt.Errorf("read instances: %w", err))
				continue
			}
			var found []string
			for _, e := range inside {
				if sub := filepath.Join(dir, e.Name()); mdrp.Is(sub) {
					found = append(found, sub)
				}
			}
			if len(found) > 0 {
				folders = found
			}
		}
		for _, f := range folders {
			in, err := mdrp.Read(f)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			out = append(out, in)
		}
	}
	return out, errors.Join(errs...)
}
