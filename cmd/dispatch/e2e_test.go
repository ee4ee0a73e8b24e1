package main

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"courier/dispatch"
	"courier/ws/wstest"
)

// phone is a courier's app: one socket at a time, acting under ids of its
// own.
type phone struct {
	*server
	*wstest.Conn
	token string
	seq   int64
	acts  int
}

func (s *server) phone(token string, seq int64) *phone {
	s.Helper()
	p := &phone{server: s, token: token, seq: seq}
	p.dial()
	return p
}

// dial signs in by the first frame, as a browser has to.
func (p *phone) dial() {
	p.Helper()
	p.Conn = wstest.Dial(p.T, p.frames, p.url(), "courier", "")
	p.Send(obj{"type": "auth", "token": p.token})
	p.Want("welcome")
	p.Send(obj{"type": "resume", "seq": p.seq})
}

// act sends an action under an id and waits for its answer.
func (p *phone) act(id, typ string, fields obj) (ok bool, code string) {
	p.Helper()
	frame := obj{"type": typ, "id": id}
	for k, v := range fields {
		frame[k] = v
	}
	p.Send(frame)
	for {
		var ack struct {
			ID   string
			OK   bool
			Code string
		}
		p.until("ack").Into(p.T, &ack)
		if ack.ID == id {
			return ack.OK, ack.Code
		}
	}
}

func (p *phone) must(typ string, fields obj) {
	p.Helper()
	p.acts++
	if ok, code := p.act("must-"+strconv.Itoa(p.acts), typ, fields); !ok {
		p.Fatalf("%s is refused: %s", typ, code)
	}
}

// until waits for a frame and remembers how far the stream has come.
func (p *phone) until(typ string) wstest.Frame {
	p.Helper()
	for {
		f, err := p.Next()
		if err != nil {
			p.Fatalf("waiting for %s: %v", typ, err)
		}
		p.seq = max(p.seq, f.Seq)
		if f.Type == typ {
			return f
		}
	}
}

func (p *phone) fix(lng float64, at time.Time) {
	p.Helper()
	p.must("fixes", obj{"fixes": []obj{{"time": at.UTC().Format(time.RFC3339Nano), "lat": 52.0, "lng": lng, "accuracy": 5}}})
}

func (p *phone) offer() (id string) {
	p.Helper()
	var frame struct{ Offer struct{ ID string } }
	p.until("offer").Into(p.T, &frame)
	return frame.Offer.ID
}

// page is a customer's tracking page, which keeps what it has seen over
// reconnections.
type page struct {
	*server
	*wstest.Conn
	secret string
	seen   []dispatch.HistoryStep
	pin    string
	placed bool // a position has been shown
	ended  string
}

func (p *page) dial() {
	p.Helper()
	p.Conn = wstest.Dial(p.T, p.frames, p.url(), "track", "")
	p.Send(obj{"type": "auth", "token": p.secret})
	p.Want("welcome")
	seq := int64(0)
	if n := len(p.seen); n > 0 {
		seq = p.seen[n-1].Seq
	}
	p.Send(obj{"type": "resume", "seq": seq})
}

const (
	anyStatus dispatch.Status = "any"
	theEnd    dispatch.Status = ""
)

// next takes one frame and keeps what it says.
func (p *page) next() wstest.Frame {
	p.Helper()
	f, err := p.Next()
	if err != nil {
		p.Fatalf("the page ended after %v: %v", p.seen, err)
	}
	var frame struct {
		Seq     int64
		Status  dispatch.Status
		Time    time.Time
		Reason  string
		View    struct{ PIN string }
		History []dispatch.HistoryStep
	}
	f.Into(p.T, &frame)
	switch f.Type {
	case "snapshot":
		p.seen, p.pin = frame.History, frame.View.PIN
	case "status":
		p.seen = append(p.seen, dispatch.HistoryStep{Seq: frame.Seq, Status: frame.Status, Time: frame.Time})
	case "position":
		p.placed = true
		if last := p.seen[len(p.seen)-1].Status; last != dispatch.PickedUp && last != dispatch.AtDropoff {
			p.Errorf("a position while the order is %s", last)
		}
	case "ended":
		p.ended = frame.Reason
	}
	return f
}

