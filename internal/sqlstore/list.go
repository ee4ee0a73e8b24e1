package sqlstore

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"courier/dispatch"
)

// list builds a SELECT whose rows come in an index's order. A choice of
// several values becomes a UNION ALL of one SELECT each, which databases
// merge in order and only as far as the limit: with IN they would sort every
// row that matches.
type list struct {
	columns, table string
	where          []string
	args           []any
}

// arg adds a parameter and returns its name.
func (l *list) arg(v any) string {
	l.args = append(l.args, v)
	return "$" + strconv.Itoa(len(l.args))
}

// and adds a condition; each %s in it stands for one of the values.
func (l *list) and(condition string, values ...any) {
	names := make([]any, len(values))
	for i, v := range values {
		names[i] = l.arg(v)
	}
	l.where = append(l.where, fmt.Sprintf(condition, names...))
}

func (l *list) query(column string, choice []string, order string, limit int) string {
	if len(choice) == 0 {
		return l.arm("") + order + " LIMIT " + l.arg(limit)
	}
	arms := make([]string, len(choice))
	for i, value := range choice {
		arms[i] = l.arm(column + " = " + l.arg(value))
	}
	return strings.Join(arms, " UNION ALL ") + order + " LIMIT " + l.arg(limit)
}

func (l *list) arm(condition string) string {
	where := l.where
	if condition != "" {
		where = append(where[:len(where):len(where)], condition)
	}
	query := "SELECT " + l.columns + " FROM " + l.table
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	return query
}

// distinct is a choice as text, each value once.
func distinct[T ~string](values []T) []string {
	var out []string
	for _, v := range values {
		if !slices.Contains(out, string(v)) {
			out = append(out, string(v))
		}
	}
	return out
}

// pageSize applies the default of a query's Limit.
func pageSize(limit int) (int, error) {
	switch {
	case limit == 0:
		return 50, nil
	case limit < 0 || limit > 1000:
		return 0, fmt.Errorf("limit %d is not within 1-1000", limit)
	}
	return limit, nil
}

// The kinds of cursor, so that one list's is refused by the other.
const (
	orderCursor   = "o1"
	courierCursor = "c1"
)

func writeCursor(parts ...string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "|")))
}

// readCursor returns the parts after the kind; the last may hold anything.
func readCursor(cursor, kind string, parts int) ([]string, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return nil, dispatch.ErrCursor
	}
	got := strings.SplitN(string(raw), "|", parts+1)
	if len(got) != parts+1 || got[0] != kind || got[parts] == "" {
		return nil, dispatch.ErrCursor
	}
	return got[1:], nil
}

// Orders implements dispatch.OrderReader.
func (s *Store) Orders(ctx context.Context, q dispatch.OrderQuery) ([]dispatch.Order, string, error) {
	limit, err := pageSize(q.Limit)
	if err != nil {
		return nil, "", fmt.Errorf("list orders: %w", err)
	}
	query, args, err := ordersQuery(q, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list orders: %w", err)
	}
	var placed []int64
	page, err := collect(ctx, s.read, func(row scanner) (dispatch.Order, error) {
		o, at, err := scanPlacedOrder(row)
		placed = append(placed, at)
		return o, err
	}, query, args...)
	if err != nil {
		return nil, "", s.dialect.failed(err, "list orders")
	}
	if len(page) <= limit {
		return page, "", nil
	}
	page = page[:limit]
	return page, writeCursor(orderCursor, strconv.FormatInt(placed[limit-1], 10), page[limit-1].ID), nil
}

func ordersQuery(q dispatch.OrderQuery, limit int) (string, []any, error) {
	l, err := ordersList(q)
	if err != nil {
		return "", nil, err
	}
	query := l.query("status", distinct(q.Statuses), " ORDER BY placed_at DESC, id DESC", limit)
	return query, l.args, nil
}

func ordersList(q dispatch.OrderQuery) (*list, error) {
	l := &list{columns: orderColumns, table: "orders"}
	if q.Merchant != "" {
		l.and("merchant = %s", q.Merchant)
	}
	if q.Courier != "" {
		l.and("courier = %s AND courier <> ''", q.Courier) // the second lets the partial index be used
	}
	if q.Reference != "" {
		l.and("reference = %s AND reference <> ''", q.Reference)
	}
	if q.Open {
		l.and("terminal = 0")
	}
	if !q.PlacedFrom.IsZero() {
		l.and("placed_at >= %s", micros(q.PlacedFrom))
	}
	if !q.PlacedTo.IsZero() {
		l.and("placed_at < %s", micros(q.PlacedTo))
	}
	if !q.ChangedFrom.IsZero() {
		l.and("changed_at >= %s", micros(q.ChangedFrom))
	}
	if q.Cursor != "" {
		parts, err := readCursor(q.Cursor, orderCursor, 2)
		if err != nil {
			return nil, err
		}
		at, err := strconv.ParseInt(parts[0], 10, 64)
		if err != nil {
			return nil, dispatch.ErrCursor
		}
		l.and("(placed_at, id) < (%s, %s)", at, parts[1])
	}
	return l, nil
}

// Couriers implements dispatch.CourierReader.
func (s *Store) Couriers(ctx context.Context, q dispatch.CourierQuery) ([]dispatch.Courier, string, error) {
	limit, err := pageSize(q.Limit)
	if err != nil {
		return nil, "", fmt.Errorf("list couriers: %w", err)
	}
	query, args, err := couriersQuery(q, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list couriers: %w", err)
	}
	page, err := collect(ctx, s.read, scanCourier, query, args...)
	if err != nil {
		return nil, "", s.dialect.failed(err, "list couriers")
	}
	if len(page) <= limit {
		return page, "", nil
	}
	page = page[:limit]
	return page, writeCursor(courierCursor, page[limit-1].ID), nil
}

func couriersQuery(q dispatch.CourierQuery, limit int) (string, []any, error) {
	l := &list{columns: courierColumns, table: "couriers"}
	if q.Cursor != "" {
		parts, err := readCursor(q.Cursor, courierCursor, 1)
		if err != nil {
			return "", nil, err
		}
		l.and("id > %s", parts[0])
	}
	return l.query("duty", distinct(q.Duty), " ORDER BY id", limit), l.args, nil
}
