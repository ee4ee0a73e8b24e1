package web

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limit is a token bucket. A negative PerSecond means no limit.
type Limit struct {
	PerSecond float64
	Burst     int
}

// Limits are how often clients may ask.
type Limits struct {
	Address    Limit // every request of an IP address (IPv6: of a /64); default 1000/s, 5000 at once
	Credential Limit // every request with a credential; default 200/s, 1000 at once
	SignIn     Limit // wrong codes from an address; default one in 6 s, 10 at once
	SignIns    Limit // wrong codes from everyone together; default 5/s, 100 at once
}

func (l *Limits) defaults() {
	for _, d := range []struct {
		limit     *Limit
		perSecond float64
		burst     int
	}{
		{&l.Address, 1000, 5000}, {&l.Credential, 200, 1000}, {&l.SignIn, 1. / 6, 10}, {&l.SignIns, 5, 100},
	} {
		if *d.limit == (Limit{}) {
			*d.limit = Limit{PerSecond: d.perSecond, Burst: d.burst}
		}
	}
}

func (l *Limits) validate() error {
	var errs []error
	for name, limit := range map[string]Limit{"Address": l.Address, "Credential": l.Credential, "SignIn": l.SignIn, "SignIns": l.SignIns} {
		if math.IsNaN(limit.PerSecond) || limit.PerSecond == 0 || (limit.PerSecond > 0 && limit.Burst < 1) {
			errs = append(errs, fmt.Errorf("%s: %v/s and %d at once lets nobody in", "Limits."+name, limit.PerSecond, limit.Burst))
		}
	}
	return errors.Join(errs...)
}

// Limiter counts requests. Take returns 0 if one more is within the limit,
// and otherwise how long to wait, in real time. An error means that nobody
// knows: the request goes through.
type Limiter interface {
	Take(ctx context.Context, key string, limit Limit) (wait time.Duration, err error)
	// Look is Take without counting.
	Look(ctx context.Context, key string, limit Limit) (wait time.Duration, err error)
}

// limiterKeys bounds a Limiter in memory to about 10 MB.
const limiterKeys = 1 << 16

// memoryLimiter forgets the key that was asked for longest ago when it is
// full. Whoever can send from more addresses than it holds is not stopped by
// limits on addresses anyway.
type memoryLimiter struct {
	mu      sync.Mutex
	max     int
	byKey   map[string]*list.Element // of recent, holding *bucket
	recent  *list.List               // newest first
	nowFunc func() time.Time
}

type bucket struct {
	key    string
	limit  Limit
	tokens *rate.Limiter
}

// NewLimiter is a Limiter of this process alone that remembers so many keys.
func NewLimiter(keys int) Limiter {
	return &memoryLimiter{max: max(keys, 1), byKey: map[string]*list.Element{}, recent: list.New(), nowFunc: time.Now}
}

func (m *memoryLimiter) Take(_ context.Context, key string, limit Limit) (time.Duration, error) {
	return m.ask(key, limit, true)
}

func (m *memoryLimiter) Look(_ context.Context, key string, limit Limit) (time.Duration, error) {
	return m.ask(key, limit, false)
}

func (m *memoryLimiter) ask(key string, limit Limit, count bool) (time.Duration, error) {
	if limit.PerSecond < 0 {
		return 0, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now, b := m.nowFunc(), m.bucket(key, limit)
	r := b.tokens.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 || !count {
		r.CancelAt(now) // refused, not booked
	}
	return wait, nil
}

func (m *memoryLimiter) bucket(key string, limit Limit) *bucket {
	if e, ok := m.byKey[key]; ok && e.Value.(*bucket).limit == limit {
		m.recent.MoveToFront(e)
		return e.Value.(*bucket)
	} else if ok {
		m.drop(e)
	}
	for len(m.byKey) >= m.max {
		m.drop(m.recent.Back())
	}
	b := &bucket{key: key, limit: limit, tokens: rate.NewLimiter(rate.Limit(limit.PerSecond), limit.Burst)}
	m.byKey[key] = m.recent.PushFront(b)
	return b
}

func (m *memoryLimiter) drop(e *list.Element) {
	m.recent.Remove(e)
	delete(m.byKey, e.Value.(*bucket).key)
}
