package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"courier/internal/sim/client"
	"courier/internal/sim/scenario"
)

// courier is one simulated courier. All of it but socket is its own
// goroutine's.
type courier struct {
	sim    *Sim
	spec   scenario.Courier
	id     string
	number int
	rng    *rand.Rand
	socket *client.CourierSocket
	signed int // sign-ins so far

	quietPhone bool

	body   body
	fixAt  time.Time // the next fix
	replay int       // the next recorded fix
	away   bool      // from the recorded way

	duty      string // as acknowledged
	asking    bool   // a change of duty is unanswered
	askAt     time.Time
	onBreak   bool
	plan      []client.Stop
	toldAt    time.Time // of the newest stop in it, or that one was called off
	goal      *client.Stop
	arrived   time.Time // at the goal
	failing   string    // the goal will fail for this reason
	acting    map[string]deed
	tryAt     time.Time
	done      map[stopKey]time.Time // by me; the plan may not know yet
	freeAt    time.Time             // until then I stand at the last stop
	freeFrom  client.Stop           // the last stop
	roamAt    time.Time
	offers    map[string]*answer
	connected bool
}

type stopKey struct{ order, kind string }

func keyOf(s client.Stop) stopKey { return stopKey{s.Order, s.Kind} }

// deed is a stop action on its way.
type deed struct {
	stop client.Stop
	at   time.Time
}

// answer is what a courier will say to an offer, and when.
type answer struct {
	offer client.Offer
	at    time.Time
	say   string // accept, decline, or nothing
	said  bool
}

func (s *Sim) newCourier(number int, spec scenario.Courier, id string) *courier {
	c := &courier{
		sim: s, spec: spec, id: id, number: number,
		rng:    rand.New(rand.NewPCG(s.c.Seed, 0x1000+uint64(number))),
		acting: map[string]deed{}, done: map[stopKey]time.Time{}, offers: map[string]*answer{},
	}
	c.quietPhone = s.c.QuietShare > 0 && c.rng.Float64() < s.c.QuietShare
	c.body.stand(spec.At)
	c.freeAt = c.begins()
	return c
}

// begins is when the shift does: I set out no sooner.
func (c *courier) begins() time.Time { return c.sim.start.Add(c.spec.From) }

// early is by how much of the machine's time I am there before my shift, so
// that it is known as it begins.
const early = 50 * time.Millisecond

func (c *courier) onDutyFrom() time.Time { return c.begins().Add(-c.sim.clock.server(early)) }

// offDutyFrom is zero for a courier that stays to the end.
func (c *courier) offDutyFrom() time.Time {
	if c.spec.To == 0 {
		return time.Time{}
	}
	return c.sim.start.Add(c.spec.To)
}

// run is the courier's whole day. It ends with ctx, with the shift, or when a
// person has signed in as this courier.
func (c *courier) run(ctx context.Context) error {
	if !c.sim.sleep(ctx, c.begins().Add(-c.sim.clock.server(2*time.Second))) {
		return nil
	}
	for ctx.Err() == nil {
		token, err := c.signIn(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("sign courier %s in: %w", c.id, err)
		}
		c.sim.courierSignedIn(c.id, c.spec.Name, token)
		err = c.session(ctx, token)
		c.sim.courierGone(c.id)
		switch {
		case err == nil: // the shift is over, or ctx
			return nil
		case errors.Is(err, client.ErrCredential):
			c.sim.c.Log.LogAttrs(ctx, slog.LevelInfo, "courier signs in again", slog.String("courier_id", c.id))
			c.sim.sleep(ctx, c.sim.clock.Now().Add(c.sim.clock.server(time.Second)))
		default:
			c.sim.c.Log.LogAttrs(ctx, slog.LevelInfo, "courier left to someone else",
				slog.String("courier_id", c.id), slog.Any("err", err))
			return nil
		}
	}
	return nil
}

// signIn gets a code from the staff and trades it in; a code whose answer was
// lost is spent, so another is asked for.
func (c *courier) signIn(ctx context.Context) (string, error) {
	for try := 0; ; try++ {
		code, err := c.sim.client.SignInCode(ctx, c.sim.c.Staff[c.number%len(c.sim.c.Staff)], c.id)
		if err != nil {
			return "", err
		}
		session, err := c.sim.client.SignIn(ctx, code)
		if err == nil {
			c.signed++
			return session.Token, nil
		}
		var p *client.Problem
		if try == 5 || !errors.As(err, &p) {
			return "", err
		}
	}
}

var errShiftOver = errors.New("shift over")

// session is the time of one sign-in.
func (c *courier) session(ctx context.Context, token string) error {
	c.socket = c.sim.client.CourierSocket(token, fmt.Sprintf("%s-%d-%d", c.sim.run, c.number, c.signed))
	clear(c.acting)
	c.asking = false
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.socket.Run(ctx) })
	g.Go(func() error { return c.live(ctx) })
	err := g.Wait()
	c.sim.ledger.Plan(c.id, nil, c.sim.clock.Now())
	c.setConnected(false)
	if errors.Is(err, errShiftOver) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// live does what is due, then waits for what comes or is due next.
func (c *courier) live(ctx context.Context) error {
	for {
		now := c.sim.clock.Now()
		next := c.step(now)
		if c.over(now) {
			return errShiftOver
		}
		timer := c.sim.clock.until(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case e := <-c.socket.Events():
			timer.Stop()
			c.learn(e)
		case <-timer.C:
		}
	}
}

func (c *courier) over(now time.Time) bool {
	end := c.offDutyFrom()
	return !end.IsZero() && now.After(end) && c.duty == "off" && len(c.plan) == 0 && c.socket.Unanswered() == 0
}

// step does everything that is due and says when to come back.
func (c *courier) step(now time.Time) time.Time {
	next := now.Add(time.Hour)
	for _, due := range []time.Time{c.keepDuty(now), c.work(now), c.sayAnswers(now), c.keepFixes(now)} {
		if !due.IsZero() && due.Before(next) {
			next = due
		}
	}
	return next
}

// keepDuty asks for the duty the shift wants. Someone whose shift is over
// finishes what is in hand, on a break from more.
func (c *courier) keepDuty(now time.Time) time.Time {
	want, change := "available", c.offDutyFrom()
	switch {
	case now.Before(c.onDutyFrom()):
		return c.onDutyFrom()
	case !change.IsZero() && !now.Before(change) && len(c.plan) == 0:
		want, change = "off", time.Time{}
	case !change.IsZero() && !now.Before(change):
		want, change = "break", time.Time{}
	}
	if want == c.duty || c.asking || want == "break" && c.onBreak {
		return change
	}
	if now.Before(c.askAt) {
		return c.askAt
	}
	c.asking, c.askAt = true, now.Add(20*time.Second)
	c.onBreak = want == "break"
	c.socket.Do(client.Action{Type: "duty", Duty: want})
	return change
}

// sayAnswers answers the offers whose time has come.
func (c *courier) sayAnswers(now time.Time) time.Time {
	var next time.Time
	for id, a := range c.offers {
		switch {
		case a.said || a.say == "":
		case now.Before(a.at):
			if next.IsZero() || a.at.Before(next) {
				next = a.at
			}
		case a.say == "accept":
			a.said = true
			c.socket.Do(client.Action{Type: "offer.accept", Offer: id})
		default:
			a.said = true
			reasons := []string{"too_far", "busy", "vehicle", "other"}
			c.socket.Do(client.Action{Type: "offer.decline", Offer: id, Reason: reasons[c.rng.IntN(len(reasons))]})
		}
	}
	return next
}
