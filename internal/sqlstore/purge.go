package sqlstore

import (
	"context"
	"fmt"
	"time"
)

// purgeStep is how many rows one transaction deletes: a few milliseconds,
// for others wait behind it.
const purgeStep = 500

// purges are the statements of Purge. Published outbox rows are not among
// them: Done deletes those at once.
var purges = []string{
	"DELETE FROM answers WHERE (scope, key) IN (SELECT scope, key FROM answers WHERE at < $1 LIMIT $2)",
	"DELETE FROM decisions WHERE (order_id, seq) IN (SELECT order_id, seq FROM decisions WHERE at < $1 LIMIT $2)",
	"DELETE FROM nodes WHERE node IN (SELECT node FROM nodes WHERE expires_at < $1 LIMIT $2)",
	"DELETE FROM codes WHERE hash IN (SELECT hash FROM codes WHERE expires_at < $1 LIMIT $2)",
}

// Purge implements dispatch.Store; sign-in codes that expired before the
// time go too. It works in small steps and may end half-way.
func (s *Store) Purge(ctx context.Context, before time.Time) error {
	for _, statement := range purges {
		for more := true; more; {
			err := s.update(ctx, func(t *tx) error {
				n, err := t.exec("purge", statement, micros(before), purgeStep)
				more = n == purgeStep
				return err
			})
			if err != nil {
				return fmt.Errorf("purge what is older than %s: %w", before.Format(time.RFC3339), err)
			}
		}
	}
	return nil
}
