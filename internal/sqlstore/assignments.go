package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"courier/dispatch"
)

// An order has at most one active courier. Versions see to it while the code
// above compares them; the assignments table sees to it anyhow: it has one
// row for each order in any courier's plan, keyed by the order alone.

const (
	selectAssigned = "SELECT order_id FROM assignments WHERE courier_id = $1"
	selectAgreed   = `SELECT a.courier_id, o.courier FROM assignments a
		JOIN orders o ON o.id = a.order_id WHERE a.order_id = $1`
)

// agreed locks the order: one who writes its courier at this moment, and one
// who writes a plan with it, would not see each other.
func (d *dialect) agreed() string {
	if d.lock == "" {
		return selectAgreed
	}
	return selectAgreed + d.lock + " OF o"
}

// ordersOf are the orders in a plan.
func ordersOf(p dispatch.Plan) (orders []string) {
	for _, stop := range p.Stops {
		if !slices.Contains(orders, stop.Order) {
			orders = append(orders, stop.Order)
		}
	}
	return orders
}

// planned takes the orders out of the table that left the courier's plan,
// and notes those that are new in it for settle. A plan that this transaction
// has read tells what the table has.
func (t *tx) planned(c dispatch.Courier) (err error) {
	had, known := t.table[c.ID]
	if !known {
		had, err = collect(context.Background(), t.q, scanText, selectAssigned, c.ID)
		if err != nil {
			return t.fail(t.dialect.failed(err, fmt.Sprintf("read the assignments of courier %q", c.ID)))
		}
	}
	has, kept := ordersOf(c.Plan), []string{}
	for _, order := range had {
		if slices.Contains(has, order) {
			kept = append(kept, order)
			continue
		}
		err := t.later(write{
			attempted: "delete assignment", query: "DELETE FROM assignments WHERE order_id = $1 AND courier_id = $2",
			args: []any{order, c.ID}, none: fine,
		})
		if err != nil {
			return err
		}
	}
	t.table[c.ID] = kept
	if t.claims == nil {
		t.claims = map[string][]string{}
	}
	t.claims[c.ID] = slices.DeleteFunc(has, func(order string) bool { return slices.Contains(had, order) })
	for _, order := range t.claims[c.ID] {
		t.touch(order) // one that was in the plan before is as it was
		if err := t.use("order", order); err != nil {
			return err
		}
	}
	return nil
}

// touch notes an order for settle to compare.
func (t *tx) touch(order string) {
	if t.moved == nil {
		t.moved = map[string]bool{}
	}
	t.moved[order] = true
}

// settle adds the noted orders when all is written, so that an order may
// move from one plan to another in any order of saves, and then compares
// what the plans say with what the orders say.
func (t *tx) settle() error {
	for _, courier := range slices.Sorted(maps.Keys(t.claims)) {
		for _, order := range t.claims[courier] {
			err := t.later(write{
				attempted: "insert assignment", query: "INSERT INTO assignments (order_id, courier_id) VALUES ($1, $2)", args: []any{order, courier},
				refused: func(err error) error {
					if !t.dialect.unique(err) {
						return nil
					}
					return fmt.Errorf("order %q is in another plan than courier %q's: %w", order, courier, dispatch.ErrConflict)
				},
			})
			if err != nil {
				return err
			}
		}
	}
	for _, order := range slices.Sorted(maps.Keys(t.moved)) {
		if err := t.use("order", order); err != nil {
			return err
		}
		if o, read := t.orders[order]; read && (o.Courier == "" || slices.Contains(t.plans[o.Courier], order)) {
			continue // both are locked
		}
		var planned, named string
		err := t.q.QueryRowContext(context.Background(), t.dialect.agreed(), order).Scan(&planned, &named)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return t.dialect.failed(err, fmt.Sprintf("compare the assignment of order %q", order))
		case named != "" && named != planned:
			return fmt.Errorf("order %q names courier %q and is in the plan of %q: %w", order, named, planned, dispatch.ErrConflict)
		}
	}
	return nil
}
