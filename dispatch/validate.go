package dispatch

import (
	"fmt"
	"time"
	"unicode/utf8"

	"courier/geo"
)

// Limits of what a request may hold.
const (
	maxText     = 500
	maxShort    = 128
	maxSize     = 1000
	maxSkills   = 16
	maxPriority = 9
	maxAhead    = 31 * 24 * time.Hour // how far ahead an order may be placed
)

// faults gathers every wrong field of a request.
type faults []FieldError

func (f *faults) add(field, format string, args ...any) {
	*f = append(*f, FieldError{field, fmt.Sprintf(format, args...)})
}

func (f *faults) text(field, value string, limit int) {
	switch {
	case utf8.RuneCountInString(value) > limit:
		f.add(field, "is longer than %d characters", limit)
	case !utf8.ValidString(value):
		f.add(field, "is not UTF-8")
	}
}

func (f *faults) needed(field, value string, limit int) {
	if value == "" {
		f.add(field, "is missing")
	}
	f.text(field, value, limit)
}

func (f *faults) between(field string, value, low, high int) {
	if value < low || value > high {
		f.add(field, "must be between %d and %d", low, high)
	}
}

func (f *faults) place(field string, p Place) {
	f.point(field+".point", p.Point)
	f.text(field+".address", p.Address, maxText)
	f.text(field+".note", p.Note, maxText)
	f.text(field+".contact.name", p.Contact.Name, maxShort)
	f.text(field+".contact.phone", p.Contact.Phone, maxShort)
}

func (f *faults) point(field string, p geo.Point) {
	if !(p.Lat >= -90 && p.Lat <= 90) {
		f.add(field+".lat", "must be between -90 and 90")
	}
	if !(p.Lng >= -180 && p.Lng <= 180) {
		f.add(field+".lng", "must be between -180 and 180")
	}
}

func (f *faults) window(field string, w *Window) {
	if w != nil && !w.From.Before(w.To) {
		f.add(field, "must end after it begins")
	}
}

func (f *faults) vehicles(field string, vs []geo.Vehicle) {
	for i, v := range vs {
		if !v.Valid() {
			f.add(fmt.Sprintf("%s[%d]", field, i), "must be one of %v", geo.Vehicles())
		}
	}
	if len(vs) > len(geo.Vehicles()) {
		f.add(field, "has more than %d entries", len(geo.Vehicles()))
	}
}

func (f *faults) skills(field string, skills []string) {
	if len(skills) > maxSkills {
		f.add(field, "has more than %d entries", maxSkills)
	}
	for i, s := range skills {
		f.needed(fmt.Sprintf("%s[%d]", field, i), s, maxShort)
	}
}

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return &Invalid{Fields: f}
}

func (n NewOrder) validate(now time.Time) error {
	var f faults
	f.needed("merchant", n.Merchant, maxShort)
	f.text("reference", n.Reference, maxShort)
	f.place("pickup", n.Pickup)
	f.place("dropoff", n.Dropoff)
	f.text("items", n.Items, 4*maxText)
	f.between("size", n.Size, 1, maxSize)
	f.between("priority", n.Priority, 0, maxPriority)
	f.vehicles("requirements.vehicles", n.Requirements.Vehicles)
	f.skills("requirements.skills", n.Requirements.Skills)
	f.window("window", n.Window)
	f.money("pay", n.Pay)
	if n.ReadyAt.After(now.Add(maxAhead)) {
		f.add("ready_at", "is more than %d days ahead", maxAhead/(24*time.Hour))
	}
	due := Order{DeliverBy: n.DeliverBy, Window: n.Window}.Due()
	if !due.IsZero() && due.Before(now) {
		field := "deliver_by"
		if n.DeliverBy == nil {
			field = "window.to"
		}
		f.add(field, "has passed")
	}
	if n.DeliverBy != nil && n.Window != nil {
		f.add("window", "cannot stand beside deliver_by")
	}
	return f.err()
}

func (c Courier) validate() error {
	var f faults
	f.needed("name", c.Name, maxShort)
	f.text("phone", c.Phone, maxShort)
	if !c.Vehicle.Valid() {
		f.add("vehicle", "must be one of %v", geo.Vehicles())
	}
	f.between("capacity", c.Capacity, 1, maxSize)
	f.skills("skills", c.Skills)
	f.window("shift", c.Shift)
	if c.Start != nil {
		f.point("start", *c.Start)
	}
	if !c.Duty.Valid() {
		f.add("duty", "must be off, available or break")
	}
	return f.err()
}
