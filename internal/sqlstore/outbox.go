package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"courier/internal/outbox"
)

// post writes one outbox row.
func (t *tx) post(topic, key string, version int64, at time.Time, body []byte, parent string) error {
	return t.postAs(messageID(key, version), topic, key, version, at, body, parent)
}

func messageID(key string, version int64) string { return key + ":" + strconv.FormatInt(version, 10) }

func (t *tx) postAs(id, topic, key string, version int64, at time.Time, body []byte, parent string) error {
	t.rows++
	return t.later(write{
		attempted: "write outbox row",
		query: `INSERT INTO outbox (message_id, topic, key, version, at, body, node, trace_parent)
			VALUES ($1, $2, $3, $4, $5, $6, $7, NULLIF($8, ''))`,
		args: []any{id, topic, key, version, micros(at), body, t.node, parent},
	})
}

func (s *Store) signalCommitted() {
	select {
	case s.committed <- struct{}{}:
	default: // one waits to be seen already
	}
}

// Committed implements outbox.Source.
func (s *Store) Committed() <-chan struct{} { return s.committed }

const selectPending = `SELECT id, message_id, topic, key, version, at, body, COALESCE(trace_parent, '') FROM outbox
	WHERE node = $1 ORDER BY id LIMIT $2`

// Pending implements outbox.Source. The rows of a key that one node wrote are
// in order among themselves, for each was written under the lock of what the
// key names, and so has a higher id than those before it.
func (s *Store) Pending(ctx context.Context, limit int) ([]outbox.Row, error) {
	rows, err := collect(ctx, s.read, scanOutbox, selectPending, s.node, max(limit, 0))
	return rows, s.dialect.failed(err, "list pending outbox rows")
}

// selectDead are the owners of rows that live no more: each owner is looked
// up once, whatever the number of rows.
const selectDead = `WITH RECURSIVE owners (node) AS (
		SELECT min(node) FROM outbox
		UNION ALL
		SELECT (SELECT min(o.node) FROM outbox o WHERE o.node > owners.node) FROM owners WHERE owners.node IS NOT NULL
	)
	SELECT owners.node FROM owners
	WHERE owners.node <> $1 AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.node = owners.node AND n.expires_at > %s)`

// Live implements outbox.Source. A SQLite file has one node: nobody asks.
func (s *Store) Live(ctx context.Context, ttl time.Duration) error {
	if s.pool == nil {
		return nil
	}
	_, err := s.Beat(ctx, s.node, ttl)
	return err
}

// Adopt implements outbox.Source. One that comes to life again meanwhile finds
// its rows adopted: they are published once more at worst.
func (s *Store) Adopt(ctx context.Context) (rows int, err error) {
	dead, err := collect(ctx, s.read, scanText, fmt.Sprintf(selectDead, s.dialect.clock), s.node)
	if err != nil || len(dead) == 0 {
		return 0, s.dialect.failed(err, "look for outbox rows that nobody publishes")
	}
	err = s.update(ctx, func(t *tx) error {
		for _, owner := range dead {
			n, err := t.exec("adopt outbox rows", "UPDATE outbox SET node = $1 WHERE node = $2", t.node, owner)
			if err != nil {
				return err
			}
			rows += int(n)
		}
		return nil
	})
	return rows, err
}

func scanOutbox(row scanner) (r outbox.Row, err error) {
	var at int64
	err = row.Scan(&r.ID, &r.Message.ID, &r.Topic, &r.Key, &r.Version, &at, &r.Body, &r.Trace)
	r.Time = fromMicros(at)
	return r, err
}

const deleteDone = "DELETE FROM outbox WHERE node = $1 AND id BETWEEN $2 AND $3"

// Done implements outbox.Source. The rows are deleted; those that another
// node has adopted meanwhile are that one's to publish and to delete.
func (s *Store) Done(ctx context.Context, rows []int64) error {
	if len(rows) == 0 {
		return nil
	}
	ids := slices.Sorted(slices.Values(rows))
	err := s.update(ctx, func(t *tx) error {
		for len(ids) > 0 {
			n := 1 // ids that follow one another go at once
			for n < len(ids) && ids[n] <= ids[n-1]+1 {
				n++
			}
			if _, err := t.exec("delete outbox rows", deleteDone, t.node, ids[0], ids[n-1]); err != nil {
				return err
			}
			ids = ids[n:]
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("mark %d outbox rows done: %w", len(rows), err)
	}
	return nil
}
