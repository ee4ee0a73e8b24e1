package ws

import (
	"bufio"
	"net"
	"net/http"
	"slices"
	"time"
)

// A connection has one writer at a time. A goroutine of its own where a frame
// comes from nowhere in particular; the connection's reader, from when it has
// read something until it reads on; and whoever tells many the same, while it
// tells one. The latter two write at once what the system takes at once, and
// leave the rest to a goroutine: no reader, however slow, holds them up. A
// frame costs one system call then, and nobody has to be woken.

// writeAtOnce is how much one write may gather.
const writeAtOnce = 16 << 10

// batch is what one write takes out.
type batch struct {
	out    []byte
	frames int
	sent   []*sent
	buf    *[]byte // where it was gathered; nil: out is a frame
}

// takeLocked takes as much as one write may gather from the queue.
func (c *conn) takeLocked() (b batch) {
	b.out, b.frames = c.queue[0].frame, 1
	if len(c.queue) > 1 && len(b.out) < writeAtOnce {
		b.buf = c.hub.scratch.get()
		out := append((*b.buf)[:0], b.out...)
		for b.frames < len(c.queue) && len(out)+len(c.queue[b.frames].frame) <= writeAtOnce {
			out = append(out, c.queue[b.frames].frame...)
			b.frames++
		}
		b.out, *b.buf = out, out
	}
	b.sent = sentOf(c.queue[:b.frames])
	c.queue = slices.Delete(c.queue, 0, b.frames) // forgets the frames, too
	if len(c.queue) == 0 && cap(c.queue) > 4 {
		c.queue = nil
	}
	return b
}

// wrote accounts for a batch of so many bytes, and says whether to go on.
func (c *conn) wrote(b batch, bytes int, err error) bool {
	if b.buf != nil {
		c.hub.scratch.put(b.buf)
	}
	c.hub.count.out.Add(uint64(b.frames)) //nolint:gosec // over 0
	c.hub.count.writes.Add(1)
	endAll(b.sent, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes -= bytes
	if err == nil {
		return true
	}
	endAll(sentOf(c.queue), errNotSent)
	c.writing, c.closing, c.queue, c.bytes = false, true, nil, 0
	_ = c.net.Close() // wakes the reader
	return false
}

// flush is a writer: it writes a batch of which some bytes have gone, if it is
// given one, empties the queue and ends.
func (c *conn) flush(b batch) {
	defer c.hub.sockets.Done()
	for {
		if b.frames == 0 {
			c.mu.Lock()
			if len(c.queue) == 0 {
				c.restLocked()
				c.mu.Unlock()
				return
			}
			b = c.takeLocked()
			c.mu.Unlock()
		}
		_ = c.net.SetWriteDeadline(time.Now().Add(c.hub.WriteTimeout))
		_, err := c.net.Write(b.out)
		_ = c.net.SetWriteDeadline(time.Time{}) // else no write at once can follow
		if !c.wrote(b, len(b.out), err) {
			return
		}
		b = batch{}
	}
}

// hold makes the caller the writer, if there is none: what is queued now
// waits for release.
func (c *conn) hold() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writing || c.closing {
		return false
	}
	c.writing = true
	c.hub.sockets.Add(1)
	return true
}

// release writes what was queued since hold.
func (c *conn) release() {
	c.mu.Lock()
	if len(c.queue) == 0 {
		c.restLocked()
		c.mu.Unlock()
		c.hub.sockets.Done()
		return
	}
	b := c.takeLocked()
	c.mu.Unlock()
	n, err := writeNow(c.net, b.out)
	switch {
	case err == nil && n < len(b.out):
		c.mu.Lock()
		c.bytes -= n
		c.mu.Unlock()
		b.out = b.out[n:]
		go c.flush(b)
	case !c.wrote(b, n, err):
		c.hub.sockets.Done()
	default:
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.queue) > 0 { // more than one write holds, or it has come meanwhile
			go c.flush(batch{})
			return
		}
		c.restLocked()
		c.hub.sockets.Done()
	}
}

// together writes at once all that is pushed meanwhile.
func (c *conn) together(push func()) {
	if c.hold() {
		defer c.release()
	}
	push()
}

// restLocked is what the writer does at the end of its work.
func (c *conn) restLocked() {
	c.writing = false
	switch {
	case c.gone:
		_ = c.net.Close()
	case c.closing: // the other side's close frame has a moment to come
		_ = c.net.SetReadDeadline(time.Now().Add(c.hub.CloseWait))
	}
}

// listen makes the reader the writer, if there is none, until it tells.
func (c *conn) listen() { c.writes = c.writes || c.hold() }

// tell writes what the reader has to say before it reads on or waits.
func (c *conn) tell() {
	if c.writes {
		c.writes = false
		c.release()
	}
}

// source is a connection's network with something to do before each read of
// it. What is in gorilla's buffer is read without.
type source struct {
	net.Conn
	before func()
}

func (s *source) Read(p []byte) (int, error) {
	if s.before != nil {
		s.before()
	}
	return s.Conn.Read(p)
}

// hijacker hands gorilla a source in place of the connection.
type hijacker struct {
	http.ResponseWriter
	in *source
}

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	socket, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.in.Conn = socket
	return h.in, rw, err
}
