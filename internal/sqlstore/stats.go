package sqlstore

import (
	"context"
	"database/sql"
	"time"
)

// mostCounted bounds how much of an outbox Backlog looks at.
const mostCounted = 100_000

// Backlog is how many rows of this node's outbox are not published yet,
// counted to 100,000, and when the first of them happened; zero: none waits.
func (s *Store) Backlog(ctx context.Context) (rows int, since time.Time, err error) {
	var at sql.NullInt64
	err = s.read.QueryRowContext(ctx, "SELECT count(*), min(at) FROM (SELECT at FROM outbox WHERE node = $1 ORDER BY id LIMIT $2) AS waiting",
		s.node, mostCounted).Scan(&rows, &at)
	if at.Valid {
		since = fromMicros(at.Int64)
	}
	return rows, since, s.dialect.failed(err, "count outbox rows")
}

// Pools are the connections to the database by what they are for: read and,
// with PostgreSQL, write.
func (s *Store) Pools() map[string]sql.DBStats {
	pools := map[string]sql.DBStats{"read": s.read.Stats()}
	if s.pool != nil {
		pools["write"] = s.pool.db.Stats()
	}
	return pools
}
