package web

import (
	"fmt"
	"net/http"
	"time"

	"courier/dispatch"
)

// newOrderBody is an order as it is placed.
type newOrderBody struct {
	Merchant          string                `json:"merchant,omitempty"` // given by staff
	Reference         string                `json:"reference,omitempty"`
	Pickup            dispatch.Place        `json:"pickup"`
	Dropoff           dispatch.Place        `json:"dropoff"`
	ReadyAt           time.Time             `json:"ready_at,omitzero"`
	DeliverBy         *time.Time            `json:"deliver_by,omitempty"`
	Window            *dispatch.Window      `json:"window,omitempty"`
	Size              *int                  `json:"size,omitempty"`
	Requirements      dispatch.Requirements `json:"requirements,omitzero"`
	Priority          int                   `json:"priority,omitempty"`
	Items             string                `json:"items,omitempty"`
	PINRequired       bool                  `json:"pin_required,omitempty"`
	PhotoRequired     bool                  `json:"photo_required,omitempty"`
	SignatureRequired bool                  `json:"signature_required,omitempty"`
	Pay               *dispatch.Money       `json:"pay,omitempty"`
}

func (s *Server) place(c *call) (answer, error) {
	key, err := idempotencyKey(c.Header)
	if err != nil {
		return answer{}, err
	}
	var body newOrderBody
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	n, err := body.order(c)
	if err != nil {
		return answer{}, err
	}
	n.ID = c.seen.id
	order, replayed, err := s.deps.Dispatch.Place(c.Context(), c.actor(), n, key)
	if err != nil {
		return answer{}, err
	}
	a := created(order)
	a.header = http.Header{"Location": {"/v1/orders/" + order.ID}}
	if replayed {
		c.seen.about(order.ID)
		a.header.Set("Idempotency-Replayed", "true")
	}
	return a, nil
}

// order is what the body asks for, for the merchant that it is for: a
// merchant's own, or the one that staff name.
func (b newOrderBody) order(c *call) (dispatch.NewOrder, error) {
	n := dispatch.NewOrder{
		Merchant: b.Merchant, Reference: b.Reference, Pickup: b.Pickup, Dropoff: b.Dropoff, ReadyAt: b.ReadyAt,
		DeliverBy: b.DeliverBy, Window: b.Window, Requirements: b.Requirements, Priority: b.Priority,
		Items: b.Items, PINRequired: b.PINRequired, PhotoRequired: b.PhotoRequired, SignatureRequired: b.SignatureRequired, Pay: b.Pay,
	}
	if !staffRole(c.who.Role) {
		if b.Merchant != "" && b.Merchant != c.who.ID {
			return n, invalid("merchant", "is for staff to give")
		}
		n.Merchant = c.who.ID
	}
	if b.Size != nil {
		if *b.Size < 1 { // 0 would mean "not given" from here on
			return n, invalid("size", "must be at least 1")
		}
		n.Size = *b.Size
	}
	return n, nil
}

// idempotencyKey is the header that makes placing an order safe to repeat.
func idempotencyKey(h http.Header) (string, error) {
	given := h.Values("Idempotency-Key")
	if len(given) == 0 || (len(given) == 1 && given[0] == "") {
		return "", errKeyRequired
	}
	key := given[0]
	if len(given) > 1 || len(key) > 128 {
		return "", fmt.Errorf("%d keys, the first of %d bytes: %w", len(given), len(key), errKeyRequired)
	}
	for _, c := range []byte(key) {
		if c < ' ' || c > '~' {
			return "", fmt.Errorf("not printable: %w", errKeyRequired)
		}
	}
	return key, nil
}
