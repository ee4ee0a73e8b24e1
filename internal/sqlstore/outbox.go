package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"courier/internal/outbox"
)

// post writes one outbox row. The message's id is <key>:<version>.
func (t *tx) post(topic, key string, version int64, at time.Time, body []byte) error {
	return t.postAs(key+":"+strconv.FormatInt(version, 10), topic, key, version, at, body)
}

func (t *tx) postAs(id, topic, key string, version int64, at time.Time, body []byte) error {
	_, err := t.exec("write outbox row", `INSERT INTO outbox (message_id, topic, key, version, at, body)
		VALUES ($1, $2, $3, $4, $5, $6)`, id, topic, key, version, micros(at), body)
	if err == nil {
		t.rows++
	}
	return err
}

func (s *Store) signalCommitted() {
	select {
	case s.committed <- struct{}{}:
	default: // one waits to be seen already
	}
}

// Committed implements outbox.Source.
func (s *Store) Committed() <-chan struct{} { return s.committed }

const selectPending = "SELECT id, message_id, topic, key, version, at, body FROM outbox ORDER BY id LIMIT $1"

// Pending implements outbox.Source. Several nodes may relay one outbox: they
// read the same rows and publish some twice, and a slow one may repeat an old
// message after a newer one. But the first time that each message of a key is
// published is in order, for a row is younger than all of its key before it,
// and those are in the same batch or were published before they were deleted.
// Whoever consumes them passes over versions that it has seen.
func (s *Store) Pending(ctx context.Context, limit int) ([]outbox.Row, error) {
	rows, err := collect(ctx, s.read, scanOutbox, selectPending, max(limit, 0))
	return rows, s.dialect.failed(err, "list pending outbox rows")
}

func scanOutbox(row scanner) (r outbox.Row, err error) {
	var at int64
	err = row.Scan(&r.ID, &r.Message.ID, &r.Topic, &r.Key, &r.Version, &at, &r.Body)
	r.Time = fromMicros(at)
	return r, err
}

// Done implements outbox.Source. The rows are deleted.
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
			if _, err := t.exec("delete outbox rows", "DELETE FROM outbox WHERE id BETWEEN $1 AND $2", ids[0], ids[n-1]); err != nil {
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
