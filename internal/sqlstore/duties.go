package sqlstore

import (
	"context"
	"fmt"
	"time"

	"courier/dispatch"
)

const selectDuties = `SELECT courier, version, duty, at FROM duties
	WHERE courier = $1 AND at >= COALESCE(
		(SELECT at FROM duties WHERE courier = $1 AND at <= $2 ORDER BY at DESC LIMIT 1), $2) AND at < $3
	ORDER BY at, version`

// Duties implements dispatch.CourierReader.
func (s *Store) Duties(ctx context.Context, courier string, from, to time.Time) ([]dispatch.DutyChange, error) {
	changes, err := collect(ctx, s.read, func(row scanner) (d dispatch.DutyChange, err error) {
		var at int64
		err = row.Scan(&d.Courier, &d.Version, &d.Duty, &at)
		d.At = fromMicros(at)
		return d, err
	}, selectDuties, courier, micros(from), micros(to))
	return changes, s.dialect.failed(err, fmt.Sprintf("read duties of courier %q", courier))
}

// SaveDuty implements dispatch.Tx.
func (t *tx) SaveDuty(d dispatch.DutyChange) error {
	if err := t.use("courier", d.Courier); err != nil {
		return err
	}
	w := write{
		attempted: fmt.Sprintf("save duty of courier %q", d.Courier),
		query: `INSERT INTO duties (courier, at, version, duty)
			VALUES ($1, $2, $3, $4) ON CONFLICT (courier, at, version) DO NOTHING`,
		args: []any{d.Courier, micros(d.At), d.Version, string(d.Duty)},
		none: func() error {
			return fmt.Errorf("the duty of courier %q at version %d is known: %w", d.Courier, d.Version, dispatch.ErrConflict)
		},
	}
	if is, read := t.vers[d.Courier]; read && is == d.Version { // saved just now: no other has this version
		return t.later(w)
	}
	return t.atOnce(w)
}
