package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"courier/dispatch"
	"courier/internal/auth"
	"courier/internal/clock"
	"courier/internal/outbox"
	"courier/internal/pressure"
	"courier/internal/telemetry"
	"courier/internal/wake"
	"courier/tracking"
	"courier/web"
	"courier/ws"
)

// extras are what demo and simulate add to a node.
type extras struct {
	demo    bool
	basemap []byte // GeoJSON
}

// node is one running server, from its listener to its database.
type node struct {
	flags   serverFlags
	log     *slog.Logger
	clock   clock.Clock
	engines engines
	auth    *auth.Service
	tracker *tracking.Tracker
	service *dispatch.Service
	loop    *dispatch.Loop
	waker   *wake.Waker // nil: there are no other nodes to wake
	relay   *outbox.Relay
	hub     *ws.Hub
	gate    *pressure.Gate
	metrics *telemetry.Metrics
	traces  *telemetry.Traces  // nil: nothing is followed
	reports *telemetry.Reports // nil: errors are in the log alone
	http    *http.Server
	admin   *http.Server
	leaving atomic.Bool // told to stop, and not ready any more
	listen  net.Listener
	private net.Listener // nil: no admin listener
}

// newNode builds and connects everything and opens the listeners. Nothing
// runs before run.
func newNode(ctx context.Context, f serverFlags, x extras, logs io.Writer) (n *node, err error) {
	f.node = nodeName(f.Addr)
	if os.Getenv("GOGC") == "" {
		// A node's heap is small beside its machine: half the collections for
		// some tens of megabytes.
		debug.SetGCPercent(200)
	}
	made := &node{flags: f} // to clean up after: n is nil where an error is returned
	n = made
	if n.log, err = telemetry.NewLogger(logs, f.LogLevel, f.LogFormat); err != nil {
		return nil, err
	}
	if n.log, n.reports, err = f.reportFlags.open(f.node, n.log); err != nil {
		return nil, err
	}
	origin := f.ClockOrigin
	if origin.IsZero() {
		origin = time.Now()
	}
	n.clock = clock.New(origin, f.ClockRate)
	n.metrics = telemetry.NewMetrics(version)
	defer func() {
		if err != nil {
			err = errors.Join(err, made.engines.close(), made.traces.Close(), made.reports.Close())
		}
	}()
	if n.traces, err = f.traceFlags.open(f.node, n.log); err != nil {
		return nil, err
	}
	if n.engines, err = openEngines(ctx, f, n.clock, n.nodes, n.log); err != nil {
		return nil, err
	}
	n.keepCrashes(ctx) // once the data directory is this process's
	if err = n.domain(); err != nil {
		return nil, err
	}
	if err = n.edges(x); err != nil {
		return nil, err
	}
	n.observe()
	var lc net.ListenConfig
	if n.listen, err = lc.Listen(ctx, "tcp", f.Addr); err != nil {
		return nil, fmt.Errorf("--addr: %w", err)
	}
	if f.AdminAddr != "" {
		if n.private, err = lc.Listen(ctx, "tcp", f.AdminAddr); err != nil {
			return nil, fmt.Errorf("--admin-addr: %w", errors.Join(err, n.listen.Close()))
		}
	}
	return n, nil
}

