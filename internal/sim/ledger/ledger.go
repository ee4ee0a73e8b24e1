// Package ledger remembers every promise the server made to anyone, and in
// the end holds the server to them.
//
//	acks, statuses, positions, plans → Ledger ─┐
//	server's orders, events, couriers → Facts ─┴► Audit → violations
package ledger

import (
	"fmt"
	"math"
	"sync"
	"time"

	"courier/internal/sim/client"
)

// Ledger is safe for concurrent use.
type Ledger struct {
	mu         sync.Mutex
	keys       map[string]string // idempotency key → order
	refs       map[string]string // order → reference
	streams    map[string]*stream
	acts       []act
	held       map[string][]span // order → who had it in the plan, and when
	open       map[string]map[string]time.Time
	overloads  map[string]string
	violations []Violation            // seen as they happened
	at         map[string]time.Time   // order → when it was acknowledged
	settled    map[string]bool        // orders that Settle need not look at again
	told       map[Violation]bool     // by Settle, without their details
	quiet      map[string][]quietSpan // courier → when it said nothing
	deaf       map[string][]quietSpan // courier → when its phone was told nothing
	answered   map[string]time.Time   // courier → when its phone was told something last
	heard      map[string]time.Time   // courier → when it last said something
}

// Violation is a broken promise.
type Violation struct {
	Kind    string `json:"kind"`
	Order   string `json:"order,omitempty"`
	Courier string `json:"courier,omitempty"`
	Detail  string `json:"detail"`
}

// The kinds of Violation.
const (
	Missing   = "missing"         // acknowledged, and not there
	Doubled   = "doubled"         // placed twice under one key
	BadEvents = "events"          // numbered with a gap, or an impossible order of statuses
	BadStream = "customer_stream" // a gap, a wrong order, or another status than the events say
	Exposed   = "exposed"         // a position shown outside picked_up..delivered
	LostAct   = "action_lost"     // acknowledged to a courier, and not in the events
	DoubleAct = "action_doubled"  // done once, in the events twice
	TwoHands  = "two_couriers"    // one order on two couriers at once
	Overload  = "over_capacity"
	Silent    = "silent"          // open, and nothing happens to it
	KeyReused = "key_reused"      // another order under a used key was not refused
	Leaked    = "leaked"          // shown to someone whose it is not
	StaleWork = "stale_courier"   // work for a courier that had long been silent
	LinkOpen  = "link_open"       // outlives its order by more than it may
	TokenBack = "token_backwards" // an area's lease went back to an older holder
)

// stream is what one order's customer was shown.
type stream struct {
	seen        []client.Seen // seq 1, 2, 3 …
	shown       bool          // any position
	first, last time.Time     // when the first position came, and of what time the newest was
	ended       string
	followed    bool      // its customer has opened the page
	left        time.Time // and closed it; zero: not yet
}

// quietSpan is a time in which a courier sent no fix.
type quietSpan struct{ from, to time.Time }

// act is one stop action or acceptance acknowledged to a courier.
type act struct {
	courier, order string
	kind           string // accept, arrive, complete, fail
	stop           string // pickup, dropoff, return
	reason         string
}

type span struct {
	courier  string
	from, to time.Time
}

// New is an empty ledger.
func New() *Ledger {
	return &Ledger{
		keys: map[string]string{}, refs: map[string]string{}, streams: map[string]*stream{},
		held: map[string][]span{}, open: map[string]map[string]time.Time{}, overloads: map[string]string{},
		at: map[string]time.Time{}, settled: map[string]bool{}, told: map[Violation]bool{},
		quiet: map[string][]quietSpan{}, heard: map[string]time.Time{},
		deaf: map[string][]quietSpan{}, answered: map[string]time.Time{},
	}
}

// Placed records a 2xx answer to an order, at a time of the server's.
func (l *Ledger) Placed(key, reference, order string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if other, ok := l.keys[key]; ok && other != order {
		l.note(Violation{Doubled, order, "", fmt.Sprintf("key %s was answered with order %s before", key, other)})
	}
	l.keys[key], l.refs[order] = order, reference
	if l.at[order].IsZero() {
		l.at[order] = at
	}
}

// Reused records that a used key with another order was not refused as it
// has to be.
func (l *Ledger) Reused(key, order, answer string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note(Violation{KeyReused, order, "", fmt.Sprintf("key %s with another body was answered %s", key, answer)})
}

// Peeked records what somebody whose order it is not was answered, where
// that was not that there is none.
func (l *Ledger) Peeked(order, who, answer string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note(Violation{Leaked, order, "", fmt.Sprintf("%s was answered %s", who, answer)})
}

// Count is how many orders were acknowledged.
func (l *Ledger) Count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.refs)
}

func (l *Ledger) note(v Violation) { l.violations = append(l.violations, v) }

func (l *Ledger) stream(order string) *stream {
	s := l.streams[order]
	if s == nil {
		s = &stream{}
		l.streams[order] = s
	}
	return s
}