// readPosition takes frames until the courier has been shown.
func (p *page) readPosition() {
	p.Helper()
	for !p.placed {
		p.next()
	}
}

// read takes frames until one brings a status, or the end.
func (p *page) read(status dispatch.Status) {
	p.Helper()
	for p.ended == "" {
		f := p.next()
		if n := len(p.seen); f.Seq > 0 && n > 0 && (status == anyStatus || p.seen[n-1].Status == status) {
			return
		}
	}
}

// One order from placed to delivered, with a decline and an expiry on the
// way, a courier that loses its connection in between, and a customer that
// reconnects.
func TestAnOrderFromPlacedToDelivered(t *testing.T) {
	s := newServer(t, func(f *serverFlags) { f.OfferTimeout, f.Interval = 1500*time.Millisecond, 200*time.Millisecond })
	names, phones, begun := []string{"Ada Near", "Bob Middle", "Cem Far"}, []*phone{}, time.Now().Add(-40*time.Second)
	for i, name := range names {
		_, token := s.hire(name)
		p := s.phone(token, 0)
		p.must("duty", obj{"duty": "available"})
		p.fix(4.0+0.001*float64(i+1), begun)
		phones = append(phones, p)
	}
	desk := wstest.Open(t, s.frames, s.url(), "fleet", s.admin, 0)
	desk.Until("snapshot")

	key := s.merchant("soups")
	order := s.place(key, "A-1")
	customer := &page{server: s, secret: s.link(key, order)}
	customer.dial()
	customer.read(anyStatus)

	first, second, third := phones[0], phones[1], phones[2]
	first.must("offer.decline", obj{"offer": first.offer(), "reason": "too_far"})
	ignored := second.offer()
	accepted := third.offer() // comes only when the second's time is up
	if ok, code := second.act("late", "offer.accept", obj{"offer": ignored}); ok || code != "conflict" {
		t.Fatalf("an offer that ran out was taken: %v, %s", ok, code)
	}
	third.must("offer.accept", obj{"offer": accepted})
	customer.read(dispatch.Assigned)

	third.must("stop.arrive", obj{"order": order, "kind": "pickup"})
	customer.read(dispatch.AtPickup)
	_ = customer.Conn.Close() // the customer's phone goes into a pocket

	// The courier picks up, and loses the connection before the answer.
	third.Send(obj{"type": "stop.complete", "id": "pick", "order": order, "kind": "pickup"})
	_ = third.Conn.Close()
	third.dial()
	for range 2 { // it cannot know, so it says it again
		if ok, code := third.act("pick", "stop.complete", obj{"order": order, "kind": "pickup"}); !ok {
			t.Fatalf("the pickup said again is refused: %s", code)
		}
	}
	customer.dial()
	customer.read(dispatch.PickedUp)

	third.fix(4.0149, time.Now()) // at the door: the geofence sees it
	customer.read(dispatch.AtDropoff)
	customer.readPosition()
	if ok, code := third.act("wrong", "stop.complete", obj{"order": order, "kind": "dropoff", "proof": obj{"pin": "no"}}); ok || code != "invalid" {
		t.Fatalf("delivered with a wrong PIN: %v, %s", ok, code)
	}
	third.must("stop.complete", obj{"order": order, "kind": "dropoff", "proof": obj{"pin": customer.pin, "note": "at the door"}})
	customer.read(dispatch.Delivered)
	customer.read(theEnd)

	if customer.ended != "delivered" || !customer.placed {
		t.Errorf("the page ended as %q, with a position shown: %v", customer.ended, customer.placed)
	}
	wantWhole(t, s.history(order), customer.seen)
	s.wantReasons(order)
	s.wantTrail(order)
	for {
		var frame struct{ Orders []dispatch.Order }
		desk.Until("orders").Into(t, &frame)
		if slices.ContainsFunc(frame.Orders, func(o dispatch.Order) bool { return o.ID == order && o.Status == dispatch.Delivered }) {
			break
		}
	}
}

