// Package rehearse lives a meal delivery day with the service itself: its
// store, its loop and its index of positions, with couriers who do as they are
// told, on a clock that is moved on by hand. There are no phones and no
// sockets, and nothing is chance but the seed: what a live day loses against a
// replay of the matcher alone can be looked for, one cause at a time.
//
//	scenario.MDRP ─► Day: dispatch.Service, Loop, SQLite, tracking.Memory ─► replay.Score
package rehearse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"courier/dispatch"
	"courier/dispatch/match"
	"courier/geo"
	"courier/internal/clock"
	"courier/internal/replay"
	"courier/internal/sim/scenario"
	"courier/internal/sqlstore"
	"courier/tracking"
)

// Config says which day, and how well people and service hear of each other.
type Config struct {
	Dir   string   // an instance of the Meal Delivery Routing Problem
	Set   []string // options of the matcher, NAME=VALUE, over those for such days
	Seed  uint64
	Step  time.Duration // by which the clock moves on, a round each; default 2 s
	Delay time.Duration // until a plan is with its courier, and until the service hears what a courier did
	Seen  time.Duration // until a position can be looked up, if that is longer
	Store string        // an empty folder for the day's database
}

func (c Config) validate() error {
	var errs []error
	if c.Step <= 0 {
		errs = append(errs, fmt.Errorf("Step: %v is not over 0", c.Step))
	}
	if c.Delay < 0 {
		errs = append(errs, fmt.Errorf("Delay: %v is under 0", c.Delay))
	}
	if c.Seen < 0 {
		errs = append(errs, fmt.Errorf("Seen: %v is under 0", c.Seen))
	}
	if c.Store == "" {
		errs = append(errs, errors.New("Store: missing"))
	}
	return errors.Join(errs...)
}

// people who are nobody's couriers.
var (
	staff    = dispatch.Actor{Role: dispatch.RoleDispatcher, ID: "rehearsal"}
	merchant = dispatch.Actor{Role: dispatch.RoleMerchant, ID: "rehearsal"}
)

// grace is how long after the last order the day ends at the latest.
const grace = 3 * time.Hour

// day is one that is lived.
type day struct {
	Config
	source   *scenario.MDRP
	start    time.Time
	clock    *clock.Manual
	store    *sqlstore.Store
	service  *dispatch.Service
	loop     *dispatch.Loop
	index    *tracking.Memory
	couriers []*courier
	orders   []scenario.Order
	ids      []string // of the orders placed
	made     int      // ids
}

// Day lives a day and scores it as a replay is scored.
func Day(ctx context.Context, c Config) (score replay.Score, err error) {
	if c.Step == 0 {
		c.Step = 2 * time.Second
	}
	if err := c.validate(); err != nil {
		return score, fmt.Errorf("rehearse: %w", err)
	}
	began := time.Now()
	d := &day{Config: c, index: tracking.NewMemory()}
	if d.source, err = scenario.NewMDRP(scenario.MDRPConfig{Dir: c.Dir, Center: geo.Point{Lat: 52, Lng: 4}}); err != nil {
		return score, fmt.Errorf("rehearse: %w", err)
	}
	// Another seed is another fraction of a second, by which the dice fall.
	d.start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC).Add(time.Duration(c.Seed%800) * 1234567 * time.Nanosecond) //nolint:gosec // under 800
	d.clock = clock.NewManual(d.start)
	if d.store, err = sqlstore.Open(ctx, sqlstore.Config{Dir: c.Store, Now: d.clock.Now}); err != nil {
		return score, fmt.Errorf("rehearse: %w", err)
	}
	defer func() { err = errors.Join(err, d.store.Close()) }()
	if err = d.open(); err == nil {
		err = d.live(ctx)
	}
	if err == nil {
		score, err = d.score(ctx)
	}
	if err != nil {
		return score, fmt.Errorf("rehearse %s: %w", filepath.Base(c.Dir), err)
	}
	score.Took = time.Since(began)
	return score, nil
}

