// Package dispatch is the company's mind: orders, couriers and their plans,
// offers, and the loop that brings them together. It knows no database, bus
// or protocol; it declares the ports that it needs.
//
//	Service.Place ─┐                              ┌→ Store.Update (order, events, outbox)
//	courier acts ──┼→ Order.Apply, Plan functions ┤
//	Loop.Run ──────┘     (pure)                   └→ bus → ws
//	   └ snapshot → match.Solve → commit by compare-and-set
package dispatch

import (
	"time"

	"courier/geo"
)

// Status is where an order stands.
type Status string

// The statuses. See Order.Apply for the ways between them.
const (
	Placed       Status = "placed"
	Searching    Status = "searching"
	Offered      Status = "offered"
	Assigned     Status = "assigned"
	AtPickup     Status = "at_pickup"
	PickedUp     Status = "picked_up"
	AtDropoff    Status = "at_dropoff"
	Delivered    Status = "delivered"
	Failed       Status = "failed"
	Returned     Status = "returned"
	Cancelled    Status = "cancelled"
	Unassignable Status = "unassignable"
)

// Statuses lists them all in the order of an order's life.
func Statuses() []Status {
	return []Status{Placed, Searching, Offered, Assigned, AtPickup, PickedUp, AtDropoff, Delivered, Failed, Returned, Cancelled, Unassignable}
}

// Valid says whether s is one of Statuses.
func (s Status) Valid() bool {
	for _, known := range Statuses() {
		if s == known {
			return true
		}
	}
	return false
}

// Order is something to carry from one place to another.
type Order struct {
	ID                string               `json:"id"`
	Merchant          string               `json:"merchant"`
	Reference         string               `json:"reference,omitempty"` // the merchant's own number
	Status            Status               `json:"status"`
	Version           int64                `json:"version"` // number of its newest event
	Pickup            Place                `json:"pickup"`
	Dropoff           Place                `json:"dropoff"`
	ReadyAt           time.Time            `json:"ready_at"`
	DeliverBy         *time.Time           `json:"deliver_by,omitempty"`
	Window            *Window              `json:"window,omitempty"`
	Size              int                  `json:"size"` // capacity units
	Requirements      Requirements         `json:"requirements,omitzero"`
	Priority          int                  `json:"priority"` // 0-9, higher first
	Items             string               `json:"items,omitempty"`
	PINRequired       bool                 `json:"pin_required"`
	PIN               string               `json:"-"` // shown to the customer alone
	PhotoRequired     bool                 `json:"photo_required,omitempty"`
	SignatureRequired bool                 `json:"signature_required,omitempty"`
	Pay               *Money               `json:"pay,omitempty"` // what its courier earns
	Courier           string               `json:"courier,omitempty"`
	Pinned            string               `json:"pinned,omitempty"` // the only courier the matcher may use
	Offer             string               `json:"-"`                // the open one, while Offered
	ETA               *ETA                 `json:"eta,omitempty"`    // worked out when read, never stored
	Times             map[Status]time.Time `json:"times"`            // when each status was last entered
	Reason            string               `json:"reason,omitempty"`
	Proof             *Proof               `json:"proof,omitempty"`
	Refusals          map[string]time.Time `json:"-"` // courier → until when not to ask again
}

// Place is one end of an order.
type Place struct {
	Point   geo.Point `json:"point"`
	Address string    `json:"address,omitempty"`
	Contact Contact   `json:"contact,omitzero"`
	Note    string    `json:"note,omitempty"`
}

// Contact is whom to ask for.
type Contact struct {
	Name  string `json:"name,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Window is a span of time: a promise to a customer, or a courier's shift.
type Window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Requirements limit who can carry an order; empty means anyone.
type Requirements struct {
	Vehicles []geo.Vehicle `json:"vehicles,omitempty"` // any of these
	Skills   []string      `json:"skills,omitempty"`   // all of these
}

// ETA is when the courier's plan reaches each end.
type ETA struct {
	Pickup  time.Time `json:"pickup,omitzero"`
	Dropoff time.Time `json:"dropoff,omitzero"`
}

// Proof is what shows that the right person got it.
type Proof struct {
	PIN       bool   `json:"pin"` // the customer's PIN was given and right
	Note      string `json:"note,omitempty"`
	Photo     string `json:"photo,omitempty"`     // id of a ProofFile
	Signature string `json:"signature,omitempty"` // likewise
}

// Area is the cell (geo.AreaResolution) of the pickup, as hexadecimal text:
// whose lease a node needs to find a courier for the order. It is empty for a
// pickup that is no point.
func (o Order) Area() string {
	cell, err := geo.CellOf(o.Pickup.Point, geo.AreaResolution)
	if err != nil {
		return ""
	}
	return cell.String()
}

// Due is the latest promised delivery, or the zero time without a promise.
func (o Order) Due() time.Time {
	switch {
	case o.DeliverBy != nil:
		return *o.DeliverBy
	case o.Window != nil:
		return o.Window.To
	}
	return time.Time{}
}

// Loaded says whether the courier has the goods: after the pickup, and until
// they are delivered or brought back.
func (o Order) Loaded() bool {
	_, picked := o.Times[PickedUp]
	return picked && !o.Terminal()
}

// Terminal says that nothing more can happen to the order. A failed order
// whose goods were picked up still has to be returned.
func (o Order) Terminal() bool {
	switch o.Status {
	case Delivered, Returned, Cancelled:
		return true
	case Failed:
		_, picked := o.Times[PickedUp]
		return !picked
	}
	return false
}
