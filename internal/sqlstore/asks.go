package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"courier/dispatch"
	"courier/internal/auth"
	"courier/internal/gather"
)

// questions are reads by key that share statements.
type questions struct {
	orders   *asks[string, orderRow]
	couriers *asks[string, courierRow]
	offers   *asks[string, offerRow]
	events   *asks[since, []eventRow]
	keys     *asks[string, auth.Key] // by hash
}

func newQuestions(s *Store) *questions {
	return &questions{
		orders:   byID(s, scanOrderRow, func(r orderRow) string { return r.columns.ID }, orderColumns, "orders"),
		couriers: byID(s, scanCourierRow, func(r courierRow) string { return r.columns.ID }, courierColumns, "couriers"),
		offers:   byID(s, scanOfferRow, func(r offerRow) string { return r.columns.ID }, offerColumns, "offers"),
		events:   newAsks(s.dialect.asks, s.eventsSince),
		keys:     newAsks(s.dialect.asks, s.keysByHash),
	}
}

// row is what a row tells: some columns, and a document that is yet to be
// decoded.
type row[T any] interface{ value() (T, error) }

// decoded is what a row tells, decoded as it is scanned.
func decoded[T any, R row[T]](from scanner, scan func(scanner) (R, error)) (T, error) {
	r, err := scan(from)
	if err != nil {
		var none T
		return none, err
	}
	return r.value()
}

// ask reads what has this kind and id.
func ask[T any, R row[T]](ctx context.Context, s *Store, of *asks[string, R], kind, id string) (T, error) {
	r, err := of.get(ctx, id)
	if err != nil {
		var none T
		return none, s.dialect.missing(err, kind, id)
	}
	return r.value()
}

// listOf is a list of the one that has an id, or empty.
func listOf[T any](one T, err error) ([]T, error) {
	switch {
	case errors.Is(err, dispatch.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []T{one}, nil
}

// byID asks a table for rows by its primary key.
func byID[R any](s *Store, scan func(scanner) (R, error), id func(R) string, columns, table string) *asks[string, R] {
	query := fmt.Sprintf("SELECT %s FROM %s WHERE id", columns, table)
	each, all := query+" = $1", query+s.dialect.anyOf("$1")
	return newAsks(s.dialect.asks, func(ctx context.Context, ids []string) (map[string]R, error) {
		query, arg := each, any(ids[0])
		if len(ids) > 1 {
			query, arg = all, s.dialect.texts(ids)
		}
		rows, err := collect(ctx, s.read, scan, query, arg)
		if err != nil {
			return nil, err
		}
		found := make(map[string]R, len(rows))
		for _, r := range rows {
			found[id(r)] = r
		}
		return found, nil
	})
}

// asks gathers reads by key.
type asks[K comparable, R any] struct {
	trips *gather.Trips[*asking[K, R]]
}

// asking is one read. What is found may be another's too: a row as the
// database has it, which each decodes for itself.
type asking[K comparable, R any] struct {
	key   K
	found map[K]R
	err   error
}

const (
	askGroup   = 128              // most asks in one statement
	askTimeout = 10 * time.Second // of one that is shared
)

// newAsks has so many statements under way at a time.
func newAsks[K comparable, R any](lanes int, read func(ctx context.Context, keys []K) (map[K]R, error)) *asks[K, R] {
	return &asks[K, R]{gather.NewTrips(lanes, askGroup, askTimeout, func(ctx context.Context, all []*asking[K, R]) {
		keys, asked := make([]K, 0, len(all)), map[K]bool{}
		for _, one := range all {
			if !asked[one.key] {
				asked[one.key] = true
				keys = append(keys, one.key)
			}
		}
		found, err := read(ctx, keys)
		for _, one := range all {
			one.found, one.err = found, err
		}
	})}
}

// get finds what there is by a key, else sql.ErrNoRows.
func (a *asks[K, R]) get(ctx context.Context, key K) (r R, err error) {
	found, err := a.find(ctx, key)
	if err != nil {
		return r, err
	}
	r, ok := found[key]
	if !ok {
		err = sql.ErrNoRows
	}
	return r, err
}

func (a *asks[K, R]) find(ctx context.Context, key K) (map[K]R, error) {
	one := &asking[K, R]{key: key}
	if err := a.trips.Join(ctx, one); err != nil {
		return nil, err
	}
	return one.found, one.err
}
