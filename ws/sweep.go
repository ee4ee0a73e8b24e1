package ws

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"courier/internal/auth"
)

// sweepPage is how many versions one call asks for.
const sweepPage = 500

// sweepLoop looks at everything watched, so that what the bus has lost is
// late and not missing (I6), and at the credentials of open connections.
func (h *Hub) sweepLoop(ctx context.Context) {
	tick := time.NewTicker(h.Sweep)
	defer tick.Stop()
	for {
		lost := false
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-h.sweepNow:
			lost = true
			h.fleet.reload()
		}
		h.sweep(ctx)
		if !lost {
			h.recheck(ctx)
		}
	}
}

func (h *Hub) sweep(ctx context.Context) {
	for ids := range slices.Chunk(h.orders.ids(), sweepPage) {
		h.ask(ctx, "order versions not read", func(ctx context.Context) error {
			versions, err := h.Service.OrderVersions(ctx, ids)
			for id, v := range versions {
				if h.orders.changed(id, v) {
					h.count.healedOrders.Add(1)
				}
			}
			return err
		})
	}
	sessions := h.couriers.all()
	ids := make([]string, 0, len(sessions))
	for id := range sessions {
		ids = append(ids, id)
	}
	for page := range slices.Chunk(ids, sweepPage) {
		h.ask(ctx, "courier versions not read", func(ctx context.Context) error {
			versions, err := h.Service.CourierVersions(ctx, page)
			for id, v := range versions {
				for _, s := range sessions[id] {
					if s.behind(v) {
						h.count.healedCouriers.Add(1)
						h.work.add(&s.task)
					}
				}
			}
			return err
		})
	}
	h.orders.quiet()
}

func (h *Hub) ask(ctx context.Context, what string, f func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, h.CallTimeout)
	defer cancel()
	if err := f(ctx); err != nil && ctx.Err() == nil {
		h.Log.LogAttrs(ctx, slog.LevelWarn, "question failed", slog.String("doing", what), slog.Any("err", err))
	}
}

// behind says whether the client has not been told of a version. A session
// that is being refreshed is not.
func (s *courierSession) behind(version int64) bool {
	if !s.mu.TryLock() {
		return false
	}
	defer s.mu.Unlock()
	return s.live && s.sent.Version < version
}

// recheck ends what has expired, and asks again for credentials that were
// last looked at long ago: a revocation on another node, say.
func (h *Hub) recheck(ctx context.Context) {
	now, wall := h.Clock.Now(), time.Now()
	var due []*conn
	h.each(func(c *conn) {
		s, cred := c.state()
		switch {
		case s == nil:
		case !cred.Expires.IsZero() && !now.Before(cred.Expires):
			s.revoked("expired")
		case wall.Sub(cred.checked) >= h.Recheck:
			due = append(due, c)
		}
	})
	h.recheckAll(ctx, due)
}

func (h *Hub) recheckAll(ctx context.Context, due []*conn) {
	const atOnce = 4
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, c := range due {
		g.Go(func() error { h.recheckOne(ctx, c); return nil })
	}
	_ = g.Wait() // none returns an error
}

func (h *Hub) recheckOne(ctx context.Context, c *conn) {
	s, cred := c.state()
	if s == nil || c.over() {
		return
	}
	h.ask(ctx, "credential not checked again", func(ctx context.Context) error {
		_, err := h.Auth.Check(ctx, cred.bearer)
		if errors.Is(err, auth.ErrUnauthenticated) {
			s.revoked("revoked")
			return nil
		}
		if err == nil {
			c.mu.Lock()
			c.cred.checked = time.Now()
			c.mu.Unlock()
		}
		return err
	})
}