// Shown records a status as a customer's page got it. What was shown before
// and comes again must be the same; what is new must be the next one.
func (l *Ledger) Shown(order string, s client.Seen) {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := l.stream(order)
	n := int64(len(st.seen))
	switch {
	case s.Seq >= 1 && s.Seq <= n:
		if before := st.seen[s.Seq-1].Status; before != "" && before != s.Status {
			l.note(Violation{BadStream, order, "", fmt.Sprintf("status %d was %s, then %s", s.Seq, before, s.Status)})
		}
	case s.Seq == n+1:
		st.seen = append(st.seen, s)
	default:
		l.note(Violation{BadStream, order, "", fmt.Sprintf("status %d came after %d", s.Seq, n)})
		for int64(len(st.seen)) < s.Seq-1 && s.Seq-n < 1000 {
			st.seen = append(st.seen, client.Seen{Seq: int64(len(st.seen)) + 1})
		}
		if s.Seq > 0 {
			st.seen = append(st.seen, s)
		}
	}
}

// Snapshot records the whole history that a customer's page got.
func (l *Ledger) Snapshot(order string, seq int64, history []client.Seen) {
	for _, s := range history {
		l.Shown(order, s)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(history); n == 0 || history[n-1].Seq != seq || history[0].Seq != 1 {
		l.note(Violation{BadStream, order, "", fmt.Sprintf("a snapshot at %d with a history of %d", seq, n)})
	}
}

// Followed records that a customer has opened its page, and Left that it has
// closed it: what happens between has to be shown.
func (l *Ledger) Followed(order string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stream(order).followed = true
}

// Left records that a customer looks no more.
func (l *Ledger) Left(order string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stream(order).left = at
}

// Refused records that a page was closed for good that should have stayed
// open.
func (l *Ledger) Refused(order, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note(Violation{BadStream, order, "", "the page was closed: " + why})
}

// quietAfter is how long a courier has to be silent for it to be remembered.
const quietAfter = 20 * time.Second

// Fix records that a courier is about to say where it is.
func (l *Ledger) Fix(courier string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, ok := l.heard[courier]; ok && at.Sub(last) > quietAfter {
		l.quiet[courier] = append(l.quiet[courier], quietSpan{last, at})
	}
	l.heard[courier] = at
}

// Heard records that a courier's phone was told something, were it only that
// a fix has arrived.
func (l *Ledger) Heard(courier string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, ok := l.answered[courier]; ok && at.Sub(last) > deafAfter {
		l.deaf[courier] = append(l.deaf[courier], quietSpan{last, at})
	}
	l.answered[courier] = at
}

// deafAfter is how long a phone that is on duty, and so asks every some
// seconds, is told nothing before it is taken to be cut off: its node may be
// paused.
const deafAfter = time.Minute

// hears is how much of a time a phone was in touch; grace is what it may take
// to catch up.
func (l *Ledger) hears(courier string, from, to time.Time, grace time.Duration) time.Duration {
	d := to.Sub(from)
	for _, q := range l.deaf[courier] {
		if cut := minTime(to, q.to.Add(grace)).Sub(maxTime(from, q.from)); cut > 0 {
			d -= cut
		}
	}
	return d
}

// silence is for how long a courier had sent no fix at a time; none at all
// counts as for ever.
func (l *Ledger) silence(courier string, at time.Time) time.Duration {
	last, ok := l.heard[courier]
	if !ok {
		return time.Duration(math.MaxInt64)
	}
	if at.After(last) {
		return at.Sub(last)
	}
	for _, q := range l.quiet[courier] {
		if at.After(q.from) && at.Before(q.to) {
			return at.Sub(q.from)
		}
	}
	return 0
}

// Ended records that a customer's page was told it is over.
func (l *Ledger) Ended(order, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stream(order).ended = reason
}

// Position records that a customer was shown where the courier is,
// when that came and when the courier was there: a frame may be under way
// for long, and what it shows was allowed when it was sent.
func (l *Ledger) Position(order string, at, there time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stream(order)
	if !s.shown || at.Before(s.first) {
		s.first = at
	}
	if !s.shown || there.After(s.last) {
		s.last = there
	}
	s.shown = true
}

// Acked records an action that the server acknowledged as done. Orders are
// those of the offer, for an acceptance.
func (l *Ledger) Acked(courier string, a client.Action, orders []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch a.Type {
	case "offer.accept":
		for _, o := range orders {
			l.acts = append(l.acts, act{courier: courier, order: o, kind: "accept"})
		}
	case "stop.arrive", "stop.complete", "stop.fail":
		l.acts = append(l.acts, act{courier, a.Order, a.Type[len("stop."):], a.Kind, a.Reason})
	}
}

// Plan records which orders a courier has in hand from now on; none when
// the courier has lost its connection and may know less than the server.
func (l *Ledger) Plan(courier string, orders []string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	had, has := l.open[courier], make(map[string]time.Time, len(orders))
	for _, o := range orders {
		if since, ok := had[o]; ok {
			has[o] = since
		} else {
			has[o] = now
		}
	}
	for o, since := range had {
		if _, still := has[o]; !still {
			l.held[o] = append(l.held[o], span{courier, since, now})
		}
	}
	l.open[courier] = has
}

// Load records a load over the capacity, as the server itself tells it.
func (l *Ledger) Load(courier string, load, capacity int) {
	if load <= capacity {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.overloads[courier] = fmt.Sprintf("load %d of %d", load, capacity)
}
