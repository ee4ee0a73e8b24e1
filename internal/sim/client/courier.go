package client

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	jsonv1 "github.com/go-json-experiment/json/v1"
)

// Offer is work a courier may take.
type Offer struct {
	ID       string    `json:"id"`
	Deadline time.Time `json:"deadline"`
	Orders   []string  `json:"orders"`
	Stops    []Stop    `json:"stops"`
}

// Action is what a courier does. Its id is made once; until the server has
// answered it, it goes out again after every reconnect.
type Action struct {
	Type   string     `json:"type"`
	ID     string     `json:"id"`
	Duty   string     `json:"duty,omitempty"`
	Offer  string     `json:"offer,omitempty"`
	Order  string     `json:"order,omitempty"`
	Kind   string     `json:"kind,omitempty"`
	At     *time.Time `json:"at,omitempty"`
	Proof  *Proof     `json:"proof,omitempty"`
	Reason string     `json:"reason,omitempty"`
	Note   string     `json:"note,omitempty"`
	Fixes  []Fix      `json:"fixes,omitempty"`
}

// Proof shows that goods changed hands.
type Proof struct {
	PIN  string `json:"pin,omitempty"`
	Note string `json:"note,omitempty"`
}

// Ack is the server's answer to an action.
type Ack struct {
	Action   Action
	OK       bool
	Code     string
	Detail   string
	Accepted int
	Late     int
	Rejected map[string]int // by reason
}

// CourierEvent is one thing a courier learns; one field is set.
type CourierEvent struct {
	Welcome *Welcome
	Lost    bool
	Plan    *Plan
	Duty    string // with Plan
	Offer   *Offer
	Closed  string // an offer's id
	Gone    string // an order's id: the plan has lost it
	Ack     *Ack
}

// CourierSocket is one courier's connection. Do and Report may be called
// from any goroutine, whether it is up or not.
type CourierSocket struct {
	c          *Client
	credential string
	prefix     string
	events     chan CourierEvent

	mu      sync.Mutex
	wire    *wire
	pending []pending // unanswered, oldest first
	made    int
	fixes   []Fix     // not yet sent
	flying  bool      // a frame of fixes is unanswered
	hold    time.Time // until when the server wants no fixes
	seq     int64
}

type pending struct {
	action Action
	raw    []byte
}

const (
	fixesPerFrame = 200
	backlog       = 5000 // fixes kept while the server is away; the oldest go first
)

// CourierSocket makes a connection that Run keeps up. The prefix starts every
// action's id and must be new for each session of a courier.
func (c *Client) CourierSocket(credential, prefix string) *CourierSocket {
	return &CourierSocket{c: c, credential: credential, prefix: prefix, events: make(chan CourierEvent, 8)}
}

// Events is what the courier learns. It must be drained while Run runs.
func (s *CourierSocket) Events() <-chan CourierEvent { return s.events }

// Run keeps the connection up until ctx ends, or the credential is void:
// then the error is ErrCredential, ErrTaken or ErrRevoked.
func (s *CourierSocket) Run(ctx context.Context) error {
	return s.c.follow(ctx, "/v1/ws/courier", s.credential,
		func() int64 { s.mu.Lock(); defer s.mu.Unlock(); return s.seq },
		func(w *wire, hello Welcome) {
			s.emit(ctx, CourierEvent{Welcome: &hello})
			s.mu.Lock()
			defer s.mu.Unlock()
			s.wire = w
			for _, p := range s.pending {
				if s.push(p.raw) != nil {
					return
				}
			}
			s.flush()
		},
		func() {
			s.mu.Lock()
			s.wire = nil
			s.mu.Unlock()
			s.emit(ctx, CourierEvent{Lost: true})
		},
		func(f frame) error { return s.apply(ctx, f) })
}

// Do queues an action and sends it if the connection is up. It returns the
// id given.
func (s *CourierSocket) Do(a Action) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.do(a)
}

func (s *CourierSocket) do(a Action) string {
	s.made++
	a.ID = fmt.Sprintf("%s-%d", s.prefix, s.made)
	raw, err := json.Marshal(a)
	if err != nil { // only a NaN position can do this
		return a.ID
	}
	s.pending = append(s.pending, pending{a, raw})
	_ = s.push(raw) // if it fails, it goes out after the next reconnect
	return a.ID
}

