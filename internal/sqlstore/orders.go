package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"courier/dispatch"
)

const orderColumns = "id, merchant, reference, status, courier, version, placed_at, doc"

// orderDoc is what of an order is not in a column of its own.
type orderDoc struct {
	Pickup            dispatch.Place                `json:"pickup"`
	Dropoff           dispatch.Place                `json:"dropoff"`
	ReadyAt           time.Time                     `json:"ready_at"`
	DeliverBy         *time.Time                    `json:"deliver_by,omitempty"`
	Window            *dispatch.Window              `json:"window,omitempty"`
	Size              int                           `json:"size"`
	Requirements      dispatch.Requirements         `json:"requirements,omitzero"`
	Priority          int                           `json:"priority,omitempty"`
	Items             string                        `json:"items,omitempty"`
	PINRequired       bool                          `json:"pin_required,omitempty"`
	PIN               string                        `json:"pin,omitempty"`
	PhotoRequired     bool                          `json:"photo_required,omitempty"`
	SignatureRequired bool                          `json:"signature_required,omitempty"`
	Pay               *dispatch.Money               `json:"pay,omitempty"`
	Pinned            string                        `json:"pinned,omitempty"`
	Offer             string                        `json:"offer,omitempty"`
	Times             map[dispatch.Status]time.Time `json:"times,omitempty"`
	Reason            string                        `json:"reason,omitempty"`
	Proof             *dispatch.Proof               `json:"proof,omitempty"`
	Refusals          map[string]time.Time          `json:"refusals,omitempty"`
}

func encodeOrder(o dispatch.Order) (string, error) {
	return encode("order", o.ID, orderDoc{
		Pickup: o.Pickup, Dropoff: o.Dropoff, ReadyAt: o.ReadyAt, DeliverBy: o.DeliverBy, Window: o.Window,
		Size: o.Size, Requirements: o.Requirements, Priority: o.Priority, Items: o.Items,
		PINRequired: o.PINRequired, PIN: o.PIN, PhotoRequired: o.PhotoRequired, SignatureRequired: o.SignatureRequired, Pay: o.Pay, Pinned: o.Pinned, Offer: o.Offer,
		Times: o.Times, Reason: o.Reason, Proof: o.Proof, Refusals: o.Refusals,
	})
}

func scanOrder(row scanner) (dispatch.Order, error) {
	return decoded(row, scanOrderRow)
}

// scanPlacedOrder also returns the time that lists are sorted by.
func scanPlacedOrder(row scanner) (o dispatch.Order, placed int64, err error) {
	r, err := scanOrderRow(row)
	if err != nil {
		return o, 0, err
	}
	o, err = r.value()
	return o, r.placed, err
}

// orderRow is an order as the database has it: what is in columns, and the rest.
type orderRow struct {
	columns dispatch.Order
	placed  int64
	doc     []byte
}

func scanOrderRow(row scanner) (r orderRow, err error) {
	o := &r.columns
	return r, row.Scan(&o.ID, &o.Merchant, &o.Reference, &o.Status, &o.Courier, &o.Version, &r.placed, &r.doc)
}

func (r orderRow) value() (dispatch.Order, error) {
	o := r.columns
	var d orderDoc
	if err := decode("order", o.ID, r.doc, &d); err != nil {
		return o, err
	}
	o.Pickup, o.Dropoff, o.ReadyAt, o.DeliverBy, o.Window = d.Pickup, d.Dropoff, d.ReadyAt, d.DeliverBy, d.Window
	o.Size, o.Requirements, o.Priority, o.Items = d.Size, d.Requirements, d.Priority, d.Items
	o.PINRequired, o.PIN, o.PhotoRequired, o.SignatureRequired, o.Pay = d.PINRequired, d.PIN, d.PhotoRequired, d.SignatureRequired, d.Pay
	o.Pinned, o.Offer = d.Pinned, d.Offer
	o.Times, o.Reason, o.Proof, o.Refusals = d.Times, d.Reason, d.Proof, d.Refusals
	return o, nil
}

const selectOrder = "SELECT " + orderColumns + " FROM orders WHERE id = $1"

// Order implements dispatch.OrderReader.
func (s *Store) Order(ctx context.Context, id string) (dispatch.Order, error) {
	return ask(ctx, s, s.asked.orders, "order", id)
}

func (t *tx) Order(id string) (dispatch.Order, error) {
	if err := t.use("order", id); err != nil {
		return dispatch.Order{}, err
	}
	o, err := scanOrder(t.q.QueryRowContext(context.Background(), t.forUpdate(selectOrder), id))
	if err == nil {
		t.orders[id] = o
	}
	return o, t.missing(err, "order", id)
}

