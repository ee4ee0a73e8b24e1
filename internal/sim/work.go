package sim

import (
	"time"

	"courier/geo"
	"courier/internal/clock"
	"courier/internal/sim/client"
	"courier/internal/sim/scenario"
)

// How near a stop counts as being there.
const thereMetres = 20

// work drives to the first stop of the plan, serves it, and goes on. It says
// when something is due next; zero: nothing until the server speaks. What was
// due a moment ago happens as of then: however fast the clock, a timer that
// fires late makes no courier late.
func (c *courier) work(now time.Time) time.Time {
	first := c.firstStop(now)
	if first == nil {
		c.goal = nil
		return c.idle(now)
	}
	if c.goal == nil || keyOf(*c.goal) != keyOf(*first) {
		// Two pickups at one door are one visit; else the service ends first.
		visit := first.Kind == "pickup" && c.freeFrom.Kind == "pickup" && geo.Distance(first.Point, c.freeFrom.Point) < thereMetres
		if now.Before(c.freeAt) && !visit {
			return c.freeAt
		}
		since := c.arrived
		c.setGoal(*first, c.free(now))
		if visit && c.arrived.IsZero() && geo.Distance(c.body.at(now), first.Point) < thereMetres {
			c.arrive(since)
		}
	} else {
		c.goal.ReadyAt, c.goal.ArrivedAt, c.goal.PINRequired = first.ReadyAt, first.ArrivedAt, first.PINRequired
		if geo.Distance(c.goal.Point, first.Point) > thereMetres { // the address was corrected
			c.setGoal(*first, now)
		}
	}
	if c.arrived.IsZero() {
		if now.Before(c.body.arrival()) {
			return c.body.arrival()
		}
		c.arrive(c.body.arrival())
	}
	return c.serve(now)
}

// free is since when I could set out for a goal that I have not got yet: what
// I did before is done, and the plan says where to go.
func (c *courier) free(now time.Time) time.Time {
	if c.goal != nil { // called off on the way to it
		return now
	}
	return clock.Earlier(now, clock.Later(c.freeAt, c.toldAt))
}

func (c *courier) firstStop(now time.Time) *client.Stop {
	for i, s := range c.plan {
		when, did := c.done[keyOf(s)]
		if did && now.Sub(when) < c.sim.clock.server(5*time.Second) {
			continue // the plan will know soon
		}
		return &c.plan[i]
	}
	return nil
}

func (c *courier) setGoal(s client.Stop, now time.Time) {
	c.goal, c.arrived, c.failing, c.tryAt = &s, time.Time{}, "", time.Time{}
	c.away = true
	here := c.body.at(now)
	if geo.Distance(here, s.Point) < thereMetres {
		c.body.drive(scenario.Leg{Path: []geo.Point{here}}, now)
	} else {
		c.body.drive(c.sim.source.Leg(here, s.Point, c.spec.Vehicle), now)
	}
	if c.rng.Float64() < c.sim.c.FailShare && s.Kind != "return" {
		reasons := map[string][]string{"pickup": {"closed", "courier_problem"}, "dropoff": {"no_answer", "refused"}}[s.Kind]
		c.failing = reasons[c.rng.IntN(len(reasons))]
	}
}

// arrive says so, unless the server has seen it itself.
func (c *courier) arrive(at time.Time) {
	c.arrived = at
	if c.goal.ArrivedAt.IsZero() {
		c.socket.Do(client.Action{Type: "stop.arrive", Order: c.goal.Order, Kind: c.goal.Kind, At: &at})
	}
}

// serve waits for the goods and hands them over.
func (c *courier) serve(now time.Time) time.Time {
	s := *c.goal
	ready := c.arrived.Add(c.sim.source.Service(s.Kind).Before)
	if s.Kind == "pickup" && s.ReadyAt.After(ready) {
		ready = s.ReadyAt
	}
	ready = clock.Later(ready, c.tryAt)
	if now.Before(ready) {
		return ready
	}
	for _, d := range c.acting {
		if keyOf(d.stop) == keyOf(s) {
			return time.Time{} // the answer is on its way
		}
	}
	at := clock.Earlier(now, clock.Later(ready, c.toldAt))
	action := client.Action{Type: "stop.complete", Order: s.Order, Kind: s.Kind, At: &at}
	if c.failing != "" {
		action.Type, action.Reason = "stop.fail", c.failing
	} else if s.Kind == "dropoff" && s.PINRequired {
		pin, known := c.sim.pins.Load(s.Order)
		switch {
		case known:
			at = now // not before somebody told it
			action.Proof = &client.Proof{PIN: pin.(string)}
		case now.Sub(c.arrived) > 10*time.Minute:
			at = now
			action.Type, action.Reason, action.Note = "stop.fail", "no_answer", "nobody to tell the PIN"
		default:
			return now.Add(5 * time.Second)
		}
	} else if s.Kind == "dropoff" {
		action.Proof = &client.Proof{Note: "handed over"}
	}
	c.acting[c.socket.Do(action)] = deed{s, at}
	return time.Time{}
}

