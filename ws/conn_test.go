package ws

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// gate is a socket whose writes wait until they are let through.
type gate struct {
	net.Conn
	mu     sync.Mutex
	open   sync.Cond
	shut   bool
	writes [][]byte
}

func newGate(shut bool) *gate {
	g := &gate{shut: shut}
	g.open.L = &g.mu
	return g
}

func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.shut {
		g.open.Wait()
	}
	g.writes = append(g.writes, bytes.Clone(p))
	return len(p), nil
}

func (g *gate) let()                             { g.mu.Lock(); g.shut = false; g.mu.Unlock(); g.open.Broadcast() }
func (g *gate) SetWriteDeadline(time.Time) error { return nil }
func (g *gate) SetReadDeadline(time.Time) error  { return nil }
func (g *gate) Close() error                     { return nil }

func gated(limit int, shut bool) (*conn, *gate) {
	g := newGate(shut)
	c, _ := Config{}.withDefaults()
	return &conn{hub: &Hub{Config: c}, net: g, limit: limit}, g
}

func text(s string) frame {
	return newFrame(websocket.TextMessage, append(make([]byte, maxHeader), s...))
}

// payloads takes frames apart as a client does.
func payloads(t *testing.T, wire []byte) (out []string) {
	t.Helper()
	for len(wire) > 0 {
		head, n := 2, int(wire[1])
		switch n {
		case 126:
			head, n = 4, int(wire[2])<<8|int(wire[3])
		case 127:
			head, n = 10, int(wire[6])<<24|int(wire[7])<<16|int(wire[8])<<8|int(wire[9])
		}
		out = append(out, string(wire[head:head+n]))
		wire = wire[head+n:]
	}
	return out
}

func TestFramesAreWhatGorillaWrites(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 200_000} {
		data := bytes.Repeat([]byte("x"), n)
		want := wireOf(t, data)
		if got := text(string(data)); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: header % x, want % x", n, got[:min(len(got), 10)], want[:min(len(want), 10)])
		}
		if got := text(string(data)).payload(); !bytes.Equal(got, data) {
			t.Errorf("%d bytes: payload of %d", n, len(got))
		}
	}
}

func TestWaitingFramesGoInOneWrite(t *testing.T) {
	c, g := gated(1<<20, true)
	for i := range 50 {
		c.push(text(fmt.Sprint(i)))
	}
	g.let()
	c.hub.sockets.Wait()
	if n := len(g.writes); n > 2 { // the first may have gone alone
		t.Errorf("%d writes", n)
	}
	got := payloads(t, bytes.Join(g.writes, nil))
	for i := range 50 {
		if got[i] != fmt.Sprint(i) {
			t.Fatalf("frame %d is %s", i, got[i])
		}
	}
}

func TestAFrameOfASlotTakesThePlaceOfTheOlder(t *testing.T) {
	c, g := gated(1<<20, true)
	c.push(text("first")) // the writer holds it
	time.Sleep(10 * time.Millisecond)
	c.pushSlot(slotPosition, text("p1"))
	c.push(text("status"))
	c.pushSlot(slotETA, text("e1"))
	c.pushSlot(slotPosition, text("p2"))
	if !c.waits(slotPosition) || c.waits(slotStats) {
		t.Error("waits is wrong")
	}
	g.let()
	c.hub.sockets.Wait()
	if got := fmt.Sprint(payloads(t, bytes.Join(g.writes, nil))); got != "[first status e1 p2]" {
		t.Error(got)
	}
}

// Whatever is pushed while nobody reads, memory stays under the limit and a
// frame that must arrive either does, in order, or closes the connection.
func TestMemoryIsBounded(t *testing.T) {
	const limit = 8 << 10
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		c, g := gated(limit, true)
		for range 3000 {
			f := text(string(bytes.Repeat([]byte("x"), rng.IntN(300))))
			if rng.IntN(3) == 0 {
				c.push(f)
			} else {
				c.pushSlot(slot(rng.IntN(4))+slotPosition, f)
			}
			c.mu.Lock()
			held, sum := c.bytes, 0
			for _, e := range c.queue {
				sum += len(e.frame)
			}
			c.mu.Unlock()
			if most := limit + 5*310; held > most || sum > held {
				t.Fatalf("%d bytes held, %d in the queue; the limit is %d", held, sum, limit)
			}
		}
		c.mu.Lock()
		if !c.closing || c.code != codeTooSlow {
			t.Errorf("closing %v with %d", c.closing, c.code)
		}
		c.mu.Unlock()
		g.let()
		c.hub.sockets.Wait()
		if c.bytes != 0 {
			t.Errorf("%d bytes are still counted", c.bytes)
		}
		got := payloads(t, bytes.Join(g.writes, nil))
		if last := got[len(got)-1]; len(last) < 2 || int(last[0])<<8|int(last[1]) != codeTooSlow {
			t.Errorf("the last frame is %q", last)
		}
	}
}

// wireOf is what gorilla writes for a text message.
func wireOf(t *testing.T, data []byte) []byte {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	out := make(chan []byte)
	go func() {
		var all []byte
		buf := make([]byte, 1<<20)
		for {
			n, err := b.Read(buf)
			all = append(all, buf[:n]...)
			if err != nil {
				out <- all
				return
			}
		}
	}()
	pm, err := websocket.NewPreparedMessage(websocket.TextMessage, data)
	if err != nil {
		t.Fatal(err)
	}
	server := serverConn(t, a)
	if err := server.WritePreparedMessage(pm); err != nil {
		t.Fatal(err)
	}
	a.Close()
	return <-out
}
