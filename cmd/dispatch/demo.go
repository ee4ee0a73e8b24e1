package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"courier/dispatch"
	"courier/internal/sim"
	"courier/internal/sim/city"
)

// demoCommand is serve and simulate in one, made to be looked at.
type demoCommand struct {
	peopleFlags
	serverFlags
	DayFrom time.Duration `default:"11h30m" help:"The hour of the city's day when the demo starts."`
	Pace    float64       `default:"6" help:"How many times faster than life it goes."`
	Keep    bool          `help:"Keep the data in --data-dir. Default: a temporary folder, gone when the demo ends."`
}

// Run shows a courier company at work until it is told to stop.
func (c demoCommand) Run(ctx context.Context, s *streams, wrong *settings) (err error) {
	c.check(wrong)
	if !(c.Pace > 0 && c.Pace <= 1000) {
		wrong.add("pace", "%v is not within 0 and 1000", c.Pace)
	}
	if err := wrong.err(); err != nil {
		return err
	}
	f := c.serverFlags
	if !c.Keep {
		if f.DataDir, err = os.MkdirTemp("", "courier-demo-"); err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(f.DataDir)) }()
	}
	config := c.config()
	config.Center, config.DayFrom, config.AtOnce = f.Center, c.DayFrom, 6
	config.Lead = 200 * time.Millisecond                             // who starts a demo wants to see something
	config.Grace, config.Settle = time.Millisecond, time.Millisecond // who leaves a demo leaves it at once
	made, err := city.New(city.Config{Seed: c.Seed, Center: f.Center})
	if err != nil {
		return err
	}
	basemap, err := made.GeoJSON()
	if err != nil {
		return err
	}
	if f.LogLevel == "info" {
		f.LogLevel = "warn" // the figures are what a person wants to see here
	}
	f.Zoom, f.ClockRate = 13, c.Pace
	// A person who tries the courier's screen thinks in real seconds.
	f.OfferTimeout = max(f.OfferTimeout, time.Duration(c.Pace*20)*time.Second)
	f.StaleAfter = max(f.StaleAfter, time.Duration(c.Pace*60)*time.Second)
	f.LostAfter = max(f.LostAfter, 5*f.StaleAfter)
	n, err := newNode(ctx, f, extras{demo: true, basemap: basemap}, s.err)
	if err != nil {
		return err
	}
	config.Server, config.Log = n.url(), n.log
	if config.AdminToken, err = n.auth.MintStaff(dispatch.RoleAdmin, "demo", simulationTTL); err != nil {
		return err
	}
	people, err := sim.New(config)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	g.Go(func() error { return n.run(serving, func() {}) })
	g.Go(func() error {
		defer stop()
		_, err := people.Run(ctx)
		return err
	})
	g.Go(func() error { return c.tell(ctx, s, n, people) })
	return g.Wait()
}

// tell prints where to look, then a line of figures now and then.
func (c demoCommand) tell(ctx context.Context, s *streams, n *node, people *sim.Sim) error {
	token, err := n.auth.MintStaff(dispatch.RoleDispatcher, "demo", simulationTTL)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Courier %s: a made city at work. Nothing here leaves this machine.\n\n", version)
	fmt.Fprintf(s.out, "  dispatcher  %s/admin#token=%s\n", n.url(), token)
	var links sim.Links
	for links.TrackSecret == "" || links.CourierToken == "" {
		if !wait(ctx, 100*time.Millisecond) {
			return nil
		}
		links = people.Links()
	}
	fmt.Fprintf(s.out, "  courier     %s/courier#token=%s&demo=1\n", n.url(), links.CourierToken)
	fmt.Fprintf(s.out, "  customer    %s/t#%s\n", n.url(), links.TrackSecret)
	fmt.Fprintf(s.out, "  API         %s/docs\n\n", n.url())
	fmt.Fprintln(s.out, "Stop it with Ctrl-C.")
	for wait(ctx, 5*time.Second) {
		fmt.Fprintln(s.out, people.Figures())
	}
	return nil
}

// wait is false if ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
