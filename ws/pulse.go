package ws

import (
	"context"
	"sync/atomic"
	"time"
)

// Whether the other sides are alive is asked in turns, by one goroutine: each
// connection is looked at looks times between two pings, a share of all at a
// time, and pinged at one of them. With timers of their own thousands of
// sockets would slow down every other timer of the process: the runtime goes
// through all that it has whenever one that was set again comes due.
const (
	shares = 16
	looks  = 4
)

// crowd are a node's connections, in shares of one size; guarded by Hub.mu.
type crowd struct {
	shares [shares]map[*conn]struct{}
	came   int
}

func (c *crowd) add(one *conn) {
	one.share, one.pulse.turn = c.came%shares, c.came/shares%looks
	c.came++
	if c.shares[one.share] == nil {
		c.shares[one.share] = map[*conn]struct{}{}
	}
	c.shares[one.share][one] = struct{}{}
}

func (c *crowd) remove(one *conn) { delete(c.shares[one.share], one) }

// all are the connections of now.
func (c *crowd) all() []*conn {
	var all []*conn
	for i := range c.shares {
		all = append(all, c.share(i)...)
	}
	return all
}

func (c *crowd) share(i int) []*conn {
	some := make([]*conn, 0, len(c.shares[i]))
	for one := range c.shares[i] {
		some = append(some, one)
	}
	return some
}

// pulse is what is known of the other side's being alive. All but heard is of
// the goroutine that looks.
type pulse struct {
	heard  atomic.Bool // since the last look
	turn   int
	silent int // looks
}

// keepAlive looks after the connections until ctx ends.
func (h *Hub) keepAlive(ctx context.Context) {
	often := h.Ping / looks
	tick := time.NewTicker(max(often/shares, time.Microsecond))
	defer tick.Stop()
	for i := 0; ; i = (i + 1) % shares {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		h.mu.Lock()
		share := h.conns.share(i)
		h.mu.Unlock()
		for _, c := range share {
			c.look(int((h.Silence + often - 1) / often))
		}
		h.patients.tell(time.Now())
	}
}

// look pings the other side at each fourth time, and gives it up once it has
// been silent at so many in a row. A page cannot see pings, so it gets a frame
// too by which it can tell silence from death.
func (c *conn) look(patience int) {
	p := &c.pulse
	if p.heard.Swap(false) {
		p.silent = 0
	}
	p.turn = (p.turn + 1) % looks
	c.mu.Lock()
	alive := c.session != nil && !c.closing // else what is going on has its own deadlines
	c.mu.Unlock()
	switch {
	case !alive:
		p.silent = 0
		return
	case p.silent >= patience:
		_ = c.net.SetReadDeadline(time.Now()) // ends the reader
	case p.turn == 0:
		c.together(func() {
			c.pushSlot(slotPing, c.hub.pingFrame)
			c.pushSlot(slotBeat, c.hub.beatFrame)
		})
	}
	p.silent++
}
