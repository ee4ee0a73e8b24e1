package auth

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// minSecret is the length of an HS256 key (RFC 7518, 3.2), in bytes.
const minSecret = 32

// CheckSecret says what is wrong with a secret for a real deployment.
func CheckSecret(secret []byte) error { return checkSecret(secret, false) }

func checkSecret(secret []byte, allowWeak bool) error {
	switch {
	case len(secret) == 0:
		return errors.New("is missing")
	case allowWeak:
		return nil
	case len(secret) < minSecret:
		return fmt.Errorf("%d bytes, needs %d", len(secret), minSecret)
	case wellKnown(secret):
		return errors.New("is a well-known example")
	}
	return nil
}

// wellKnown finds examples copied from a manual, and what is long without
// being random: 32 random bytes, even written as hexadecimal digits, hold
// fewer than 8 different ones once in 10^12 times.
func wellKnown(secret []byte) bool {
	var seen [256]bool
	distinct := 0
	for _, b := range secret {
		if !seen[b] {
			seen[b] = true
			distinct++
		}
	}
	if distinct < 8 {
		return true
	}
	lower := bytes.ToLower(secret)
	for _, word := range []string{
		"secret-at-least", "your-256-bit", "your_secret", "your-secret", "changeme", "change-me", "change_me", "changethis",
		"password", "courier-demo", "0123456789abcdef0123456789abcdef", "12345678901234567890", "abcdefghijklmnopqrstuvwxyz",
	} {
		if bytes.Contains(lower, []byte(word)) {
			return true
		}
	}
	return false
}

// LoadOrCreateSecret reads the secret in a file, and makes it first when
// there is none: 32 random bytes in hexadecimal, readable by the owner alone.
// Of several processes that start at once, all get the same secret.
func LoadOrCreateSecret(path string) ([]byte, error) {
	secret, err := loadSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := createSecret(path); err != nil {
		return nil, fmt.Errorf("make a secret in %s: %w", path, err)
	}
	return loadSecret(path)
}

func loadSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return nil, fmt.Errorf("read the secret: %s can be read by others (mode %04o): chmod 600 it", path, info.Mode().Perm())
	}
	raw, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	secret := bytes.TrimSpace(raw)
	if err := checkSecret(secret, false); err != nil {
		return nil, fmt.Errorf("read the secret in %s: %w", path, err)
	}
	return secret, nil
}

// createSecret writes a file of its own and links it into place: nobody ever
// sees half a secret, and whoever comes second leaves the first one's.
func createSecret(path string) (err error) {
	var raw [minSecret]byte
	_, _ = rand.Read(raw[:]) // never fails
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(tmp.Name())) }()
	_, err = tmp.WriteString(hex.EncodeToString(raw[:]) + "\n")
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	d, err := os.Open(dir) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
