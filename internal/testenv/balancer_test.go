package testenv_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"courier/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a node that says its name, and whatever it is told.
func echo(t *testing.T, name string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/talk" {
			return // healthy
		}
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintln(conn, name)
		_, _ = io.Copy(conn, rw)
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// talk is a conversation with whoever takes it.
type talk struct {
	*testing.T
	net.Conn
	in   *bufio.Reader
	node string
}

func dial(t *testing.T, addr string) *talk {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	fmt.Fprint(conn, "GET /talk HTTP/1.1\r\nHost: x\r\n\r\n")
	c := &talk{T: t, Conn: conn, in: bufio.NewReader(conn)}
	c.node, err = c.hear(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *talk) hear(within time.Duration) (string, error) {
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		return "", err
	}
	line, err := c.in.ReadString('\n')
	return line, err
}

// said sends a line and says how long it was under way.
func (c *talk) said() (time.Duration, error) {
	began := time.Now()
	fmt.Fprintln(c, "hello")
	_, err := c.hear(5 * time.Second)
	return time.Since(began), err
}

func wantAlive(t *testing.T, c *talk) {
	t.Helper()
	if _, err := c.said(); err != nil {
		t.Errorf("%q does not answer: %v", c.node, err)
	}
}

func TestTheBalancerGoesRound(t *testing.T) {
	b := testenv.StartBalancer(t, echo(t, "A"), echo(t, "B"), "127.0.0.1:1")
	seen := map[string]int{}
	for range 12 {
		c := dial(t, b.Addr)
		wantAlive(t, c)
		seen[c.node]++
	}
	if seen["A\n"] < 4 || seen["B\n"] < 4 {
		t.Errorf("%v: a dead node, and the others have not shared its clients", seen)
	}
}

func TestAWayToANodeIsCut(t *testing.T) {
	b := testenv.StartBalancer(t, echo(t, "A"), echo(t, "B"))
	first, second := dial(t, b.Addr), dial(t, b.Addr)
	b.Cut(0)
	alive := 0
	for _, c := range []*talk{first, second} {
		if _, err := c.said(); err == nil {
			alive++
			if c.node != "B\n" {
				t.Errorf("%q goes on", c.node)
			}
		}
	}
	if alive != 1 {
		t.Errorf("%d of two connections are alive", alive)
	}
	for range 4 {
		if c := dial(t, b.Addr); c.node != "B\n" {
			t.Errorf("a new client came to %q", c.node)
		}
	}
	b.Heal(0)
	back := func() bool { return dial(t, b.Addr).node == "A\n" }
	for until := time.Now().Add(10 * time.Second); !back(); {
		if time.Now().After(until) {
			t.Fatal("nobody comes to A again")
		}
	}
}

func TestWhatWasSwallowedArrivesInTheEnd(t *testing.T) {
	b := testenv.StartBalancer(t, echo(t, "A"))
	c := dial(t, b.Addr)
	b.Swallow(0)
	fmt.Fprintln(c, "hello")
	if line, err := c.hear(200 * time.Millisecond); err == nil {
		t.Errorf("heard %q through a black hole", line)
	}
	b.Heal(0)
	if _, err := c.hear(5 * time.Second); err != nil {
		t.Error(err)
	}
}

func TestASlowWayIsSlowBothWays(t *testing.T) {
	b := testenv.StartBalancer(t, echo(t, "A"))
	c := dial(t, b.Addr)
	b.Slow(0, 100*time.Millisecond)
	if took, err := c.said(); err != nil || took < 200*time.Millisecond {
		t.Errorf("there and back in %s, %v", took, err)
	}
	b.Heal(0)
	wantAlive(t, c)
}

func TestALinkFails(t *testing.T) {
	l := testenv.StartLink(t, "link", echo(t, "A"))
	c := dial(t, l.Addr)
	wantAlive(t, c)

	l.Slow(100 * time.Millisecond)
	if took, err := c.said(); err != nil || took < 100*time.Millisecond { // 100 ± 50 each way
		t.Errorf("there and back in %s, %v", took, err)
	}
	l.Heal()
	wantAlive(t, c)

	l.Swallow()
	fmt.Fprintln(c, "hello")
	if line, err := c.hear(200 * time.Millisecond); err == nil {
		t.Errorf("heard %q through a black hole", line)
	}
	l.Heal()
	if _, err := c.hear(5 * time.Second); err == nil {
		t.Error("a connection that has lost something goes on")
	}
	wantAlive(t, dial(t, l.Addr))

	c = dial(t, l.Addr)
	l.Cut()
	if _, err := c.said(); err == nil {
		t.Error("a cut connection goes on")
	}
	if conn, err := net.Dial("tcp", l.Addr); err == nil {
		_ = conn.Close()
		t.Error("a cut link takes connections")
	}
	l.Join()
	wantAlive(t, dial(t, l.Addr))
}
