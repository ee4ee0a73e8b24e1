// Package tracking follows couriers. It knows nothing of orders.
//
//	ws fixes → Tracker.Ingest → Index.Move → who is near, who is live
//	                         ├→ Feed.Publish → ws watchers
//	                         └→ TrailStore.AppendTrail
package tracking

import (
	"time"

	"courier/geo"
)

// Fix is one reported position of a courier.
type Fix struct {
	Courier string    `json:"-"`
	Time    time.Time `json:"time"` // by the phone's clock; orders a courier's fixes
	geo.Point
	Accuracy float64   `json:"accuracy"`          // metres, radius of 68 % confidence
	Speed    *float64  `json:"speed,omitempty"`   // m/s
	Heading  *float64  `json:"heading,omitempty"` // degrees clockwise from north, [0, 360)
	Received time.Time `json:"-"`                 // by the server's clock; decides presence
	// Trace is the span that the fix comes from, see follow.Parent: it goes
	// with the feed, and an index need not keep it. Empty, almost always: the
	// fix is not followed.
	Trace string `json:"-"`
}

// Reason says why a fix was rejected.
type Reason string

// The reasons, as on the wire.
const (
	OutOfRange Reason = "range"
	NullIsland Reason = "null_island"
	Inaccurate Reason = "accuracy"
	Future     Reason = "future"
	Old        Reason = "old"
	Duplicate  Reason = "duplicate"
	Jump       Reason = "jump"
	OffDuty    Reason = "off_duty"
)

// Rejection is one fix that was not taken, by its index in the batch.
type Rejection struct {
	Index  int    `json:"index"`
	Reason Reason `json:"reason"`
}

// Result answers one batch of fixes. A late fix is accepted into the trail
// and does not move the courier.
type Result struct {
	Accepted int         `json:"accepted"`
	Late     []int       `json:"late,omitempty"`
	Rejected []Rejection `json:"rejected,omitempty"`
	Entered  []string    `json:"-"` // ids of the fences that the batch came into
}

// Fence is a circle around a place that a courier is headed for.
type Fence struct {
	ID     string
	At     geo.Point
	Radius float64 // metres
}