// Report queues a position. While a frame of positions is unanswered they
// gather, and go out together when it is.
func (s *CourierSocket) Report(f Fix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fixes = append(s.fixes, f); len(s.fixes) > backlog {
		s.fixes = s.fixes[len(s.fixes)-backlog:]
	}
	s.flush()
}

func (s *CourierSocket) flush() {
	if s.wire == nil || s.flying || len(s.fixes) == 0 || time.Now().Before(s.hold) {
		return
	}
	n := min(len(s.fixes), fixesPerFrame)
	batch := append([]Fix(nil), s.fixes[:n]...)
	s.fixes = append(s.fixes[:0], s.fixes[n:]...)
	s.flying = true
	s.do(Action{Type: "fixes", Fixes: batch})
}

// push writes to the connection, if there is one. A failed write closes it:
// the reader notices and comes back.
func (s *CourierSocket) push(raw []byte) error {
	if s.wire == nil {
		return nil
	}
	err := s.wire.send(raw)
	if err != nil {
		_ = s.wire.conn.Close()
		s.wire = nil
	}
	return err
}

func (s *CourierSocket) emit(ctx context.Context, e CourierEvent) {
	select {
	case s.events <- e:
	case <-ctx.Done():
	}
}

// apply handles one frame of the server.
func (s *CourierSocket) apply(ctx context.Context, f frame) error {
	switch f.Type {
	case "ack":
		s.answer(ctx, f)
		return nil
	case "error":
		if f.ID != "" {
			f.OK = false
			s.answer(ctx, f)
		}
		return nil
	case "plan", "offer", "offer.closed", "order":
	default:
		return nil
	}
	s.mu.Lock()
	known := f.Seq <= s.seq && f.Type != "offer"
	s.seq = max(s.seq, f.Seq)
	s.mu.Unlock()
	// A plan that comes with a resume may have the seq we said: harmless.
	if known && f.Type != "plan" {
		return nil
	}
	switch f.Type {
	case "plan":
		s.emit(ctx, CourierEvent{Plan: &f.Plan, Duty: f.Duty})
	case "offer":
		var o Offer
		if err := jsonv1.Unmarshal(f.Offer, &o); err != nil {
			return fmt.Errorf("decode offer: %w", err)
		}
		s.emit(ctx, CourierEvent{Offer: &o})
	case "offer.closed":
		var id string
		if err := jsonv1.Unmarshal(f.Offer, &id); err != nil {
			return fmt.Errorf("decode offer.closed: %w", err)
		}
		s.emit(ctx, CourierEvent{Closed: id})
	case "order":
		s.emit(ctx, CourierEvent{Gone: f.Order})
	}
	return nil
}

// answer takes an action off the list of the unanswered. The answer to an
// action already answered is no news.
func (s *CourierSocket) answer(ctx context.Context, f frame) {
	s.mu.Lock()
	at := -1
	for i, p := range s.pending {
		if p.action.ID == f.ID {
			at = i
			break
		}
	}
	if at < 0 {
		s.mu.Unlock()
		return
	}
	action := s.pending[at].action
	s.pending = append(s.pending[:at], s.pending[at+1:]...)
	if action.Type == "fixes" {
		s.flying = false
		if !f.OK && f.RetryAfter > 0 { // none was taken: they go with the next
			s.hold = time.Now().Add(time.Duration(f.RetryAfter * float64(time.Second)))
			s.fixes = append(append([]Fix(nil), action.Fixes...), s.fixes...)
		}
		s.flush()
	}
	s.mu.Unlock()
	ack := &Ack{Action: action, OK: f.OK, Code: f.Code, Detail: f.Detail, Accepted: f.Accepted, Late: len(f.Late)}
	if len(f.Rejected) > 0 {
		ack.Rejected = map[string]int{}
		for _, r := range f.Rejected {
			ack.Rejected[r.Reason]++
		}
	}
	s.emit(ctx, CourierEvent{Ack: ack})
}

// Unanswered is how many actions the server has not answered yet, fixes
// apart.
func (s *CourierSocket) Unanswered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, p := range s.pending {
		if p.action.Type != "fixes" {
			n++
		}
	}
	return n
}
