package auth

import (
	"context"
	"fmt"

	"courier/dispatch"
)

// CreateKey makes an API key for a merchant. The plain key is returned here
// and nowhere else.
func (s *Service) CreateKey(ctx context.Context, merchant, name string) (Key, string, error) {
	plain, hash, err := s.secret(keyPrefix)
	if err != nil {
		return Key{}, "", err
	}
	k := Key{ID: s.newID(), Merchant: merchant, Name: name, Hash: hash, CreatedAt: s.clock.Now()}
	if err := s.store.SaveKey(ctx, k); err != nil {
		return Key{}, "", fmt.Errorf("save an API key: %w", err)
	}
	return k, plain, nil
}

// ListKeys returns all keys, revoked ones too, by id.
func (s *Service) ListKeys(ctx context.Context) ([]Key, error) {
	keys, err := s.store.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list API keys: %w", err)
	}
	return keys, nil
}

// RevokeKey voids a key from now on; to revoke one again changes nothing. An
// unknown id is dispatch.ErrNotFound.
func (s *Service) RevokeKey(ctx context.Context, id string) error {
	keys, err := s.ListKeys(ctx)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.ID != id {
			continue
		}
		if k.RevokedAt != nil {
			return nil
		}
		now := s.clock.Now()
		k.RevokedAt = &now
		if err := s.store.SaveKey(ctx, k); err != nil {
			return fmt.Errorf("revoke API key %s: %w", id, err)
		}
		return nil
	}
	return fmt.Errorf("API key %s: %w", id, dispatch.ErrNotFound)
}

func (s *Service) checkKey(ctx context.Context, bearer string) (Identity, error) {
	hash := hashOf(bearer)
	k, err := s.store.KeyByHash(ctx, hash)
	if err != nil {
		return Identity{}, unknown(err, "look up an API key")
	}
	if !same(k.Hash, hash) || k.RevokedAt != nil || k.Merchant == "" {
		return Identity{}, ErrUnauthenticated
	}
	return Identity{Role: dispatch.RoleMerchant, ID: k.Merchant}, nil
}