func (n *node) domain() error {
	secret, err := n.flags.secret()
	if err != nil {
		return err
	}
	if n.auth, err = auth.New(auth.Config{Secret: secret, LinkGrace: n.flags.LinkGrace}, n.engines.store, n.clock, newID, rand.Reader); err != nil {
		return err
	}
	store, index, feed, events := n.engines.store, n.engines.index, n.engines.feed, n.engines.bus
	known := tracking.NewLastKnown(index, store, n.clock)
	own := index // as this node's couriers move in it
	if n.engines.mirror != nil {
		own = n.engines.mirror.Own()
	}
	n.tracker, err = tracking.New(tracking.Config{
		Speed: n.flags.MaxSpeed, Accuracy: n.flags.MaxAccuracy, StaleAfter: n.flags.StaleAfter, Stale: known.Forget, Follow: n.follow(),
	}, own, feed, store, n.clock, n.log)
	if err != nil {
		return err
	}
	config, err := n.flags.dispatchConfig()
	if err != nil {
		return err
	}
	deps := dispatch.Deps{
		Store: store, Locator: index, Known: known, Clock: n.clock, NewID: newID, NewPIN: newPIN, Log: n.log, Follow: n.follow(),
		FeedLag: func() time.Duration { return max(n.tracker.Stats().Lag, n.engines.feedAway()) },
		Delivered: func(o dispatch.Order) {
			n.metrics.Delivered(o.Times[dispatch.Placed], o.Due(), o.Times[dispatch.Delivered])
		},
	}
	if n.engines.mirror != nil {
		deps.Mirror = n.engines.mirror
	}
	if n.flags.AMQPURL != "" {
		n.waker, err = wake.New(wake.Config{Node: n.flags.node, NewID: newID, Woken: func() { n.service.Woken() }}, events, n.log)
		if err != nil {
			return err
		}
		deps.WakeNode = n.waker.Wake
	}
	if n.service, err = dispatch.New(config, deps); err != nil {
		return err
	}
	n.loop = dispatch.NewLoop(n.service, func(r dispatch.Round) {
		n.metrics.Round(r.Waiting, r.Given, r.Lost, r.Took)
		n.metrics.Assigned(r.Waits)
		if r.Waiting > 0 {
			n.metrics.Couriers(r.Couriers, r.Idle)
		}
	})

	if n.relay, err = outbox.New(outbox.Config{Follow: n.follow()}, store, countEvents(events, n.metrics, n.clock), n.log); err != nil {
		return err
	}
	if n.gate, err = pressure.New(pressure.Config{Slots: n.flags.workAtOnce()}); err != nil {
		return err
	}
	geofence := n.flags.Geofence
	if geofence == 0 {
		geofence = -1 // the hub's zero is its default
	}
	n.hub, err = ws.New(ws.Config{
		Origins: n.flags.Origin, Geofence: geofence, Address: clientAddress, Limits: n.flags.sockets(), Pressure: n.gate, Heard: n.metrics.Heard,
	}, ws.Ports{
		Auth: n.auth, Service: n.service, Tracker: n.tracker, Feed: feed, Index: index, Limiter: socketLimiter{n.engines.limiter}, Bus: events, Clock: n.clock, Log: n.log, Follow: n.follow(),
	})
	return err
}

func (n *node) edges(x extras) error {
	var proxies []netip.Prefix
	for _, p := range n.flags.TrustedProxy {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			return &settingsError{[]error{fmt.Errorf("--trusted-proxy: %w", err)}}
		}
		proxies = append(proxies, prefix)
	}
	server, err := web.New(web.Config{
		Version: version, Mode: dispatch.Mode(n.flags.Mode), Demo: x.demo, PublicURL: n.flags.PublicURL,
		Center: n.flags.Center, Zoom: n.flags.Zoom, MapStyleURL: n.flags.MapStyleURL, MapHosts: n.flags.MapHost,
		Basemap: x.basemap, AsyncAPI: ws.AsyncAPI, TrustedProxies: proxies, Limits: n.flags.web(),
		Ready:   n.ready,
		Engines: n.engines.away,
		Observe: func(o web.Observation) {
			n.metrics.Request(o.Method+" "+o.Route, o.Status, o.Duration)
		},
		OnLinkRevoked:     n.hub.Revoked,
		OnCourierRevoked:  n.hub.CourierRevoked,
		OnCourierSignedIn: n.hub.CourierSignedIn,
	}, web.Deps{
		Dispatch: n.service, Auth: n.auth, Trails: tracking.NewTrails(n.engines.store, n.tracker), Background: n.hub, Clock: n.clock,
		NewID: newID, Log: n.log, Limiter: n.engines.limiter, Pressure: n.gate, Follow: n.follow(),
		CourierSocket: n.hub.Courier(), TrackSocket: n.hub.Track(), FleetSocket: n.hub.Fleet(),
	})
	if err != nil {
		return err
	}
	n.http = web.NewHTTPServer(n.parting(server), n.log)
	n.admin = &http.Server{Handler: n.metrics.AdminHandler(), ReadHeaderTimeout: 5 * time.Second}
	return nil
}

