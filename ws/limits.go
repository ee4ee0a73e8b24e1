package ws

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"courier/dispatch"
	"courier/internal/auth"
)

// Limit is a token bucket. A negative PerSecond means no limit.
type Limit struct {
	PerSecond float64
	Burst     int
}

// Limits are how much clients may ask of sockets. A negative number means no
// limit. A courier may have four sockets, whatever stands here: see
// maxDevices.
type Limits struct {
	Handshakes Limit // of an address, on all nodes; default 500/s, 5000 at once
	Credential Limit // handshakes with one credential, on all nodes; default 1/s, 30 at once

	// Frames on one socket. Who sends more is read no faster; who goes on so
	// for Config.FramePatience is closed.
	CourierFrames Limit // default 200/s, 1000 at once
	OtherFrames   Limit // default 20/s, 100 at once

	// Sockets open on one node.
	PerAddress  int // default 20,000: a carrier's customers may share an address
	PerCustomer int // with one tracking secret; default 50
	PerStaff    int // of one person; default 100
}

// Limiter counts handshakes. Take returns 0 if one more is within the limit,
// and otherwise how long to wait, in real time. An error means that nobody
// knows: the client is let in.
type Limiter interface {
	Take(ctx context.Context, key string, perSecond float64, burst int) (wait time.Duration, err error)
}

func (l *Limits) withDefaults() error {
	var errs []error
	for _, d := range []struct {
		name     string
		limit    *Limit
		standard Limit
	}{
		{"Handshakes", &l.Handshakes, Limit{500, 5000}}, {"Credential", &l.Credential, Limit{1, 30}},
		{"CourierFrames", &l.CourierFrames, Limit{200, 1000}}, {"OtherFrames", &l.OtherFrames, Limit{20, 100}},
	} {
		if *d.limit == (Limit{}) {
			*d.limit = d.standard
		}
		if math.IsNaN(d.limit.PerSecond) || d.limit.PerSecond == 0 || d.limit.PerSecond > 0 && d.limit.Burst < 1 {
			errs = append(errs, fmt.Errorf("Limits.%s: %v/s and %d at once lets nobody in", d.name, d.limit.PerSecond, d.limit.Burst))
		}
	}
	for _, d := range []struct {
		most     *int
		standard int
	}{{&l.PerAddress, 20_000}, {&l.PerCustomer, 50}, {&l.PerStaff, 100}} {
		if *d.most == 0 {
			*d.most = d.standard
		}
	}
	return errors.Join(errs...)
}

// remote is the address of who is at the other end of a connection.
func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// handshakeWait is how long who has this key is to wait for its next
// handshake; 0: not at all.
func (h *Hub) handshakeWait(ctx context.Context, key string, limit Limit) time.Duration {
	if limit.PerSecond < 0 {
		return 0
	}
	wait, err := h.Limiter.Take(ctx, "handshake/"+key, limit.PerSecond, limit.Burst)
	if err != nil {
		h.Log.LogAttrs(ctx, slog.LevelWarn, "rate limiter does not answer", slog.Any("err", err))
		return 0
	}
	return wait
}

// credentialKey shows nobody a credential.
func credentialKey(bearer string) string {
	sum := sha256.Sum256([]byte(bearer))
	return "credential/" + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// tooMany is the close of whoever is over a limit after the upgrade.
func tooMany(format string, args ...any) *closeError {
	return &closeError{codeTooMany, "rate_limited", fmt.Sprintf(format, args...)}
}

// refuseFor answers a handshake over a limit.
func (h *Hub) refuseFor(w http.ResponseWriter, wait time.Duration, detail string) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds(wait)))
	h.refuse(w, http.StatusTooManyRequests, detail)
}

func seconds(wait time.Duration) int { return max(1, int(math.Ceil(wait.Seconds()))) }

// held counts what is open, by whom.
type held struct {
	mu   sync.Mutex
	byID map[string]int
}

// take is false, and counts nothing, for one too many.
func (o *held) take(key string, most int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if most >= 0 && o.byID[key] >= most {
		return false
	}
	o.byID[key]++
	return true
}

func (o *held) drop(key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byID[key]--; o.byID[key] <= 0 {
		delete(o.byID, key)
	}
}

// hold counts the connection for whom it is open; remove lets it go.
func (h *Hub) hold(c *conn, id auth.Identity) error {
	var key string
	var most int
	switch {
	case c.kind == KindTrack:
		key, most = "link/"+id.ID, h.Limits.PerCustomer
	case id.Role != dispatch.RoleCourier:
		key, most = string(id.Role)+"/"+id.ID, h.Limits.PerStaff
	default:
		return nil
	}
	if !h.held.take(key, most) {
		return tooMany("%d sockets are open with this credential", most)
	}
	c.keys = append(c.keys, key)
	return nil
}

// pace counts a frame, and waits where there are too many. The reader calls
// it.
func (c *conn) pace() error {
	limit := c.hub.Limits.OtherFrames
	if c.kind == KindCourier {
		limit = c.hub.Limits.CourierFrames
	}
	if limit.PerSecond < 0 {
		return nil
	}
	if c.frames == nil {
		c.frames = rate.NewLimiter(rate.Limit(limit.PerSecond), limit.Burst)
	}
	now := time.Now()
	wait := c.frames.ReserveN(now, 1).DelayFrom(now)
	switch {
	case wait <= 0:
		c.pressed = time.Time{}
		return nil
	case c.pressed.IsZero():
		c.pressed = now
	case now.Sub(c.pressed) > c.hub.FramePatience:
		return tooMany("more than %v frames a second", limit.PerSecond)
	}
	c.hub.count.delayed.Add(1)
	c.tell()
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.hub.ctx.Done():
	}
	return nil
}