// idle roams, where the source has couriers roam.
func (c *courier) idle(now time.Time) time.Time {
	if c.spec.Trace != nil || c.body.moving(now) || c.duty != "available" {
		return time.Time{}
	}
	if c.roamAt.IsZero() {
		c.roamAt = clock.Later(now, c.freeAt).Add(time.Duration((3 + 7*c.rng.Float64()) * float64(time.Minute)))
	}
	if now.Before(c.roamAt) {
		return c.roamAt
	}
	c.roamAt = time.Time{}
	here := c.body.at(now)
	if to, ok := c.sim.source.Roam(here, c.rng.Float64()); ok {
		c.body.drive(c.sim.source.Leg(here, to, c.spec.Vehicle), now)
		return c.body.arrival()
	}
	return time.Time{}
}

// keepFixes reports the position when it is time to.
func (c *courier) keepFixes(now time.Time) time.Time {
	if c.duty != "available" && c.duty != "break" {
		return time.Time{}
	}
	if c.spec.Trace != nil && c.goal == nil && len(c.plan) == 0 {
		if c.away {
			c.catchUp(now)
		}
		if !c.away {
			return c.replayed(now)
		}
	}
	if c.fixAt.IsZero() { // as a phone that is asked where it is; then not all at the same moment
		c.report(c.body.fix(now, c.rng, c.sim.c.Noise))
		c.fixAt = now.Add(time.Duration(c.rng.Float64() * float64(c.sim.c.FixEvery)))
	}
	if !now.Before(c.fixAt) {
		c.report(c.body.fix(now, c.rng, c.sim.c.Noise))
		if c.fixAt = c.fixAt.Add(c.sim.c.FixEvery); c.fixAt.Before(now) {
			c.fixAt = now.Add(c.sim.c.FixEvery)
		}
	}
	return c.fixAt
}

func (c *courier) report(f client.Fix) {
	if c.quiet(f.Time) {
		return
	}
	c.sim.figures.fixes.Add(1)
	if c.connected {
		c.sim.ledger.Fix(c.id, f.Time)
	}
	c.socket.Report(f)
}

// quiet says whether the phone says nothing of where it is: in a pocket, in a
// cellar, its battery saved.
func (c *courier) quiet(now time.Time) bool {
	if !c.quietPhone {
		return false
	}
	const every, lasts = time.Hour, 15 * time.Minute
	of := now.Sub(c.sim.start) + time.Duration(c.number)*7*time.Minute
	return of > 0 && of%every < lasts
}

// How fast a cab drives back to where its trace has it, in m/s, and how near
// it has to come.
const (
	catchUpSpeed  = 15
	catchUpMetres = 60
)

// catchUp drives towards the recorded position until it is reached.
func (c *courier) catchUp(now time.Time) {
	if now.Before(c.freeAt) {
		return
	}
	here, there := c.body.at(now), scenario.Recorded(c.spec.Trace, now.Sub(c.sim.start))
	if d := geo.Distance(here, there); d > catchUpMetres {
		if !now.Before(c.fixAt) || !c.body.moving(now) {
			c.body.drive(scenario.Leg{Path: []geo.Point{here, there}, Time: time.Duration(d / catchUpSpeed * float64(time.Second))}, now)
		}
		return
	}
	c.away = false
	c.fixAt = time.Time{}
	for c.replay < len(c.spec.Trace) && c.sim.start.Add(c.spec.Trace[c.replay].At).Before(now) {
		c.replay++
	}
}

// replayed reports the recorded fixes, as they were.
func (c *courier) replayed(now time.Time) time.Time {
	for c.replay < len(c.spec.Trace) {
		f := c.spec.Trace[c.replay]
		at := c.sim.start.Add(f.At)
		if now.Before(at) {
			return at
		}
		c.replay++
		c.body.stand(f.Point)
		c.report(client.Fix{Time: at, Lat: f.Point.Lat, Lng: f.Point.Lng, Accuracy: 10})
	}
	return time.Time{}
}
