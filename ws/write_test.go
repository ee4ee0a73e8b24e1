package ws

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

// pair is a connection that has only its writers, and the other side of it.
func pair(t *testing.T) (*conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if tcp, ok := near.(*net.TCPConn); ok {
		err = tcp.SetWriteBuffer(32 << 10)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	h := &Hub{Config: Config{WriteTimeout: time.Minute}}
	t.Cleanup(h.sockets.Wait)
	return &conn{hub: h, net: near, limit: 64 << 20}, far
}

// What the system does not take at once follows, and nothing comes twice or
// out of order, whoever writes.
func TestAWriteAtOnceLosesNothing(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	c, far := pair(t)
	var want []byte
	some := func() frame {
		f := make(frame, 4+dice.IntN(1<<dice.IntN(18)))
		binary.NativeEndian.PutUint32(f, dice.Uint32())
		want = append(want, f...)
		return f
	}
	var got bytes.Buffer
	read := make(chan error)
	go func() { // now and then the system's buffers are full, and then there is room
		_, err := io.CopyBuffer(struct{ io.Writer }{&got}, far, make([]byte, 4<<10))
		read <- err
	}()
	for range 200 {
		if dice.IntN(3) == 0 {
			c.push(some())
			continue
		}
		if dice.IntN(2) == 0 {
			c.hub.sockets.Wait() // the system has taken all, though it may be full
		}
		c.together(func() {
			for range dice.IntN(4) {
				c.push(some())
			}
		})
	}
	c.hub.sockets.Wait()
	c.net.Close()
	if err := <-read; err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Fatalf("%d bytes came other than %d were sent (%v)", got.Len(), len(want), err)
	}
	if c.writing || c.bytes != 0 || len(c.queue) != 0 {
		t.Errorf("afterwards there is a writer (%v) and %d bytes wait in %d frames", c.writing, c.bytes, len(c.queue))
	}
}

func TestAWriteAtOnceToNobodyEndsTheConnection(t *testing.T) {
	c, far := pair(t)
	far.Close()
	for end := time.Now().Add(10 * time.Second); !c.over() && time.Now().Before(end); time.Sleep(time.Millisecond) {
		c.together(func() { c.push(frame("nobody reads this")) })
	}
	if !c.over() {
		t.Error("it goes on as if somebody were there")
	}
	c.hub.sockets.Wait()
}

// A connection that is closed for being too slow is forgotten with the answers
// that it had gathered; one that has waited long enough is told.
func TestGatheredAnswersOfOneTooSlowAreDropped(t *testing.T) {
	slow, _ := pair(t)
	patient, far := pair(t)
	patient.hub = slow.hub
	for _, c := range []*conn{slow, patient} {
		c.bePatient(time.Second)
		c.pushPatient(frame("answer"))
	}
	slow.close(codeTooSlow, "", "")
	slow.hub.patients.tell(time.Now())
	if n := len(slow.hub.patients.all); n != 1 {
		t.Errorf("%d wait for their answers", n)
	}
	slow.hub.patients.tell(time.Now().Add(time.Second))
	if n := len(slow.hub.patients.all); n != 0 {
		t.Errorf("%d still wait", n)
	}
	got := make([]byte, len("answer"))
	if _, err := io.ReadFull(far, got); err != nil || string(got) != "answer" {
		t.Errorf("%q came: %v", got, err)
	}
}
