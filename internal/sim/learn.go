package sim

import (
	"log/slog"
	"slices"
	"time"

	"courier/internal/sim/client"
)

// learn takes in what the server has said.
func (c *courier) learn(e client.CourierEvent) {
	now := c.sim.clock.Now()
	if !e.Lost {
		c.sim.ledger.Heard(c.id, now)
	}
	switch {
	case e.Welcome != nil:
		c.sim.heard(*e.Welcome)
		c.setConnected(true)
		c.sim.ledger.Fix(c.id, now) // what is unanswered goes out again
		c.sim.ledger.Plan(c.id, c.inHand(), now)
	case e.Lost:
		c.sim.ledger.Plan(c.id, nil, now)
		c.setConnected(false)
		c.sim.figures.reconnects.Add(1)
	case e.Plan != nil:
		c.planned(*e.Plan, e.Duty, now)
	case e.Offer != nil:
		c.consider(*e.Offer, now)
	case e.Closed != "":
		delete(c.offers, e.Closed)
	case e.Ack != nil:
		c.acked(*e.Ack, now)
	}
}

func (c *courier) setConnected(up bool) {
	if up != c.connected {
		c.connected = up
		if up {
			c.sim.figures.online.Add(1)
		} else {
			c.sim.figures.online.Add(-1)
		}
	}
}

func (c *courier) inHand() []string {
	var orders []string
	for _, s := range c.plan {
		if s.Kind != "return" {
			orders = append(orders, s.Order)
		}
	}
	return orders
}

// planned follows a new plan at once. What I have done and the plan no longer
// lists is settled.
func (c *courier) planned(p client.Plan, duty string, now time.Time) {
	for _, s := range p.Stops {
		if !slices.ContainsFunc(c.plan, func(old client.Stop) bool { return keyOf(old) == keyOf(s) }) {
			c.toldAt = now
		}
	}
	c.plan = p.Stops
	if duty != "" && !c.asking {
		c.duty = duty
	}
	listed := map[stopKey]bool{}
	for _, s := range c.plan {
		listed[keyOf(s)] = true
	}
	for k := range c.done {
		if !listed[k] {
			delete(c.done, k)
		}
	}
	if c.goal != nil && !listed[keyOf(*c.goal)] {
		calledOff := true
		for _, d := range c.acting { // the plan may come before the answer
			if keyOf(d.stop) == keyOf(*c.goal) {
				c.finish(d)
				calledOff = false
			}
		}
		if calledOff {
			c.toldAt = now
		}
		c.goal = nil
	}
	c.sim.ledger.Plan(c.id, c.inHand(), now)
}

// consider decides what to say to an offer. An offer that comes again after a
// reconnect has been decided.
func (c *courier) consider(o client.Offer, now time.Time) {
	if c.offers[o.ID] != nil {
		return
	}
	a := &answer{offer: o, say: "accept"}
	switch dice := c.rng.Float64(); {
	case dice < c.sim.c.DeclineShare:
		a.say = "decline"
	case dice < c.sim.c.DeclineShare+c.sim.c.IgnoreShare:
		a.say = ""
	}
	think := time.Duration((1 + 5*c.rng.Float64()) * float64(time.Second))
	a.at = now.Add(max(0, min(think, o.Deadline.Sub(now)/3)))
	c.offers[o.ID] = a
}

// acked takes in the answer to one of my actions.
func (c *courier) acked(a client.Ack, now time.Time) {
	action := a.Action
	if action.Type == "fixes" {
		c.sim.ledger.Fix(c.id, now) // it may have been under way for long: the server has heard it by now
		c.sim.figures.fixesAcked(a)
		return
	}
	if !a.OK {
		c.sim.figures.refused(action.Type, a.Code)
		c.sim.c.Log.Debug("action refused", slog.String("courier_id", c.id), slog.String("action", action.Type),
			slog.String("code", a.Code), slog.String("detail", a.Detail))
	}
	switch action.Type {
	case "duty":
		c.asking = false
		if a.OK {
			c.duty, c.askAt = action.Duty, time.Time{}
			c.sim.figures.duty(c.id, action.Duty)
		}
	case "offer.accept":
		if o := c.offers[action.Offer]; a.OK && o != nil {
			c.sim.ledger.Acked(c.id, action, o.offer.Orders)
		}
		if !a.OK {
			delete(c.offers, action.Offer)
		}
	case "offer.decline":
		delete(c.offers, action.Offer)
	default:
		c.stopAcked(a, now)
	}
}

func (c *courier) stopAcked(a client.Ack, now time.Time) {
	if a.OK {
		c.sim.ledger.Acked(c.id, a.Action, nil)
	}
	d, mine := c.acting[a.Action.ID]
	if !mine {
		return
	}
	delete(c.acting, a.Action.ID)
	if !a.OK {
		// Refused: the plan has moved on, or the server wants something
		// else. Its next plan says; if it still lists the stop, try again.
		c.tryAt = now.Add(15 * time.Second)
		c.failing = ""
		return
	}
	// A plan that came before this answer may have dropped the stop already;
	// if it ever lists it again, it is to be done again.
	if slices.ContainsFunc(c.plan, func(s client.Stop) bool { return keyOf(s) == keyOf(d.stop) }) {
		c.done[keyOf(d.stop)] = now
	}
	if c.goal != nil && keyOf(*c.goal) == keyOf(d.stop) {
		c.finish(d)
	}
}

// finish ends the visit: the courier stands for the rest of the service, then
// is free to go.
func (c *courier) finish(d deed) {
	c.freeAt = d.at.Add(c.sim.source.Service(d.stop.Kind).After)
	c.freeFrom = d.stop
	c.goal = nil
	c.roamAt = time.Time{}
}
