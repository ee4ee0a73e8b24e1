package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"courier/dispatch"
)

// encodeEvent is what an event's row and its message hold.
func encodeEvent(e dispatch.Event) (data string, body []byte, err error) {
	if e.Data != (dispatch.EventData{}) {
		if data, err = encode("event of order", e.Order, e.Data); err != nil {
			return "", nil, err
		}
	}
	e.Time = whole(e.Time)
	if body, err = json.Marshal(e); err != nil {
		return "", nil, fmt.Errorf("encode event %d of order %q: %w", e.Version, e.Order, err)
	}
	return data, body, nil
}

// eventTopic is that of an event's message.
func eventTopic(e dispatch.Event) string { return "order." + string(e.Status) }

func (t *tx) saveEvent(e dispatch.Event) error {
	data, body, err := encodeEvent(e)
	if err != nil {
		return t.fail(err)
	}
	err = t.later(write{
		attempted: "insert event",
		query: `INSERT INTO events (order_id, version, type, status, at, actor_role, actor_id, data)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		args: []any{e.Order, e.Version, string(e.Type), string(e.Status), micros(e.Time), string(e.Actor.Role), e.Actor.ID, data},
	})
	if err != nil {
		return err
	}
	return t.post(eventTopic(e), e.Order, e.Version, e.Time, body, e.Trace)
}

const selectEventsOf = `SELECT order_id, version, type, status, at, actor_role, actor_id, data
	FROM events WHERE order_id%s ORDER BY order_id, version`

// Events implements dispatch.OrderReader.
func (s *Store) Events(ctx context.Context, order string, after int64) ([]dispatch.Event, error) {
	rows, err := s.asked.events.get(ctx, since{order, after})
	if err != nil {
		return nil, s.dialect.failed(err, fmt.Sprintf("read events of order %q", order))
	}
	var events []dispatch.Event
	for _, r := range rows {
		e, err := r.value()
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// EventsByOrder implements dispatch.OrderReader.
func (s *Store) EventsByOrder(ctx context.Context, orders []string) ([]dispatch.Event, error) {
	orders = slices.Compact(slices.Sorted(slices.Values(orders)))
	events, err := byIDs(ctx, s, orders, scanEvent, selectEventsOf)
	return events, s.dialect.failed(err, "read events of orders")
}

func scanEvent(row scanner) (dispatch.Event, error) {
	return decoded(row, scanEventRow)
}

// eventRow is an event as the database has it: what is in columns, and the
// rest.
type eventRow struct {
	columns dispatch.Event
	data    []byte
}

func scanEventRow(row scanner) (r eventRow, err error) {
	var at int64
	e := &r.columns
	err = row.Scan(&e.Order, &e.Version, &e.Type, &e.Status, &at, &e.Actor.Role, &e.Actor.ID, &r.data)
	e.Time = fromMicros(at)
	return r, err
}

func (r eventRow) value() (e dispatch.Event, err error) {
	if e = r.columns; len(r.data) > 0 {
		err = decode("event of order", e.Order, r.data, &e.Data)
	}
	return e, err
}

const (
	selectEvents = `SELECT order_id, version, type, status, at, actor_role, actor_id, data
		FROM events WHERE order_id = $1 AND version > $2 ORDER BY version`
	// selectEventsSince is of PostgreSQL alone: nothing else shares statements.
	selectEventsSince = `SELECT e.order_id, e.version, e.type, e.status, e.at, e.actor_role, e.actor_id, e.data, a.after
		FROM unnest($1::text[], $2::bigint[]) AS a (id, after) JOIN events e ON e.order_id = a.id AND e.version > a.after
		ORDER BY e.order_id, a.after, e.version`
)

func (s *Store) eventsSince(ctx context.Context, keys []since) (map[since][]eventRow, error) {
	found := make(map[since][]eventRow, len(keys))
	if len(keys) == 1 {
		rows, err := collect(ctx, s.read, scanEventRow, selectEvents, keys[0].order, keys[0].after)
		found[keys[0]] = rows
		return found, err
	}
	ids, afters := make([]string, len(keys)), make([]int64, len(keys))
	for i, k := range keys {
		ids[i], afters[i] = k.order, k.after
		found[k] = nil
	}
	_, err := collect(ctx, s.read, func(row scanner) (_ struct{}, err error) {
		var k since
		r, err := scanEventRow(scanMore{row, &k.after})
		k.order = r.columns.Order
		found[k] = append(found[k], r)
		return struct{}{}, err
	}, selectEventsSince, ids, afters)
	return found, err
}

// scanMore is a row with one more column at its end.
type scanMore struct {
	scanner
	last any
}

func (m scanMore) Scan(into ...any) error { return m.scanner.Scan(append(into, m.last)...) }

// since asks for the events of an order after a version.
type since struct {
	order string
	after int64
}
