package dispatch

import "time"

// EventType names what happened to an order.
type EventType string

// The event types. A status's own event carries the status's name.
const (
	EventPlaced       EventType = "placed"
	EventSearching    EventType = "searching"
	EventOffered      EventType = "offered"
	EventDeclined     EventType = "declined"
	EventExpired      EventType = "expired"
	EventWithdrawn    EventType = "withdrawn"
	EventAssigned     EventType = "assigned"
	EventUnassigned   EventType = "unassigned"
	EventPinned       EventType = "pinned"
	EventAtPickup     EventType = "at_pickup"
	EventPickedUp     EventType = "picked_up"
	EventAtDropoff    EventType = "at_dropoff"
	EventDelivered    EventType = "delivered"
	EventFailed       EventType = "failed"
	EventReturned     EventType = "returned"
	EventCancelled    EventType = "cancelled"
	EventUnassignable EventType = "unassignable"
)

// Role is who acts.
type Role string

// The roles: people and systems first, then the parts of Courier itself.
const (
	RoleAdmin      Role = "admin"
	RoleDispatcher Role = "dispatcher"
	RoleViewer     Role = "viewer"
	RoleCourier    Role = "courier"
	RoleMerchant   Role = "merchant"
	RoleCustomer   Role = "customer"
	RoleMatcher    Role = "matcher"
	RoleGeofence   Role = "geofence"
	RoleSystem     Role = "system"
)

// Actor is who did it.
type Actor struct {
	Role Role   `json:"role"`
	ID   string `json:"id"`
}

// Event is one step of an order's life. An order's events are numbered 1, 2,
// 3 … without a gap and never change.
type Event struct {
	Order   string    `json:"order"`
	Version int64     `json:"version"`
	Type    EventType `json:"type"`
	Status  Status    `json:"status"` // after the event
	Time    time.Time `json:"time"`
	Actor   Actor     `json:"actor"`
	Data    EventData `json:"data,omitzero"`
	// Trace is the span that the event is committed in, see follow.Parent. It
	// goes with the event's message and is not read back; empty: the order is
	// not followed.
	Trace string `json:"-"`
}

// EventData is what an event carries, by its type.
type EventData struct {
	Courier string    `json:"courier,omitempty"`
	Offer   string    `json:"offer,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Note    string    `json:"note,omitempty"`
	At      time.Time `json:"at,omitzero"` // done then by the phone's clock, told later
	Proof   *Proof    `json:"proof,omitempty"`
	Area    string    `json:"area,omitempty"`  // whose lease the matcher held
	Token   int64     `json:"token,omitempty"` // and the lease's token: of an area's events it never goes back (I5)
}
