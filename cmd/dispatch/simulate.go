package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"courier/dispatch"
	"courier/geo"
	"courier/internal/replay"
	"courier/internal/sim"
	"courier/internal/sim/client"
	"courier/internal/sim/scenario"
	"courier/internal/telemetry"
)

// simulateCommand runs people against a server: somebody's, or one of its
// own in a temporary folder.
type simulateCommand struct {
	Server string  `help:"The server's URL. Default: one of its own, with the server flags below, in a temporary folder." placeholder:"URL"`
	Token  string  `help:"An admin's token for --server: dispatch token --role admin. It has to outlive the simulated time (--ttl)." placeholder:"TOKEN"`
	Pace   float64 `name:"pace" help:"How many times faster than life. An own server runs that fast; a given one has to (serve --clock-rate). Default: as the server runs."`
	JSON   bool    `name:"json" help:"Print the report as JSON."`
	peopleFlags
	serverFlags
}

// simulationTTL is the life of a simulation's tokens: a fast clock must not outlive
// them.
const simulationTTL = 365 * 24 * time.Hour

// peopleFlags say who is simulated.
type peopleFlags struct {
	Seed          uint64        `default:"1" help:"The same seed makes the same city, couriers and orders." group:"People"`
	MDRP          string        `name:"mdrp" help:"A meal delivery instance: its orders, restaurants and shifts." placeholder:"DIR" type:"existingdir" group:"People"`
	Traces        string        `help:"Recorded cab positions (gzipped TSV); each fare is an order." placeholder:"FILE" type:"existingfile" group:"People"`
	TracesFrom    time.Duration `help:"Where to begin in the traces, from their first fix." group:"People"`
	TracesWindow  time.Duration `help:"How much of the traces to run. 0: to the end." group:"People"`
	Couriers      int           `default:"40" help:"Couriers of the made city." group:"People"`
	OrdersPerHour float64       `help:"Orders of the made city, the day's mean. 0: 2.5 a courier." group:"People"`
	Duration      time.Duration `help:"How long orders are placed, in the server's time. 0: until the source ends or you interrupt." group:"People"`
	Grace         time.Duration `default:"1h" help:"How long open orders may take after that, in the server's time." group:"People"`
	DeclineShare  float64       `default:"0.05" help:"Share of offers that couriers decline." group:"People"`
	IgnoreShare   float64       `default:"0.02" help:"Share of offers that couriers let run out." group:"People"`
	FailShare     float64       `default:"0.01" help:"Share of stops that fail." group:"People"`
	CancelShare   float64       `default:"0.01" help:"Share of orders that merchants cancel." group:"People"`
	FixEvery      time.Duration `default:"5s" help:"How often couriers send fixes, in the server's time." group:"People"`
}

func (f peopleFlags) config() sim.Config {
	return sim.Config{
		Seed: f.Seed, MDRP: f.MDRP, Traces: f.Traces, TracesFrom: f.TracesFrom, TracesWindow: f.TracesWindow,
		Couriers: f.Couriers, OrdersPerHour: f.OrdersPerHour, Duration: f.Duration, Grace: f.Grace,
		DeclineShare: f.DeclineShare, IgnoreShare: f.IgnoreShare, FailShare: f.FailShare, CancelShare: f.CancelShare,
		FixEvery: f.FixEvery,
	}
}

