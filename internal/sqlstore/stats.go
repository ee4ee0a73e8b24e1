package sqlstore

import (
	"context"
	"database/sql"
)

// mostCounted bounds how much of an outbox Backlog looks at.
const mostCounted = 100_000

// Backlog is how many rows of this node's outbox are not published yet,
// counted to 100,000.
func (s *Store) Backlog(ctx context.Context) (rows int, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE node = $1 LIMIT $2) AS waiting",
		s.node, mostCounted).Scan(&rows)
	return rows, s.dialect.failed(err, "count outbox rows")
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
