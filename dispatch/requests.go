package dispatch

import (
	"fmt"
	"strings"
	"time"

	"courier/geo"
)

// Scope limits what a caller may see: a merchant its own orders. The zero
// Scope sees everything.
type Scope struct{ Merchant string }

// Allows says whether the order is within the scope.
func (s Scope) Allows(o Order) bool { return s.Merchant == "" || s.Merchant == o.Merchant }

// NewOrder is what it takes to place an order.
type NewOrder struct {
	ID           string `json:"-"` // unique, sortable by time; empty: one is made up
	Merchant     string // from the caller's key, or named by staff
	Reference    string
	Pickup       Place
	Dropoff      Place
	ReadyAt      time.Time // zero: now
	DeliverBy    *time.Time
	Window       *Window
	Size         int // 0: 1
	Requirements Requirements
	Priority     int
	Items        string
	PINRequired  bool
	// What came later is left out of the hash of a request without it, which
	// an older node may have kept.
	PhotoRequired     bool   `json:",omitempty"`
	SignatureRequired bool   `json:",omitempty"`
	Pay               *Money `json:",omitempty"`
}

// NewCourier is what it takes to enrol a courier.
type NewCourier struct {
	Name     string
	Phone    string
	Vehicle  geo.Vehicle
	Capacity int
	Skills   []string
	Shift    *Window
	Start    *geo.Point
}

// CourierPatch changes what is not nil.
type CourierPatch struct {
	Name     *string
	Phone    *string
	Vehicle  *geo.Vehicle
	Capacity *int
	Skills   *[]string
	Shift    **Window    // a nil window removes the shift
	Start    **geo.Point // a nil point removes it
	Duty     *Duty
}

// Override is a person's decision against or beside the matcher's.
type Override struct {
	By      Actor
	Scope   Scope
	Reason  string
	Version int64 // the version seen; 0: whatever it is now
}

// Action is something that a courier does or reports.
type Action struct {
	Type   ActionType
	Duty   Duty
	Offer  string
	Order  string
	Kind   StopKind
	At     time.Time // by the phone; zero: now
	Reason string
	Note   string
	PIN    string

	// Ids of pictures that were kept before; see NewOrder for why they are
	// left out.
	Photo     string `json:",omitempty"`
	Signature string `json:",omitempty"`
}

// ActionType is the kind of an Action, named as its frame is.
type ActionType string

// The actions of a courier.
const (
	ActSetDuty  ActionType = "duty"
	ActAccept   ActionType = "offer.accept"
	ActDecline  ActionType = "offer.decline"
	ActArrive   ActionType = "stop.arrive"
	ActComplete ActionType = "stop.complete"
	ActFail     ActionType = "stop.fail"
)

// FieldError names one wrong field of a request, by its path on the wire.
type FieldError struct {
	Field   string `json:"field"`
	Problem string `json:"problem"`
}

// Invalid is a request with wrong fields. All of them are named.
type Invalid struct{ Fields []FieldError }

func (e *Invalid) Error() string {
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Field + " " + f.Problem
	}
	return "invalid: " + strings.Join(parts, "; ")
}

// Refused is an action that the state does not allow. It is an ErrConflict
// with words for a person.
type Refused struct{ Why string }

func (e *Refused) Error() string { return e.Why }
func (e *Refused) Unwrap() error { return ErrConflict }

func refuse(format string, args ...any) error { return &Refused{Why: fmt.Sprintf(format, args...)} }
