package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"courier/dispatch"
)

// CountOrders implements dispatch.OrderReader.
func (s *Store) CountOrders(ctx context.Context, q dispatch.OrderQuery) (n int, err error) {
	q.Cursor = ""
	l, err := s.dialect.ordersList(q)
	if err != nil {
		return 0, err
	}
	l.columns = "count(*)"
	err = s.read.QueryRowContext(ctx, l.whole(), l.args...).Scan(&n)
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

// byIDs runs a SELECT for the ids that stand for its %s, in parts: the
// number of parameters is bounded, and a power of two, so that there are few
// statements to prepare.
func byIDs[T any](ctx context.Context, q querier, ids []string, scan func(scanner) (T, error), query string) ([]T, error) {
	const part = 512
	var all []T
	for len(ids) > 0 {
		some := ids[:min(part, len(ids))]
		ids = ids[len(some):]
		var l list
		names := make([]string, 1<<bits.Len(uint(len(some)-1)))
		for i := range names {
			names[i] = l.arg(some[min(i, len(some)-1)])
		}
		got, err := collect(ctx, q, scan, fmt.Sprintf(query, strings.Join(names, ", ")), l.args...)
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
	}
	return all, nil
}

// OrdersByID implements dispatch.OrderReader.
func (s *Store) OrdersByID(ctx context.Context, ids []string) ([]dispatch.Order, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(ids) == 1 {
		return listOf(s.Order(ctx, ids[0]))
	}
	all, err := byIDs(ctx, s.read, ids, scanOrder, "SELECT "+orderColumns+" FROM orders WHERE id IN (%s) ORDER BY id")
	return all, s.dialect.failed(err, "read orders")
}

// CouriersByID implements dispatch.CourierReader.
func (s *Store) CouriersByID(ctx context.Context, ids []string) ([]dispatch.Courier, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(ids) == 1 {
		return listOf(s.Courier(ctx, ids[0]))
	}
	all, err := byIDs(ctx, s.read, ids, scanCourier, "SELECT "+courierColumns+" FROM couriers WHERE id IN (%s) ORDER BY id")
	return all, s.dialect.failed(err, "read couriers")
}

// Versions implements dispatch.OrderReader.
func (s *Store) Versions(ctx context.Context, ids []string) (map[string]int64, error) {
	type version struct {
		id string
		n  int64
	}
	all, err := byIDs(ctx, s.read, ids, func(row scanner) (v version, err error) {
		return v, row.Scan(&v.id, &v.n)
	}, "SELECT id, version FROM orders WHERE id IN (%s)")
	if err != nil {
		return nil, s.dialect.failed(err, "read order versions")
	}
	versions := make(map[string]int64, len(all))
	for _, v := range all {
		versions[v.id] = v.n
	}
	return versions, nil
}
