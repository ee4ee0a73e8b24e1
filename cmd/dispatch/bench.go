package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"courier/dispatch"
	"courier/internal/auth"
	"courier/internal/bench"
	"courier/internal/clock"
)

// benchCommand loads a server and says what it costs.
type benchCommand struct {
	Scenario  []string      `arg:"" optional:"" help:"What to load it with: ${scenarios}. Default: all."`
	URL       string        `name:"url" help:"A running server. Default: one of its own for each scenario, in a temporary folder." placeholder:"URL" group:"Server"`
	Token     string        `help:"An admin's token for --url: dispatch token --role admin." placeholder:"TOKEN" group:"Server"`
	PID       int           `name:"pid" help:"The server's process, where --url is on this machine, for its processor time and memory." group:"Server"`
	AdminURL  string        `name:"admin-url" help:"Where the metrics of --url are." placeholder:"URL" group:"Server"`
	Couriers  int           `help:"Couriers. 0: as the scenario has them." group:"Load"`
	Customers int           `help:"Customers' sockets. 0: as the scenario has them." group:"Load"`
	Rate      float64       `help:"Work a second. 0: as the scenario has it." group:"Load"`
	Batch     int           `default:"1" help:"Fixes a frame (1-200)." group:"Load"`
	Warm      time.Duration `default:"2s" help:"Time before what is measured." group:"Load"`
	Time      time.Duration `default:"10s" help:"Time that is measured." group:"Load"`
	Short     bool          `help:"Small sizes, for a try." group:"Load"`
	Format    string        `default:"auto" help:"json (a line each), table, benchfmt (for benchstat), or auto: a table on a terminal, else json." group:"Output"`
	engineFlags
}

// Run prints a line for each result.
func (c benchCommand) Run(ctx context.Context, s *streams, wrong *settings) (err error) {
	c.check(wrong)
	if err := wrong.err(); err != nil {
		return err
	}
	config := c.config(s)
	if len(c.Scenario) == 0 {
		c.Scenario = slices.DeleteFunc(bench.Names(), func(name string) bool { return c.DatabaseURL == "" && bench.NeedsEngines(name) })
	}
	if config.Dir, err = os.MkdirTemp("", "courier-bench-"); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(config.Dir)) }()
	if err := c.own(&config); err != nil {
		return err
	}
	out := bench.NewPrinter(s.out, c.format(s.out))
	if err := bench.Run(ctx, config, c.Scenario, out.Print); err != nil {
		return err
	}
	return out.Close()
}

func (c benchCommand) config(s *streams) bench.Config {
	config := bench.Config{
		Couriers: c.Couriers, Customers: c.Customers, Rate: c.Rate, Batch: c.Batch, Warm: c.Warm, Measure: c.Time, Short: c.Short,
		Engines: c.names(), DatabaseURL: c.DatabaseURL, AMQPURL: c.AMQPURL, Now: time.Now, Version: version,
		Told: func(format string, args ...any) { fmt.Fprintf(s.err, format+"\n", args...) },
	}
	if len(c.RedisURL) > 0 {
		config.RedisURL = c.RedisURL[0]
	}
	if c.URL != "" {
		config.Target = &bench.Target{URL: strings.TrimRight(c.URL, "/"), Token: c.Token, Admin: strings.TrimRight(c.AdminURL, "/"), PID: c.PID}
	}
	return config
}

func (c benchCommand) check(s *settings) {
	for _, name := range c.Scenario {
		oneOf(s, "scenario", name, bench.Names()...)
	}
	for _, d := range []struct {
		flag  string
		value float64
	}{
		{"couriers", float64(c.Couriers)}, {"customers", float64(c.Customers)}, {"rate", c.Rate}, {"warm", c.Warm.Seconds()}, {"pid", float64(c.PID)},
	} {
		if d.value < 0 {
			s.add(d.flag, "%v is under 0", d.value)
		}
	}
	if c.Batch < 1 || c.Batch > 200 {
		s.add("batch", "%d is not within 1 and 200", c.Batch)
	}
	oneOf(s, "format", c.Format, "auto", "json", "table", "benchfmt")
	if c.Time < 100*time.Millisecond {
		s.add("time", "%s is under 100ms", c.Time)
	}
	if c.URL != "" && !strings.HasPrefix(c.URL, "http://") {
		s.add("url", "%q does not begin with http://: what TLS costs is not measured", c.URL)
	}
	if c.URL != "" && c.Token == "" {
		s.add("token", "--url needs one: dispatch token --role admin")
	}
	c.engineFlags.check(s, "made for the run")
}

// names is what the engines of the run are called.
func (c benchCommand) names() string {
	var names []string
	for _, e := range []struct {
		there bool
		name  string
	}{{c.DatabaseURL != "", "postgresql"}, {len(c.RedisURL) > 0, "redis"}, {c.AMQPURL != "", "rabbitmq"}} {
		if e.there {
			names = append(names, e.name)
		}
	}
	if len(names) == 0 {
		return "embedded"
	}
	return strings.Join(names, "+")
}

// own says how servers of one's own are started.
func (c benchCommand) own(config *bench.Config) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	secret := hex.EncodeToString(key)
	config.Binary = self
	config.Bare = func() *exec.Cmd { return exec.Command(self, "version") } //nolint:gosec,noctx // itself; stopped by pid
	config.Floor = func() *exec.Cmd { return exec.Command(self, "floor") }  //nolint:gosec,noctx // itself; stopped by pid
	config.Serve = func(flags ...string) *exec.Cmd {
		dir, err := os.MkdirTemp(config.Dir, "server-")
		if err != nil {
			dir = config.Dir
		}
		args := append(append([]string{"serve", "--data-dir", dir, "--log-level", "error"}, c.flags()...), flags...)
		cmd := exec.Command(self, args...) //nolint:gosec,noctx // itself; stopped by pid
		cmd.Env = append(os.Environ(), "DISPATCH_AUTH_SECRET="+secret)
		return cmd
	}
	config.Token = func() (string, error) {
		service, err := auth.New(auth.Config{Secret: []byte(secret)}, nil, clock.New(time.Now(), 1), newID, rand.Reader)
		if err != nil {
			return "", err
		}
		return service.MintStaff(dispatch.RoleAdmin, "bench", 0)
	}
	return nil
}

// flags are an own server's: the engines but for the database, and limits that
// count and never refuse, since everybody here has one address.
func (c benchCommand) flags() []string {
	var flags []string
	for _, name := range []string{"address", "credential", "sign-in", "sign-ins", "handshakes", "reconnects", "courier-frames", "frames"} {
		flags = append(flags, "--limit-"+name, "10000000/s,10000000")
	}
	flags = append(flags, "--limit-work", "0")
	for _, name := range []string{"address", "link", "staff"} {
		flags = append(flags, "--limit-"+name+"-sockets", "0")
	}
	for _, url := range c.RedisURL {
		flags = append(flags, "--redis-url", url)
	}
	if c.AMQPURL != "" {
		flags = append(flags, "--amqp-url", c.AMQPURL)
	}
	return flags
}

// format is how to print for who reads it.
func (c benchCommand) format(out io.Writer) bench.Format {
	if c.Format != "auto" {
		return bench.Format(c.Format)
	}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return bench.Table
		}
	}
	return bench.JSON
}

// floorCommand is the bare loop that bench compares with, as a process of its
// own so that its processor time is known apart.
type floorCommand struct{}

func (floorCommand) Run(ctx context.Context, s *streams) error { return bench.ServeFloor(ctx, s.out) }
