package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"time"
)

// codeSpace is how many codes there are: 8 digits.
const codeSpace = 100_000_000

// CreateCode makes a one-time sign-in code for a courier. The caller has seen
// that the courier exists.
func (s *Service) CreateCode(ctx context.Context, courier string) (code string, expires time.Time, err error) {
	n, err := rand.Int(s.random, big.NewInt(codeSpace))
	if err != nil {
		return "", time.Time{}, fmt.Errorf("make a sign-in code: %w", err)
	}
	code = fmt.Sprintf("%08d", n)
	expires = s.clock.Now().Add(s.config.CodeTTL)
	if err := s.store.SaveCode(ctx, Code{Hash: s.codeHash(code), Courier: courier, ExpiresAt: expires}); err != nil {
		return "", time.Time{}, fmt.Errorf("save a sign-in code: %w", err)
	}
	return code, expires, nil
}

// TakeCode uses up a code and says whose it was. The error is
// ErrUnauthenticated, or the store's. A code can be guessed in 100 million
// tries: callers limit how often it is asked.
func (s *Service) TakeCode(ctx context.Context, code string) (courier string, err error) {
	if !eightDigits(code) {
		return "", ErrUnauthenticated
	}
	hash := s.codeHash(code)
	c, err := s.store.TakeCode(ctx, hash)
	if err != nil {
		return "", unknown(err, "look up a sign-in code")
	}
	if !same(c.Hash, hash) || !s.clock.Now().Before(c.ExpiresAt) {
		return "", ErrUnauthenticated
	}
	return c.Courier, nil
}

// codeHash is keyed: a plain hash of 8 digits is undone in a second by
// whoever reads the table.
func (s *Service) codeHash(code string) []byte {
	mac := hmac.New(sha256.New, s.config.Secret)
	mac.Write([]byte("courier sign-in code\x00" + code)) // never fails
	return mac.Sum(nil)
}

func eightDigits(code string) bool {
	if len(code) != 8 {
		return false
	}
	for _, c := range []byte(code) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
