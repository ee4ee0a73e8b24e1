package auth

import (
	"context"
	"fmt"
	"slices"
	"time"

	"courier/dispatch"
)

// CreateLink makes a tracking link for an order, valid for ttl (0: LinkTTL).
// The secret is returned here and nowhere else.
func (s *Service) CreateLink(ctx context.Context, order string, ttl time.Duration) (Link, string, error) {
	if ttl == 0 {
		ttl = s.config.LinkTTL
	}
	if ttl < time.Second || ttl > s.config.MaxTTL {
		return Link{}, "", &dispatch.Invalid{Fields: []dispatch.FieldError{{
			Field: "expires_in", Problem: fmt.Sprintf("must be between 1 and %.0f", s.config.MaxTTL.Seconds()),
		}}}
	}
	plain, hash, err := s.secret(linkPrefix)
	if err != nil {
		return Link{}, "", err
	}
	now := s.clock.Now()
	l := Link{ID: s.newID(), Order: order, Hash: hash, CreatedAt: now, ExpiresAt: now.Add(ttl)}
	if err := s.store.SaveLink(ctx, l); err != nil {
		return Link{}, "", fmt.Errorf("save a tracking link: %w", err)
	}
	return l, plain, nil
}

// Links returns an order's links, void ones too, by id.
func (s *Service) Links(ctx context.Context, order string) ([]Link, error) {
	links, err := s.store.Links(ctx, order)
	if err != nil {
		return nil, fmt.Errorf("list the tracking links of order %s: %w", order, err)
	}
	return links, nil
}

// RevokeLink voids a link of an order from now on; to revoke one again
// changes nothing. An unknown id is dispatch.ErrNotFound.
func (s *Service) RevokeLink(ctx context.Context, order, id string) error {
	links, err := s.Links(ctx, order)
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.ID != id {
			continue
		}
		if l.RevokedAt != nil {
			return nil
		}
		now := s.clock.Now()
		l.RevokedAt = &now
		if err := s.store.SaveLink(ctx, l); err != nil {
			return fmt.Errorf("revoke tracking link %s: %w", id, err)
		}
		return nil
	}
	return fmt.Errorf("tracking link %s: %w", id, dispatch.ErrNotFound)
}

// CloseLinks lets the links of an order that ended at a time expire LinkGrace
// later, or when they would anyway. To do so again changes nothing.
func (s *Service) CloseLinks(ctx context.Context, order string, ended time.Time) error {
	expires := ended.Add(s.config.LinkGrace)
	links, err := s.Links(ctx, order)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(links, func(l Link) bool { return l.ExpiresAt.After(expires) }) {
		return nil // most orders have none that would be a commit
	}
	if err := s.store.ShortenLinks(ctx, order, expires); err != nil {
		return fmt.Errorf("close the tracking links of order %s: %w", order, err)
	}
	return nil
}

func (s *Service) checkLink(ctx context.Context, bearer string) (Identity, error) {
	hash := hashOf(bearer)
	l, err := s.store.LinkByHash(ctx, hash)
	if err != nil {
		return Identity{}, unknown(err, "look up a tracking link")
	}
	if !same(l.Hash, hash) || l.RevokedAt != nil || !s.clock.Now().Before(l.ExpiresAt) {
		return Identity{}, ErrUnauthenticated
	}
	return Identity{Role: dispatch.RoleCustomer, ID: l.ID, Order: l.Order, Expires: l.ExpiresAt}, nil
}
