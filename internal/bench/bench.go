// Package bench loads a server over its public protocols and says what it
// costs, beside what a bare loop would. The load is open: work is due by a
// schedule and latency counts from then, so a server that stalls is seen to.
//
//	Schedule → sockets, connections → server → recorder → Result
//	the same Schedule → floor, a process with a bare loop → ratio
package bench

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Config says what is loaded, and how. A zero size takes the scenario's own.
type Config struct {
	Couriers  int
	Customers int
	Rate      float64       // a second
	Batch     int           // fixes a frame
	Warm      time.Duration // before what is measured; default 2 s
	Measure   time.Duration // default 10 s
	Short     bool          // small sizes, for a try

	Engines     string // a name for them; default embedded
	DatabaseURL string // where own servers get a database each; empty: SQLite
	RedisURL    string // for the floor's writer; empty: there is none
	AMQPURL     string // for the floor's publisher; empty: there is none
	Dir         string // a folder for floors that write

	Target  *Target                          // given; nil: each scenario starts its own
	Serve   func(flags ...string) *exec.Cmd  // dispatch serve, on the engines
	Floor   func() *exec.Cmd                 // a process of ServeFloor
	Bare    func() *exec.Cmd                 // the binary, doing next to nothing
	Token   func() (string, error)           // an admin's, for own servers
	Told    func(format string, args ...any) // progress
	Now     func() time.Time
	Version string
	Binary  string // the file
}

// Scenario is one kind of load.
type Scenario struct {
	Name string
	Help string
	run  func(ctx context.Context, r *run) error
}

// Scenarios are all there are.
func Scenarios() []Scenario {
	return []Scenario{
		{"fixes", "couriers' positions, a frame each or --batch", fixes},
		{"orders", "merchants' orders over HTTP, durable, with events", orders},
		{"latency", "from a courier's fix, and from a change of status, to customers' sockets", latency},
		{"fanout", "one event to all who look at an order", fanout},
		{"connections", "the memory of customers who wait", connections},
		{"match", "rounds of the matcher, in this process", matching},
		{"start", "start, memory at rest, size of the binary", start},
		{"scale", "what things cost with a large fleet", scale},
		{"mixed", "all of it at once", mixed},
		{"overload", "five times the orders that go, and what is turned away", overload},
		{"flood", "five times the positions that go, and what is held back", flood},
		{"deaf", "customers and dispatchers who never read, among others", deaf},
		{"reconnect", "all customers of a node that is killed come back to another; on engines", reconnect},
	}
}

// NeedsEngines says whether a scenario is nothing without them.
func NeedsEngines(name string) bool { return name == "reconnect" }

// Names are those of Scenarios.
func Names() (names []string) {
	for _, s := range Scenarios() {
		names = append(names, s.Name)
	}
	return names
}

// Run runs scenarios one after another, and emits each result as it comes.
func Run(ctx context.Context, c Config, names []string, emit func(Result) error) error {
	if c.Warm == 0 {
		c.Warm = 2 * time.Second
	}
	if c.Measure == 0 {
		c.Measure = 10 * time.Second
	}
	if c.Engines == "" {
		c.Engines = "embedded"
	}
	all := Scenarios()
	for _, name := range names {
		i := slices.IndexFunc(all, func(s Scenario) bool { return s.Name == name })
		if i < 0 {
			return fmt.Errorf("no scenario %q: there are %s", name, strings.Join(Names(), ", "))
		}
		r := &run{Config: c, scenario: name, emit: emit, load: load()}
		if err := all[i].run(ctx, r); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// run is one scenario at work.
type run struct {
	Config
	scenario string
	emit     func(Result) error
	load     float64
}

// result begins one.
func (r *run) result(what, unit string, value float64) Result {
	return Result{
		Scenario: r.scenario, Engines: r.Engines, What: what, Unit: unit, Value: value,
		Machine: machine(), Load: r.load, Version: r.Version, Date: r.Now().UTC().Truncate(time.Second),
	}
}

// size is what was asked for, or the scenario's own, or what a try takes.
func size[T int | float64](r *run, asked, full, short T) T {
	switch {
	case asked > 0:
		return asked
	case r.Short:
		return short
	}
	return full
}

func machine() string {
	return fmt.Sprintf("%s/%s, %d cores, %s, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor(), runtime.Version())
}

// server is the one that was given, or a fresh one.
func (r *run) server(ctx context.Context, flags ...string) (*Target, error) {
	if r.Target != nil {
		return r.Target, nil
	}
	admin, err1 := freePort(ctx)
	token, err2 := r.Token()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	t, _, err := r.serve(ctx, append(flags, "--admin-addr", admin)...)
	if err != nil {
		return nil, err
	}
	t.Admin, t.Token = "http://"+admin, token
	return t, nil
}

// serve starts a server on a database of its own and says how long it took
// to be ready.
func (r *run) serve(ctx context.Context, flags ...string) (t *Target, took time.Duration, err error) {
	t = &Target{}
	if r.DatabaseURL != "" {
		if t.database, t.after, err = r.database(ctx); err != nil {
			return nil, 0, err
		}
	}
	took, err = r.start(ctx, t, flags...)
	return t, took, err
}

// beside starts another node on the database of one of our own.
func (r *run) beside(ctx context.Context, one *Target) (*Target, error) {
	t := &Target{Token: one.Token, database: one.database}
	_, err := r.start(ctx, t, "--admin-addr", "")
	return t, err
}

func (r *run) start(ctx context.Context, t *Target, flags ...string) (took time.Duration, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, t.stop())
		}
	}()
	address, err := freePort(ctx)
	if err != nil {
		return 0, err
	}
	t.URL, flags = "http://"+address, append(flags, "--addr", address)
	if t.database != "" {
		flags = append(flags, "--database-url", t.database)
	}
	if t.child, err = startChild(r.Serve(flags...)); err != nil {
		return 0, err
	}
	t.PID = t.child.cmd.Process.Pid
	return t.child.ready(ctx, t.URL)
}

// leave stops a server that this run has started.
func (r *run) leave(t *Target) error {
	if t == r.Target {
		return nil
	}
	return t.stop()
}
