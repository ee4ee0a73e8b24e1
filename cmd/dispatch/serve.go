package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"courier/dispatch"
	"courier/dispatch/match"
	"courier/geo"
	"courier/internal/auth"
)

// serverFlags are the settings of a node; demo and simulate start one too.
type serverFlags struct {
	secretFlags
	engineFlags
	limitFlags
	traceFlags
	reportFlags
	Addr            string        `default:":8080" help:"Where HTTP and WebSocket listen." group:"Listening"`
	AdminAddr       string        `default:"127.0.0.1:8081" help:"Where metrics and profiles listen; keep it private. Empty: nowhere." group:"Listening"`
	FlightRecorder  bool          `help:"Keep a runtime trace of the last seconds for /debug/flight on --admin-addr." group:"Listening"`
	PublicURL       string        `help:"What customers' links begin with, like https://track.example. Default: what the request came to." placeholder:"URL" group:"Listening"`
	Origin          []string      `help:"Other origins whose pages may open WebSockets." placeholder:"URL" group:"Listening"`
	TrustedProxy    []string      `help:"Networks of load balancers whose X-Forwarded-For is believed." placeholder:"CIDR" group:"Listening"`
	Drain           time.Duration `default:"0s" help:"How long a node that is told to stop goes on, but is not ready any more, so that a balancer sends it nobody new. Longer than the balancer takes to notice." group:"Listening"`
	ShutdownTimeout time.Duration `default:"20s" help:"How long a shut-down may take, after --drain." group:"Listening"`

	Mode          string        `default:"offer" help:"How work gets to couriers: offer (they may decline) or assign." group:"Dispatch"`
	OfferTimeout  time.Duration `default:"30s" help:"How long a courier may think about an offer." group:"Dispatch"`
	CoolDown      time.Duration `default:"5m" help:"How long after a refusal a courier is not asked again for that order." group:"Dispatch"`
	Interval      time.Duration `default:"2s" help:"Longest time between two matching rounds." group:"Dispatch"`
	Lead          time.Duration `default:"45m" help:"How long before it is ready an order is looked at." group:"Dispatch"`
	SearchLimit   time.Duration `default:"30m" help:"How long to search for a courier before the dispatcher is alarmed." group:"Dispatch"`
	StaleAfter    time.Duration `default:"60s" help:"A courier not heard of for so long gets no work." group:"Dispatch"`
	LostAfter     time.Duration `default:"5m" help:"Orders not picked up are taken back from a courier silent for so long." group:"Dispatch"`
	Deviation     time.Duration `default:"8m" help:"The dispatcher is alarmed when a courier comes so much later to its next stop than planned." group:"Dispatch"`
	EarlyPosition bool          `help:"Show customers their courier from the assignment on, not only from the pickup." group:"Dispatch"`
	AllStops      bool          `help:"Show customers their courier even while other stops come first." group:"Dispatch"`
	CourierPhone  bool          `help:"Show customers their courier's number." group:"Dispatch"`
	Match         []string      `sep:"none" help:"Change an option of the matcher, such as ChurnCost=2m or Futures.Count=4; may be repeated. An unknown name lists them all." placeholder:"NAME=VALUE" group:"Dispatch"`
	KeepProofs    time.Duration `default:"2160h" help:"How long couriers' photos and signatures are kept." group:"Dispatch"`
	LinkGrace     time.Duration `default:"24h" help:"How long a customer's link still opens after its order has ended, at most." group:"Dispatch"`

	TravelSpeed   map[string]float64 `help:"Mean speed by vehicle in m/s, like bicycle=4.2;car=7." placeholder:"VEHICLE=SPEED" group:"Travel times"`
	TravelDetour  float64            `default:"1.3" help:"Road distance over straight distance." group:"Travel times"`
	TravelStep    time.Duration      `default:"0s" help:"Travel times are whole multiples of this, rounded up. 0: as they come." group:"Travel times"`
	PickupService time.Duration      `default:"2m" help:"Time that a pickup takes." group:"Travel times"`
	DropService   time.Duration      `default:"2m" help:"Time that a drop-off takes." group:"Travel times"`
	MaxRadius     float64            `default:"6000" help:"How far from a pickup couriers are looked for, in metres." group:"Travel times"`
	MaxBundle     int                `default:"3" help:"Most orders that one courier takes from one place at once (1-5)." group:"Travel times"`

	MaxSpeed    float64 `default:"70" help:"A fix that implies more metres a second is rejected as a jump." group:"Tracking"`
	MaxAccuracy float64 `default:"200" help:"A fix less accurate than so many metres is rejected." group:"Tracking"`
	Geofence    float64 `default:"60" help:"Metres around a stop within which a courier has arrived. 0: couriers say so themselves." group:"Tracking"`

	MapStyleURL string    `name:"map-style-url" help:"MapLibre style for the maps. Empty: the pages draw their own." placeholder:"URL" group:"Maps"`
	MapHost     []string  `help:"Other origins that the map style loads tiles, glyphs and sprites from." placeholder:"URL" group:"Maps"`
	Center      geo.Point `default:"52.0907,5.1214" help:"Where maps open, as lat,lng." group:"Maps"`
	Zoom        float64   `default:"12" help:"How near maps open (0-22)." group:"Maps"`

	ClockRate   float64   `default:"1" help:"How many seconds of the server pass in a real one; for simulation." group:"Clock"`
	ClockOrigin time.Time `help:"Where the server's clock agrees with the real one; for simulation over restarts. Default: the start." placeholder:"TIME" group:"Clock"`

	LogLevel  string `default:"info" help:"debug, info, warn or error." group:"Log"`
	LogFormat string `default:"text" help:"text or json." group:"Log"`

	node string // see nodeName
}

