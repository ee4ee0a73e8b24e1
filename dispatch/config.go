package dispatch

import (
	"errors"
	"fmt"
	"time"

	"courier/dispatch/match"
)

// Mode is how an order gets to a courier.
type Mode string

// The modes: ask, or tell.
const (
	ModeOffer  Mode = "offer"
	ModeAssign Mode = "assign"
)

// Config sets up a Service and its Loop. DefaultConfig is sound.
type Config struct {
	Node          string // who holds leases; the same after a restart
	Mode          Mode
	OfferTimeout  time.Duration // how long a courier may think
	CoolDown      time.Duration // how long after a refusal not to ask the same courier again
	Interval      time.Duration // between rounds, at most; events wake the loop sooner
	Lead          time.Duration // how long before its ready time an order is looked at
	SearchLimit   time.Duration // unassignable after so long without a courier
	StaleAfter    time.Duration // no work for a courier not heard of for so long
	LostAfter     time.Duration // orders not picked up are taken back after so long
	AtRisk        time.Duration // alert when a promise is nearer than the ETA plus this
	Deviation     time.Duration // alert when a courier is so much behind its plan
	KeepAnswers   time.Duration // idempotency: at least 24 h
	KeepProofs    time.Duration // photographs and signatures
	EarlyPosition bool          // customers see the courier from the assignment on
	AllStops      bool          // customers see the courier though other stops come first
	CourierPhone  bool          // customers see the courier's number
	Match         match.Options
}

// DefaultConfig is offer mode with a 30 s deadline.
func DefaultConfig() Config {
	return Config{
		Node: "node", Mode: ModeOffer, OfferTimeout: 30 * time.Second, CoolDown: 5 * time.Minute, Interval: 2 * time.Second,
		Lead: 45 * time.Minute, SearchLimit: 30 * time.Minute, StaleAfter: time.Minute, LostAfter: 5 * time.Minute,
		AtRisk: 10 * time.Minute, Deviation: 8 * time.Minute, KeepAnswers: 48 * time.Hour,
		KeepProofs: 90 * 24 * time.Hour, Match: match.DefaultOptions(),
	}
}

func (c Config) validate() error {
	var errs []error
	for name, d := range map[string]time.Duration{
		"OfferTimeout": c.OfferTimeout, "CoolDown": c.CoolDown, "Interval": c.Interval, "Lead": c.Lead,
		"SearchLimit": c.SearchLimit, "StaleAfter": c.StaleAfter, "LostAfter": c.LostAfter, "Deviation": c.Deviation,
		"KeepProofs": c.KeepProofs,
	} {
		if d <= 0 {
			errs = append(errs, fmt.Errorf("%s: %s is not over 0", name, d))
		}
	}
	if c.Mode != ModeOffer && c.Mode != ModeAssign {
		errs = append(errs, fmt.Errorf("Mode: %q is neither offer nor assign", c.Mode))
	}
	if c.Node == "" {
		errs = append(errs, errors.New("Node: is missing"))
	}
	if c.KeepAnswers < 24*time.Hour {
		errs = append(errs, fmt.Errorf("KeepAnswers: %s is under 24h", c.KeepAnswers))
	}
	return errors.Join(append(errs, c.Match.Validate())...)
}
