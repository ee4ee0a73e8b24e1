package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"courier/dispatch/match"
	"courier/internal/mdrp"
	"courier/internal/replay"
	"courier/internal/sqlstore"
)

// replayCommand runs the matcher over days that are known already: meal
// delivery instances, or what a store recorded.
type replayCommand struct {
	Seed uint64   `default:"1" help:"The same seed gives the same result."`
	Set  []string `sep:"none" help:"Change an option of the matcher, such as MaxBundle=3 or Search.PerOrder=0; may be repeated. An unknown name lists them all." placeholder:"NAME=VALUE"`

	City          bool          `help:"Compare matchers side by side over evenings of the made city, from the nearest courier one by one to all that the options have." group:"The made city"`
	OrdersPerHour float64       `default:"35" help:"Orders of the made city, the day's mean: at the evening's peak there are 2.9 times as many." group:"The made city"`
	Duration      time.Duration `default:"4h" help:"How long orders are placed; couriers stay for an hour more." group:"The made city"`
	DayFrom       time.Duration `default:"17h" help:"The hour of the city's day at which it begins." group:"The made city"`
	Seeds         int           `default:"3" help:"How many evenings, each of the next seed." group:"The made city"`
	Futures       int           `default:"4" help:"Futures in the last row." group:"The made city"`

	MDRP     string        `name:"mdrp" help:"A meal delivery instance, or a folder of them; more may follow." placeholder:"DIR [DIR …]" group:"Meal delivery days"`
	More     []string      `arg:"" optional:"" name:"dir" help:"With --mdrp: more instances, or folders of them."`
	Out      string        `help:"Where the solutions go, a folder for each instance." placeholder:"DIR" group:"Meal delivery days"`
	Baseline string        `help:"A JSON file with what another matcher reached, by instance: prints it beside, and fails where more is left undelivered." placeholder:"FILE" group:"Meal delivery days"`
	Parallel int           `help:"Instances at a time. 0: as many as Go uses processors (GOMAXPROCS)." group:"Meal delivery days"`
	Service  bool          `help:"Live the days with the service itself, its store and its loop, instead of its matcher alone, and couriers who do as they are told, on a clock moved by hand. Writes no solutions; takes minutes." group:"Meal delivery days"`
	Step     time.Duration `default:"2s" help:"With --service: by how much the clock moves on between two rounds." group:"Meal delivery days"`
	Delay    time.Duration `help:"With --service: until a plan is with its courier, and until the service hears what a courier did." group:"Meal delivery days"`
	Seen     time.Duration `help:"With --service: until a position can be looked up, if that is longer than --delay." group:"Meal delivery days"`
	Every    time.Duration `help:"Time between rounds. Default: 1m for meal delivery days, in whole minutes; 10s for recorded events."`

	DataDir     string        `help:"Without --mdrp: replay what the SQLite database there has recorded. A server may have it open; nothing is changed." placeholder:"DIR" group:"Recorded events"`
	DatabaseURL string        `name:"database-url" help:"Without --mdrp: replay what a PostgreSQL database has recorded." placeholder:"URL" group:"Recorded events"`
	From        time.Time     `help:"Orders placed from then on." placeholder:"TIME" group:"Recorded events"`
	To          time.Time     `help:"Orders placed before then; they are followed for two hours more." placeholder:"TIME" group:"Recorded events"`
	Couriers    string        `help:"More (+N, twins of some) or fewer (-N) couriers in the changed replay. With --city: how many there are; default 40." placeholder:"+N|-N" group:"Recorded events"`
	Lead        time.Duration `default:"45m" help:"How long before it is ready an order is looked at, as serve has it." group:"Recorded events"`
	Target      time.Duration `default:"40m" help:"Later after its placement an order without a promise is late." group:"Recorded events"`

	TravelSpeed   map[string]float64 `help:"Mean speed by vehicle in m/s, as serve has it." placeholder:"VEHICLE=SPEED" group:"Recorded events"`
	TravelDetour  float64            `default:"1.3" help:"Road distance over straight distance, as serve has it." group:"Recorded events"`
	PickupService time.Duration      `default:"2m" help:"Time that a pickup takes, as serve has it." group:"Recorded events"`
	DropService   time.Duration      `default:"2m" help:"Time that a drop-off takes, as serve has it." group:"Recorded events"`
}

// Help is what --help says at length.
func (replayCommand) Help() string {
	return `Meal delivery days: dispatch replay --mdrp day1 day2 --out solutions
lives each day minute by minute, with the matcher knowing what is known by then, writes
solution_info_{assignments,orders,couriers}.txt for each and prints its score.
dispatch replay --mdrp day1 --service --delay 1s
has the service itself live the day, its store and its loop, and prints the same score, in seconds.

Recorded events: dispatch replay --data-dir data --from 2026-05-04T10:00:00Z --to 2026-05-04T14:00:00Z --set MaxBundle=1 --couriers=-5
lives the period again as it is and with the changes, and prints both beside what was recorded.
The made city: dispatch replay --city --couriers 40 --orders-per-hour 35 --seeds 3
makes as many evenings, lets each part of the matcher show what it adds, and prints a row for
each: means over the evenings, and the standard deviation between them.
In a replay nobody declines or fails, and couriers travel as the flags say. Who was on duty when
is told by trails and events; orders placed before --from play no part.`
}

