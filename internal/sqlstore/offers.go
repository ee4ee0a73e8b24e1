package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"courier/dispatch"
	"courier/dispatch/match"
)

const offerColumns = "id, courier, state, deadline, doc"

// offerDoc is what of an offer is not in a column of its own.
type offerDoc struct {
	Orders   []string        `json:"orders"`
	Stops    []dispatch.Stop `json:"stops"`
	Schedule []match.Stop    `json:"schedule,omitempty"`
	Distance float64         `json:"distance"`
	ToPickup float64         `json:"to_pickup"`
	Reason   string          `json:"reason,omitempty"`
	MadeAt   time.Time       `json:"made_at"`
	ClosedAt time.Time       `json:"closed_at,omitzero"`
}

func scanOffer(row scanner) (dispatch.Offer, error) {
	return decoded(row, scanOfferRow)
}

// offerRow is an offer as the database has it: what is in columns, and the
// rest.
type offerRow struct {
	columns dispatch.Offer
	doc     []byte
}

func scanOfferRow(row scanner) (r offerRow, err error) {
	var deadline int64
	err = row.Scan(&r.columns.ID, &r.columns.Courier, &r.columns.State, &deadline, &r.doc)
	r.columns.Deadline = fromMicros(deadline)
	return r, err
}

func (r offerRow) value() (dispatch.Offer, error) {
	o := r.columns
	var d offerDoc
	if err := decode("offer", o.ID, r.doc, &d); err != nil {
		return o, err
	}
	o.Orders, o.Stops, o.Schedule, o.Distance, o.ToPickup = d.Orders, d.Stops, d.Schedule, d.Distance, d.ToPickup
	o.Reason, o.MadeAt, o.ClosedAt = d.Reason, d.MadeAt, d.ClosedAt
	return o, nil
}

const (
	selectOffer      = "SELECT " + offerColumns + " FROM offers WHERE id = $1"
	selectOpenOffers = "SELECT " + offerColumns + " FROM offers WHERE state = 'open' AND deadline < $1 ORDER BY deadline, id"
)

// Offer implements dispatch.CourierReader.
func (s *Store) Offer(ctx context.Context, id string) (dispatch.Offer, error) {
	return ask(ctx, s, s.asked.offers, "offer", id)
}

// OpenOffers implements dispatch.CourierReader; by deadline.
func (s *Store) OpenOffers(ctx context.Context, before time.Time) ([]dispatch.Offer, error) {
	offers, err := collect(ctx, s.read, scanOffer, selectOpenOffers, micros(before))
	return offers, s.dialect.failed(err, "list open offers")
}

func (t *tx) Offer(id string) (dispatch.Offer, error) {
	if err := t.use("offer", id); err != nil {
		return dispatch.Offer{}, err
	}
	o, err := scanOffer(t.q.QueryRowContext(context.Background(), t.forUpdate(selectOffer), id))
	return o, t.missing(err, "offer", id)
}

// SaveOffer implements dispatch.Tx.
func (t *tx) SaveOffer(o dispatch.Offer) error {
	if err := t.use("offer", o.ID); err != nil {
		return err
	}
	if o.ID == "" {
		return t.fail(errors.New("save offer: no id"))
	}
	doc, err := encode("offer", o.ID, offerDoc{
		Orders: o.Orders, Stops: o.Stops, Schedule: o.Schedule, Distance: o.Distance, ToPickup: o.ToPickup,
		Reason: o.Reason, MadeAt: o.MadeAt, ClosedAt: o.ClosedAt,
	})
	if err != nil {
		return t.fail(err)
	}
	return t.later(write{
		attempted: fmt.Sprintf("save offer %q", o.ID),
		query: `INSERT INTO offers (id, courier, state, deadline, doc) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (id) DO UPDATE SET courier = excluded.courier, state = excluded.state, deadline = excluded.deadline, doc = excluded.doc`,
		args: []any{o.ID, o.Courier, string(o.State), micros(o.Deadline), doc},
	})
}