// open makes the service as simulate --mdrp makes it.
func (d *day) open() error {
	router, err := geo.NewStraightLine(geo.StraightLineConfig{Detour: 1, Speeds: map[geo.Vehicle]float64{geo.Car: d.source.Speed()}, Step: time.Minute})
	if err != nil {
		return err
	}
	o := match.DefaultOptions()
	pickup, dropoff := d.source.Service("pickup"), d.source.Service("dropoff")
	o.Router, o.PickupService, o.DropoffService = router, pickup.Before+pickup.After, dropoff.Before+dropoff.After
	if o, err = match.Set(o, slices.Concat(replay.Settings(replay.LiveOptions(d.Step, d.Delay)), d.Set)); err != nil {
		return err
	}
	config := dispatch.DefaultConfig()
	config.Match, config.Mode, config.SearchLimit, config.Lead = o, dispatch.ModeAssign, 24*time.Hour, o.LookAhead
	d.service, err = dispatch.New(config, dispatch.Deps{
		Store: d.store, Locator: d.index, Clock: d.clock, Log: slog.New(slog.DiscardHandler),
		NewID:  func() string { d.made++; return fmt.Sprintf("id%08d", d.made) },
		NewPIN: func() string { return "0000" },
	})
	if err == nil {
		d.loop = dispatch.NewLoop(d.service, nil)
	}
	return err
}

func (d *day) live(ctx context.Context) error {
	for o, more := d.source.Next(); more; o, more = d.source.Next() {
		d.orders = append(d.orders, o)
	}
	for _, spec := range d.source.Couriers() {
		c, err := d.hire(ctx, spec)
		if err != nil {
			return err
		}
		d.couriers = append(d.couriers, c)
	}
	end := d.start.Add(grace)
	if len(d.orders) > 0 {
		end = end.Add(d.orders[len(d.orders)-1].At)
	}
	for now := d.start; now.Before(end); now = now.Add(d.Step) {
		d.clock.Advance(now.Sub(d.clock.Now()))
		if err := d.place(ctx, now); err != nil {
			return err
		}
		home := true
		for _, c := range d.couriers {
			if err := c.live(ctx, now.Add(-d.Delay)); err != nil {
				return err
			}
			if err := c.show(ctx, now); err != nil {
				return err
			}
			home = home && c.gone
		}
		if home && len(d.ids) == len(d.orders) {
			return nil
		}
		if err := d.loop.Round(ctx); err != nil {
			return err
		}
	}
	return nil
}

// place places the orders whose time has come.
func (d *day) place(ctx context.Context, now time.Time) error {
	for len(d.ids) < len(d.orders) {
		o := d.orders[len(d.ids)]
		if d.start.Add(o.At).After(now) {
			return nil
		}
		by := d.start.Add(o.DeliverBy)
		placed, _, err := d.service.Place(ctx, merchant, dispatch.NewOrder{
			Merchant: merchant.ID, Reference: o.Name, Size: o.Size, ReadyAt: d.start.Add(o.Ready), DeliverBy: &by,
			Pickup:  dispatch.Place{Point: o.Pickup.Point, Address: o.Pickup.Address},
			Dropoff: dispatch.Place{Point: o.Dropoff.Point, Address: o.Dropoff.Address},
		}, o.Name)
		if err != nil {
			return fmt.Errorf("place order %s: %w", o.Name, err)
		}
		d.ids = append(d.ids, placed.ID)
	}
	return nil
}

// score counts as the simulator's ledger does: in seconds, where a replay has
// whole minutes.
func (d *day) score(ctx context.Context) (replay.Score, error) {
	t := replay.NewTally(filepath.Base(d.Dir), len(d.orders))
	for i, id := range d.ids {
		due := d.orders[i]
		o, err := d.service.Order(ctx, dispatch.Scope{}, id)
		if err != nil {
			return replay.Score{}, fmt.Errorf("read order %s: %w", due.Name, err)
		}
		at := o.Times[dispatch.Delivered]
		if at.IsZero() {
			continue
		}
		t.Delivered(at.Sub(d.start.Add(due.At)).Minutes(), due.Floor.Minutes(),
			o.Times[dispatch.PickedUp].Sub(d.start.Add(due.Ready)).Minutes(), at.After(d.start.Add(due.DeliverBy)))
	}
	return t.Score(), nil
}
