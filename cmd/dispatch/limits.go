package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"courier/web"
	"courier/ws"
)

// limitFlags are how much clients may ask. With --redis-url all nodes count
// requests and handshakes together.
type limitFlags struct {
	LimitAddress        limit `default:"1000/s,5000" help:"Requests of one address: so many a second, and so many at once. Written like 20/s,100 or 10/m,10; off: no limit. The same for those below." placeholder:"RATE" group:"Limits"`
	LimitCredential     limit `default:"200/s,1000" help:"Requests with one credential, such as a merchant's API key." placeholder:"RATE" group:"Limits"`
	LimitSignIn         limit `default:"10/m,10" help:"Wrong sign-in codes from one address." placeholder:"RATE" group:"Limits"`
	LimitSignIns        limit `default:"5/s,100" help:"Wrong sign-in codes from everyone together." placeholder:"RATE" group:"Limits"`
	LimitHandshakes     limit `default:"500/s,5000" help:"WebSockets opened from one address." placeholder:"RATE" group:"Limits"`
	LimitReconnects     limit `default:"1/s,30" help:"WebSockets opened with one credential." placeholder:"RATE" group:"Limits"`
	LimitCourierFrames  limit `default:"200/s,1000" help:"Frames on one courier's WebSocket. Who sends more is read no faster; who does so for 10s is closed." placeholder:"RATE" group:"Limits"`
	LimitFrames         limit `default:"20/s,100" help:"Frames on one WebSocket of a customer or of staff." placeholder:"RATE" group:"Limits"`
	LimitWork           int   `default:"64" help:"Orders and reads worked on at once. Over that they wait for milliseconds, and when the line does not end they are turned away with 503; positions before them. 0, and on a clock faster than life: no limit." placeholder:"N" group:"Limits"`
	LimitAddressSockets int   `default:"20000" help:"WebSockets open on a node from one address; a carrier's customers may share one. 0: no limit. The same for those below." placeholder:"N" group:"Limits"`
	LimitLinkSockets    int   `default:"50" help:"WebSockets open on a node with one tracking link." placeholder:"N" group:"Limits"`
	LimitStaffSockets   int   `default:"100" help:"WebSockets open on a node of one person of the staff." placeholder:"N" group:"Limits"`
}

// limit is a token bucket as a person writes it.
type limit struct {
	PerSecond float64 // negative: no limit
	Burst     int
}

// parseLimit reads N/s, N/m or N/h, and how many at once; without that, N.
func parseLimit(s string) (limit, error) {
	if s == "off" {
		return limit{PerSecond: -1}, nil
	}
	often, once, bursts := strings.Cut(s, ",")
	count, unit, _ := strings.Cut(often, "/")
	n, err := strconv.Atoi(strings.TrimSpace(count))
	per := map[string]float64{"s": 1, "m": 60, "h": 3600}[strings.TrimSpace(unit)]
	if err != nil || per == 0 || n < 1 {
		return limit{}, errors.New("no rate")
	}
	l := limit{PerSecond: float64(n) / per, Burst: n}
	if bursts {
		if l.Burst, err = strconv.Atoi(strings.TrimSpace(once)); err != nil || l.Burst < 1 {
			return limit{}, errors.New("no number at once")
		}
	}
	return l, nil
}

func (f limitFlags) check(s *settings) {
	for _, d := range []struct {
		flag string
		most int
	}{
		{"limit-work", f.LimitWork}, {"limit-address-sockets", f.LimitAddressSockets}, {"limit-link-sockets", f.LimitLinkSockets}, {"limit-staff-sockets", f.LimitStaffSockets},
	} {
		if d.most < 0 {
			s.add(d.flag, "%d is negative", d.most)
		}
	}
}

func (f limitFlags) web() web.Limits {
	return web.Limits{
		Address: web.Limit(f.LimitAddress), Credential: web.Limit(f.LimitCredential),
		SignIn: web.Limit(f.LimitSignIn), SignIns: web.Limit(f.LimitSignIns),
	}
}

// workAtOnce is --limit-work. A busy node turns positions away for seconds of
// the machine's time: on a faster clock those would be minutes, so none does.
func (f serverFlags) workAtOnce() int {
	if f.ClockRate > 1 {
		return 0
	}
	return f.LimitWork
}

func (f limitFlags) sockets() ws.Limits {
	most := func(n int) int {
		if n == 0 {
			return -1
		}
		return n
	}
	return ws.Limits{
		Handshakes: ws.Limit(f.LimitHandshakes), Credential: ws.Limit(f.LimitReconnects),
		CourierFrames: ws.Limit(f.LimitCourierFrames), OtherFrames: ws.Limit(f.LimitFrames),
		PerAddress: most(f.LimitAddressSockets), PerCustomer: most(f.LimitLinkSockets), PerStaff: most(f.LimitStaffSockets),
	}
}

// socketLimiter counts handshakes where requests are counted.
type socketLimiter struct{ web.Limiter }

func (l socketLimiter) Take(ctx context.Context, key string, perSecond float64, burst int) (time.Duration, error) {
	wait, err := l.Limiter.Take(ctx, key, web.Limit{PerSecond: perSecond, Burst: burst})
	if err != nil {
		return 0, fmt.Errorf("count a handshake: %w", err)
	}
	return wait, nil
}

// clientAddress is whom a handshake counts for: who web says it comes from.
func clientAddress(r *http.Request) string { return web.ClientAddress(r.Context()) }
