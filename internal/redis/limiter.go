package redis

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"courier/internal/gather"
)

const (
	// localKeys bounds what a Limiter keeps in memory to about 10 MB.
	localKeys = 1 << 16
	// takePatience is how long a request may wait for its limit.
	takePatience = 150 * time.Millisecond
	// takeLanes and takeGroup bound the round trips under way, and the takes
	// in each.
	takeLanes = 2
	takeGroup = 128
	// rest is how long Redis is not asked after it did not answer.
	rest = time.Second
)

// Limiter counts what clients ask of all nodes together: a token bucket a
// key, on the server's clock. Those who ask while others' questions are under
// way share a round trip. While Redis is away each node gives its share
// of the limit, since a balancer spreads clients over all of them.
type Limiter struct {
	db    *DB
	nodes func() int
	trips *gather.Trips[*call]
	count callCounters
	until atomic.Int64 // Unix ns: ask Redis again from then on

	localAnswers atomic.Uint64
	mu           sync.Mutex
	local        *localLimiter // under mu
}

// NewLimiter is a limiter in db. nodes says how many nodes live, this one
// included; nil: this one alone.
func NewLimiter(db *DB, nodes func() int) *Limiter {
	if nodes == nil {
		nodes = func() int { return 1 }
	}
	l := &Limiter{db: db, nodes: nodes, local: newLocalLimiter(localKeys)}
	l.trips = gather.NewTrips(takeLanes, takeGroup, takePatience, func(ctx context.Context, calls []*call) {
		_ = db.run(ctx, calls) // each has its own error
	})
	return l
}

// Take returns 0 if one more is within perSecond and burst, and otherwise how
// long to wait. A negative perSecond means no limit. The error is always nil:
// when Redis does not answer, this node's own count does.
func (l *Limiter) Take(ctx context.Context, key string, perSecond float64, burst int) (time.Duration, error) {
	return l.ask(ctx, key, perSecond, burst, true)
}

// Look is Take without counting.
func (l *Limiter) Look(ctx context.Context, key string, perSecond float64, burst int) (time.Duration, error) {
	return l.ask(ctx, key, perSecond, burst, false)
}

func (l *Limiter) ask(ctx context.Context, key string, perSecond float64, burst int, count bool) (time.Duration, error) {
	if perSecond < 0 {
		return 0, nil
	}
	possible := perSecond > 0 && burst > 0
	if now := time.Now().UnixNano(); possible && now >= l.until.Load() {
		wait, err := l.remote(ctx, key, perSecond, burst, count)
		if err == nil {
			return wait, nil
		}
		if ctx.Err() == nil { // it is not the client who has gone
			l.until.Store(now + int64(rest))
			l.db.config.Log.LogAttrs(ctx, slog.LevelWarn, "limits are counted by this node alone",
				slog.Int("nodes", l.nodes()), slog.Any("err", err))
		}
	}
	l.localAnswers.Add(1)
	nodes := max(l.nodes(), 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.local.ask(localLimit{key, perSecond, burst}, nodes, count), nil
}

func (l *Limiter) remote(ctx context.Context, key string, perSecond float64, burst int, count bool) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, takePatience)
	defer cancel()
	take := 0
	if count {
		take = 1
	}
	c := &call{script: takeScript, keys: []string{l.db.key(digest(key), "limit")}, args: []any{1e6 / perSecond, burst, take}}
	var micros int64
	err := l.trips.Join(ctx, c)
	if err == nil {
		micros, err = c.result.Int64()
	}
	if ctx.Err() == nil || errors.Is(ctx.Err(), context.DeadlineExceeded) { // else the client has gone
		_ = l.count.done(err)
	}
	return time.Duration(micros) * time.Microsecond, err
}

// digest is of one length and shows nobody an address or a credential.
func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// localLimiter forgets the limit that was asked for longest ago when it is
// full.
type localLimiter struct {
	max    int
	byKey  map[localLimit]*list.Element // of recent, holding *localBucket
	recent *list.List                   // newest first
}

type localLimit struct {
	key       string
	perSecond float64
	burst     int
}

type localBucket struct {
	limit  localLimit
	nodes  int // that share it
	tokens *rate.Limiter
}

// share is one node's part of a limit: at least one at a time.
func (l localLimit) share(nodes int) (rate.Limit, int) {
	burst := l.burst
	if burst > 0 {
		burst = max(burst/nodes, 1)
	}
	return rate.Limit(l.perSecond / float64(nodes)), burst
}

func newLocalLimiter(keys int) *localLimiter {
	return &localLimiter{max: keys, byKey: make(map[localLimit]*list.Element), recent: list.New()}
}

func (l *localLimiter) ask(limit localLimit, nodes int, count bool) time.Duration {
	e, ok := l.byKey[limit]
	if !ok {
		for len(l.byKey) >= l.max {
			oldest := l.recent.Back()
			delete(l.byKey, l.recent.Remove(oldest).(*localBucket).limit)
		}
		e = l.recent.PushFront(&localBucket{limit, nodes, rate.NewLimiter(limit.share(nodes))})
		l.byKey[limit] = e
	}
	l.recent.MoveToFront(e)
	now, bucket := time.Now(), e.Value.(*localBucket)
	if bucket.nodes != nodes {
		perSecond, burst := limit.share(nodes)
		bucket.tokens.SetLimitAt(now, perSecond)
		bucket.tokens.SetBurstAt(now, burst)
		bucket.nodes = nodes
	}
	r := bucket.tokens.ReserveN(now, 1)
	if !r.OK() {
		return time.Hour // nobody is let in, ever
	}
	wait := r.DelayFrom(now)
	if wait > 0 || !count {
		r.CancelAt(now) // refused, not booked
	}
	return wait
}