// wantReasons looks for why each courier was asked, in the record.
func (s *server) wantReasons(order string) {
	s.Helper()
	var record struct{ Decisions []dispatch.Decision }
	s.call("GET", "/v1/orders/"+order+"/decisions", s.admin, nil, 200, &record)
	asked := 0
	for _, d := range record.Decisions {
		if d.Outcome != "offered" {
			continue
		}
		asked++
		for _, c := range d.Candidates {
			if c.Chosen != (c.Courier == d.Courier) || (c.Why == "") != c.Chosen {
				s.Errorf("candidate %+v of a decision for %s", c, d.Courier)
			}
		}
	}
	if asked != 3 {
		s.Errorf("%d decisions to offer it, want 3: %+v", asked, record.Decisions)
	}
}

// wantTrail reads where the order went, by order and by courier's day.
func (s *server) wantTrail(order string) {
	s.Helper()
	var trail struct{ Fixes []struct{ Lng float64 } }
	s.call("GET", "/v1/orders/"+order+"/trail", s.admin, nil, 200, &trail)
	if n := len(trail.Fixes); n == 0 || trail.Fixes[n-1].Lng != 4.0149 {
		s.Errorf("the order's trail is %v", trail.Fixes)
	}
	var o dispatch.Order
	s.call("GET", "/v1/orders/"+order, s.admin, nil, 200, &o)
	s.call("GET", "/v1/couriers/"+o.Courier+"/trail", s.admin, nil, 200, &trail)
	if n := len(trail.Fixes); n != 2 {
		s.Errorf("the courier's day is %v", trail.Fixes)
	}
}

// wantWhole holds what a customer saw against the order's events: every
// status once, in order, none missing.
func wantWhole(t *testing.T, events []dispatch.Event, seen []dispatch.HistoryStep) {
	t.Helper()
	want := []dispatch.EventType{
		"placed", "searching", "offered", "declined", "offered", "expired", "offered", "assigned",
		"at_pickup", "picked_up", "at_dropoff", "delivered",
	}
	var types []dispatch.EventType
	for _, e := range events {
		types = append(types, e.Type)
	}
	if !slices.Equal(types, want) {
		t.Errorf("the events are %v, want %v", types, want)
	}
	if len(seen) != len(events) {
		t.Fatalf("the customer saw %d of %d statuses: %v", len(seen), len(events), seen)
	}
	for i, e := range events {
		if seen[i].Seq != e.Version || seen[i].Status != dispatch.PublicStatus(e.Status) || !seen[i].Time.Equal(e.Time) {
			t.Errorf("status %d was seen as %+v, was %+v", i+1, seen[i], e)
		}
	}
}

func TestANewSignInEndsTheOlderSession(t *testing.T) {
	s := newServer(t, nil)
	id, token := s.hire("Ada")
	old := s.phone(token, 0)
	old.must("duty", obj{"duty": "available"})
	s.signIn(id)
	old.WantClose(4409)
	again := wstest.Dial(t, s.frames, s.url(), "courier", "")
	again.Send(obj{"type": "auth", "token": token})
	again.WantClose(4401)
}

func TestARevokedLinkClosesTheOpenPage(t *testing.T) {
	s := newServer(t, nil)
	key := s.merchant("soups")
	order := s.place(key, "A-1")
	customer := &page{server: s, secret: s.link(key, order)}
	customer.dial()
	customer.read(anyStatus)
	var links struct{ Links []struct{ ID string } }
	s.call("GET", "/v1/orders/"+order+"/tracking-links", key, nil, 200, &links)
	s.call("DELETE", "/v1/orders/"+order+"/tracking-links/"+links.Links[0].ID, key, nil, 204, nil)
	customer.read(theEnd)
	if customer.ended != "revoked" {
		t.Errorf("the page ended as %q", customer.ended)
	}
	s.call("GET", "/v1/track", customer.secret, nil, 401, nil)
}

func TestShutDownTellsSocketsToComeBack(t *testing.T) {
	s := newServer(t, nil)
	_, token := s.hire("Ada")
	p := s.phone(token, 0)
	p.must("duty", obj{"duty": "available"})
	s.stop()
	p.WantClose(websocket.CloseGoingAway)
}
