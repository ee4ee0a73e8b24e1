package dispatch

import (
	"time"

	"courier/dispatch/match"
	"courier/geo"
)

// Duty is what a courier says of itself.
type Duty string

// The duties.
const (
	Off       Duty = "off"
	Available Duty = "available"
	Break     Duty = "break"
)

// Valid says whether d is a known duty.
func (d Duty) Valid() bool { return d == Off || d == Available || d == Break }

// Courier is someone who carries orders.
type Courier struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`
	Phone    string      `json:"phone,omitempty"`
	Vehicle  geo.Vehicle `json:"vehicle"`
	Capacity int         `json:"capacity"` // units at once
	Skills   []string    `json:"skills,omitempty"`
	Shift    *Window     `json:"shift,omitempty"` // no new work after To
	Start    *geo.Point  `json:"start,omitempty"` // where the shift begins, as far as is known
	Duty     Duty        `json:"duty"`
	Load     int         `json:"load"`    // most units at once along the plan, at most Capacity
	Version  int64       `json:"version"` // moves with whatever concerns the courier
	Epoch    int64       `json:"-"`       // session: an older one is void
	Revoked  bool        `json:"-"`       // dispatch ended the last session; nobody has signed in since
	Offer    string      `json:"-"`       // the open one
	Declines float64     `json:"-"`       // the chance that an offer is declined or runs out, by the last ten or so
	Leaves   time.Time   `json:"-"`       // the stop that is done, by its usual service
	Plan     Plan        `json:"plan"`
}

// Plan is what a courier is to do next, in order.
type Plan struct {
	Version int64  `json:"version"`
	Stops   []Stop `json:"stops"`
}

// StopKind is what happens at a stop; shared with the matcher.
type StopKind = match.StopKind

// The kinds of stop.
const (
	Pickup  = match.Pickup
	Dropoff = match.Dropoff
	Return  = match.Return
)

// Stop is one visit for one order.
type Stop struct {
	Order             string     `json:"order"`
	Reference         string     `json:"reference,omitempty"` // the merchant's own number
	Kind              StopKind   `json:"kind"`
	Point             geo.Point  `json:"point"`
	Address           string     `json:"address,omitempty"`
	Contact           Contact    `json:"contact,omitzero"`
	Note              string     `json:"note,omitempty"`
	Items             string     `json:"items,omitempty"`
	Size              int        `json:"size"`
	PINRequired       bool       `json:"pin_required"`
	PhotoRequired     bool       `json:"photo_required,omitempty"`
	SignatureRequired bool       `json:"signature_required,omitempty"`
	Pay               *Money     `json:"pay,omitempty"`     // dropoffs
	ReadyAt           time.Time  `json:"ready_at,omitzero"` // pickups
	From              time.Time  `json:"from,omitzero"`     // dropoffs with a window
	Due               time.Time  `json:"due,omitzero"`      // dropoffs with a promise
	Arrive            time.Time  `json:"arrive"`            // planned
	Depart            time.Time  `json:"depart"`            // planned
	ArrivedAt         *time.Time `json:"arrived_at,omitempty"`
}

// OfferState is what became of an offer.
type OfferState string

// The states of an offer; all but open are final.
const (
	OfferOpen      OfferState = "open"
	OfferAccepted  OfferState = "accepted"
	OfferDeclined  OfferState = "declined"
	OfferExpired   OfferState = "expired"
	OfferWithdrawn OfferState = "withdrawn"
)

// Offer asks one courier to take one bundle by a deadline of the server's.
type Offer struct {
	ID       string       `json:"id"`
	Courier  string       `json:"-"`
	Orders   []string     `json:"orders"`
	Stops    []Stop       `json:"stops"`     // of these orders only
	Schedule []match.Stop `json:"-"`         // the whole plan as the matcher saw it
	Distance float64      `json:"distance"`  // metres from first pickup to last drop-off, straight
	ToPickup float64      `json:"to_pickup"` // metres from the courier to the first pickup, straight
	Deadline time.Time    `json:"deadline"`
	State    OfferState   `json:"-"`
	Reason   string       `json:"-"`
	MadeAt   time.Time    `json:"-"`
	ClosedAt time.Time    `json:"-"`
}

// Zone is a service area.
type Zone struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Area    geo.Area `json:"area"`
	Version int64    `json:"version"`

	// Who saved it last, and when: whoever is in conflict wants to know.
	ChangedBy Actor     `json:"changed_by,omitzero"`
	ChangedAt time.Time `json:"changed_at,omitzero"`
}

// Decision is what the matcher decided about an order, and why.
type Decision struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
	match.Decision
}
