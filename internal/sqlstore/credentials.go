package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"courier/dispatch"
	"courier/internal/auth"
)

const (
	keyColumns  = "id, merchant, name, hash, created_at, revoked_at"
	linkColumns = "id, order_id, hash, created_at, expires_at, revoked_at"
)

const (
	selectKeys      = "SELECT " + keyColumns + " FROM api_keys ORDER BY id"
	selectKeyByHash = "SELECT " + keyColumns + " FROM api_keys WHERE hash = $1"
	// Only PostgreSQL gathers what is asked for at once.
	selectKeysByHash = "SELECT " + keyColumns + " FROM api_keys WHERE hash = ANY($1)"
	selectLinks      = "SELECT " + linkColumns + " FROM links WHERE order_id = $1 ORDER BY id"
	selectLink       = "SELECT " + linkColumns + " FROM links WHERE hash = $1"
	selectCode       = "SELECT courier, expires_at FROM codes WHERE hash = $1"
)

// optional is how a time that may be missing is stored.
func optional(t *time.Time) sql.NullInt64 {
	if t == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: micros(*t), Valid: true}
}

func fromOptional(us sql.NullInt64) *time.Time {
	if !us.Valid {
		return nil
	}
	t := fromMicros(us.Int64)
	return &t
}

func scanKey(row scanner) (k auth.Key, err error) {
	var created int64
	var revoked sql.NullInt64
	err = row.Scan(&k.ID, &k.Merchant, &k.Name, &k.Hash, &created, &revoked)
	k.CreatedAt, k.RevokedAt = fromMicros(created), fromOptional(revoked)
	return k, err
}

// SaveKey implements auth.Store.
func (s *Store) SaveKey(ctx context.Context, k auth.Key) error {
	defer s.keys.saved()
	return s.update(ctx, func(t *tx) error {
		if len(k.Hash) == 0 {
			return fmt.Errorf("save key %q: no hash", k.ID)
		}
		_, err := t.exec(fmt.Sprintf("save key %q", k.ID), `INSERT INTO api_keys (id, merchant, name, hash, created_at, revoked_at)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO UPDATE SET merchant = excluded.merchant, name = excluded.name, hash = excluded.hash,
				created_at = excluded.created_at, revoked_at = excluded.revoked_at`,
			k.ID, k.Merchant, k.Name, k.Hash, micros(k.CreatedAt), optional(k.RevokedAt))
		return err
	})
}

// Keys implements auth.Store.
func (s *Store) Keys(ctx context.Context) ([]auth.Key, error) {
	keys, err := collect(ctx, s.read, scanKey, selectKeys)
	return keys, s.dialect.failed(err, "list keys")
}

// KeyByHash implements auth.Store.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (auth.Key, error) {
	k, there, saves := s.keys.get(hash)
	if !there {
		var err error
		if k, err = s.asked.keys.get(ctx, string(hash)); err != nil {
			return auth.Key{}, s.dialect.missing(err, "key", "")
		}
		s.keys.put(k, saves)
	}
	k.Hash = slices.Clone(k.Hash) // another's too
	return k, nil
}

func (s *Store) keysByHash(ctx context.Context, hashes []string) (map[string]auth.Key, error) {
	query, arg := selectKeyByHash, any(blob([]byte(hashes[0])))
	if len(hashes) > 1 {
		all := make([][]byte, len(hashes))
		for i, h := range hashes {
			all[i] = []byte(h)
		}
		query, arg = selectKeysByHash, all
	}
	keys, err := collect(ctx, s.read, scanKey, query, arg)
	if err != nil {
		return nil, err
	}
	found := make(map[string]auth.Key, len(keys))
	for _, k := range keys {
		found[string(k.Hash)] = k
	}
	return found, nil
}

func scanLink(row scanner) (l auth.Link, err error) {
	var created, expires int64
	var revoked sql.NullInt64
	err = row.Scan(&l.ID, &l.Order, &l.Hash, &created, &expires, &revoked)
	l.CreatedAt, l.ExpiresAt, l.RevokedAt = fromMicros(created), fromMicros(expires), fromOptional(revoked)
	return l, err
}

