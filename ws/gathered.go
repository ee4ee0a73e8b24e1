package ws

import (
	"sync"
	"time"
)

const (
	// maxPatience bounds how long a courier may let its answers wait.
	maxPatience = time.Minute
	// maxGathered is how many answers wait at most, whatever the patience.
	maxGathered = 64
)

// gathered are answers that wait for one another, since the other side has
// time: an answer by itself costs as much as reading what it answers. They go
// with whatever else is sent, so that nothing overtakes them. Guarded by
// conn.mu.
type gathered struct {
	patience time.Duration
	since    time.Time // when the first came
	frames   []frame
	listed   bool // among the hub's patients
}

// patients are the connections with gathered answers.
type patients struct {
	mu  sync.Mutex
	all []*conn
}

func (p *patients) add(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, c)
}

// tell sends what has waited long enough. Who still waits is asked again at
// the next call.
func (p *patients) tell(now time.Time) {
	p.mu.Lock()
	all := p.all
	p.all = nil
	p.mu.Unlock()
	still := all[:0]
	for _, c := range all {
		if c.tellGathered(now) {
			still = append(still, c)
		}
	}
	clear(all[len(still):]) // forgets them
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(still, p.all...)
}

// bePatient lets answers wait for one another from now on, if there is time.
func (c *conn) bePatient(patience time.Duration) {
	if patience == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gathered = &gathered{patience: patience}
}

// pushPatient is push for an answer that may wait for others.
func (c *conn) pushPatient(f frame) {
	c.mu.Lock()
	g := c.gathered
	if g == nil || c.closing {
		c.mu.Unlock()
		c.push(f)
		return
	}
	if g.frames = append(g.frames, f); len(g.frames) == 1 {
		g.since = time.Now()
	}
	if len(g.frames) == maxGathered {
		c.queueGatheredLocked()
	}
	list := !g.listed && len(g.frames) > 0
	g.listed = g.listed || list
	c.mu.Unlock()
	if list {
		c.hub.patients.add(c)
	}
}

// tellGathered sends the gathered answers if they have waited long enough,
// and says whether there still are some.
func (c *conn) tellGathered(now time.Time) (still bool) {
	c.mu.Lock()
	g := c.gathered
	waiting, due := len(g.frames) > 0 && !c.closing, now.Sub(g.since) >= g.patience
	g.listed = waiting && !due
	c.mu.Unlock()
	if !waiting || !due {
		return waiting
	}
	c.together(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.queueGatheredLocked()
	})
	return false
}

// dropGatheredLocked forgets the gathered answers.
func (c *conn) dropGatheredLocked() {
	if c.gathered != nil {
		c.gathered.frames = nil
	}
}

// queueGatheredLocked puts the gathered answers into the queue.
func (c *conn) queueGatheredLocked() {
	if c.gathered == nil {
		return
	}
	frames := c.gathered.frames
	c.gathered.frames = nil
	for i, f := range frames {
		c.queueLocked(entry{frame: f})
		frames[i] = nil
	}
	c.gathered.frames = frames[:0]
}
