package sqlstore

import (
	"context"
	"fmt"

	"courier/dispatch"
)

// keptDecisions is how many decisions on one order are kept: an order that
// waits gets one each round.
const keptDecisions = 64

func scanDecision(row scanner) (d dispatch.Decision, err error) {
	var order string
	var raw []byte
	if err := row.Scan(&order, &raw); err != nil {
		return d, err
	}
	return d, decode("decision on order", order, raw, &d)
}

const (
	selectDecisions    = "SELECT order_id, doc FROM decisions WHERE order_id = $1 ORDER BY seq DESC LIMIT $2"
	selectNextDecision = "SELECT coalesce(max(seq), 0) + 1 FROM decisions WHERE order_id = $1"
)

// Decisions implements dispatch.OrderReader.
func (s *Store) Decisions(ctx context.Context, order string, limit int) ([]dispatch.Decision, error) {
	decisions, err := collect(ctx, s.read, scanDecision, selectDecisions, order, max(limit, 0))
	return decisions, s.dialect.failed(err, fmt.Sprintf("list decisions on order %q", order))
}

// SaveDecision implements dispatch.Tx. It keeps the newest of each order.
func (t *tx) SaveDecision(d dispatch.Decision) error {
	doc, err := encode("decision on order", d.Order, d)
	if err != nil {
		return t.fail(err)
	}
	if err := t.use("order", d.Order); err != nil {
		return err
	}
	var seq int64
	if err := t.q.QueryRowContext(context.Background(), selectNextDecision, d.Order).Scan(&seq); err != nil {
		return t.fail(t.dialect.failed(err, "number a decision"))
	}
	_, err = t.exec(fmt.Sprintf("save decision on order %q", d.Order),
		"INSERT INTO decisions (order_id, seq, at, doc) VALUES ($1, $2, $3, $4)", d.Order, seq, micros(d.Time), doc)
	if err != nil || seq <= keptDecisions {
		return err
	}
	_, err = t.exec("forget a decision", "DELETE FROM decisions WHERE order_id = $1 AND seq <= $2", d.Order, seq-keptDecisions)
	return err
}