// nodes is how many share the engines and live, as the loop last heard; it is
// asked once there is a loop.
func (n *node) nodes() int { return max(n.loop.Stats().Nodes, 1) }

// ready says whether a commit is possible now, and whether more should come.
func (n *node) ready(ctx context.Context) error {
	if n.leaving.Load() {
		return web.ErrLeaving
	}
	return n.engines.store.Ready(ctx)
}

// parting ends each connection with its next answer once the node drains: who
// keeps one for later must not find it closed while a request is on its way.
func (n *node) parting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.leaving.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// drain answers whoever still comes, until a balancer that asks whether the
// node is ready has seen that it is not.
func (n *node) drain() {
	n.leaving.Store(true)
	time.Sleep(n.flags.Drain)
}

// run serves until ctx ends, then shuts down: drain, stop accepting, tell
// sockets to come back, close. started is called once requests are answered.
func (n *node) run(ctx context.Context, started func()) error {
	// Each layer runs until the one above it has drained into it.
	sockets, stopSockets := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSockets()
	engines, stopEngines := context.WithCancel(context.WithoutCancel(ctx))
	defer stopEngines()

	matched := make(chan struct{}) // the loop has given its areas back

	g, ctx := errgroup.WithContext(ctx)
	if n.flags.FlightRecorder {
		g.Go(func() error { return n.record(engines) })
	}
	g.Go(func() error { return n.tracker.Run(engines) })
	g.Go(func() error { return n.gate.Watch(engines) })
	if n.engines.mirror != nil {
		g.Go(func() error { return n.engines.mirror.Run(engines) })
	}
	if n.waker != nil {
		g.Go(func() error { return n.waker.Run(engines) })
	}
	// What the relay drains in the end may be work for this node.
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	g.Go(func() error { return n.work(working) })
	g.Go(func() error {
		defer stopWork()
		return n.relay.Run(engines)
	})
	g.Go(func() error { return n.hub.Run(sockets) })
	g.Go(func() error {
		defer close(matched)
		return n.loop.Run(ctx)
	})
	g.Go(func() error { return closed(n.http.Serve(n.listen)) })
	if n.private != nil {
		g.Go(func() error { return closed(n.admin.Serve(n.private)) })
	}
	g.Go(func() error {
		<-ctx.Done()
		n.log.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "shutting down")
		n.drain()
		bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.flags.ShutdownTimeout)
		defer cancel()
		stopped := make(chan error, 1)
		go func() { stopped <- n.http.Shutdown(bound) }()
		err := errors.Join(n.hub.Shutdown(bound), <-stopped)
		stopSockets()
		<-matched
		stopEngines()
		return errors.Join(err, n.admin.Shutdown(bound))
	})
	started()
	return errors.Join(g.Wait(), n.engines.close(), n.traces.Close(), n.reports.Close())
}

// record runs the flight recorder until ctx ends.
func (n *node) record(ctx context.Context) error {
	stop, err := n.metrics.Record()
	if err != nil {
		return err
	}
	defer stop()
	<-ctx.Done()
	return nil
}

// closed drops the error that says that a server was shut down.
func closed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// url is where this node answers on this machine.
func (n *node) url() string {
	_, port, err := net.SplitHostPort(n.listen.Addr().String())
	if err != nil {
		return "http://" + n.listen.Addr().String()
	}
	return "http://" + net.JoinHostPort("localhost", port)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func newPIN() string {
	d, err := rand.Int(rand.Reader, big.NewInt(10_000))
	if err != nil {
		panic(err) // the system has no randomness: nothing may go on
	}
	return fmt.Sprintf("%04d", d.Int64())
}
