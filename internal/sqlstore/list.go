package sqlstore

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"courier/dispatch"
)

// list builds a SELECT whose rows come in an index's order. A choice of
// several values becomes a UNION ALL of one SELECT each, read in order and
// only as far as the limit: with IN databases would sort every row that
// matches.
type list struct {
	columns, table string
	where          []string
	args           []any
	column         string   // what the choice is of
	choice         []string // empty: any
	cut            bool     // cut each arm at the limit
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

// merged is the SELECT with one arm for each value of the choice.
func (l *list) merged(order string, limit int) string {
	conditions := []string{""}
	if len(l.choice) > 0 {
		conditions = make([]string, len(l.choice))
		for i, value := range l.choice {
			conditions[i] = l.column + " = " + l.arg(value)
		}
	}
	end := order + " LIMIT " + l.arg(limit)
	arms := make([]string, len(conditions))
	for i, condition := range conditions {
		arms[i] = l.arm(condition)
		if l.cut && len(conditions) > 1 {
			arms[i] = "(" + arms[i] + end + ")"
		}
	}
	return strings.Join(arms, " UNION ALL ") + end
}

// whole is the SELECT with the choice as one condition, in no order.
func (l *list) whole() string {
	if len(l.choice) == 0 {
		return l.arm("")
	}
	names := make([]string, len(l.choice))
	for i, value := range l.choice {
		names[i] = l.arg(value)
	}
	return l.arm(l.column + " IN (" + strings.Join(names, ", ") + ")")
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
	query, args, err := s.dialect.ordersQuery(q, limit+1)
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

func (d *dialect) ordersQuery(q dispatch.OrderQuery, limit int) (string, []any, error) {
	l, err := d.ordersList(q)
	if err != nil {
		return "", nil, err
	}
	return l.merged(" ORDER BY placed_at DESC, id DESC", limit), l.args, nil
}

func (d *dialect) ordersList(q dispatch.OrderQuery) (*list, error) {
	l := &list{columns: orderColumns, column: "status", choice: distinct(q.Statuses), cut: d.cut}
	open, status := q.Open, l.choice
	changed := !q.ChangedFrom.IsZero() || !q.ChangedTo.IsZero()
	var index string
	switch {
	case q.Courier != "": // few orders: the other conditions are filters
		index = "orders_courier"
	case q.Reference != "":
		index = "orders_reference"
	case len(q.Areas) > 0 && (q.Open || allOpen(l.choice)): // sorted: it is read for all of them
		index, open, l.choice = "orders_due", true, nil
	case !changed && q.Merchant == "" && q.Open && len(l.choice) == 0:
		index = "orders_open"
	default: // these indices begin with the status: every query names some
		index = "orders_status"
		if q.Merchant != "" {
			index = "orders_merchant"
		}
		if changed {
			index = "orders_changed"
		}
		if len(l.choice) == 0 {
			l.choice = allStatuses(q.Open)
		}
	}
	l.table = "orders" + d.hint(index)

	if len(q.Areas) > 0 {
		l.and("area"+d.any, d.texts(q.Areas))
	}
	if index == "orders_due" && len(status) > 0 {
		l.and("status"+d.any, d.texts(status))
	}
	if q.Merchant != "" {
		l.and("merchant = %s", q.Merchant)
	}
	if q.Courier != "" {
		l.and("courier = %s AND courier <> ''", q.Courier) // the second lets the partial index be used
	}
	if q.Reference != "" {
		l.and("reference = %s AND reference <> ''", q.Reference)
	}
	if open {
		l.and("terminal = 0")
	}
	if !q.PlacedFrom.IsZero() {
		l.and("placed_at >= %s", micros(q.PlacedFrom))
	}
	if !q.PlacedTo.IsZero() {
		l.and("placed_at < %s", micros(q.PlacedTo))
	}
	if !q.ReadyBy.IsZero() {
		l.and("ready_at <= %s", micros(q.ReadyBy))
	}
	if !q.ChangedFrom.IsZero() {
		l.and("changed_at >= %s", micros(q.ChangedFrom))
	}
	if !q.ChangedTo.IsZero() {
		l.and("changed_at < %s", micros(q.ChangedTo))
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

// allOpen says whether an order in any of these statuses is open for sure.
func allOpen(statuses []string) bool {
	for _, s := range statuses {
		if (dispatch.Order{Status: dispatch.Status(s)}).Terminal() {
			return false
		}
	}
	return len(statuses) > 0
}

// allStatuses are those there are; with open, those that an order which is
// not terminal can have.
func allStatuses(open bool) []string {
	var out []string
	for _, s := range dispatch.Statuses() {
		loaded := dispatch.Order{Status: s, Times: map[dispatch.Status]time.Time{dispatch.PickedUp: {}}}
		if !open || !loaded.Terminal() {
			out = append(out, string(s))
		}
	}
	return out
}

// Couriers implements dispatch.CourierReader.
func (s *Store) Couriers(ctx context.Context, q dispatch.CourierQuery) ([]dispatch.Courier, string, error) {
	limit, err := pageSize(q.Limit)
	if err != nil {
		return nil, "", fmt.Errorf("list couriers: %w", err)
	}
	query, args, err := s.dialect.couriersQuery(q, limit+1)
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

func (d *dialect) couriersQuery(q dispatch.CourierQuery, limit int) (string, []any, error) {
	l := &list{columns: courierColumns, table: "couriers", column: "duty", choice: distinct(q.Duty), cut: d.cut}
	if q.Cursor != "" {
		parts, err := readCursor(q.Cursor, courierCursor, 1)
		if err != nil {
			return "", nil, err
		}
		l.and("id > %s", parts[0])
	}
	return l.merged(" ORDER BY id", limit), l.args, nil
}
