package sqlstore

import (
	"errors"
	"fmt"

	"courier/dispatch"
)

// Each statement takes its columns as arrays: one round trip, whatever the
// number of rows.
const (
	claimKeys = `INSERT INTO answers (scope, key, hash, body, at)
		SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[], $5::bigint[])
		ON CONFLICT (scope, key) DO NOTHING
		RETURNING scope, key`
	insertOrders = `WITH ` + newRows
	// createOrders is all in one, for keys that are all new: a transaction of
	// its own, which a node that is paused cannot keep open.
	createOrders = `WITH new_answers AS (
			INSERT INTO answers (scope, key, hash, body, at)
			SELECT * FROM unnest($26::text[], $27::text[], $28::bytea[], $29::bytea[], $30::bigint[])),
		` + newRows
	newRows = `new_orders AS (
			INSERT INTO orders (id, merchant, reference, status, terminal, courier, area, version, placed_at, changed_at, doc, ready_at)
			SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::text[],
				$8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::bigint[])),
		new_events AS (
			INSERT INTO events (order_id, version, type, status, at, actor_role, actor_id, data)
			SELECT * FROM unnest($13::text[], $14::bigint[], $15::text[], $16::text[], $17::bigint[], $18::text[], $19::text[], $20::text[]))
		INSERT INTO outbox (key, version, at, message_id, topic, body, trace_parent, node)
		SELECT key, version, at, message_id, topic, body, NULLIF(parent, ''), $25::text
		FROM unnest($13::text[], $14::bigint[], $17::bigint[], $21::text[], $22::text[], $23::bytea[], $24::text[])
			AS rows (key, version, at, message_id, topic, body, parent)`
	selectKept = `SELECT a.scope, a.key, a.hash, a.body, a.at FROM unnest($1::text[], $2::text[]) AS k (scope, key)
		JOIN answers a ON a.scope = k.scope AND a.key = k.key`
)

// scopeKey is what an answer is found by.
type scopeKey struct{ scope, key string }

func keyOf(c *creation) scopeKey { return scopeKey{c.Answer.Scope, c.Answer.Key} }

// create stores those of a batch whose keys are new, and finds the answers
// that were given to the others'. No two of the batch have the same key.
func (t *tx) create(batch []*creation) error {
	claimed, err := t.claim(batch)
	if err != nil {
		return err
	}
	var fresh, known []*creation
	for _, one := range batch {
		one.kept = nil
		if claimed[keyOf(one)] {
			fresh = append(fresh, one)
		} else {
			known = append(known, one)
		}
	}
	if len(fresh) > 0 {
		if err := t.insertAll(fresh); err != nil {
			return err
		}
	}
	if len(known) > 0 {
		return t.recall(known)
	}
	return nil
}

// claim saves the answers to keys that have none. It waits for whoever has
// claimed one of them and not committed yet.
func (t *tx) claim(batch []*creation) (map[scopeKey]bool, error) {
	rows, err := returning(t, func(row scanner) (k scopeKey, err error) {
		return k, row.Scan(&k.scope, &k.key)
	}, "save answers", claimKeys, answerColumns(batch)...)
	claimed := make(map[scopeKey]bool, len(rows))
	for _, k := range rows {
		claimed[k] = true
	}
	return claimed, err
}

func answerColumns(batch []*creation) []any {
	var scopes, keys []string
	var hashes, bodies [][]byte
	var at []int64
	for _, one := range batch {
		a := one.Answer
		scopes, keys, at = append(scopes, a.Scope), append(keys, a.Key), append(at, micros(a.At))
		hashes, bodies = append(hashes, blob(a.Hash)), append(bodies, blob(a.Body))
	}
	return []any{scopes, keys, hashes, bodies, at}
}

func (t *tx) insertAll(fresh []*creation) error {
	n, err := t.exec("insert orders", insertOrders, orderColumnsOf(fresh, t.node)...)
	t.rows += int(n)
	if err != nil && t.dialect.unique(err) {
		return fmt.Errorf("an order exists: %w: %w", dispatch.ErrConflict, err)
	}
	return err
}

// orderColumnsOf are those of newRows.
func orderColumnsOf(fresh []*creation, node string) []any {
	var ids, merchants, references, statuses, couriers, areas, docs []string
	var terminal []int16
	var versions, placed, changed, ready []int64
	var of, types, eventStatuses, roles, actors, data, messages, topics, parents []string
	var numbers, at []int64
	var bodies [][]byte
	for _, one := range fresh {
		o := one.Order
		ids, merchants, references = append(ids, o.ID), append(merchants, o.Merchant), append(references, o.Reference)
		statuses, terminal, couriers = append(statuses, string(o.Status)), append(terminal, int16(flag(o.Terminal()))), append(couriers, o.Courier)
		areas, versions, docs = append(areas, o.Area()), append(versions, o.Version), append(docs, one.doc)
		placed, ready = append(placed, micros(placedAt(o, one.Events))), append(ready, micros(o.ReadyAt))
		changed = append(changed, micros(one.Events[len(one.Events)-1].Time))
		for _, e := range one.events {
			of, numbers, at = append(of, e.Order), append(numbers, e.Version), append(at, micros(e.Time))
			types, eventStatuses = append(types, string(e.Type)), append(eventStatuses, string(e.Status))
			roles, actors = append(roles, string(e.Actor.Role)), append(actors, e.Actor.ID)
			data, bodies = append(data, e.data), append(bodies, e.body)
			messages, topics = append(messages, messageID(e.Order, e.Version)), append(topics, eventTopic(e.Event))
			parents = append(parents, e.Trace)
		}
	}
	return []any{
		ids, merchants, references, statuses, terminal, couriers, areas, versions, placed, changed, docs, ready,
		of, numbers, types, eventStatuses, at, roles, actors, data, messages, topics, bodies, parents, node,
	}
}

// recall reads the answers that were kept.
func (t *tx) recall(known []*creation) error {
	var scopes, keys []string
	for _, one := range known {
		scopes, keys = append(scopes, one.Answer.Scope), append(keys, one.Answer.Key)
	}
	rows, err := returning(t, func(row scanner) (a dispatch.Answer, err error) {
		var at int64
		err = row.Scan(&a.Scope, &a.Key, &a.Hash, &a.Body, &at)
		a.At = fromMicros(at)
		return a, err
	}, "read kept answers", selectKept, scopes, keys)
	if err != nil {
		return err
	}
	kept := make(map[scopeKey]*dispatch.Answer, len(rows))
	for i, a := range rows {
		kept[scopeKey{a.Scope, a.Key}] = &rows[i]
	}
	for _, one := range known {
		if one.kept = kept[keyOf(one)]; one.kept == nil {
			t.raced = true // it was purged just now
			return errors.New("a key was known and is not")
		}
	}
	return nil
}
