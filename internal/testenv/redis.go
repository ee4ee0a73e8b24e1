package testenv

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Redis is a private redis-server that keeps nothing on disk.
type Redis struct {
	*Process
	Addr string // host:port
	port int
	bus  int // of a cluster's node
}

// URL is how to reach it.
func (r *Redis) URL() string { return "redis://" + r.Addr }

// StartRedis starts a server until the test ends.
func StartRedis(t T, flags ...string) *Redis {
	t.Helper()
	binary, dir, port := Binary(t, "redis-server"), t.TempDir(), FreePort(t)
	r := &Redis{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), port: port}
	args := append([]string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir,
		"--save", "", "--appendonly", "no", "--daemonize", "no",
	}, flags...)
	r.Process = Start(t, "redis-server", func() *exec.Cmd { return exec.Command(binary, args...) })
	r.WaitReady()
	return r
}

// WaitReady waits until it answers.
func (r *Redis) WaitReady() {
	r.t.Helper()
	r.WaitFor("ready", func() error {
		err := r.expect("PING", "+PONG")
		if err != nil && strings.Contains(err.Error(), "NOAUTH") {
			return nil // it answers, and wants a password
		}
		return err
	})
}

// Flush deletes all that it has.
func (r *Redis) Flush() {
	r.t.Helper()
	if err := r.expect("FLUSHALL", "+OK"); err != nil {
		r.t.Fatal(err)
	}
}

// expect sends an inline command and wants something in the answer.
func (r *Redis) expect(command, want string) error {
	conn, err := net.DialTimeout("tcp", r.Addr, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
		return err
	}
	var got []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(got, []byte(want)) {
		n, err := conn.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil || (len(got) > 0 && got[0] == '-') {
			return fmt.Errorf("%s: %q, %w", command, got, err)
		}
		if got[0] == '$' && bytes.HasSuffix(got, []byte("\r\n")) && bytes.Count(got, []byte("\r\n")) > 1 {
			break // a whole bulk answer
		}
	}
	if !bytes.Contains(got, []byte(want)) {
		return fmt.Errorf("%s: %q", command, got)
	}
	return nil
}

// StartRedisCluster starts a cluster of so many masters.
func StartRedisCluster(t T, masters int) []*Redis {
	t.Helper()
	nodes := make([]*Redis, masters)
	for i := range nodes {
		bus := FreePort(t)
		nodes[i] = StartRedis(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", strconv.Itoa(bus))
		nodes[i].bus = bus
	}
	const slots = 16384
	for i, n := range nodes {
		from, to := slots*i/masters, slots*(i+1)/masters-1
		if err := n.expect(fmt.Sprintf("CLUSTER ADDSLOTSRANGE %d %d", from, to), "+OK"); err != nil {
			t.Fatal(err)
		}
		if err := n.expect(fmt.Sprintf("CLUSTER SET-CONFIG-EPOCH %d", i+1), "+OK"); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range nodes[1:] {
		if err := nodes[0].expect(fmt.Sprintf("CLUSTER MEET 127.0.0.1 %d %d", n.port, n.bus), "+OK"); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range nodes {
		n.WaitFor("in the cluster", func() error {
			if err := n.expect("CLUSTER INFO", "cluster_state:ok"); err != nil {
				return err
			}
			return n.expect("CLUSTER INFO", fmt.Sprintf("cluster_known_nodes:%d", masters))
		})
	}
	return nodes
}
