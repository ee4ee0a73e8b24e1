package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

var (
	errNotYet = errors.New("not connected yet")
	errSlow   = errors.New("no answer in time")
	errEnded  = errors.New("the broker ended the channel")
)

// link is one connection. It ends by itself or by cut, and is not used again.
type link struct {
	conn *amqp.Connection
	raw  net.Conn
	down chan *amqp.Error // yields once the connection is over

	mu  sync.Mutex
	why error // first reason for a cut
}

// dial connects within Timeout.
func (b *Bus) dial(ctx context.Context, purpose string) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, b.Timeout)
	defer cancel()
	l := &link{}
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(b.Name + " " + purpose)
	var forget func() bool
	conn, err := amqp.DialConfig(b.URL, amqp.Config{
		Heartbeat:  b.Heartbeat,
		Properties: properties,
		Dial: func(network, address string) (net.Conn, error) {
			raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			l.raw = raw
			// The handshake heeds no context.
			forget = context.AfterFunc(ctx, func() { _ = raw.Close() })
			return raw, nil
		},
	})
	if forget != nil && !forget() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		if l.raw != nil {
			_ = l.raw.Close()
		}
		return nil, fmt.Errorf("connect: %w", err)
	}
	l.conn = conn
	l.down = conn.NotifyClose(make(chan *amqp.Error, 1))
	return l, nil
}

// cut ends the connection at once, whatever it is stuck in: a polite close
// waits behind whoever is writing to a broker that does not read.
func (l *link) cut(why error) {
	l.mu.Lock()
	if l.why == nil {
		l.why = why
	}
	l.mu.Unlock()
	_ = l.raw.Close()
}

// within runs calls on the connection, which heed no context; when they take
// too long the connection goes.
func (l *link) within(timeout time.Duration, calls func() error) error {
	t := time.AfterFunc(timeout, func() { l.cut(errSlow) })
	defer t.Stop()
	return calls()
}

// wait blocks until the connection is over, which the end of ctx brings
// about, and says why.
func (l *link) wait(ctx context.Context) error {
	var err error
	select {
	case <-ctx.Done():
		err = ctx.Err()
		_ = l.conn.CloseDeadline(time.Now().Add(time.Second))
		_ = l.raw.Close()
	case e := <-l.down:
		if e != nil {
			err = e
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why != nil {
		return l.why
	}
	return err
}

// keep connects and, when the connection is over, connects again, until ctx
// ends. Run sets the connection up, calls up and returns why it is over;
// tried is called after the first try.
func (b *Bus) keep(ctx context.Context, purpose string, tried func(), run func(context.Context, *link, func()) error) {
	once := sync.OnceFunc(tried)
	defer once()
	backoff, before := b.BackoffMin, false
	for ctx.Err() == nil {
		var since time.Time
		l, err := b.dial(ctx, purpose)
		if err == nil {
			err = run(ctx, l, func() {
				since = time.Now()
				once()
				if before {
					b.counters.Reconnects.Add(1)
				}
				before = true
				b.log.LogAttrs(ctx, slog.LevelInfo, "broker connected", slog.String("purpose", purpose))
			})
			l.cut(err)
		}
		once()
		if ctx.Err() != nil {
			return
		}
		// One that did not last is no success: a broker that drops
		// connections is not to be hammered.
		if !since.IsZero() && time.Since(since) > b.BackoffMax {
			backoff = b.BackoffMin
		}
		wait := backoff/2 + rand.N(backoff/2+1) //nolint:gosec // no secret
		b.log.LogAttrs(ctx, slog.LevelWarn, "broker not connected, trying again",
			slog.String("purpose", purpose), slog.Duration("wait", wait), slog.Any("err", err))
		backoff = min(2*backoff, b.BackoffMax)
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}
