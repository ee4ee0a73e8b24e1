package auth_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"courier/dispatch"
	"courier/internal/auth"
)

// memory is a Store for tests of one goroutine.
type memory struct {
	keys   map[string]auth.Key
	links  map[string]auth.Link
	codes  map[string]auth.Code
	epochs map[string]int64
	down   error

	shortened int // calls
}

func newMemory() *memory {
	return &memory{keys: map[string]auth.Key{}, links: map[string]auth.Link{}, codes: map[string]auth.Code{}, epochs: map[string]int64{}}
}

func (m *memory) SaveKey(_ context.Context, k auth.Key) error {
	m.keys[k.ID] = k
	return m.down
}

func (m *memory) Keys(context.Context) ([]auth.Key, error) {
	var out []auth.Key
	for _, id := range slices.Sorted(maps.Keys(m.keys)) {
		out = append(out, m.keys[id])
	}
	return out, m.down
}

func (m *memory) KeyByHash(_ context.Context, hash []byte) (auth.Key, error) {
	for _, k := range m.keys {
		if bytes.Equal(k.Hash, hash) {
			return k, m.down
		}
	}
	return auth.Key{}, orMissing(m.down)
}

func (m *memory) SaveLink(_ context.Context, l auth.Link) error {
	m.links[l.ID] = l
	return m.down
}

func (m *memory) Links(_ context.Context, order string) ([]auth.Link, error) {
	var out []auth.Link
	for _, id := range slices.Sorted(maps.Keys(m.links)) {
		if m.links[id].Order == order {
			out = append(out, m.links[id])
		}
	}
	return out, m.down
}

func (m *memory) LinkByHash(_ context.Context, hash []byte) (auth.Link, error) {
	for _, l := range m.links {
		if bytes.Equal(l.Hash, hash) {
			return l, m.down
		}
	}
	return auth.Link{}, orMissing(m.down)
}

func (m *memory) ShortenLinks(_ context.Context, order string, expires time.Time) error {
	m.shortened++
	for id, l := range m.links {
		if l.Order == order && l.ExpiresAt.After(expires) {
			l.ExpiresAt = expires
			m.links[id] = l
		}
	}
	return m.down
}

func (m *memory) SaveCode(_ context.Context, c auth.Code) error {
	m.codes[string(c.Hash)] = c
	return m.down
}

func (m *memory) TakeCode(_ context.Context, hash []byte) (auth.Code, error) {
	c, ok := m.codes[string(hash)]
	if !ok || m.down != nil {
		return auth.Code{}, orMissing(m.down)
	}
	delete(m.codes, string(hash))
	return c, nil
}

func (m *memory) Epoch(_ context.Context, courier string) (int64, error) {
	epoch, ok := m.epochs[courier]
	if !ok || m.down != nil {
		return 0, orMissing(m.down)
	}
	return epoch, nil
}

func orMissing(down error) error {
	if down != nil {
		return down
	}
	return dispatch.ErrNotFound
}
