package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"time"

	"courier/internal/bus"
	"courier/internal/clock"
	"courier/internal/rabbitmq"
	"courier/internal/redis"
	"courier/internal/sqlstore"
	"courier/tracking"
	"courier/web"
)

// engineFlags name the engines that several nodes share. Without them a node
// has its own inside.
type engineFlags struct {
	DatabaseURL string   `name:"database-url" help:"PostgreSQL that all nodes share, like postgres://user:password@host/courier. Default: a SQLite file in --data-dir." placeholder:"URL" group:"Engines"`
	RedisURL    []string `name:"redis-url" help:"Redis that all nodes share: one server, or any of a cluster. Default: positions are kept in this process." placeholder:"URL" group:"Engines"`
	AMQPURL     string   `name:"amqp-url" help:"RabbitMQ that all nodes share. Default: events go through this process." placeholder:"URL" group:"Engines"`
}

// check refuses settings with which nodes would not understand each other.
func (f engineFlags) check(s *settings, secret string) {
	if f.DatabaseURL != "" && secret == "" {
		s.add("auth-secret", "is needed with --database-url: all nodes must have the same")
	}
	if f.DatabaseURL == "" && (len(f.RedisURL) > 0 || f.AMQPURL != "") {
		s.add("database-url", "is needed with --redis-url or --amqp-url: nodes that share those share a database too")
	}
}

// engines are what a node keeps things in.
type engines struct {
	store   *sqlstore.Store
	index   tracking.Index
	mirror  *tracking.Mirror // nil: the index is in this process already
	feed    tracking.Feed
	bus     events
	answers map[string]func(context.Context) bool // the disposable ones, for /readyz
	limiter web.Limiter
	redis   *positions     // nil without it
	closers []func() error // last opened, first closed
}

// events is what this node tells the others, and what one of them all does.
type events interface {
	bus.Bus
	bus.Worker
	bus.Meter
}

// openEngines opens what the flags name; nodes tells how many share it, once
// they serve.
func openEngines(ctx context.Context, f serverFlags, clk clock.Clock, nodes func() int, log *slog.Logger) (e engines, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	if e.store, err = openStore(ctx, f, clk); err != nil {
		return e, err
	}
	e.closers = append(e.closers, e.store.Close)
	if err := e.openPositions(ctx, f, clk, nodes, log); err != nil {
		return e, err
	}
	e.answers["bus"] = func(context.Context) bool { return e.bus.Stats().Connected }
	if f.AMQPURL == "" {
		e.bus = bus.NewMemory(bus.MemoryConfig{Queues: queues(), Log: log})
		return e, nil
	}
	broker, err := rabbitmq.Open(ctx, rabbitmq.Config{URL: f.AMQPURL, Name: f.node}, log)
	if err != nil {
		return e, err
	}
	e.bus, e.closers = broker, append(e.closers, broker.Close)
	return e, nil
}

func openStore(ctx context.Context, f serverFlags, clk clock.Clock) (*sqlstore.Store, error) {
	if f.DatabaseURL == "" {
		return sqlstore.Open(ctx, sqlstore.Config{Dir: f.DataDir, Node: f.node, Now: clk.Now})
	}
	return sqlstore.OpenPostgres(ctx, sqlstore.PostgresConfig{URL: f.DatabaseURL, Node: f.node, Now: clk.Now})
}

func (e *engines) openPositions(ctx context.Context, f serverFlags, clk clock.Clock, nodes func() int, log *slog.Logger) error {
	e.answers = map[string]func(context.Context) bool{"positions": func(context.Context) bool { return true }}
	if len(f.RedisURL) == 0 {
		e.index, e.feed, e.limiter = tracking.NewMemory(), tracking.NewMemoryFeed(), web.NewLimiter(limiterKeys)
		return nil
	}
	redis.LogTo(log)
	db, err := redis.Open(ctx, redis.Config{URLs: f.RedisURL, Log: log})
	if err != nil {
		return err
	}
	e.answers["positions"] = func(ctx context.Context) bool { return db.Ping(ctx) == nil }
	e.redis = &positions{index: redis.NewIndex(db), feed: redis.NewFeed(db), limiter: redis.NewLimiter(db, nodes)}
	e.index, e.feed, e.limiter = e.redis.index, e.redis.feed, sharedLimiter{e.redis.limiter}
	e.closers = append(e.closers, db.Close, func() error { e.redis.feed.Close(); return nil })
	mirror, err := tracking.NewMirror(tracking.MirrorConfig{StaleAfter: f.StaleAfter}, e.index, e.feed, clk, log)
	if err != nil {
		return err
	}
	e.mirror, e.closers = mirror, append(e.closers, func() error { mirror.Close(); return nil })
	return nil
}

// limiterKeys bounds a limiter in memory to about 10 MB.
const limiterKeys = 1 << 16

// feedAway is for how long the feed has not brought what is looked at here.
func (e *engines) feedAway() time.Duration {
	if e.redis == nil {
		return 0
	}
	return e.redis.feed.Stats().Away
}

// away says of each disposable engine whether it is.
func (e *engines) away(ctx context.Context) map[string]bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	away := map[string]bool{}
	for name, answers := range e.answers {
		away[name] = !answers(ctx)
	}
	return away
}

// sharedLimiter gives web the limits of all nodes together.
type sharedLimiter struct{ all *redis.Limiter }

func (l sharedLimiter) Take(ctx context.Context, key string, limit web.Limit) (time.Duration, error) {
	if limit.PerSecond < 0 {
		return 0, nil
	}
	return l.all.Take(ctx, key, limit.PerSecond, limit.Burst)
}

func (l sharedLimiter) Look(ctx context.Context, key string, limit web.Limit) (time.Duration, error) {
	if limit.PerSecond < 0 {
		return 0, nil
	}
	return l.all.Look(ctx, key, limit.PerSecond, limit.Burst)
}

// nodeName tells nodes apart, and is the same after a restart; with a port
// that the system chooses, each start is a node of its own.
func nodeName(addr string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "node"
	}
	name := host + "/" + addr
	if strings.HasSuffix(addr, ":0") {
		name += "/" + newID()
	}
	return name
}

func (e *engines) close() error {
	var errs []error
	for i := len(e.closers) - 1; i >= 0; i-- {
		errs = append(errs, e.closers[i]())
	}
	e.closers = nil
	return errors.Join(errs...)
}
