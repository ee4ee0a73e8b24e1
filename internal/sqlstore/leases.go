package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"courier/dispatch"
)

// Both statements of Leases take the node, the run, how long and the areas.
// They renew what this run holds, and take, with the next token, what is
// free, has run out or an older run of the node holds.

const sqliteLease = `INSERT INTO leases (area, node, run, token, expires_at)
	SELECT value, $1, $2, 1, %[1]s + $3 FROM json_each($4) WHERE true
	ON CONFLICT (area) DO UPDATE SET node = excluded.node, run = excluded.run, expires_at = excluded.expires_at,
		token = leases.token + CASE WHEN leases.node = excluded.node AND leases.run = excluded.run AND leases.expires_at > %[1]s THEN 0 ELSE 1 END
	WHERE leases.node = excluded.node AND leases.run <= excluded.run OR leases.expires_at <= %[1]s
	RETURNING area, token`

// postgresLease waits for nobody. Renewing leaves the key (area, token) as it
// is, so it goes on beside transactions that have compared the token and not
// ended. Taking over would break their promise: such a lease is passed over
// until the next time, so that a node that was paused in a transaction keeps
// its own areas back at most, not all others. Two that insert one area at once
// may meet in either unique index.
const postgresLease = `WITH asked AS MATERIALIZED (SELECT area, %[1]s AS now FROM unnest($4::text[]) AS area),
	renewed AS (
		UPDATE leases l SET expires_at = asked.now + $3::bigint FROM asked
		WHERE l.area = asked.area AND l.node = $1::text AND l.run = $2::text AND l.expires_at > asked.now
		RETURNING l.area, l.token),
	free AS (
		SELECT l.area, asked.now FROM leases l JOIN asked ON l.area = asked.area
		WHERE l.expires_at <= asked.now OR l.node = $1::text AND l.run < $2::text
		FOR UPDATE OF l SKIP LOCKED),
	taken AS (
		UPDATE leases l SET node = $1::text, run = $2::text, token = l.token + 1, expires_at = free.now + $3::bigint FROM free
		WHERE l.area = free.area
		RETURNING l.area, l.token),
	first AS (
		INSERT INTO leases (area, node, run, token, expires_at)
		SELECT area, $1::text, $2::text, 1, now + $3::bigint FROM asked
		WHERE NOT EXISTS (SELECT 1 FROM leases l WHERE l.area = asked.area) ORDER BY area
		ON CONFLICT DO NOTHING
		RETURNING area, token)
	SELECT area, token FROM renewed UNION ALL SELECT area, token FROM taken UNION ALL SELECT area, token FROM first`

const (
	selectLease = "SELECT token FROM leases WHERE area = $1"
	giveBack    = "UPDATE leases SET expires_at = %s WHERE node = $1 AND run = $2 AND area"
)

// jsonTexts is how SQLite takes a list of texts.
func jsonTexts(texts []string) any {
	raw, err := json.Marshal(texts)
	if err != nil {
		panic(err) // texts always have a JSON
	}
	return string(raw)
}

// Leases implements dispatch.Store. Updates that depend on a lease compare
// its token with CheckLease.
func (s *Store) Leases(ctx context.Context, h dispatch.Holder, areas []string, ttl time.Duration) (map[string]int64, error) {
	if h.Node == "" || h.Run == "" || ttl < 0 || slices.Contains(areas, "") {
		return nil, fmt.Errorf("lease areas %q for %+v for %s: not possible", areas, h, ttl)
	}
	areas = slices.Compact(slices.Sorted(slices.Values(areas)))
	if len(areas) == 0 {
		return map[string]int64{}, nil
	}
	var tokens map[string]int64
	err := s.update(ctx, func(t *tx) error {
		tokens = map[string]int64{}
		d := t.dialect
		if ttl == 0 {
			_, err := t.exec("give areas back", fmt.Sprintf(giveBack, d.clock)+d.anyOf("$3"), h.Node, h.Run, d.texts(areas))
			return err
		}
		_, err := returning(t, func(row scanner) (_ struct{}, err error) {
			var area string
			var token int64
			err = row.Scan(&area, &token)
			tokens[area] = token
			return struct{}{}, err
		}, "lease areas", fmt.Sprintf(d.lease, d.clock), h.Node, h.Run, ttl.Microseconds(), d.texts(areas))
		return err
	})
	if err != nil {
		return nil, err
	}
	return tokens, nil
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

const (
	saveBeat = `INSERT INTO nodes (node, expires_at) VALUES ($1, %s + $2)
		ON CONFLICT (node) DO UPDATE SET expires_at = excluded.expires_at`
	selectAlive = "SELECT node FROM nodes WHERE expires_at > (SELECT %s)"
)

func scanText(row scanner) (text string, err error) { return text, row.Scan(&text) }

// Beat implements dispatch.Store.
func (s *Store) Beat(ctx context.Context, node string, ttl time.Duration) (alive []string, err error) {
	if node == "" || ttl < 0 {
		return nil, errors.New("a beat of no node, or for less than no time")
	}
	err = s.update(ctx, func(t *tx) error {
		if ttl == 0 {
			_, err = t.exec("leave the nodes", "DELETE FROM nodes WHERE node = $1", node)
		} else {
			_, err = t.exec("beat", fmt.Sprintf(saveBeat, t.dialect.clock), node, ttl.Microseconds())
		}
		if err != nil {
			return err
		}
		alive, err = collect(context.Background(), t.q, scanText, fmt.Sprintf(selectAlive, t.dialect.clock))
		return t.dialect.failed(err, "list the nodes")
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(alive)
	return alive, nil
}

// selectAreas looks each area up, whatever the number of orders.
const selectAreas = `WITH RECURSIVE areas (area) AS (
		SELECT min(area) FROM orders WHERE terminal = 0 AND area > ''
		UNION ALL
		SELECT (SELECT min(o.area) FROM orders o WHERE o.terminal = 0 AND o.area > areas.area) FROM areas WHERE areas.area IS NOT NULL
	)
	SELECT area FROM areas WHERE EXISTS (SELECT 1 FROM orders w
		WHERE w.terminal = 0 AND w.area = areas.area AND w.status IN ('placed', 'searching'))`

// Areas implements dispatch.Store.
func (s *Store) Areas(ctx context.Context) ([]string, error) {
	areas, err := collect(ctx, s.read, scanText, selectAreas)
	slices.Sort(areas)
	return areas, s.dialect.failed(err, "list areas")
}
