// Package ws is the live side: three WebSocket endpoints over one hub. A bus
// message wakes it, the service's answer is what it sends; so a message that
// comes twice, late or never changes only how soon something is seen.
//
//	courier socket → decode → Service.Act, Tracker.Ingest → ack
//	bus message ┐
//	feed batch  ├→ Hub → per-order, per-courier and fleet watches → queue → socket
//	sweeper     ┘
//
// A frame is encoded once, however many sockets it goes to.
package ws

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"courier/internal/bus"
	"courier/internal/clock"
	"courier/internal/follow"
	"courier/internal/pressure"
	"courier/tracking"
)

// Config sets the hub up; a zero field takes its default. All durations are
// of real time, whatever the clock's rate: they are about sockets.
type Config struct {
	Origins []string // scheme://host[:port] of pages allowed besides those of the same host

	// Address says whom a handshake counts for; nil: the other end of the
	// connection.
	Address func(*http.Request) string
	Limits  Limits
	// Heard is told how long after its commit each message of the bus has
	// come, in real time; nil: nobody asks.
	Heard func(after time.Duration)

	// Pressure says when couriers are to hold their fixes back; nil: never.
	Pressure *pressure.Gate

	Geofence float64 // metres around a stop within which a courier has arrived; negative: off; default 60

	AuthTimeout  time.Duration // for each frame of the handshake; default 10 s
	Ping         time.Duration // default 25 s
	Silence      time.Duration // a connection silent for so long is dropped, Ping/2 later at most; default 60 s
	WriteTimeout time.Duration // default 10 s
	CloseWait    time.Duration // for the other side's close frame; default 2 s
	CallTimeout  time.Duration // of one call of the service; default 10 s
	// FramePatience is how long a socket may send more than its limit; default
	// 10 s.
	FramePatience time.Duration

	CourierRead int // bytes in a courier's frame; default 256 KiB
	Read        int // bytes in anyone else's; default 16 KiB
	Queue       int // bytes that may wait for a courier's or customer's socket; default 128 KiB
	FleetQueue  int // for a dispatcher's; default 4 MiB
	Workers     int // reading and sending for orders and couriers; default 16
	Leave       int // sockets that Shutdown sends away in a second; default 2000

	Sweep    time.Duration // between looks for what the bus has lost; default 3 s
	Recheck  time.Duration // between looks at an open connection's credential; default 60 s
	Position time.Duration // least time between positions of one order; default 1 s
	Orders   time.Duration // dispatchers: orders are gathered for so long; default 200 ms
	Couriers time.Duration // dispatchers: between courier deltas; default 1 s
	Stats    time.Duration // dispatchers: between figures and looks for alerts; default 5 s
	Cells    time.Duration // dispatchers: between supply and demand; default 5 s
	Reload   time.Duration // dispatchers: between full readings of the fleet; default 30 s
	View     time.Duration // dispatchers: how long to wait for a view until all of the fleet is followed; default 1 s
}

// Ports are what the hub needs; all but Follow are required.
type Ports struct {
	Auth    Authenticator
	Service Service
	Tracker Tracker
	Feed    tracking.Feed
	Index   Index
	Limiter Limiter
	Bus     bus.Bus
	Clock   clock.Clock
	Log     *slog.Logger
	Follow  *follow.Follower // nil: nothing is followed
}

func (c Config) withDefaults() (Config, error) {
	var errs []error
	for _, f := range []struct {
		name     string
		value    *time.Duration
		standard time.Duration
	}{
		{"AuthTimeout", &c.AuthTimeout, 10 * time.Second},
		{"Ping", &c.Ping, 25 * time.Second},
		{"Silence", &c.Silence, 60 * time.Second},
		{"WriteTimeout", &c.WriteTimeout, 10 * time.Second},
		{"CloseWait", &c.CloseWait, 2 * time.Second},
		{"CallTimeout", &c.CallTimeout, 10 * time.Second},
		{"FramePatience", &c.FramePatience, 10 * time.Second},
		{"Sweep", &c.Sweep, 3 * time.Second},
		{"Recheck", &c.Recheck, time.Minute},
		{"Position", &c.Position, time.Second},
		{"Orders", &c.Orders, 200 * time.Millisecond},
		{"Couriers", &c.Couriers, time.Second},
		{"Stats", &c.Stats, 5 * time.Second},
		{"Cells", &c.Cells, 5 * time.Second},
		{"Reload", &c.Reload, 30 * time.Second},
		{"View", &c.View, time.Second},
	} {
		errs = append(errs, positive(f.name, f.value, f.standard))
	}
	for _, f := range []struct {
		name     string
		value    *int
		standard int
	}{
		{"CourierRead", &c.CourierRead, 256 << 10},
		{"Read", &c.Read, 16 << 10},
		{"Queue", &c.Queue, 128 << 10},
		{"FleetQueue", &c.FleetQueue, 4 << 20},
		{"Workers", &c.Workers, 16},
		{"Leave", &c.Leave, 2000},
	} {
		errs = append(errs, positive(f.name, f.value, f.standard))
	}
	errs = append(errs, c.Limits.withDefaults())
	if c.Address == nil {
		c.Address = remote
	}
	if c.Geofence == 0 {
		c.Geofence = 60
	}
	if c.Ping >= c.Silence {
		errs = append(errs, fmt.Errorf("Ping: %s is not under Silence, %s", c.Ping, c.Silence))
	}
	for _, o := range c.Origins {
		if u, err := url.Parse(o); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" {
			errs = append(errs, fmt.Errorf("Origins: %q is not scheme://host", o))
		}
	}
	return c, errors.Join(errs...)
}

func positive[T int | time.Duration](name string, value *T, standard T) error {
	if *value == 0 {
		*value = standard
	}
	if *value < 0 {
		return fmt.Errorf("%s: %v is negative", name, *value)
	}
	return nil
}

func (p Ports) validate() error {
	var errs []error
	for _, f := range []struct {
		name string
		miss bool
	}{
		{"Auth", p.Auth == nil}, {"Service", p.Service == nil}, {"Tracker", p.Tracker == nil}, {"Feed", p.Feed == nil},
		{"Index", p.Index == nil}, {"Limiter", p.Limiter == nil}, {"Bus", p.Bus == nil}, {"Clock", p.Clock == nil}, {"Log", p.Log == nil},
	} {
		if f.miss {
			errs = append(errs, fmt.Errorf("%s is missing", f.name))
		}
	}
	return errors.Join(errs...)
}
