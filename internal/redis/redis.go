// Package redis shares what nodes need to know at once: where couriers are,
// what they report, how often clients ask. All of it is disposable: Redis may
// be emptied at any time.
//
//	Index.Move  ─► shard of the courier: newest fix wins ─► GEO set of its region
//	Index.Near  ─► GEO sets around ─► shards of the couriers found ─► exact distances
//	Feed.Publish ─► a channel a region ─► other nodes ─► tracking.MemoryFeed ─► watchers
//	Limiter.Take ─► token bucket on the server's clock, or a local one
//
// A single server (6.2 or newer) and a Redis Cluster take the same path: what
// one script touches has one hash tag.
package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Config says where Redis is.
type Config struct {
	// URLs are redis:// or rediss:// addresses: one of a single server, any
	// of a cluster. User, password, database and TLS are those of the first.
	URLs      []string
	Prefix    string        // of all keys and channels; default "courier"
	Retention time.Duration // how long what nobody renews is kept; default 24 h, at least a second
	Timeout   time.Duration // of dialling, reading and writing; default 2 s
	Log       *slog.Logger  // default: nowhere
}

func (c *Config) defaults() {
	if c.Prefix == "" {
		c.Prefix = "courier"
	}
	if c.Retention == 0 {
		c.Retention = 24 * time.Hour
	}
	if c.Timeout == 0 {
		c.Timeout = 2 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// options also validates the config; it reports every fault at once.
func (c *Config) options() (*redis.UniversalOptions, error) {
	var errs []error
	if len(c.URLs) == 0 {
		errs = append(errs, errors.New("URLs: none"))
	}
	if strings.ContainsAny(c.Prefix, "{}") {
		errs = append(errs, fmt.Errorf("Prefix %q: braces are for hash tags", c.Prefix))
	}
	if c.Retention < time.Second || c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("Retention %v, Timeout %v: too short", c.Retention, c.Timeout))
	}
	o := &redis.UniversalOptions{
		ContextTimeoutEnabled: true,
		DialTimeout:           c.Timeout, ReadTimeout: c.Timeout, WriteTimeout: c.Timeout, PoolTimeout: c.Timeout,
		DialerRetries: 1, MaxRetries: 2, MinRetryBackoff: 10 * time.Millisecond, MaxRetryBackoff: 200 * time.Millisecond,
		ConnMaxIdleTime: 5 * time.Minute, ClientName: c.Prefix,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	for i, url := range c.URLs {
		one, err := redis.ParseURL(url)
		if err != nil {
			errs = append(errs, fmt.Errorf("URL %d: %w", i+1, scrubbed(err, url)))
			continue
		}
		o.Addrs = append(o.Addrs, one.Addr)
		if i == 0 {
			o.Username, o.Password, o.DB, o.TLSConfig = one.Username, one.Password, one.DB, one.TLSConfig
		}
	}
	return o, errors.Join(errs...)
}

// scrubbed is err without the URL, which may hold a password.
func scrubbed(err error, url string) error {
	return errors.New(strings.ReplaceAll(err.Error(), url, "…"))
}

// DB is a pool of connections. It reconnects for as long as it is open.
type DB struct {
	client  redis.UniversalClient
	config  Config
	sharded bool // the server knows sharded pub/sub
	cluster bool
}

// Open connects. It tries until Redis answers or ctx ends.
func Open(ctx context.Context, config Config) (*DB, error) {
	config.defaults()
	options, err := config.options()
	if err != nil {
		return nil, fmt.Errorf("configure Redis: %w", err)
	}
	major, cluster, err := probe(ctx, options, config.Log)
	if err != nil {
		return nil, fmt.Errorf("connect to Redis: %w", err)
	}
	options.IsClusterMode = cluster
	if !cluster {
		options.Addrs = options.Addrs[:1] // more would make it a cluster
	} else if options.DB != 0 {
		return nil, fmt.Errorf("connect to Redis: a cluster has no database %d", options.DB)
	}
	return &DB{client: redis.NewUniversalClient(options), config: config, sharded: major >= 7, cluster: cluster}, nil
}

// probe asks the first server that answers who it is.
func probe(ctx context.Context, options *redis.UniversalOptions, log *slog.Logger) (major int, cluster bool, err error) {
	for round := 0; ; round++ {
		for _, addr := range options.Addrs {
			one := *options
			one.Addrs = []string{addr}
			client := redis.NewClient(one.Simple())
			info, err1 := client.Info(ctx).Result()
			_ = client.Close()
			if err1 == nil {
				return versionOf(info), strings.Contains(info, "cluster_enabled:1"), nil
			}
			err = err1
			if answer := redis.Error(nil); errors.As(err, &answer) && !strings.HasPrefix(answer.Error(), "LOADING") {
				return 0, false, err // a wrong password, say: time does not help
			}
		}
		if round == 0 {
			log.LogAttrs(ctx, slog.LevelWarn, "redis does not answer", slog.Any("err", err))
		}
		if !pause(ctx, round) {
			return 0, false, errors.Join(err, ctx.Err())
		}
	}
}

func versionOf(info string) (major int) {
	_, rest, _ := strings.Cut(info, "redis_version:")
	digits, _, _ := strings.Cut(rest, ".")
	major, _ = strconv.Atoi(digits)
	return major
}

// pause waits before another attempt: longer each time up to about 2 s, with
// jitter. It says false when ctx ends first.
func pause(ctx context.Context, attempt int) bool {
	longest := min(50*time.Millisecond<<min(attempt, 6), 2*time.Second)
	timer := time.NewTimer(longest/2 + rand.N(longest/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// counts says whether who publishes is told how many listen. Plain channels of
// a cluster count those at one of its servers alone.
func (db *DB) counts() bool { return db.sharded || !db.cluster }

// Ping says whether Redis answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping Redis: %w", err)
	}
	return nil
}

// Close ends all connections. Close feeds first.
func (db *DB) Close() error { return db.client.Close() }

func (db *DB) key(tag, kind string) string { return db.config.Prefix + ":{" + tag + "}:" + kind }