// SaveLink implements auth.Store. Revoking a link posts link.revoked under
// the order's key, with the link's id in the body, for open pages to end.
func (s *Store) SaveLink(ctx context.Context, l auth.Link) error {
	return s.update(ctx, func(t *tx) error {
		if len(l.Hash) == 0 {
			return fmt.Errorf("save link %q: no hash", l.ID)
		}
		var before sql.NullInt64
		err := t.q.QueryRowContext(context.Background(), "SELECT revoked_at FROM links WHERE id = $1", l.ID).Scan(&before)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return t.dialect.failed(err, fmt.Sprintf("read link %q", l.ID))
		}
		if _, err := t.exec(fmt.Sprintf("save link %q", l.ID), `INSERT INTO links (id, order_id, hash, created_at, expires_at, revoked_at)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO UPDATE SET order_id = excluded.order_id, hash = excluded.hash,
				created_at = excluded.created_at, expires_at = excluded.expires_at, revoked_at = excluded.revoked_at`,
			l.ID, l.Order, l.Hash, micros(l.CreatedAt), micros(l.ExpiresAt), optional(l.RevokedAt)); err != nil {
			return err
		}
		if l.RevokedAt == nil || before.Valid {
			return nil
		}
		body, err := json.Marshal(struct {
			ID string `json:"id"`
		}{l.ID})
		if err != nil {
			return err
		}
		return t.postAs("link:"+l.ID+":revoked", "link.revoked", l.Order, 0, *l.RevokedAt, body, "")
	})
}

// Links implements auth.Store.
func (s *Store) Links(ctx context.Context, order string) ([]auth.Link, error) {
	links, err := collect(ctx, s.read, scanLink, selectLinks, order)
	return links, s.dialect.failed(err, fmt.Sprintf("list links of order %q", order))
}

// LinkByHash implements auth.Store.
func (s *Store) LinkByHash(ctx context.Context, hash []byte) (auth.Link, error) {
	l, err := scanLink(s.read.QueryRowContext(ctx, selectLink, blob(hash)))
	if err != nil {
		return auth.Link{}, s.dialect.missing(err, "link", "")
	}
	return l, nil
}

// ShortenLinks implements auth.Store.
func (s *Store) ShortenLinks(ctx context.Context, order string, expires time.Time) error {
	return s.update(ctx, func(t *tx) error {
		_, err := t.exec(fmt.Sprintf("shorten links of order %q", order),
			"UPDATE links SET expires_at = $1 WHERE order_id = $2 AND expires_at > $1", micros(expires), order)
		return err
	})
}

// SaveCode implements auth.Store. A hash that is taken: ErrConflict.
func (s *Store) SaveCode(ctx context.Context, c auth.Code) error {
	return s.update(ctx, func(t *tx) error {
		if len(c.Hash) == 0 {
			return errors.New("save code: no hash")
		}
		n, err := t.exec("save code", "INSERT INTO codes (hash, courier, expires_at) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING",
			c.Hash, c.Courier, micros(c.ExpiresAt))
		if err == nil && n == 0 {
			return fmt.Errorf("code is taken: %w", dispatch.ErrConflict)
		}
		return err
	})
}

// TakeCode implements auth.Store.
func (s *Store) TakeCode(ctx context.Context, hash []byte) (auth.Code, error) {
	c := auth.Code{Hash: blob(hash)}
	err := s.update(ctx, func(t *tx) error {
		var expires int64
		err := t.q.QueryRowContext(context.Background(), t.forUpdate(selectCode), c.Hash).Scan(&c.Courier, &expires)
		if err != nil {
			return t.dialect.missing(err, "code", "")
		}
		c.ExpiresAt = fromMicros(expires)
		_, err = t.exec("take code", "DELETE FROM codes WHERE hash = $1", c.Hash)
		return err
	})
	if err != nil {
		return auth.Code{}, err
	}
	return c, nil
}
