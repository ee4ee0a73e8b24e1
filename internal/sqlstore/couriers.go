package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"courier/dispatch"
	"courier/geo"
)

const courierColumns = "id, duty, capacity, load, epoch, version, doc"

// courierDoc is what of a courier is not in a column of its own.
type courierDoc struct {
	Name     string           `json:"name"`
	Phone    string           `json:"phone,omitempty"`
	Vehicle  geo.Vehicle      `json:"vehicle"`
	Skills   []string         `json:"skills,omitempty"`
	Shift    *dispatch.Window `json:"shift,omitempty"`
	Start    *geo.Point       `json:"start,omitempty"`
	Offer    string           `json:"offer,omitempty"`
	Declines float64          `json:"declines,omitempty"`
	Leaves   time.Time        `json:"leaves,omitzero"`
	Revoked  bool             `json:"revoked,omitempty"`
	Plan     dispatch.Plan    `json:"plan"`
}

func scanCourier(row scanner) (dispatch.Courier, error) {
	return decoded(row, scanCourierRow)
}

// courierRow is a courier as the database has it: what is in columns, and the
// rest.
type courierRow struct {
	columns dispatch.Courier
	doc     []byte
}

func scanCourierRow(row scanner) (r courierRow, err error) {
	c := &r.columns
	return r, row.Scan(&c.ID, &c.Duty, &c.Capacity, &c.Load, &c.Epoch, &c.Version, &r.doc)
}

func (r courierRow) value() (dispatch.Courier, error) {
	c := r.columns
	var d courierDoc
	if err := decode("courier", c.ID, r.doc, &d); err != nil {
		return c, err
	}
	c.Name, c.Phone, c.Vehicle, c.Skills, c.Shift = d.Name, d.Phone, d.Vehicle, d.Skills, d.Shift
	c.Start, c.Offer, c.Declines, c.Leaves, c.Revoked, c.Plan = d.Start, d.Offer, d.Declines, d.Leaves, d.Revoked, d.Plan
	return c, nil
}

const selectCourier = "SELECT " + courierColumns + " FROM couriers WHERE id = $1"

// Courier implements dispatch.CourierReader.
func (s *Store) Courier(ctx context.Context, id string) (dispatch.Courier, error) {
	return ask(ctx, s, s.asked.couriers, "courier", id)
}

func (t *tx) Courier(id string) (dispatch.Courier, error) {
	if err := t.use("courier", id); err != nil {
		return dispatch.Courier{}, err
	}
	c, err := scanCourier(t.q.QueryRowContext(context.Background(), t.forUpdate(selectCourier), id))
	if err == nil {
		t.vers[id], t.plans[id] = c.Version, ordersOf(c.Plan)
		if _, known := t.table[id]; !known {
			t.table[id] = t.plans[id]
		}
	}
	return c, t.missing(err, "courier", id)
}

// SaveCourier implements dispatch.Tx.
func (t *tx) SaveCourier(c dispatch.Courier, seen int64) error {
	if err := t.use("courier", c.ID); err != nil {
		return err
	}
	attempted := fmt.Sprintf("save courier %q", c.ID)
	switch {
	case c.ID == "":
		return t.fail(errors.New("save courier: no id"))
	case seen < 0 || c.Version <= seen:
		return t.fail(fmt.Errorf("%s: version goes from %d to %d", attempted, seen, c.Version))
	case c.Load > c.Capacity:
		return fmt.Errorf("%s: load %d, capacity %d: %w", attempted, c.Load, c.Capacity, dispatch.ErrCapacity)
	}
	doc, err := encode("courier", c.ID, courierDoc{
		Name: c.Name, Phone: c.Phone, Vehicle: c.Vehicle, Skills: c.Skills, Shift: c.Shift, Start: c.Start, Offer: c.Offer, Declines: c.Declines, Leaves: c.Leaves, Revoked: c.Revoked, Plan: c.Plan,
	})
	if err != nil {
		return t.fail(err)
	}
	w := write{attempted: attempted, none: func() error {
		t.exists("courier", c.ID)
		return fmt.Errorf("courier %q is no longer version %d: %w", c.ID, seen, dispatch.ErrConflict)
	}, refused: func(err error) error {
		if !t.dialect.check(err, "couriers_load") {
			return nil
		}
		return fmt.Errorf("%w: %w", dispatch.ErrCapacity, err)
	}}
	if seen == 0 {
		w.query = `INSERT INTO couriers (id, duty, starts_at, capacity, load, epoch, version, doc)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`
		w.args = []any{c.ID, string(c.Duty), startsAt(c), c.Capacity, c.Load, c.Epoch, c.Version, doc}
	} else {
		w.query = `UPDATE couriers
			SET duty = $1, starts_at = $2, capacity = $3, load = $4, epoch = $5, version = $6, doc = $7
			WHERE id = $8 AND version = $9`
		w.args = []any{string(c.Duty), startsAt(c), c.Capacity, c.Load, c.Epoch, c.Version, doc, c.ID, seen}
	}
	is, read := t.vers[c.ID] // and locked
	save := t.atOnce
	if read && is == seen {
		save = t.later
	}
	if err := save(w); err != nil {
		return err
	}
	if err := t.planned(c); err != nil {
		return err
	}
	t.vers[c.ID], t.plans[c.ID] = c.Version, ordersOf(c.Plan)
	body, err := json.Marshal(struct {
		ID      string `json:"id"`
		Version int64  `json:"version"`
	}{c.ID, c.Version})
	if err != nil {
		return t.fail(err)
	}
	return t.post("courier.changed", c.ID, c.Version, whole(t.now()), body, "")
}

// startsAt is a courier's shift's beginning if it is known where it is; else
// null.
func startsAt(c dispatch.Courier) sql.NullInt64 {
	if c.Shift == nil || c.Start == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: micros(c.Shift.From), Valid: true}
}

// Starting implements dispatch.CourierReader.
func (s *Store) Starting(ctx context.Context, after, until time.Time, limit int) ([]dispatch.Courier, error) {
	couriers, err := collect(ctx, s.read, scanCourier, "SELECT "+courierColumns+` FROM couriers
		WHERE duty = 'off' AND starts_at > $1 AND starts_at <= $2 ORDER BY starts_at, id LIMIT $3`, micros(after), micros(until), limit)
	return couriers, s.dialect.failed(err, "list couriers who are about to start")
}

// Epoch implements auth.Store.
func (s *Store) Epoch(ctx context.Context, courier string) (epoch int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT epoch FROM couriers WHERE id = $1", courier).Scan(&epoch)
	return epoch, s.dialect.missing(err, "courier", courier)
}
