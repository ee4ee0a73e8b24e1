package ws

import (
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/tracking"
)

// The frames that clients send, as decoded. What is required is what has no
// omitempty or omitzero: see package strict.

type authIn struct {
	Type  string `json:"type"` // auth
	Token string `json:"token"`
}

type resumeIn struct {
	Type string `json:"type"` // resume
	Seq  int64  `json:"seq"`
}

type courierResumeIn struct {
	resumeIn
	// Patience is for how many seconds answers to fixes may be gathered.
	Patience float64 `json:"patience,omitzero"`
}

type dutyIn struct {
	Type string        `json:"type"` // duty
	ID   string        `json:"id"`
	Duty dispatch.Duty `json:"duty"`
}

type fixesIn struct {
	Type  string         `json:"type"` // fixes
	ID    string         `json:"id"`
	Fixes []tracking.Fix `json:"fixes"`
}

type acceptIn struct {
	Type  string `json:"type"` // offer.accept
	ID    string `json:"id"`
	Offer string `json:"offer"`
}

type declineIn struct {
	Type   string `json:"type"` // offer.decline
	ID     string `json:"id"`
	Offer  string `json:"offer"`
	Reason string `json:"reason"`
}

type arriveIn struct {
	Type  string            `json:"type"` // stop.arrive
	ID    string            `json:"id"`
	Order string            `json:"order"`
	Kind  dispatch.StopKind `json:"kind"`
	At    time.Time         `json:"at,omitzero"`
}

type completeIn struct {
	Type  string            `json:"type"` // stop.complete
	ID    string            `json:"id"`
	Order string            `json:"order"`
	Kind  dispatch.StopKind `json:"kind"`
	At    time.Time         `json:"at,omitzero"`
	Proof *proofIn          `json:"proof,omitempty"`
}

type proofIn struct {
	PIN       string `json:"pin,omitempty"`
	Note      string `json:"note,omitempty"`
	Photo     string `json:"photo,omitempty"`
	Signature string `json:"signature,omitempty"`
}

type failIn struct {
	Type   string            `json:"type"` // stop.fail
	ID     string            `json:"id"`
	Order  string            `json:"order"`
	Kind   dispatch.StopKind `json:"kind"`
	At     time.Time         `json:"at,omitzero"`
	Reason string            `json:"reason"`
	Note   string            `json:"note,omitempty"`
}

type viewIn struct {
	Type   string     `json:"type"` // view
	Bounds geo.Bounds `json:"bounds"`
	Zoom   float64    `json:"zoom"`
	Cells  bool       `json:"cells,omitempty"`
}

// actor is a frame that asks the service to act.
type actor interface {
	clientID() string
	action() dispatch.Action
}

func (f *dutyIn) clientID() string     { return f.ID }
func (f *acceptIn) clientID() string   { return f.ID }
func (f *declineIn) clientID() string  { return f.ID }
func (f *arriveIn) clientID() string   { return f.ID }
func (f *completeIn) clientID() string { return f.ID }
func (f *failIn) clientID() string     { return f.ID }

func (f *dutyIn) action() dispatch.Action {
	return dispatch.Action{Type: dispatch.ActSetDuty, Duty: f.Duty}
}

func (f *acceptIn) action() dispatch.Action {
	return dispatch.Action{Type: dispatch.ActAccept, Offer: f.Offer}
}

func (f *declineIn) action() dispatch.Action {
	return dispatch.Action{Type: dispatch.ActDecline, Offer: f.Offer, Reason: f.Reason}
}

func (f *arriveIn) action() dispatch.Action {
	return dispatch.Action{Type: dispatch.ActArrive, Order: f.Order, Kind: f.Kind, At: f.At}
}

func (f *completeIn) action() dispatch.Action {
	a := dispatch.Action{Type: dispatch.ActComplete, Order: f.Order, Kind: f.Kind, At: f.At}
	if f.Proof != nil {
		a.PIN, a.Note, a.Photo, a.Signature = f.Proof.PIN, f.Proof.Note, f.Proof.Photo, f.Proof.Signature
	}
	return a
}

func (f *failIn) action() dispatch.Action {
	return dispatch.Action{Type: dispatch.ActFail, Order: f.Order, Kind: f.Kind, At: f.At, Reason: f.Reason, Note: f.Note}
}
