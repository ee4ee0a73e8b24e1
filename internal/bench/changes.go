package bench

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// change is a parcel that a dispatcher gives to a courier and takes back, in
// turn, and those of its statuses that a customer has not seen yet.
type change struct {
	parcel
	courier string

	call sync.Mutex // one change at a time

	mu      sync.Mutex
	given   bool
	pending []pendingStatus
}

type pendingStatus struct {
	seq int64
	due time.Time
}

// changes is a load of status changes, seen by who looks at the orders.
type changes struct {
	*callLoad
	people  *people
	all     []*change
	refused *refusals

	sinceDue   *recorder // from the change's due time to a customer's socket
	sinceEvent *recorder // from the event's time, which is just before its commit
	seen       atomic.Int64
	asked      atomic.Int64 // statuses that customers have to see
}

func newChanges(p *people, parcels []parcel, clients int, rate float64, w window, r *run) *changes {
	l := &changes{people: p, refused: &refusals{told: r.Told}, sinceDue: newRecorder(w), sinceEvent: newRecorder(w)}
	for i, one := range parcels {
		l.all = append(l.all, &change{parcel: one, courier: p.couriers[i%len(p.couriers)].id})
	}
	l.callLoad = &callLoad{address: p.target.address(), clients: clients, rate: rate, window: w, one: l.one}
	return l
}

func (l *changes) one(c *caller, n int64, due time.Time) (bool, error) {
	o := l.all[n%int64(len(l.all))]
	o.call.Lock()
	defer o.call.Unlock()
	o.mu.Lock()
	version, given := o.version, o.given
	o.pending = append(o.pending, pendingStatus{version + 1, due})
	o.mu.Unlock()
	var status int
	var answer []byte
	var err error
	if given {
		status, answer, err = l.people.unassign(c, o.order, version)
	} else {
		status, answer, err = l.people.assign(c, o.order, o.courier, version)
	}
	if err != nil {
		return false, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if v, ok := jsonNumber(answer, "version"); ok {
		o.version, o.given = v, jsonText(answer, "status") == "assigned"
	}
	if status != http.StatusOK {
		o.pending = o.pending[:len(o.pending)-1]
		l.refused.tell(status, answer)
		return false, nil
	}
	l.asked.Add(1)
	return true, nil
}

// see takes what a customer of change i gets.
func (l *changes) see(i int, raw []byte, at time.Time) {
	seq, ok := jsonNumber(raw, "seq")
	if !ok || i >= len(l.all) {
		return
	}
	o := l.all[i]
	o.mu.Lock()
	defer o.mu.Unlock()
	for k, p := range o.pending {
		if p.seq != seq {
			continue
		}
		o.pending = append(o.pending[:k], o.pending[k+1:]...)
		l.seen.Add(1)
		l.sinceDue.record(i, p.due, at)
		if when, ok := jsonTime(raw, "time"); ok && l.window.counts(p.due) {
			l.sinceEvent.add(i, at.Sub(when))
		}
		return
	}
}
