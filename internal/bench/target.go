package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Target is a server under load.
type Target struct {
	URL   string // of HTTP and WebSocket
	Token string // an admin's
	Admin string // URL of the admin listener; empty: out of reach
	PID   int    // 0: on another machine

	taken func(ctx context.Context) (int64, error) // fixes, as a floor says; may be nil

	child    *child       // nil: it was there already
	database string       // of its own; empty: SQLite
	after    func() error // once it has stopped; may be nil
}

// address is host:port.
func (t *Target) address() string { return strings.TrimPrefix(t.URL, "http://") }

// stop ends a server of our own.
func (t *Target) stop() error {
	if t.child != nil {
		t.child.stop()
	}
	if t.after != nil {
		return t.after()
	}
	return nil
}

// child is a process that this one has started, and what it says of its
// collector (GODEBUG=gctrace=1).
type child struct {
	cmd     *exec.Cmd
	started time.Time
	first   chan string // the first line of its output
	done    chan struct{}

	mu     sync.Mutex
	said   []string // its last lines
	gc     time.Duration
	cycles int
}

func startChild(cmd *exec.Cmd) (*child, error) {
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "GODEBUG=gctrace=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	errs, err1 := cmd.StderrPipe()
	out, err2 := cmd.StdoutPipe()
	c := &child{cmd: cmd, started: time.Now(), first: make(chan string, 1), done: make(chan struct{})}
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	var readers sync.WaitGroup
	readers.Go(func() { c.listen(errs) })
	readers.Go(func() {
		lines := bufio.NewScanner(out)
		if lines.Scan() {
			c.first <- lines.Text()
		}
		_, _ = io.Copy(io.Discard, out)
	})
	go func() {
		readers.Wait()
		_ = cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// listen takes in what the child writes to stderr.
func (c *child) listen(from io.Reader) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		c.mu.Lock()
		if took, ok := gcTime(lines.Bytes()); ok {
			c.gc += took
			c.cycles++
		} else if c.said = append(c.said, lines.Text()); len(c.said) > 20 {
			c.said = c.said[1:]
		}
		c.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, from)
}

// "… 0.018+1.3/2.9/3.1+0.004 ms cpu …": sweep termination; assist, background
// and idle marking; mark termination.
var gcLine = regexp.MustCompile(`^gc \d+ @.* ms clock, ([\d.+/]+) ms cpu`)

// gcTime is the processor time of one collection. Marking by processors that
// had nothing else to do is left out.
func gcTime(line []byte) (time.Duration, bool) {
	m := gcLine.FindSubmatch(line)
	if m == nil {
		return 0, false
	}
	total := 0.0
	for i, part := range bytes.FieldsFunc(m[1], func(r rune) bool { return r == '+' || r == '/' }) {
		ms, err := strconv.ParseFloat(string(part), 64)
		if err != nil {
			return 0, false
		}
		if i != 3 {
			total += ms
		}
	}
	return time.Duration(total * float64(time.Millisecond)), true
}

func (c *child) collector() (time.Duration, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gc, c.cycles
}

// fault is what to say of a child that ended by itself.
func (c *child) fault() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Errorf("%s has ended:\n%s", c.cmd.Args[0], strings.Join(c.said, "\n"))
}

// stop asks it to end, and kills it if it does not.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(10 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}

// ready waits until the server says that it can commit, and returns how long
// after its start that was.
func (c *child) ready(ctx context.Context, url string) (time.Duration, error) {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
		if err != nil {
			return 0, err
		}
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return time.Since(c.started), nil
			}
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-c.done:
			return 0, c.fault()
		case <-time.After(time.Millisecond):
		}
		if time.Since(c.started) > time.Minute {
			return 0, errors.New("the server is not ready after a minute")
		}
	}
}

// freePort is host:port on loopback where nobody listens now. It lies under
// the ports of outgoing connections, of which there will be thousands.
func freePort(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	for range 1000 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(10_000+rand.IntN(22_000)))
		l, err := lc.Listen(ctx, "tcp", address)
		if err == nil {
			return address, l.Close()
		}
	}
	return "", errors.New("no free port")
}
