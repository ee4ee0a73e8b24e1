package sqlstore

import (
	"context"
	"fmt"
	"time"

	"courier/dispatch"
)

const (
	selectLease = "SELECT token FROM leases WHERE area = $1"
	// takeLease renews the holder's own lease, or takes one that has run out.
	// The token grows with each change of hands, and when a holder was late.
	takeLease = `INSERT INTO leases (area, holder, token, expires_at) VALUES ($1, $2, 1, %[1]s + $3)
		ON CONFLICT (area) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at,
			token = leases.token + CASE WHEN leases.holder = excluded.holder AND leases.expires_at > %[1]s THEN 0 ELSE 1 END
		WHERE leases.holder = excluded.holder OR leases.expires_at <= %[1]s`
)

// Lease takes or renews a holder's lease of an area for a time, by the
// database's clock. Not ok: another holds it. Updates that depend on it
// compare its token with CheckLease. A ttl of 0 gives it back.
func (s *Store) Lease(ctx context.Context, area, holder string, ttl time.Duration) (token int64, ok bool, err error) {
	if area == "" || holder == "" || ttl < 0 {
		return 0, false, fmt.Errorf("lease of area %q for %q for %s: not possible", area, holder, ttl)
	}
	err = s.update(ctx, func(t *tx) error {
		n, err := t.exec(fmt.Sprintf("lease area %q", area), fmt.Sprintf(takeLease, t.dialect.clock), area, holder, ttl.Microseconds())
		if ok = n > 0; err != nil || !ok {
			return err
		}
		return t.dialect.failed(t.q.QueryRowContext(context.Background(), selectLease, area).Scan(&token), "read the lease's token")
	})
	if err != nil {
		return 0, false, err
	}
	return token, ok, nil
}

// CheckLease returns ErrConflict unless a token is the newest of an area. It
// locks the lease, so nobody can take it before this transaction ends: a
// node that was paused cannot write after the next one has begun.
func (t *tx) CheckLease(area string, token int64) error {
	if t.closed {
		return errTxKept
	}
	var newest int64
	err := t.q.QueryRowContext(context.Background(), selectLease+t.dialect.share, area).Scan(&newest)
	if err != nil {
		return t.missing(err, "lease", area)
	}
	if newest != token {
		return fmt.Errorf("lease %d of area %q was taken over: it is %d now: %w", token, area, newest, dispatch.ErrConflict)
	}
	return nil
}
