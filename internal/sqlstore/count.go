package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"courier/dispatch"
)

// CountOrders implements dispatch.OrderReader.
func (s *Store) CountOrders(ctx context.Context, q dispatch.OrderQuery) (n int, err error) {
	q.Cursor = ""
	l, err := s.dialect.ordersList(q)
	if err != nil {
		return 0, err
	}
	l.columns = "1"
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM ("+l.whole()+") AS found", l.args...).Scan(&n)
	return n, s.dialect.failed(err, "count orders")
}

// EachOrder implements dispatch.OrderReader.
func (s *Store) EachOrder(ctx context.Context, q dispatch.OrderQuery, fn func(dispatch.Order) error) (err error) {
	q.Cursor = ""
	l, err := s.dialect.ordersList(q)
	if err != nil {
		return err
	}
	rows, err := s.read.QueryContext(ctx, l.whole(), l.args...)
	if err != nil {
		return s.dialect.failed(err, "read orders one by one")
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		o, err := scanOrder(rows)
		if err != nil {
			return err
		}
		if err := fn(o); err != nil {
			return err
		}
	}
	return s.dialect.failed(rows.Err(), "read orders one by one")
}

// byIDs runs a SELECT whose %s stands for being one of the ids.
func byIDs[T any](ctx context.Context, s *Store, ids []string, scan func(scanner) (T, error), query string) ([]T, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return collect(ctx, s.read, scan, fmt.Sprintf(query, s.dialect.anyOf("$1")), s.dialect.texts(ids))
}

const (
	selectOrders   = "SELECT " + orderColumns + " FROM orders WHERE id%s ORDER BY id"
	selectCouriers = "SELECT " + courierColumns + " FROM couriers WHERE id%s ORDER BY id"
	selectVersions = "SELECT id, version FROM orders WHERE id%s"
)

// OrdersByID implements dispatch.OrderReader.
func (s *Store) OrdersByID(ctx context.Context, ids []string) ([]dispatch.Order, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(ids) == 1 {
		return listOf(s.Order(ctx, ids[0]))
	}
	all, err := byIDs(ctx, s, ids, scanOrder, selectOrders)
	return all, s.dialect.failed(err, "read orders")
}

// CouriersByID implements dispatch.CourierReader.
func (s *Store) CouriersByID(ctx context.Context, ids []string) ([]dispatch.Courier, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(ids) == 1 {
		return listOf(s.Courier(ctx, ids[0]))
	}
	all, err := byIDs(ctx, s, ids, scanCourier, selectCouriers)
	return all, s.dialect.failed(err, "read couriers")
}

// Versions implements dispatch.OrderReader.
func (s *Store) Versions(ctx context.Context, ids []string) (map[string]int64, error) {
	type version struct {
		id string
		n  int64
	}
	all, err := byIDs(ctx, s, ids, func(row scanner) (v version, err error) {
		return v, row.Scan(&v.id, &v.n)
	}, selectVersions)
	if err != nil {
		return nil, s.dialect.failed(err, "read order versions")
	}
	versions := make(map[string]int64, len(all))
	for _, v := range all {
		versions[v.id] = v.n
	}
	return versions, nil
}
