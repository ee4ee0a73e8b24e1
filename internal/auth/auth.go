package auth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"courier/dispatch"
	"courier/internal/clock"
)

// Config is how credentials are made and checked. A zero duration or name
// takes its default.
type Config struct {
	Secret          []byte        // signs tokens and hashes codes: at least 32 random bytes
	AllowWeakSecret bool          // for a demo: take any secret that is not empty
	Issuer          string        // of tokens; default "courier"
	Audience        string        // of tokens; default "courier"
	StaffTTL        time.Duration // of a staff token; default 12 h
	CourierTTL      time.Duration // of a courier's token; default 30 days
	LinkTTL         time.Duration // of a tracking link; default 72 h
	LinkGrace       time.Duration // how long a link outlives its order's end; default 24 h
	MaxTTL          time.Duration // the longest that anyone may ask for; default 366 days
	CodeTTL         time.Duration // of a sign-in code; default 15 minutes
}

func (c *Config) defaults() {
	c.Issuer = cmp.Or(c.Issuer, "courier")
	c.Audience = cmp.Or(c.Audience, "courier")
	c.StaffTTL = cmp.Or(c.StaffTTL, 12*time.Hour)
	c.CourierTTL = cmp.Or(c.CourierTTL, 30*24*time.Hour)
	c.LinkTTL = cmp.Or(c.LinkTTL, 72*time.Hour)
	c.LinkGrace = cmp.Or(c.LinkGrace, 24*time.Hour)
	c.MaxTTL = cmp.Or(c.MaxTTL, 366*24*time.Hour)
	c.CodeTTL = cmp.Or(c.CodeTTL, 15*time.Minute)
}

func (c *Config) validate() error {
	var errs []error
	if err := checkSecret(c.Secret, c.AllowWeakSecret); err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", "Secret", err))
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"StaffTTL", c.StaffTTL}, {"CourierTTL", c.CourierTTL}, {"LinkTTL", c.LinkTTL}, {"LinkGrace", c.LinkGrace}, {"CodeTTL", c.CodeTTL},
	} {
		if d.value < 0 || d.value > c.MaxTTL {
			errs = append(errs, fmt.Errorf("%s: %v is not between 0 and MaxTTL (%v)", d.name, d.value, c.MaxTTL))
		}
	}
	return errors.Join(errs...)
}

// Service makes, checks and revokes credentials. It keeps nothing in memory,
// so a revocation holds from the moment it is stored, on every node.
type Service struct {
	config Config
	store  Store
	clock  clock.Clock
	newID  func() string
	random io.Reader
	tokens tokens
}

// New checks the configuration and reports every fault of it at once. random
// is where secrets come from: crypto/rand.Reader outside of tests. To do
// nothing but sign tokens it needs no store and no newID.
func New(c Config, store Store, clk clock.Clock, newID func() string, random io.Reader) (*Service, error) {
	c.defaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	s := &Service{config: c, store: store, clock: clk, newID: newID, random: random}
	s.tokens = newTokens(c, clk.Now)
	return s, nil
}

// Prefixes of the credentials that are no signed tokens.
const (
	keyPrefix  = "ck_"
	linkPrefix = "ct_"
)

// maxBearer is longer than any credential that was ever handed out.
const maxBearer = 2048

// Check says who speaks with a credential: what follows "Bearer ". The error
// is ErrUnauthenticated, or the store's.
func (s *Service) Check(ctx context.Context, bearer string) (Identity, error) {
	switch {
	case bearer == "" || len(bearer) > maxBearer:
		return Identity{}, ErrUnauthenticated
	case strings.HasPrefix(bearer, keyPrefix):
		return s.checkKey(ctx, bearer)
	case strings.HasPrefix(bearer, linkPrefix):
		return s.checkLink(ctx, bearer)
	default:
		return s.checkToken(ctx, bearer)
	}
}

func (s *Service) checkToken(ctx context.Context, bearer string) (Identity, error) {
	who, err := s.tokens.parse(bearer)
	if err != nil {
		return Identity{}, err
	}
	if who.Role != dispatch.RoleCourier {
		return who, nil
	}
	epoch, err := s.store.Epoch(ctx, who.ID)
	if err != nil {
		return Identity{}, unknown(err, "read a courier's session")
	}
	if epoch != who.Epoch {
		return Identity{}, ErrUnauthenticated
	}
	return who, nil
}

// secret makes 256 random bits and what is stored of them. They need no slow
// hash: nobody guesses 256 bits.
func (s *Service) secret(prefix string) (plain string, hash []byte, err error) {
	var raw [32]byte
	if _, err := io.ReadFull(s.random, raw[:]); err != nil {
		return "", nil, fmt.Errorf("make a secret: %w", err)
	}
	plain = prefix + base64.RawURLEncoding.EncodeToString(raw[:])
	return plain, hashOf(plain), nil
}

func hashOf(plain string) []byte {
	sum := sha256.Sum256([]byte(plain))
	return sum[:]
}

// same compares what the store found with what was asked for, so that a
// store which matches loosely lets nobody in.
func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// unknown makes ErrUnauthenticated of a lookup that found nothing, and leaves
// a store's failure a failure.
func unknown(err error, doing string) error {
	if errors.Is(err, dispatch.ErrNotFound) {
		return ErrUnauthenticated
	}
	return fmt.Errorf("%s: %w", doing, err)
}
