package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"courier/deploy"
	"courier/internal/testenv"
)

// A new version is rolled out: each node of two, behind the balancer of
// docker-compose.yml, is told to stop and started anew under load. Merchants'
// requests, each sent once, are all answered as if nothing were; couriers and
// customers resume on the other node, and the ledger misses nothing.
// UPGRADE=full (make upgrade) does it three times, with more to do.
func TestAnUpgradeIsNoticedByNobody(t *testing.T) {
	times, lasts, each, most := 1, 16*time.Minute, 50*time.Millisecond, 20*time.Second
	if os.Getenv("UPGRADE") == "full" {
		times, lasts, each = 3, 48*time.Minute, 20*time.Millisecond
	}
	const key = "two nodes are upgraded with this key, 7c20b1"
	engines := testenv.StartEngines(t)
	args := append([]string{"--auth-secret", key, "--database-url", engines.Database, "--redis-url", engines.Redis.URL(), "--amqp-url", engines.RabbitMQ.URL,
		"--trusted-proxy", "127.0.0.1/32", "--drain", "3s", "--limit-credential", "off", "--limit-address", "off"}, faster(60)...)
	nodes := []*testenv.Dispatch{newProcess(t, args...), newProcess(t, args...)}
	b := startHAProxy(t, nodes[0].Addr, nodes[1].Addr)
	admin := adminToken(t, "--auth-secret", key, "--ttl", "8760h")
	seed, _ := seeded(t)
	r := newRush(t, b.url, seed, admin, lasts)
	m := startMerchants(t, b.url, admin, each)
	for _, n := range slices.Repeat(nodes, times) {
		b.waitAllUp()
		if !n.Stop(most) || n.ExitCode() != 0 {
			t.Errorf("told to stop, a node did so with exit code %d (-1: not within %s)", n.ExitCode(), most)
		}
		n.Restart()
		n.WaitReady()
	}
	b.waitAllUp()
	sent, wrong := m.end()
	t.Logf("%d requests sent once, %d of them failed", sent, len(wrong))
	if len(wrong) > 0 || sent < 100 {
		t.Errorf("%d requests sent once, %d failed: %v", sent, len(wrong), wrong[:min(len(wrong), 5)])
	}
	if n := r.people.Figures().Reconnects; n == 0 {
		t.Error("no socket had to resume")
	}
	r.wantKept(30)
}

// haproxy is the balancer of docker-compose.yml, before two nodes.
type haproxy struct {
	*testing.T
	url, private string
}

func startHAProxy(t *testing.T, a, b string) *haproxy {
	t.Helper()
	raw, err := deploy.Files.ReadFile("haproxy/haproxy.cfg")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(config, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	public, private := fmt.Sprintf("127.0.0.1:%d", testenv.FreePort(t)), fmt.Sprintf("127.0.0.1:%d", testenv.FreePort(t))
	binary := testenv.Binary(t, "haproxy", "/usr/sbin/haproxy")
	p := testenv.Start(t, "haproxy", func() *exec.Cmd {
		cmd := exec.Command(binary, "-db", "-f", config)
		cmd.Env = append(os.Environ(), "LISTEN="+public, "PRIVATE="+private, "CONNECTIONS=2000", "NODE_A="+a, "NODE_B="+b)
		return cmd
	})
	p.WaitFor("serving", func() error { return testenv.Asked("http://" + public + "/readyz") })
	return &haproxy{t, "http://" + public, "http://" + private}
}

// waitAllUp waits until both nodes get requests again.
func (h *haproxy) waitAllUp() {
	h.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		resp, err := http.Get(h.private + "/metrics")
		if err != nil {
			continue
		}
		said, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err == nil && bytes.Count(said, []byte(`haproxy_server_status{proxy="ready",server="node-a",state="UP"} 1`)) == 1 &&
			bytes.Count(said, []byte(`haproxy_server_status{proxy="ready",server="node-b",state="UP"} 1`)) == 1 {
			return
		}
	}
	h.Fatal("the balancer does not find both nodes ready")
}

// merchants place orders at a steady rate, look at each and cancel it.
type merchants struct {
	url, key string
	stop     chan struct{}
	all      sync.WaitGroup
	client   http.Client

	mu    sync.Mutex
	sent  int
	wrong []error
}

func startMerchants(t *testing.T, url, admin string, each time.Duration) *merchants {
	t.Helper()
	m := &merchants{url: url, stop: make(chan struct{}), client: http.Client{Timeout: 20 * time.Second}}
	var made struct{ Key string }
	if err := m.ask("POST", "/v1/api-keys", admin, `{"merchant":"soups"}`, "", http.StatusCreated, &made); err != nil {
		t.Fatal(err)
	}
	m.key = made.Key
	m.all.Go(func() {
		tick := time.NewTicker(each)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-m.stop:
				return
			case <-tick.C:
				m.all.Go(func() { m.order(fmt.Sprint("once-", n)) })
			}
		}
	})
	return m
}

func (m *merchants) order(key string) {
	var order struct{ ID string }
	if m.count(m.ask("POST", "/v1/orders", m.key, `{"pickup":{"point":{"lat":48,"lng":11},"address":"Market 1"},
		"dropoff":{"point":{"lat":48.01,"lng":11},"address":"North 1"}}`, key, http.StatusCreated, &order)) {
		m.count(m.ask("GET", "/v1/orders/"+order.ID, m.key, "", "", http.StatusOK, nil))
		m.count(m.ask("POST", "/v1/orders/"+order.ID+"/cancel", m.key, `{"reason":"changed my mind"}`, "", http.StatusOK, nil))
	}
}

// ask sends a request once. The transport would send one with such a key, or
// a GET, again if its connection breaks; a body that cannot be read twice
// forbids it.
func (m *merchants) ask(method, path, bearer, body, key string, status int, into any) error {
	req, err := http.NewRequest(method, m.url+path, struct{ io.Reader }{strings.NewReader(body)})
	if err != nil {
		return err
	}
	req.ContentLength = int64(len(body))
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := m.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != status:
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, raw)
	case into != nil:
		return json.Unmarshal(raw, into)
	}
	return nil
}

func (m *merchants) count(err error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent++
	if err != nil {
		m.wrong = append(m.wrong, err)
	}
	return err == nil
}

func (m *merchants) end() (sent int, wrong []error) {
	close(m.stop)
	m.all.Wait()
	m.client.CloseIdleConnections()
	return m.sent, m.wrong
}

// A connection that is kept for later ends with its next answer while the node
// drains, and not under a request.
func TestADrainingNodeEndsConnectionsWithTheirNextAnswer(t *testing.T) {
	s := newServer(t, nil)
	for _, draining := range []bool{false, true} {
		s.leaving.Store(draining)
		resp, err := http.Get(s.url() + "/v1/time")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Close != draining {
			t.Errorf("draining %v: %s, the connection ends: %v", draining, resp.Status, resp.Close)
		}
	}
}
