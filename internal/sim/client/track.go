package client

import (
	"context"
	"errors"
	"time"
)

// Seen is one status a customer was shown.
type Seen struct {
	Seq    int64     `json:"seq"`
	Status string    `json:"status"`
	Time   time.Time `json:"time"`
}

// Watcher is told what a customer's page would show, in order, on one
// goroutine. What a reconnect repeats is not left out: to ignore it is the
// watcher's part.
type Watcher struct {
	Welcome  func(Welcome)
	Lost     func() // and it will come back
	Down     func() // for whatever reason; nil: not told
	Snapshot func(seq int64, history []Seen, v *View)
	Status   func(s Seen, v *View)
	Position func(f Fix)
	Ended    func(reason string)
}

// Follow keeps a customer's page open until the server ends it (nil), ctx
// ends, or the link is void.
func (c *Client) Follow(ctx context.Context, secret string, w Watcher) error {
	seq, ended := int64(0), false
	err := c.follow(ctx, "/v1/ws/track", secret,
		func() int64 { return seq },
		func(_ *wire, hello Welcome) { w.Welcome(hello) },
		func() {
			if !ended && ctx.Err() == nil {
				w.Lost()
			}
			if w.Down != nil {
				w.Down()
			}
		},
		func(f frame) error {
			switch f.Type {
			case "snapshot":
				w.Snapshot(f.Seq, f.History, f.View)
				seq = max(seq, f.Seq)
			case "status":
				w.Status(Seen{f.Seq, f.Status, f.Time}, f.View)
				seq = max(seq, f.Seq)
			case "position":
				if f.Fix != nil {
					w.Position(*f.Fix)
				}
			case "ended":
				ended = true
				w.Ended(f.Reason)
				return ErrEnded
			}
			return nil
		})
	if ended || errors.Is(err, ErrEnded) {
		return nil
	}
	return err
}

// Alerts are the dispatcher's active alerts, as a new page would show them.
func (c *Client) Alerts(ctx context.Context, credential string) ([]Alert, error) {
	var out []Alert
	err := c.follow(ctx, "/v1/ws/fleet", credential,
		func() int64 { return 0 }, func(*wire, Welcome) {}, func() {},
		func(f frame) error {
			if f.Type != "snapshot" {
				return nil
			}
			for _, a := range f.Alerts {
				if a.Active {
					out = append(out, a)
				}
			}
			return ErrEnded
		})
	if errors.Is(err, ErrEnded) {
		err = nil
	}
	return out, err
}
