package sqlstore

import (
	"context"
	"fmt"
	"time"

	"courier/tracking"
)

// AppendTrail implements tracking.TrailStore: all chunks or none.
func (s *Store) AppendTrail(ctx context.Context, chunks []tracking.Chunk) error {
	if len(chunks) == 0 {
		return nil
	}
	if s.pool != nil {
		return s.update(ctx, func(t *tx) error { return t.appendTrails(chunks) })
	}
	return s.update(ctx, func(t *tx) error {
		for _, c := range chunks {
			_, err := t.exec(fmt.Sprintf("append trail of courier %q", c.Courier),
				"INSERT INTO trails (courier, from_at, to_at, count, data) VALUES ($1, $2, $3, $4, $5)",
				c.Courier, micros(c.From), micros(c.To), c.Count, blob(c.Data))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// appendTrails is one statement on PostgreSQL, whatever the number of chunks.
func (t *tx) appendTrails(chunks []tracking.Chunk) error {
	n := len(chunks)
	couriers, data := make([]string, n), make([][]byte, n)
	from, to, counts := make([]int64, n), make([]int64, n), make([]int64, n)
	for i, c := range chunks {
		couriers[i], data[i] = c.Courier, blob(c.Data)
		from[i], to[i], counts[i] = micros(c.From), micros(c.To), int64(c.Count)
	}
	_, err := t.exec("append trails", `INSERT INTO trails (courier, from_at, to_at, count, data)
		SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[])`, couriers, from, to, counts, data)
	return err
}

const selectTrail = `SELECT courier, from_at, to_at, count, data FROM trails
	WHERE courier = $1 AND to_at >= $2 AND from_at < $3 ORDER BY from_at, to_at, id`

// Trail implements tracking.TrailStore.
func (s *Store) Trail(ctx context.Context, courier string, from, to time.Time) ([]tracking.Chunk, error) {
	chunks, err := collect(ctx, s.read, scanChunk, selectTrail, courier, micros(from), micros(to))
	return chunks, s.dialect.failed(err, fmt.Sprintf("read trail of courier %q", courier))
}

func scanChunk(row scanner) (c tracking.Chunk, err error) {
	var from, to int64
	err = row.Scan(&c.Courier, &from, &to, &c.Count, &c.Data)
	c.From, c.To = fromMicros(from), fromMicros(to)
	return c, err
}
