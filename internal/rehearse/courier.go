package rehearse

import (
	"context"
	"fmt"
	"slices"
	"time"

	"courier/dispatch"
	"courier/dispatch/match"
	"courier/geo"
	"courier/internal/clock"
	"courier/internal/sim/scenario"
	"courier/tracking"
)

// courier does the stops of its plan one after the other, as the simulator's
// do. It lives as long ago as what it does takes to be heard of.
type courier struct {
	day  *day
	spec scenario.Courier
	id   string
	acts int
	duty dispatch.Duty
	gone bool // home for the day

	plan    []dispatch.Stop
	version int64
	told    time.Time // of the newest stop

	goal    *dispatch.Stop
	way     scenario.Leg // to the goal, or where it stands
	set     time.Time    // out on the way
	arrived time.Time    // at the goal; zero: not yet
	last    dispatch.Stop
	free    time.Time // until then it is busy with the last stop

	fixes []tracking.Fix // not seen yet
}

func (d *day) hire(ctx context.Context, spec scenario.Courier) (*courier, error) {
	made, err := d.service.CreateCourier(ctx, staff, dispatch.NewCourier{
		Name: spec.Name, Vehicle: spec.Vehicle, Capacity: spec.Capacity, Start: &spec.At,
		Shift: &dispatch.Window{From: d.start.Add(spec.From), To: d.start.Add(spec.To)},
	})
	if err != nil {
		return nil, fmt.Errorf("hire %s: %w", spec.Name, err)
	}
	return &courier{day: d, spec: spec, id: made.ID, duty: dispatch.Off, way: scenario.Leg{Path: []geo.Point{spec.At}}}, nil
}

// live does all that is due by then.
func (c *courier) live(ctx context.Context, now time.Time) error {
	if c.gone || now.Before(c.day.start.Add(c.spec.From)) {
		return nil
	}
	if err := c.learn(ctx, now); err != nil {
		return err
	}
	if err := c.keepDuty(ctx, now); err != nil || c.gone {
		return err
	}
	for {
		did, err := c.work(ctx, now)
		if err != nil {
			return err
		}
		if !did {
			break
		}
		if err := c.learn(ctx, now); err != nil {
			return err
		}
	}
	c.fixes = append(c.fixes, tracking.Fix{Courier: c.id, Time: now, Received: now, Point: c.at(now), Accuracy: 5})
	return nil
}

// learn reads the plan. A stop that is new in it is told Delay after the
// service has it.
func (c *courier) learn(ctx context.Context, now time.Time) error {
	is, err := c.day.store.Courier(ctx, c.id)
	if err != nil {
		return fmt.Errorf("read %s: %w", c.spec.Name, err)
	}
	if is.Plan.Version == c.version {
		return nil
	}
	for _, s := range is.Plan.Stops {
		if !slices.ContainsFunc(c.plan, func(o dispatch.Stop) bool { return same(o, s) }) {
			c.told = now.Add(2 * c.day.Delay) // now is one Delay ago
		}
	}
	c.plan, c.version = is.Plan.Stops, is.Plan.Version
	return nil
}

func same(a, b dispatch.Stop) bool { return a.Order == b.Order && a.Kind == b.Kind }

// keepDuty comes and goes as the shift says: who has work finishes it, on a
// break from more.
func (c *courier) keepDuty(ctx context.Context, now time.Time) error {
	want := dispatch.Available
	switch over := !now.Before(c.day.start.Add(c.spec.To)); {
	case over && len(c.plan) == 0:
		want = dispatch.Off
	case over:
		want = dispatch.Break
	}
	if want == c.duty {
		return nil
	}
	c.duty = want
	if err := c.act(ctx, dispatch.Action{Type: dispatch.ActSetDuty, Duty: want}); err != nil || want != dispatch.Off {
		return err
	}
	c.gone, c.fixes = true, nil
	return c.day.index.Remove(ctx, c.id)
}

func (c *courier) act(ctx context.Context, a dispatch.Action) error {
	is, err := c.day.store.Courier(ctx, c.id)
	if err == nil {
		c.acts++
		err = c.day.service.Act(ctx, c.id, is.Epoch, fmt.Sprintf("a%d", c.acts), a)
	}
	if err != nil {
		return fmt.Errorf("%s: %s of %s: %w", c.spec.Name, a.Type, a.Order, err)
	}
	return nil
}

// work does the next thing of the plan that is due, and says whether there
// was one.
func (c *courier) work(ctx context.Context, now time.Time) (did bool, err error) {
	if len(c.plan) == 0 {
		c.goal = nil
		return false, nil
	}
	next := c.plan[0]
	if c.goal == nil || !same(*c.goal, next) {
		if out, err := c.setOut(ctx, next, now); !out || err != nil {
			return false, err
		}
	}
	c.goal.ReadyAt = next.ReadyAt
	if c.arrived.IsZero() {
		at := c.set.Add(c.way.Time)
		if now.Before(at) {
			return false, nil
		}
		c.arrived = at
		if err := c.act(ctx, dispatch.Action{Type: dispatch.ActArrive, Order: c.goal.Order, Kind: c.goal.Kind, At: at}); err != nil {
			return false, err
		}
	}
	takes := c.day.source.Service(string(c.goal.Kind))
	ready := c.arrived.Add(takes.Before)
	if c.goal.Kind == match.Pickup {
		ready = clock.Later(ready, c.goal.ReadyAt)
	}
	if now.Before(ready) {
		return false, nil
	}
	at := clock.Earlier(now, clock.Later(ready, c.told))
	if err := c.act(ctx, dispatch.Action{Type: dispatch.ActComplete, Order: c.goal.Order, Kind: c.goal.Kind, At: at}); err != nil {
		return false, err
	}
	c.last, c.free, c.goal = *c.goal, at.Add(takes.After), nil
	return true, nil
}

// setOut begins the way to a stop, if the courier has been told of it and is
// free. What is fetched at one counter is one visit.
func (c *courier) setOut(ctx context.Context, to dispatch.Stop, now time.Time) (out bool, err error) {
	visit := to.Kind == match.Pickup && c.last.Kind == match.Pickup && near(to.Point, c.last.Point)
	if now.Before(c.told) || now.Before(c.free) && !visit {
		return false, nil
	}
	begin := now
	if c.goal == nil { // else it was on its way elsewhere
		begin = clock.Earlier(now, clock.Later(c.free, c.told))
	}
	came, here := c.arrived, c.at(now)
	c.goal, c.arrived, c.set = &to, time.Time{}, begin
	if !near(here, to.Point) {
		c.way = c.day.source.Leg(here, to.Point, c.spec.Vehicle)
		return true, nil
	}
	c.way = scenario.Leg{Path: []geo.Point{here}}
	if visit {
		c.arrived = came
		return true, c.act(ctx, dispatch.Action{Type: dispatch.ActArrive, Order: to.Order, Kind: to.Kind, At: came})
	}
	return true, nil
}

// near says that two places are one.
func near(a, b geo.Point) bool { return geo.Distance(a, b) < 20 }

func (c *courier) at(now time.Time) geo.Point {
	p, _ := c.way.Position(now.Sub(c.set))
	return p
}

// show lets positions be seen that are old enough.
func (c *courier) show(ctx context.Context, now time.Time) error {
	old := 0
	for old < len(c.fixes) && !c.fixes[old].Time.Add(c.day.Seen).After(now) {
		old++
	}
	if old == 0 {
		return nil
	}
	newest := c.fixes[old-1]
	c.fixes = c.fixes[old:]
	return c.day.index.Move(ctx, []tracking.Fix{newest})
}
