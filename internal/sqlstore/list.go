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

// list builds a SELECT whose rows come in an index's order: a UNION ALL of
// arms that each are read by an index of theirs, in order and only as far as
// the limit. With IN and OR databases would sort every row that matches.
type list struct {
	columns string
	where   []string // of every arm
	args    []any
	arms    []arm
	cut     bool // cut each arm at the limit
}

// never is for a choice of nothing that there is.
const never = "1 = 0"

type arm struct {
	table string
	where []string
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

// merged is the SELECT in an order that each arm's index has.
func (l *list) merged(order string, limit int) string {
	end := order + " LIMIT " + l.arg(limit)
	selects := l.selects()
	if l.cut && len(selects) > 1 {
		for i := range selects {
			selects[i] = "(" + selects[i] + end + ")"
		}
	}
	return strings.Join(selects, " UNION ALL ") + end
}

// whole is the SELECT in no order.
func (l *list) whole() string { return strings.Join(l.selects(), " UNION ALL ") }

func (l *list) selects() (all []string) {
	for _, a := range l.arms {
		query := "SELECT " + l.columns + " FROM " + a.table
		if where := slices.Concat(l.where, a.where); len(where) > 0 {
			query += " WHERE " + strings.Join(where, " AND ")
		}
		all = append(all, query)
	}
	return all
}

// among is a condition on a column, for values that are written into the
// statement: ours, never a client's.
func among[T ~string](column string, values []T) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "'" + string(v) + "'"
	}
	if len(quoted) == 1 {
		return column + " = " + quoted[0]
	}
	return column + " IN (" + strings.Join(quoted, ", ") + ")"
}

// chosen are those of all that are among the choice; none chosen: all.
func chosen[T ~string](all, choice []T) []T {
	if len(choice) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(v T) bool { return !slices.Contains(choice, v) })
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

// ordersList has one arm for orders under way, by when they were placed, and
// one for each status that an order may have ended in: see the indices.
func (d *dialect) ordersList(q dispatch.OrderQuery) (*list, error) {
	l := &list{columns: orderColumns, cut: d.cut}
	if len(q.Areas) > 0 {
		l.and("area"+d.any, d.texts(q.Areas))
	}
	if q.Merchant != "" {
		l.and("merchant = %s", q.Merchant)
	}
	if q.Reference != "" {
		l.and("reference = %s AND reference <> ''", q.Reference) // the second lets the partial index be used
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
	d.orderArms(l, q)
	return l, nil
}

func (d *dialect) orderArms(l *list, q dispatch.OrderQuery) {
	status, underWay, ended := halves(q)
	ofUnderWay, ofEnded := l.changing(q)
	add := func(index string, where ...string) {
		l.arms = append(l.arms, arm{"orders" + d.hint(index), where})
	}
	if len(q.Statuses) > 0 {
		ofUnderWay = append(ofUnderWay, among("status", status))
	}
	switch {
	case len(status) == 0:
		l.arms = []arm{{"orders", []string{never}}}
		return
	case q.Reference != "" && !q.Open: // few orders: all else is a filter
		add("orders_reference", ofUnderWay...)
		return
	case q.Reference != "":
		add("orders_reference", append(ofUnderWay, "terminal = 0")...)
		return
	}
	if len(underWay) > 0 {
		index := "orders_open"
		switch {
		case q.Merchant != "":
			index = "orders_merchant"
		case len(q.Areas) > 0 && len(ended) == 0: // sorted: it is read for all of them
			index = "orders_due"
		}
		add(index, append(ofUnderWay, "terminal = 0")...)
	}
	index := "orders_ended"
	switch {
	case len(ended) == 0:
		return
	case q.Courier != "": // few orders
		add("orders_carried", append(ofEnded, "terminal = 1", among("ended", ended))...)
		return
	case !q.ChangedFrom.IsZero() || !q.ChangedTo.IsZero():
		index = "orders_ended_at"
	case q.Merchant != "":
		index = "orders_ended_merchant"
	}
	for _, one := range ended {
		add(index, append(slices.Clone(ofEnded), "terminal = 1", among("ended", []dispatch.Status{one}))...)
	}
}

// halves are the statuses that a query asks for: all, those that an order
// under way may have, and those that one may have ended in.
func halves(q dispatch.OrderQuery) (status, underWay, ended []dispatch.Status) {
	status = chosen(dispatch.Statuses(), q.Statuses)
	for _, s := range status {
		if loaded := (dispatch.Order{Status: s, Times: map[dispatch.Status]time.Time{dispatch.PickedUp: {}}}); !loaded.Terminal() {
			underWay = append(underWay, s)
		}
		if !q.Open && (dispatch.Order{Status: s}).Terminal() {
			ended = append(ended, s)
		}
	}
	return status, underWay, ended
}

// changing are conditions on what changes while an order is under way: no
// index has it before the order has ended.
func (l *list) changing(q dispatch.OrderQuery) (ofUnderWay, ofEnded []string) {
	both := func(column, ended, than string, value any) {
		name := than + l.arg(value)
		ofUnderWay, ofEnded = append(ofUnderWay, column+name), append(ofEnded, ended+name)
	}
	if q.Courier != "" {
		both("courier", "carried", " = ", q.Courier)
		ofEnded = append(ofEnded, "carried <> ''") // lets the partial index be used
	}
	if !q.ChangedFrom.IsZero() {
		both("changed_at", "ended_at", " >= ", micros(q.ChangedFrom))
	}
	if !q.ChangedTo.IsZero() {
		both("changed_at", "ended_at", " < ", micros(q.ChangedTo))
	}
	return ofUnderWay, ofEnded
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
	l := &list{columns: courierColumns, cut: d.cut}
	for _, duty := range []dispatch.Duty{dispatch.Off, dispatch.Available, dispatch.Break} {
		if slices.Contains(q.Duty, duty) {
			l.arms = append(l.arms, arm{"couriers", []string{among("duty", []dispatch.Duty{duty})}})
		}
	}
	switch {
	case len(q.Duty) == 0:
		l.arms = []arm{{table: "couriers"}}
	case len(l.arms) == 0:
		l.arms = []arm{{"couriers", []string{never}}}
	}
	if q.Cursor != "" {
		parts, err := readCursor(q.Cursor, courierCursor, 1)
		if err != nil {
			return "", nil, err
		}
		l.and("id > %s", parts[0])
	}
	return l.merged(" ORDER BY id", limit), l.args, nil
}
