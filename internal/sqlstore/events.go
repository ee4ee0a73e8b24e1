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

const selectEvents = `SELECT order_id, version, type, status, at, actor_role, actor_id, data
	FROM events WHERE order_id = $1 AND version > $2 ORDER BY version`

const selectEventsOf = `SELECT order_id, version, type, status, at, actor_role, actor_id, data
	FROM events WHERE order_id IN (%s) ORDER BY order_id, version`

// Events implements dispatch.OrderReader.
func (s *Store) Events(ctx context.Context, order string, after int64) ([]dispatch.Event, error) {
	events, err := collect(ctx, s.read, scanEvent, selectEvents, order, after)
	return events, s.dialect.failed(err, fmt.Sprintf("read events of order %q", order))
}

// EventsByOrder implements dispatch.OrderReader.
func (s *Store) EventsByOrder(ctx context.Context, orders []string) ([]dispatch.Event, error) {
	orders = slices.Compact(slices.Sorted(slices.Values(orders)))
	events, err := byIDs(ctx, s.read, orders, scanEvent, selectEventsOf)
	return events, s.dialect.failed(err, "read events of orders")
}

func scanEvent(row scanner) (e dispatch.Event, err error) {
	var at int64
	var data []byte
	if err := row.Scan(&e.Order, &e.Version, &e.Type, &e.Status, &at, &e.Actor.Role, &e.Actor.ID, &data); err != nil {
		return e, err
	}
	e.Time = fromMicros(at)
	if len(data) > 0 {
		err = decode("event of order", e.Order, data, &e.Data)
	}
	return e, err
}
