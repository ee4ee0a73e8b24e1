package dispatch

import (
	"crypto/subtle"
	"maps"
	"slices"
	"time"
)

// Command asks for one step of an order's life. Type is the event that it
// leads to; the other fields matter to some types only.
type Command struct {
	Type    EventType
	By      Actor
	Courier string // offered, assigned, pinned
	Offer   string // offered
	Reason  string
	Note    string
	PIN     string    // delivered
	Photo   string    // delivered: the id of a picture that is kept
	Sign    string    // delivered: likewise, a signature
	At      time.Time // when it was done, where that was before it was told
	Until   time.Time // declined, expired, unassigned: when the courier may be asked again
	Area    string    // offered, assigned: by whose lease, where the matcher did it
	Token   int64     // of that lease
}

// step is a way between statuses: to is empty where the status stays.
type step struct {
	from []Status
	to   Status
}

var beforePickup = []Status{Placed, Searching, Offered, Assigned, AtPickup, Unassignable}

// steps is the whole state machine. An order enters it as Placed.
func steps(t EventType) (step, bool) {
	switch t {
	case EventSearching:
		return step{[]Status{Placed, Unassignable}, Searching}, true
	case EventOffered:
		return step{[]Status{Searching}, Offered}, true
	case EventDeclined, EventExpired, EventWithdrawn:
		return step{[]Status{Offered}, Searching}, true
	case EventAssigned:
		return step{[]Status{Searching, Offered}, Assigned}, true
	case EventUnassigned:
		return step{[]Status{Assigned, AtPickup}, Searching}, true
	case EventPinned:
		return step{from: beforePickup}, true
	case EventAtPickup:
		return step{[]Status{Assigned}, AtPickup}, true
	case EventPickedUp:
		return step{[]Status{AtPickup}, PickedUp}, true
	case EventAtDropoff:
		return step{[]Status{PickedUp}, AtDropoff}, true
	case EventDelivered:
		return step{[]Status{AtDropoff}, Delivered}, true
	case EventFailed:
		return step{[]Status{Assigned, AtPickup, PickedUp, AtDropoff}, Failed}, true
	case EventReturned:
		return step{[]Status{Failed}, Returned}, true
	case EventCancelled:
		return step{beforePickup, Cancelled}, true
	case EventUnassignable:
		return step{[]Status{Placed, Searching}, Unassignable}, true
	}
	return step{}, false
}

// implied is the event that must have happened unseen before t, where a
// courier reports the later step only: picking up shows that it arrived.
func implied(s Status, t EventType) (EventType, bool) {
	switch {
	case t == EventPickedUp && s == Assigned:
		return EventAtPickup, true
	case t == EventDelivered && s == PickedUp:
		return EventAtDropoff, true
	case (t == EventOffered || t == EventAssigned) && (s == Placed || s == Unassignable):
		return EventSearching, true
	}
	return "", false
}

// Place starts an order's life: version 1 and its first event.
func (o Order) Place(by Actor, now time.Time) (Order, []Event) {
	o.Status, o.Version = Placed, 1
	o.Times = map[Status]time.Time{Placed: now}
	return o, []Event{{Order: o.ID, Version: 1, Type: EventPlaced, Status: Placed, Time: now, Actor: by}}
}

// Apply is the state machine: the order after a command, and the events that
// tell of it, numbered on from the order's version. It returns a *Refused
// (an ErrConflict) for a step that the status does not allow, and *Invalid
// for a wrong PIN or a proof that is missing; then the order stays as it was. It changes nothing that
// the given order shares.
func (o Order) Apply(c Command, now time.Time) (Order, []Event, error) {
	var events []Event
	o.Times, o.Refusals = maps.Clone(o.Times), maps.Clone(o.Refusals)
	before := o
	if first, ok := implied(o.Status, c.Type); ok {
		e, err := o.apply(Command{Type: first, By: c.By}, now)
		if err != nil {
			return before, nil, err
		}
		events = append(events, e)
	}
	e, err := o.apply(c, now)
	if err != nil {
		return before, nil, err
	}
	return o, append(events, e), nil
}

func (o *Order) apply(c Command, now time.Time) (Event, error) {
	s, known := steps(c.Type)
	if !known || !slices.Contains(s.from, o.Status) {
		return Event{}, refuse("an order that is %s cannot become %s", o.Status, c.Type)
	}
	data, err := o.effect(c)
	if err != nil {
		return Event{}, err
	}
	if s.to != "" {
		o.Status = s.to
		o.Times[s.to] = now
	}
	o.Version++
	return Event{Order: o.ID, Version: o.Version, Type: c.Type, Status: o.Status, Time: now, Actor: c.By, Data: data}, nil
}

// effect changes what goes with the step, beside status and version.
func (o *Order) effect(c Command) (EventData, error) {
	data := EventData{Reason: c.Reason, Note: c.Note, At: c.At, Area: c.Area, Token: c.Token}
	switch c.Type {
	case EventOffered:
		if o.Pinned != "" && o.Pinned != c.Courier {
			return data, refuse("the order is pinned to another courier")
		}
		o.Offer, data.Offer, data.Courier = c.Offer, c.Offer, c.Courier
	case EventDeclined, EventExpired, EventWithdrawn:
		data.Offer, data.Courier, o.Offer = o.Offer, c.Courier, ""
		o.refuse(c.Courier, c.Until)
	case EventAssigned:
		o.Courier, data.Courier, data.Offer, o.Offer = c.Courier, c.Courier, o.Offer, ""
		delete(o.Times, AtPickup)
	case EventUnassigned:
		o.refuse(o.Courier, c.Until)
		data.Courier, o.Courier = o.Courier, ""
		delete(o.Times, Assigned)
		delete(o.Times, AtPickup)
	case EventPinned:
		o.Pinned, data.Courier = c.Courier, c.Courier
	case EventDelivered:
		proof, err := o.prove(c)
		if err != nil {
			return data, err
		}
		o.Proof, data.Proof, data.Note = proof, proof, ""
	case EventFailed, EventCancelled, EventUnassignable:
		data.Courier, o.Reason, o.Offer = o.Courier, c.Reason, ""
	case EventReturned:
		if o.Terminal() {
			return data, refuse("the order was never picked up: there is nothing to return")
		}
	case EventSearching:
		o.Reason = ""
	}
	return data, nil
}

// refuse keeps the matcher from asking a courier again until a time.
func (o *Order) refuse(courier string, until time.Time) {
	if courier == "" || until.IsZero() {
		return
	}
	if o.Refusals == nil {
		o.Refusals = map[string]time.Time{}
	}
	o.Refusals[courier] = until
}

func (o *Order) prove(c Command) (*Proof, error) {
	var f faults
	if o.PINRequired && subtle.ConstantTimeCompare([]byte(c.PIN), []byte(o.PIN)) != 1 {
		f.add("proof.pin", "is not the customer's")
	}
	if o.PhotoRequired && c.Photo == "" {
		f.add("proof.photo", "is missing")
	}
	if o.SignatureRequired && c.Sign == "" {
		f.add("proof.signature", "is missing")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	return &Proof{PIN: o.PINRequired, Note: c.Note, Photo: c.Photo, Signature: c.Sign}, nil
}
