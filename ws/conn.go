package ws

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"
)

// slot is what a newer frame of the same kind makes worthless. Frames in no
// slot are all delivered, in order.
type slot uint8

const (
	noSlot slot = iota
	slotPing
	slotBeat
	slotPong
	slotClose
	slotPosition
	slotETA
	slotOrders
	slotCouriers
	slotCells
	slotStats
)

// entry is a frame that waits.
type entry struct {
	frame frame
	slot  slot
	sent  *sent // nil: it is not followed
}

// conn is one socket: gorilla upgrades and reads it, and all that goes out
// passes the queue, which one writer empties while there is something in it:
// see write.go. An idle connection holds its reading goroutine and no buffer
// but the reader's.
//
// Frames are written to the net.Conn directly, each whole frame in one Write
// that no other can cut: gorilla itself writes nothing but the close frames
// of its own protocol errors, after which nothing of ours follows that
// anyone waits for.
type conn struct {
	hub   *Hub
	kind  Kind
	ws    *websocket.Conn
	net   net.Conn
	limit int // bytes that may wait

	// The reader's own.
	readLimit int           // bytes of one frame
	writes    bool          // it is the writer
	frames    *rate.Limiter // nil before the first
	pressed   time.Time     // since when frames have had to wait; zero: they do not
	held      time.Time     // until when fixes are turned away if there is too much to do

	keys []string // what it is counted by in hub.held; the handshake's own

	mu      sync.Mutex
	queue   []entry
	bytes   int     // waiting or being written
	writing bool    // there is a writer, who empties the queue
	closing bool    // nothing more may be queued
	gone    bool    // the reader has ended
	code    int     // of the close frame that was queued
	session session // once authenticated
	cred    credential

	gathered *gathered // nil: the other side waits for each answer

	share int // of the hub's; guarded by its mu
	pulse pulse
}

func newConn(h *Hub, kind Kind, ws *websocket.Conn, in *source) *conn {
	c := &conn{hub: h, kind: kind, ws: ws, net: in.Conn, limit: h.Queue, readLimit: h.Read}
	if kind == KindFleet {
		c.limit = h.FleetQueue
	}
	in.before = c.tell
	ws.SetPingHandler(func(data string) error {
		if err := c.pace(); err != nil {
			return err
		}
		c.touch()
		c.pushSlot(slotPong, control(websocket.PongMessage, []byte(data)))
		return nil
	})
	ws.SetPongHandler(func(string) error { c.touch(); return nil })
	ws.SetCloseHandler(func(int, string) error { c.close(websocket.CloseNormalClosure, "", ""); return nil })
	return c
}

// push queues a frame that must arrive. If the reader is too slow for it the
// connection is closed, to resume later: memory is bounded (I12). One frame
// of any size fits an empty queue.
func (c *conn) push(f frame) { c.pushSent(f, nil) }

// pushSent is push for a frame that may be followed.
func (c *conn) pushSent(f frame, s *sent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		s.end(errNotSent)
		return
	}
	if c.bytes > 0 && c.bytes+len(f) > c.limit {
		c.hub.count.slow.Add(1)
		c.closeLocked(codeTooSlow, "unavailable", "too slow: come back and resume")
		s.end(errNotSent)
		return
	}
	c.queueLocked(entry{f, noSlot, s})
}

// pushSlot queues a frame in the place of the one of its slot that still
// waits: newest wins. It goes to the end, so that it never overtakes a frame
// that was true before it.
func (c *conn) pushSlot(s slot, f frame) { c.pushSlotSent(s, f, nil) }

// pushSlotSent is pushSlot for a frame that may be followed.
func (c *conn) pushSlotSent(s slot, f frame, followed *sent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		followed.end(errNotSent)
		return
	}
	for i := range c.queue {
		if c.queue[i].slot == s {
			c.bytes -= len(c.queue[i].frame)
			c.queue[i].sent.end(errOvertaken)
			c.queue = append(c.queue[:i], c.queue[i+1:]...)
			c.hub.count.overtaken.Add(1)
			break
		}
	}
	c.queueLocked(entry{f, s, followed})
}

// waits says whether a frame of the slot is still in the queue.
func (c *conn) waits(s slot) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.queue {
		if c.queue[i].slot == s {
			return true
		}
	}
	return false
}

func (c *conn) queueLocked(e entry) {
	c.queueGatheredLocked()
	c.queue = append(c.queue, e)
	c.bytes += len(e.frame)
	if !c.writing {
		c.writing = true
		c.hub.sockets.Add(1)
		go c.flush(batch{})
	}
}

// close says goodbye: an error frame if there is a fault to name, then the
// close frame. What still waits goes out first.
func (c *conn) close(code int, fault, detail string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked(code, fault, detail)
}

func (c *conn) closeLocked(code int, fault, detail string) {
	if c.closing {
		return
	}
	c.closing, c.code = true, code
	if code == codeTooSlow { // nothing will get through soon
		for _, e := range c.queue {
			c.bytes -= len(e.frame)
		}
		endAll(sentOf(c.queue), errNotSent)
		c.queue = nil
		c.dropGatheredLocked()
	}
	if fault != "" {
		if f, err := c.hub.scratch.encode(&failure{Type: "error", Code: fault, Detail: detail}); err == nil {
			c.queueLocked(entry{frame: f})
		}
	}
	c.queueLocked(entry{frame: closing(code, detail), slot: slotClose})
}

// touch notes that the other side is alive.
func (c *conn) touch() { c.pulse.heard.Store(true) }

// expect bounds the wait for one frame of the handshake; 0: for no frame.
func (c *conn) expect(d time.Duration) {
	var until time.Time
	if d > 0 {
		until = time.Now().Add(d)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		_ = c.net.SetReadDeadline(until)
	}
}

// read waits for the next text frame and gives it to take, which must not
// keep it. The buffer comes from the pool once something is there, so that
// an idle connection holds none.
func (c *conn) read(take func(data []byte) error) error {
	typ, r, err := c.ws.NextReader()
	if err != nil {
		return fmt.Errorf("read frame: %w", err)
	}
	c.hub.count.in.Add(1)
	if err := c.pace(); err != nil {
		return err
	}
	if typ != websocket.TextMessage {
		return &closeError{codeBadFrame, "malformed", "not a text frame"}
	}
	pooled := c.hub.scratch.get()
	defer c.hub.scratch.put(pooled)
	buf := *pooled
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		*pooled = buf
		switch {
		case len(buf) > c.readLimit: // gorilla's own limit closes with 1009
			return &closeError{codeBadFrame, "too_large", fmt.Sprintf("a frame may have %d bytes", c.readLimit)}
		case errors.Is(err, io.EOF):
			return take(buf)
		case err != nil:
			return fmt.Errorf("read frame: %w", err)
		}
	}
}

// over says that a close frame is on its way: what comes in now is ignored.
func (c *conn) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// end is the reader's last act: the writer may finish what it holds.
func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone, c.closing = true, true
	if !c.writing {
		_ = c.net.Close()
	}
}
