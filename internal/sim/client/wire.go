package client

import (
	"time"

	"courier/geo"
)

// Contact is who stands at an end of an order.
type Contact struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

// End is where an order is picked up or dropped off.
type End struct {
	Point   geo.Point `json:"point"`
	Address string    `json:"address,omitempty"`
	Contact *Contact  `json:"contact,omitempty"`
	Note    string    `json:"note,omitempty"`
}

// Requirements limit who may carry an order.
type Requirements struct {
	Vehicles []geo.Vehicle `json:"vehicles,omitempty"`
	Skills   []string      `json:"skills,omitempty"`
}

// NewOrder is what a merchant places.
type NewOrder struct {
	Reference    string        `json:"reference,omitempty"`
	Pickup       End           `json:"pickup"`
	Dropoff      End           `json:"dropoff"`
	ReadyAt      *time.Time    `json:"ready_at,omitempty"`
	DeliverBy    *time.Time    `json:"deliver_by,omitempty"`
	Size         int           `json:"size,omitempty"`
	Requirements *Requirements `json:"requirements,omitempty"`
	Priority     int           `json:"priority,omitempty"`
	Items        string        `json:"items,omitempty"`
	PINRequired  bool          `json:"pin_required,omitempty"`
}

// Order is an order as staff and its merchant see it, as far as the
// simulation cares.
type Order struct {
	ID        string               `json:"id"`
	Merchant  string               `json:"merchant"`
	Reference string               `json:"reference"`
	Status    string               `json:"status"`
	Version   int64                `json:"version"`
	ReadyAt   time.Time            `json:"ready_at"`
	DeliverBy time.Time            `json:"deliver_by"`
	Size      int                  `json:"size"`
	Courier   string               `json:"courier"`
	Times     map[string]time.Time `json:"times"`
	Reason    string               `json:"reason"`
}

// Over says whether nothing more is to be done for the customer.
func (o Order) Over() bool { return Over(o.Status) }

// Over says whether an order of this status is done, one way or another.
func Over(status string) bool {
	switch status {
	case "delivered", "failed", "returned", "cancelled":
		return true
	}
	return false
}

// Actor is who did something.
type Actor struct {
	Role string `json:"role"`
	ID   string `json:"id"`
}

// Event is one step of an order's history.
type Event struct {
	Order   string    `json:"order"`
	Version int64     `json:"version"`
	Type    string    `json:"type"`
	Status  string    `json:"status"`
	Time    time.Time `json:"time"`
	Actor   Actor     `json:"actor"`
	Data    struct {
		Courier string `json:"courier"`
		Offer   string `json:"offer"`
		Reason  string `json:"reason"`
		Area    string `json:"area"`  // whose lease the matcher held
		Token   int64  `json:"token"` // and the lease's token; 0: no matcher's doing
	} `json:"data"`
}

// Decision is what the matcher thought of an order, as far as the simulation
// cares.
type Decision struct {
	Time    time.Time `json:"time"`
	Outcome string    `json:"outcome"`
}

// Alert is something a dispatcher should look at.
type Alert struct {
	Kind    string `json:"kind"`
	Order   string `json:"order"`
	Courier string `json:"courier"`
	Active  bool   `json:"active"`
}

// FleetOrder is an order on a dispatcher's page.
type FleetOrder struct {
	ID      string               `json:"id"`
	Status  string               `json:"status"`
	Version int64                `json:"version"`
	Times   map[string]time.Time `json:"times"`
}

// FleetCourier is a courier on a dispatcher's page.
type FleetCourier struct {
	ID       string `json:"id"`
	Duty     string `json:"duty"`
	State    string `json:"state"`
	Load     int    `json:"load"`
	Capacity int    `json:"capacity"`
	Fix      *Fix   `json:"fix"`
}

// Span is a stretch of time.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// NewCourier is who joins the fleet.
type NewCourier struct {
	Name     string      `json:"name"`
	Phone    string      `json:"phone,omitempty"`
	Vehicle  geo.Vehicle `json:"vehicle"`
	Capacity int         `json:"capacity"`
	Skills   []string    `json:"skills,omitempty"`
	Shift    *Span       `json:"shift,omitempty"`
	Start    *geo.Point  `json:"start,omitempty"`
}

// Courier is a courier as far as the simulation cares.
type Courier struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Capacity int       `json:"capacity"`
	Duty     string    `json:"duty"`
	State    string    `json:"state"`
	Load     int       `json:"load"`
	Version  int64     `json:"version"`
	Plan     Plan      `json:"plan"`
	LastSeen time.Time `json:"last_seen"`
}

// Plan is what a courier has to do, in order.
type Plan struct {
	Version int64  `json:"version"`
	Stops   []Stop `json:"stops"`
}

// Stop is one place in a plan.
type Stop struct {
	Order       string    `json:"order"`
	Kind        string    `json:"kind"` // pickup, dropoff, return
	Point       geo.Point `json:"point"`
	PINRequired bool      `json:"pin_required"`
	ReadyAt     time.Time `json:"ready_at"`
	ArrivedAt   time.Time `json:"arrived_at"`
}

// Fix is one position of a courier.
type Fix struct {
	Time     time.Time `json:"time"`
	Lat      float64   `json:"lat"`
	Lng      float64   `json:"lng"`
	Accuracy float64   `json:"accuracy"`
	Speed    *float64  `json:"speed,omitempty"`
	Heading  *float64  `json:"heading,omitempty"`
}

// View is an order as its customer sees it, as far as the simulation cares.
type View struct {
	Reference   string `json:"reference"`
	Status      string `json:"status"`
	Version     int64  `json:"version"`
	PIN         string `json:"pin"`
	StopsBefore int    `json:"stops_before"`
	Fix         *Fix   `json:"fix"`
}

// Link is a tracking link; its secret is shown once.
type Link struct {
	ID        string    `json:"id"`
	Secret    string    `json:"secret"`
	URL       string    `json:"url"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Session is what a courier gets for a sign-in code.
type Session struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
	Courier   Courier   `json:"courier"`
}

// Stats are the server's figures, as far as the simulation cares.
type Stats struct {
	Waiting        int     `json:"waiting"`
	Active         int     `json:"active"`
	Unassignable   int     `json:"unassignable"`
	FeedLagSeconds float64 `json:"feed_lag_seconds"`
}
