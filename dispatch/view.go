package dispatch

import (
	"time"

	"courier/geo"
	"courier/tracking"
)

// CourierState is how a courier looks to a dispatcher.
type CourierState string

// The states, worked out from duty, presence and work.
const (
	Free        CourierState = "free"
	HasOffer    CourierState = "offered"
	Busy        CourierState = "busy"
	OnBreak     CourierState = "break"
	StaleSignal CourierState = "stale" // on duty, not heard of lately
	Offline     CourierState = "offline"
)

// CourierView is a courier with where it was last seen.
type CourierView struct {
	Courier
	State    CourierState  `json:"state"`
	LastSeen *time.Time    `json:"last_seen,omitempty"`
	Fix      *tracking.Fix `json:"fix,omitempty"`
}

// FleetCourier is the short form for the map.
type FleetCourier struct {
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	Vehicle  geo.Vehicle   `json:"vehicle"`
	State    CourierState  `json:"state"`
	Duty     Duty          `json:"duty"`
	Load     int           `json:"load"`
	Capacity int           `json:"capacity"`
	Version  int64         `json:"version"`
	Stops    int           `json:"stops"`
	Fix      *tracking.Fix `json:"fix,omitempty"`
}

// Fleet is the short form of the view.
func (v CourierView) Fleet() FleetCourier {
	return FleetCourier{
		ID: v.ID, Name: v.Name, Vehicle: v.Vehicle, State: v.State, Duty: v.Duty, Load: v.Load,
		Capacity: v.Capacity, Version: v.Version, Stops: len(v.Plan.Stops), Fix: v.Fix,
	}
}

// View is what a customer may know of an order.
type View struct {
	Reference   string               `json:"reference,omitempty"`
	Status      Status               `json:"status"`
	Version     int64                `json:"version"`
	Steps       map[Status]time.Time `json:"steps"`
	Pickup      ViewPlace            `json:"pickup"`
	Dropoff     ViewPlace            `json:"dropoff"`
	Items       string               `json:"items,omitempty"`
	Courier     *ViewCourier         `json:"courier,omitempty"`
	StopsBefore int                  `json:"stops_before"` // of others, before this drop-off
	PIN         string               `json:"pin,omitempty"`
	ETA         *Window              `json:"eta,omitempty"`
	ReadyAt     time.Time            `json:"ready_at"`
	Promise     *time.Time           `json:"promise,omitempty"`
	Late        bool                 `json:"late"` // the range's start is past the promise
	Fix         *tracking.Fix        `json:"fix,omitempty"`
	Reason      string               `json:"reason,omitempty"`
	Proof       *Proof               `json:"proof,omitempty"`
}

// ViewPlace is an end of the order, without whom to call there.
type ViewPlace struct {
	Address string    `json:"address,omitempty"`
	Point   geo.Point `json:"point"`
	Note    string    `json:"note,omitempty"`
}

// ViewCourier is who brings it: first name, vehicle, and a number if the
// company gives it out.
type ViewCourier struct {
	ID      string      `json:"-"` // for the server, which follows it
	Name    string      `json:"name"`
	Vehicle geo.Vehicle `json:"vehicle"`
	Phone   string      `json:"phone,omitempty"`
}

// HistoryStep is one version of the order as a customer sees it.
type HistoryStep struct {
	Seq    int64     `json:"seq"`
	Status Status    `json:"status"`
	Time   time.Time `json:"time"`
}

// Stats are the figures of the moment.
type Stats struct {
	Waiting             int     `json:"waiting"`
	Active              int     `json:"active"`
	CouriersOnDuty      int     `json:"couriers_on_duty"`
	CouriersFree        int     `json:"couriers_free"`
	MedianAssignSeconds float64 `json:"median_assign_seconds"` // of the last hour's orders
	LatePercent         float64 `json:"late_percent"`          // of the last hour's deliveries with a promise
	DeliveredToday      int     `json:"delivered_today"`       // in the last 24 h
	Unassignable        int     `json:"unassignable"`
	FeedLagSeconds      float64 `json:"feed_lag_seconds"`
}

// AlertKind is what a dispatcher should look at.
type AlertKind string

// The kinds of alert.
const (
	AlertUnassignable AlertKind = "unassignable"
	AlertAtRisk       AlertKind = "at_risk"
	AlertStale        AlertKind = "stale_courier"
	AlertDeviation    AlertKind = "deviation" // a courier who comes far later to the next stop than planned
)

// Alert is something that a dispatcher should look at. It is worked out
// from the state, not stored: the same state gives the same alert and id.
type Alert struct {
	ID      string    `json:"id"` // kind:order or kind:courier
	Kind    AlertKind `json:"kind"`
	Order   string    `json:"order,omitempty"`
	Courier string    `json:"courier,omitempty"`
	Time    time.Time `json:"time"`
	Text    string    `json:"text"`
	Active  bool      `json:"active"`
}