// Run replays and prints.
func (c replayCommand) Run(ctx context.Context, s *streams, wrong *settings) error {
	records := c.DataDir != "" || c.DatabaseURL != ""
	switch {
	case c.City && (records || c.MDRP != "" || len(c.More) > 0):
		wrong.add("city", "not together with --mdrp, --data-dir or --database-url")
	case c.City:
		return c.city(ctx, s, wrong)
	case c.MDRP == "" && !records:
		wrong.add("mdrp", "say what to replay: --mdrp, --city, --data-dir or --database-url")
	case c.MDRP == "" && len(c.More) > 0:
		wrong.add("mdrp", "missing before %s", c.More[0])
	case c.DataDir != "" && c.DatabaseURL != "":
		wrong.add("data-dir", "not together with --database-url")
	}
	if c.Every < 0 {
		wrong.add("every", "%v is under 0", c.Every)
	}
	if c.MDRP == "" {
		return c.whatIf(ctx, s, wrong)
	}
	return c.days(ctx, s, wrong)
}

// days replays meal delivery instances.
func (c replayCommand) days(ctx context.Context, s *streams, wrong *settings) error {
	if c.Service {
		return c.service(ctx, s, wrong)
	}
	config := replay.MDRPConfig{Seed: c.Seed, Every: c.Every, Parallel: c.Parallel}
	if c.Out == "" {
		wrong.add("out", "missing: say where the solutions go")
	}
	if c.Every%time.Minute != 0 {
		wrong.add("every", "%v is no number of whole minutes", c.Every)
	}
	if c.Parallel < 0 {
		wrong.add("parallel", "%d is under 0", c.Parallel)
	}
	var err error
	if config.Options, err = match.Set(replay.MDRPOptions(), c.Set); err != nil {
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

// whatIf replays what a store recorded.
func (c replayCommand) whatIf(ctx context.Context, s *streams, wrong *settings) (err error) {
	config := replay.WhatIfConfig{Every: c.Every, Lead: c.Lead, Target: c.Target, Seed: c.Seed}
	if config.Every == 0 {
		config.Every = 10 * time.Second
	}
	c.checkPeriod(wrong)
	if c.Couriers != "" {
		signed := strings.HasPrefix(c.Couriers, "+") || strings.HasPrefix(c.Couriers, "-")
		if config.Couriers, err = strconv.Atoi(c.Couriers); err != nil || !signed {
			wrong.add("couriers", "%q is neither +N nor -N", c.Couriers)
		}
	}
	if config.As, err = c.options(); err != nil {
		wrong.add("travel-speed", "%v", err)
		return wrong.err()
	}
	if config.Changed, err = match.Set(config.As, c.Set); err != nil {
		wrong.add("set", "%v", err)
	}
	if err := wrong.err(); err != nil {
		return err
	}
	store, err := c.openRecords(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if config.History, err = replay.ReadHistory(ctx, store, c.From, c.To); err != nil {
		return err
	}
	compared, err := replay.Compare(ctx, config)
	if err != nil {
		return err
	}
	return compared.WriteText(s.out)
}

// options are the matcher's as serve has them.
func (c replayCommand) options() (match.Options, error) {
	f := serverFlags{TravelSpeed: c.TravelSpeed, TravelDetour: c.TravelDetour, PickupService: c.PickupService, DropService: c.DropService}
	f.MaxRadius, f.MaxBundle = match.DefaultOptions().MaxRadius, match.DefaultOptions().MaxBundle
	server, err := f.dispatchConfig()
	return server.Match, err
}

func (c replayCommand) checkPeriod(wrong *settings) {
	for flag, t := range map[string]time.Time{"from": c.From, "to": c.To} {
		if t.IsZero() {
			wrong.add(flag, "missing: say which period (2026-05-04T12:00:00Z)")
		}
	}
	if !c.To.After(c.From) {
		wrong.add("to", "is not after --from")
	}
	for flag, d := range map[string]time.Duration{"lead": c.Lead, "target": c.Target} {
		if d <= 0 {
			wrong.add(flag, "%v is not over 0", d)
		}
	}
	for flag, given := range map[string]bool{"out": c.Out != "", "baseline": c.Baseline != ""} {
		if given {
			wrong.add(flag, "is for --mdrp")
		}
	}
}

func (c replayCommand) openRecords(ctx context.Context) (*sqlstore.Reader, error) {
	if c.DatabaseURL != "" {
		return sqlstore.OpenPostgresReader(ctx, sqlstore.PostgresConfig{URL: c.DatabaseURL})
	}
	return sqlstore.OpenReader(ctx, sqlstore.Config{Dir: c.DataDir})
}

// readInstances reads all that the folders hold, and reports every one that
// cannot be read.
func readInstances(dirs []string) ([]*mdrp.Instance, error) {
	folders, err := findInstances(dirs)
	var out []*mdrp.Instance
	errs := []error{err}
	for _, f := range folders {
		in, err := mdrp.Read(f)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, in)
	}
	return out, errors.Join(errs...)
}

// findInstances are the folders that are instances, or else those in them.
func findInstances(dirs []string) (folders []string, err error) {
	var errs []error
	for _, dir := range dirs {
		if mdrp.Is(dir) {
			folders = append(folders, dir)
			continue
		}
		inside, err := os.ReadDir(dir)
		if err != nil {
			errs = append(errs, fmt.Errorf("read instances: %w", err))
			continue
		}
		found := false
		for _, e := range inside {
			if sub := filepath.Join(dir, e.Name()); mdrp.Is(sub) {
				folders, found = append(folders, sub), true
			}
		}
		if !found {
			folders = append(folders, dir) // reading it says what is missing
		}
	}
	return folders, errors.Join(errs...)
}
