// Package auth says who is speaking: signed tokens for staff and couriers,
// API keys for merchants, secrets for tracking links, one-time codes for
// couriers signing in. It stores hashes only.
//
//	credential → Authenticator.Check → Identity
package auth

import (
	"context"
	"errors"
	"time"

	"courier/dispatch"
)

// ErrUnauthenticated says that a credential is unknown, wrong, expired or
// revoked, and deliberately not which.
var ErrUnauthenticated = errors.New("unauthenticated")

// Identity is who is speaking.
type Identity struct {
	Role    dispatch.Role
	ID      string    // subject, courier, merchant; for a customer the link's id
	Order   string    // customers: the one they may see
	Epoch   int64     // couriers: the session
	Expires time.Time // zero: never
}

// Actor is the identity as events name it.
func (i Identity) Actor() dispatch.Actor { return dispatch.Actor{Role: i.Role, ID: i.ID} }

// Key is a merchant's API key.
type Key struct {
	ID        string     `json:"id"`
	Merchant  string     `json:"merchant"`
	Name      string     `json:"name,omitempty"`
	Hash      []byte     `json:"-"`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

// Link is a customer's tracking link.
type Link struct {
	ID        string     `json:"id"`
	Order     string     `json:"-"`
	Hash      []byte     `json:"-"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

// Code is a courier's one-time sign-in code.
type Code struct {
	Hash      []byte
	Courier   string
	ExpiresAt time.Time
}

// Store keeps credentials. Lookups by hash return dispatch.ErrNotFound.
type Store interface {
	SaveKey(ctx context.Context, k Key) error // new, or revoked
	Keys(ctx context.Context) ([]Key, error)  // by id
	KeyByHash(ctx context.Context, hash []byte) (Key, error)
	SaveLink(ctx context.Context, l Link) error
	Links(ctx context.Context, order string) ([]Link, error) // by id
	LinkByHash(ctx context.Context, hash []byte) (Link, error)
	// ShortenLinks makes an order's links expire at a time, but for those that
	// do so earlier, in one commit.
	ShortenLinks(ctx context.Context, order string, expires time.Time) error
	SaveCode(ctx context.Context, c Code) error
	// TakeCode returns the code and deletes it, so that it works once.
	TakeCode(ctx context.Context, hash []byte) (Code, error)
	// Epoch is a courier's session number.
	Epoch(ctx context.Context, courier string) (int64, error)
}