// check names every setting that is wrong by itself. What only a package can
// judge, its constructor reports; none has started anything before.
func (f serverFlags) check(s *settings) {
	if f.FlightRecorder && f.AdminAddr == "" {
		s.add("flight-recorder", "needs --admin-addr, where its trace is fetched")
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{
		{"shutdown-timeout", f.ShutdownTimeout}, {"offer-timeout", f.OfferTimeout}, {"cool-down", f.CoolDown},
		{"interval", f.Interval}, {"lead", f.Lead}, {"search-limit", f.SearchLimit},
		{"stale-after", f.StaleAfter}, {"lost-after", f.LostAfter}, {"deviation", f.Deviation}, {"link-grace", f.LinkGrace}, {"keep-proofs", f.KeepProofs},
	} {
		if d.value <= 0 {
			s.add(d.flag, "%s is not over 0", d.value)
		}
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{{"drain", f.Drain}, {"pickup-service", f.PickupService}, {"drop-service", f.DropService}, {"travel-step", f.TravelStep}} {
		if d.value < 0 || d.value > time.Hour {
			s.add(d.flag, "%s is not within 0s and 1h", d.value)
		}
	}
	for _, d := range []struct {
		flag      string
		value     float64
		low, high float64
	}{
		{"travel-detour", f.TravelDetour, 1, 10}, {"max-radius", f.MaxRadius, 750, 100_000}, {"max-speed", f.MaxSpeed, 1, 1000},
		{"max-accuracy", f.MaxAccuracy, 1, 10_000}, {"geofence", f.Geofence, 0, 1000}, {"zoom", f.Zoom, 0, 22},
		{"clock-rate", f.ClockRate, 0.01, 10_000}, {"max-bundle", float64(f.MaxBundle), 1, 5},
	} {
		if !(d.value >= d.low && d.value <= d.high) {
			s.add(d.flag, "%v is not within %v and %v", d.value, d.low, d.high)
		}
	}
	if _, err := match.Set(match.DefaultOptions(), f.Match); err != nil {
		s.add("match", "%v", err)
	}
	oneOf(s, "mode", f.Mode, "offer", "assign")
	oneOf(s, "log-level", f.LogLevel, "debug", "info", "warn", "error")
	oneOf(s, "log-format", f.LogFormat, "text", "json")
	address(s, "addr", f.Addr)
	if f.AdminAddr != "" {
		address(s, "admin-addr", f.AdminAddr)
	}
	for vehicle, speed := range f.TravelSpeed {
		if !geo.Vehicle(vehicle).Valid() || !(speed > 0 && speed <= 100) {
			s.add("travel-speed", "%s=%v: write one of %v and m/s over 0", vehicle, speed, geo.Vehicles())
		}
	}
	f.engineFlags.check(s, f.AuthSecret)
	f.limitFlags.check(s)
	f.traceFlags.check(s)
	f.reportFlags.check(s)
	if f.AuthSecret != "" {
		if err := auth.CheckSecret([]byte(f.AuthSecret)); err != nil {
			s.add("auth-secret", "%v", err)
		}
	}
}

func oneOf(s *settings, flag, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	s.add(flag, "%q is none of %s", value, strings.Join(allowed, ", "))
}

func address(s *settings, flag, value string) {
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		s.add(flag, "%q is no host:port", value)
	}
}

// dispatchConfig is the domain's part of the flags.
func (f serverFlags) dispatchConfig() (dispatch.Config, error) {
	speeds := map[geo.Vehicle]float64{}
	for vehicle, speed := range f.TravelSpeed {
		speeds[geo.Vehicle(vehicle)] = speed
	}
	router, err := geo.NewStraightLine(geo.StraightLineConfig{Detour: f.TravelDetour, Speeds: speeds, Step: f.TravelStep})
	if err != nil {
		return dispatch.Config{}, fmt.Errorf("travel times: %w", err)
	}
	options := match.DefaultOptions()
	options.Router, options.MaxRadius, options.MaxBundle = router, f.MaxRadius, f.MaxBundle
	options.PickupService, options.DropoffService = f.PickupService, f.DropService
	options.DeclineTime = f.OfferTimeout + f.Interval
	if options, err = match.Set(options, f.Match); err != nil {
		return dispatch.Config{}, fmt.Errorf("--match: %w", err)
	}
	c := dispatch.DefaultConfig()
	c.Mode, c.OfferTimeout, c.CoolDown, c.Interval = dispatch.Mode(f.Mode), f.OfferTimeout, f.CoolDown, f.Interval
	c.Lead, c.SearchLimit, c.StaleAfter, c.LostAfter, c.KeepProofs = f.Lead, f.SearchLimit, f.StaleAfter, f.LostAfter, f.KeepProofs
	c.Deviation = f.Deviation
	c.EarlyPosition, c.AllStops, c.CourierPhone = f.EarlyPosition, f.AllStops, f.CourierPhone
	c.Match, c.Node = options, f.node
	return c, nil
}

type serveCommand struct {
	serverFlags
}

// Run serves until it is told to stop.
func (c serveCommand) Run(ctx context.Context, s *streams, wrong *settings) error {
	c.check(wrong)
	if err := wrong.err(); err != nil {
		return err
	}
	n, err := newNode(ctx, c.serverFlags, extras{}, s.err)
	if err != nil {
		return err
	}
	return n.run(ctx, func() {
		fmt.Fprintf(s.out, "Courier %s serves on %s; staff sign in at %s/admin with a token: dispatch token --role dispatcher\n",
			version, n.url(), n.url())
	})
}