// Run simulates, prints the report and fails if a promise was broken.
func (c simulateCommand) Run(ctx context.Context, s *streams, wrong *settings) error {
	c.check(wrong)
	if c.Server != "" && c.Token == "" {
		wrong.add("token", "--server needs one: dispatch token --role admin")
	}
	if c.Pace < 0 {
		wrong.add("pace", "%v is under 0", c.Pace)
	}
	if err := wrong.err(); err != nil {
		return err
	}
	log, err := telemetry.NewLogger(s.err, c.LogLevel, c.LogFormat)
	if err != nil {
		return err
	}
	config := c.config()
	config.Center, config.Log = c.Center, log
	config.Progress = func(f sim.Figures) { fmt.Fprintln(s.err, f) }
	var report sim.Report
	if c.Server != "" {
		config.Server, config.AdminToken = c.Server, c.Token
		if err := c.checkPace(ctx); err != nil {
			return err
		}
		report, err = sim.Run(ctx, config)
	} else {
		report, err = c.onOwnServer(ctx, config, s)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(s.out).Encode(report); err != nil {
			return fmt.Errorf("print report: %w", err)
		}
	} else {
		if err := report.WriteText(s.out); err != nil {
			return fmt.Errorf("print report: %w", err)
		}
	}
	if !report.Clean() {
		return errors.New("the server broke promises")
	}
	return nil
}

func (c simulateCommand) onOwnServer(ctx context.Context, config sim.Config, s *streams) (report sim.Report, err error) {
	dir, err := os.MkdirTemp("", "courier-simulate-")
	if err != nil {
		return report, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	f := c.serverFlags
	f.DataDir, f.Addr, f.AdminAddr = dir, "127.0.0.1:0", ""
	if c.Pace > 0 {
		f.ClockRate = c.Pace
	}
	if err := c.knowTheSource(&f); err != nil {
		return report, err
	}
	n, err := newNode(ctx, f, extras{}, s.err)
	if err != nil {
		return report, err
	}
	config.Server = n.url()
	if config.AdminToken, err = n.auth.MintStaff(dispatch.RoleAdmin, "simulation", simulationTTL); err != nil {
		return report, err
	}
	g, serving := errgroup.WithContext(context.WithoutCancel(ctx))
	serving, stop := context.WithCancel(serving)
	g.Go(func() error { return n.run(serving, func() {}) })
	report, err = sim.Run(ctx, config)
	stop()
	return report, errors.Join(err, g.Wait())
}

// knowTheSource gives an own server travel and service times as the recorded
// couriers have them, and what is good by the rules of the source.
func (c simulateCommand) knowTheSource(f *serverFlags) error {
	switch {
	case c.MDRP != "":
		day, err := scenario.NewMDRP(scenario.MDRPConfig{Dir: c.MDRP, Center: c.Center})
		if err != nil {
			return err
		}
		f.TravelSpeed, f.TravelDetour, f.TravelStep = map[string]float64{string(geo.Car): day.Speed()}, 1, time.Minute
		pickup, dropoff := day.Service("pickup"), day.Service("dropoff")
		f.PickupService, f.DropService = pickup.Before+pickup.After, dropoff.Before+dropoff.After
		const message = 20 * time.Millisecond // of the machine's time
		f.Match = slices.Concat(replay.Settings(replay.LiveOptions(f.Interval, time.Duration(f.ClockRate*float64(message)))), f.Match)
		// Couriers report an arrival to the second; a geofence sees one up to a
		// minute early, as ways are stretched to whole minutes.
		f.Geofence = 0
		f.SearchLimit = 24 * time.Hour // nobody gives up
		f.Lead = replay.MDRPOptions().LookAhead
	case c.Traces != "":
		f.TravelSpeed, f.TravelDetour = map[string]float64{string(geo.Car): scenario.CabSpeed}, 1
	}
	return nil
}

// checkPace refuses a server whose clock does not run as fast as asked: its
// deadlines and the people's legs would not fit together.
func (c simulateCommand) checkPace(ctx context.Context) error {
	if c.Pace == 0 {
		return nil
	}
	server, err := client.New(client.Config{Server: c.Server})
	if err != nil {
		return err
	}
	defer server.Close()
	_, rate, _, err := server.Time(ctx)
	if err != nil {
		return fmt.Errorf("ask the server for its time: %w", err)
	}
	if rate != c.Pace {
		return fmt.Errorf("the server's clock runs at %v, not %v: start it with --clock-rate %v", rate, c.Pace, c.Pace)
	}
	return nil
}