// SaveOrder implements dispatch.Tx. The merchant, the reference and the time
// of placing are fixed by the first save. A save without an event keeps the
// version; it is for what no one is told of, and must not change the status.
func (t *tx) SaveOrder(o dispatch.Order, seen int64, events []dispatch.Event) error {
	if err := t.use("order", o.ID); err != nil {
		return err
	}
	if err := checkSave(o, seen, events); err != nil {
		return t.fail(fmt.Errorf("save order %q: %w", o.ID, err))
	}
	doc, err := encodeOrder(o)
	if err != nil {
		return t.fail(err)
	}
	if seen == 0 {
		err = t.insertOrder(o, events, doc)
	} else {
		err = t.updateOrder(o, seen, events, doc)
	}
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := t.saveEvent(e); err != nil {
			return err
		}
	}
	t.orders[o.ID] = o
	if o.Courier != "" {
		t.touch(o.ID)
	}
	return nil
}

// checkSave finds what only a programming fault can bring about.
func checkSave(o dispatch.Order, seen int64, events []dispatch.Event) error {
	switch {
	case o.ID == "":
		return errors.New("no id")
	case !o.Status.Valid():
		return fmt.Errorf("status %q is none", o.Status)
	case seen < 0:
		return fmt.Errorf("version %d was seen", seen)
	case o.Version != seen+int64(len(events)):
		return fmt.Errorf("version goes from %d to %d with %d events", seen, o.Version, len(events))
	case o.Version == 0:
		return errors.New("a new order without an event")
	}
	for i, e := range events {
		if e.Order != o.ID || e.Version != seen+int64(i)+1 {
			return fmt.Errorf("event %d of order %q stands where %d of %q must", e.Version, e.Order, seen+int64(i)+1, o.ID)
		}
	}
	if n := len(events); n > 0 && events[n-1].Status != o.Status {
		return fmt.Errorf("status is %s, but %s after the newest event", o.Status, events[n-1].Status)
	}
	return nil
}

// placedAt is when a new order was placed.
func placedAt(o dispatch.Order, events []dispatch.Event) time.Time {
	if placed, ok := o.Times[dispatch.Placed]; ok {
		return placed
	}
	return events[0].Time
}

func (t *tx) insertOrder(o dispatch.Order, events []dispatch.Event, doc string) error {
	n, err := t.exec(fmt.Sprintf("insert order %q", o.ID), `INSERT INTO orders
		(id, merchant, reference, status, terminal, courier, area, version, placed_at, changed_at, doc, ready_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING`,
		o.ID, o.Merchant, o.Reference, string(o.Status), flag(o.Terminal()), o.Courier, o.Area(), o.Version,
		micros(placedAt(o, events)), micros(events[len(events)-1].Time), doc, micros(o.ReadyAt))
	if err == nil && n == 0 {
		t.exists("order", o.ID)
		return fmt.Errorf("order %q exists: %w", o.ID, dispatch.ErrConflict)
	}
	return err
}

func (t *tx) updateOrder(o dispatch.Order, seen int64, events []dispatch.Event, doc string) error {
	w := write{attempted: fmt.Sprintf("update order %q", o.ID)}
	if len(events) == 0 {
		w.query = `UPDATE orders SET courier = $1, area = $2, doc = $3, ready_at = $4
			WHERE id = $5 AND version = $6 AND merchant = $7 AND reference = $8 AND status = $9`
		w.args = []any{o.Courier, o.Area(), doc, micros(o.ReadyAt), o.ID, seen, o.Merchant, o.Reference, string(o.Status)}
	} else {
		w.query = `UPDATE orders
			SET status = $1, terminal = $2, courier = $3, area = $4, version = $5, changed_at = $6, doc = $7, ready_at = $8
			WHERE id = $9 AND version = $10 AND merchant = $11 AND reference = $12`
		w.args = []any{string(o.Status), flag(o.Terminal()), o.Courier, o.Area(), o.Version, micros(events[len(events)-1].Time), doc,
			micros(o.ReadyAt), o.ID, seen, o.Merchant, o.Reference}
	}
	is, read := t.orders[o.ID] // and locked
	if read && is.Version == seen && is.Merchant == o.Merchant && is.Reference == o.Reference && (len(events) > 0 || is.Status == o.Status) {
		return t.later(w)
	}
	w.none = func() error { return t.unsaved(w.attempted, o, seen) }
	return t.atOnce(w)
}

// unsaved is why an order could not be saved.
func (t *tx) unsaved(attempted string, o dispatch.Order, seen int64) error {
	var version int64
	err := t.q.QueryRowContext(context.Background(), "SELECT version FROM orders WHERE id = $1", o.ID).Scan(&version)
	if err == nil && version == seen {
		return t.fail(fmt.Errorf("%s: merchant or reference differ, or the status does without an event", attempted))
	}
	return fmt.Errorf("order %q is no longer version %d: %w", o.ID, seen, dispatch.ErrConflict)
}
