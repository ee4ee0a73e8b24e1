// Package chaos holds a cluster to its promises while it breaks: nodes and
// engines as real processes, people over the public protocol, faults one after
// another, and a table of what each has cost.
//
//	sim ─► testenv.Balancer ─► nodes ─► testenv.Links ─► engines
//	 │           faults: kill, pause, wipe, cut, black-hole, slow, repeat
//	 └► ledger, watch ─► Row (lost, doubled, seconds to normal) ─► Table
package chaos

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"courier/geo"
	"courier/internal/sim"
	"courier/internal/testenv"
)

// Config says who is there and what happens to them. Lengths are of real
// time, but for those of Server.
type Config struct {
	Command func(args ...string) *exec.Cmd // a process of the binary
	Token   func(subject string) string    // an admin's, signed with Secret
	Nodes   int                            // default 3
	Seed    uint64

	Couriers int
	Cities   int           // areas to be matched; default 1
	Orders   float64       // a second
	Rate     float64       // of the server's clock
	FixEvery time.Duration // of each courier
	Warm     time.Duration // before the first fault, for as many customers to follow as will
	Finish   time.Duration // how long open orders may take in the end

	Faults []Fault
	Bounds Bounds
	Logf   func(format string, args ...any)
}

// Secret signs the tokens of every cluster here.
const Secret = "a cluster under fire has this key, 5b0c77e1d9"

// Bounds are what is normal, and how soon it has to be so again.
type Bounds struct {
	Fresh    time.Duration // a courier whose fix is older, or from before the end of the fault, is not on the map; default three fixes and 2 s
	Share    float64       // of couriers, and of customers' pages, that have to be there; default 0.95
	Answer   time.Duration // an order is acknowledged; default 2 s
	Late     time.Duration // a status reaches its customer; default 5 s
	Match    time.Duration // since the last offer or assignment; default 5 s
	Hold     time.Duration // how long all has to be normal to be called so; default 3 s
	Map      time.Duration // from the end of a fault; default 10 s
	Matching time.Duration // default 20 s
	GiveUp   time.Duration // default 2 min
}

func (c Config) withDefaults() Config {
	fill(&c.Nodes, 3)
	fill(&c.Cities, 1)
	b := &c.Bounds
	fill(&b.Fresh, 3*c.FixEvery+2*time.Second)
	fill(&b.Share, 0.95)
	fill(&b.Answer, 2*time.Second)
	fill(&b.Late, 5*time.Second)
	fill(&b.Match, 5*time.Second)
	fill(&b.Hold, 3*time.Second)
	fill(&b.Map, 10*time.Second)
	fill(&b.Matching, 20*time.Second)
	fill(&b.GiveUp, 2*time.Minute)
	if c.Logf == nil {
		c.Logf = func(string, ...any) {}
	}
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Server's settings, in its own time.
const (
	staleAfter = 3 * time.Minute
	lostAfter  = 10 * time.Minute
	linkGrace  = 12 * time.Hour
)

var center = geo.Point{Lat: 52.0, Lng: 4.3}

// serve is how a node is started.
func (c Config) serve(origin time.Time, database, positions, broker string) []string {
	return []string{
		"--database-url", database, "--redis-url", positions, "--amqp-url", broker, "--auth-secret", Secret,
		"--admin-addr", "", "--log-level", "warn",
		"--clock-rate", fmt.Sprint(c.Rate), "--clock-origin", origin.UTC().Format(time.RFC3339),
		"--interval", (time.Duration(c.Rate * float64(time.Second))).String(),
		"--offer-timeout", "2m", "--stale-after", staleAfter.String(), "--lost-after", lostAfter.String(), "--link-grace", linkGrace.String(),
	}
}

// people are the simulation's settings.
func (c Config) people(server string, w sim.Watch) sim.Config {
	scaled := func(d time.Duration) time.Duration { return time.Duration(c.Rate * float64(d)) }
	staff := make([]string, 8) // one may ask so often only
	for i := range staff {
		staff[i] = c.Token(fmt.Sprintf("auditor-%d", i+1))
	}
	return sim.Config{
		Server: server, AdminToken: c.Token("simulation"), Staff: staff, Seed: c.Seed, Center: center, Cities: c.Cities,
		Couriers: c.Couriers, OrdersPerHour: c.Orders / c.Rate * 3600, Flat: true, Grace: scaled(c.Finish),
		DeclineShare: 0.05, IgnoreShare: 0.02, FailShare: 0.01, CancelShare: 0.01,
		RepeatShare: 0.05, SpyShare: 0.02, QuietShare: 0.02,
		FixEvery: scaled(c.FixEvery), StaleAfter: staleAfter, LinkGrace: linkGrace, Settle: 5 * time.Second, CheckFor: 10 * time.Minute,
		StallAfter: 30 * time.Minute, Watch: w,
	}
}

// Run starts everything, lets the faults happen one after another, and tells
// what came of it.
func Run(ctx context.Context, t testenv.T, c Config) (Table, error) {
	c = c.withDefaults()
	w, err := newWorld(ctx, t, c)
	if err != nil {
		return Table{}, err
	}
	return w.run(ctx)
}
