package ws

import (
	"time"

	"courier/dispatch"
	"courier/tracking"
)

// The frames that the server sends. Each type's first field is its name on
// the wire; see docs/protocol.md and asyncapi.yaml.

type welcome struct {
	Type string        `json:"type"` // welcome
	Now  time.Time     `json:"now"`
	Rate float64       `json:"rate"`
	Role dispatch.Role `json:"role"`
	ID   string        `json:"id"`
	Seq  int64         `json:"seq"`
}

type beat struct {
	Type string `json:"type"` // beat
}

type failure struct {
	Type   string `json:"type"` // error
	ID     string `json:"id,omitempty"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

type ack struct {
	Type     string        `json:"type"` // ack
	ID       string        `json:"id"`
	OK       bool          `json:"ok"`
	Code     string        `json:"code,omitempty"`
	Detail   string        `json:"detail,omitempty"`
	By       dispatch.Role `json:"by,omitempty"`       // who changed what the action was about
	Accepted *int          `json:"accepted,omitempty"` // fixes only
	// RetryAfter is in how many seconds, of real time, fixes are taken again.
	RetryAfter float64              `json:"retry_after,omitzero"`
	Late       []int                `json:"late,omitempty"`
	Rejected   []tracking.Rejection `json:"rejected,omitempty"`
}

type plan struct {
	Type    string               `json:"type"` // plan
	Seq     int64                `json:"seq"`
	Duty    dispatch.Duty        `json:"duty"`
	Courier dispatch.CourierView `json:"courier"`
	Plan    dispatch.Plan        `json:"plan"`
}

type offer struct {
	Type  string         `json:"type"` // offer
	Seq   int64          `json:"seq"`
	Offer dispatch.Offer `json:"offer"`
}

type offerClosed struct {
	Type   string              `json:"type"` // offer.closed
	Seq    int64               `json:"seq"`
	Offer  string              `json:"offer"`
	State  dispatch.OfferState `json:"state"`
	Reason string              `json:"reason,omitempty"`
	Status dispatch.Status     `json:"status,omitempty"` // of its first order, where it was withdrawn
}

type orderLost struct {
	Type   string          `json:"type"` // order
	Seq    int64           `json:"seq"`
	Order  string          `json:"order"`
	Status dispatch.Status `json:"status"`
	By     dispatch.Role   `json:"by,omitempty"`
	Reason string          `json:"reason,omitempty"`
}

type trackSnapshot struct {
	Type    string                 `json:"type"` // snapshot
	Seq     int64                  `json:"seq"`
	View    dispatch.View          `json:"view"`
	History []dispatch.HistoryStep `json:"history"`
}

type trackStatus struct {
	Type   string          `json:"type"` // status
	Seq    int64           `json:"seq"`
	Status dispatch.Status `json:"status"`
	Time   time.Time       `json:"time"`
	View   dispatch.View   `json:"view"`
}

type trackETA struct {
	Type        string           `json:"type"` // eta
	ETA         *dispatch.Window `json:"eta,omitempty"`
	StopsBefore int              `json:"stops_before"`
}

type trackPosition struct {
	Type string       `json:"type"` // position
	Fix  tracking.Fix `json:"fix"`
	Age  float64      `json:"age"` // seconds
}

type trackEnded struct {
	Type   string `json:"type"` // ended
	Reason string `json:"reason"`
}

type fleetAlert struct {
	Type  string         `json:"type"` // alert
	Seq   int64          `json:"seq"`
	Alert dispatch.Alert `json:"alert"`
}

type fleetStats struct {
	Type  string         `json:"type"` // stats
	Seq   int64          `json:"seq"`
	Stats dispatch.Stats `json:"stats"`
}

type fleetCells struct {
	Type       string     `json:"type"` // cells
	Seq        int64      `json:"seq"`
	Resolution int        `json:"resolution"`
	Cells      []cellLoad `json:"cells"`
}

type cellLoad struct {
	Cell   string `json:"cell"`
	Supply int    `json:"supply"` // free couriers
	Demand int    `json:"demand"` // waiting pickups
}
