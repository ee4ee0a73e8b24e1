package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"courier/deploy"
	"courier/internal/testenv"
)

// cluster is what docker-compose.yml has, less Grafana, of which Debian has
// no package.
type cluster struct {
	binary string
	secret string // signs tokens

	engines    engines
	nodes      []node
	balancer   *testenv.Process
	prometheus *testenv.Process

	public  string // host:port of the balancer
	private string // host:port of its metrics
	watcher string // host:port of Prometheus
}

type engines struct {
	postgres *testenv.PostgresServer
	redis    *testenv.Redis
	rabbitmq *testenv.RabbitMQ
	database string // URL
	metrics  string // host:port of RabbitMQ's
}

type node struct {
	*testenv.Dispatch
	name    string
	metrics string // host:port
}

// stopPatience is more than --drain and --shutdown-timeout.
const stopPatience = 30 * time.Second

// start runs everything until the scope or test ends. The binary is that of
// the nodes.
func start(t testenv.T, binary string) *cluster {
	t.Helper()
	c := &cluster{binary: binary, secret: secret(t), public: address(t), private: address(t), watcher: address(t)}
	c.startEngines(t)
	for _, name := range []string{"node-a", "node-b"} {
		c.nodes = append(c.nodes, c.startNode(t, name))
	}
	c.startBalancer(t)
	c.startPrometheus(t)
	return c
}

func (c *cluster) startEngines(t testenv.T) {
	t.Helper()
	e := &c.engines
	e.metrics = address(t)
	_, port, _ := net.SplitHostPort(e.metrics)
	testenv.Together(
		t,
		func(t testenv.T) {
			var settings []string
			for _, line := range lines(t, "postgres/postgresql.conf") {
				name, value, _ := strings.Cut(line, " = ")
				settings = append(settings, name+"="+strings.Trim(value, "'"))
			}
			e.postgres = testenv.StartPostgres(t, settings...)
			e.database = e.postgres.Database(t)
		},
		func(t testenv.T) {
			var flags []string
			for _, line := range lines(t, "redis/redis.conf") {
				for _, word := range strings.Fields("--" + line) {
					flags = append(flags, strings.Trim(word, `"`)) // save "" is two words, one of them empty
				}
			}
			e.redis = testenv.StartRedis(t, flags...)
		},
		func(t testenv.T) {
			settings := lines(t, "rabbitmq/rabbitmq.conf")
			e.rabbitmq = testenv.StartRabbitMQ(t, append(settings, "prometheus.tcp.ip = 127.0.0.1", "prometheus.tcp.port = "+port)...)
		},
	)
}

func (c *cluster) startNode(t testenv.T, name string) node {
	t.Helper()
	n := node{name: name, metrics: address(t)}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(c.binary, args...) //nolint:gosec // ours
		cmd.Env = append(
			os.Environ(),
			"DISPATCH_ADMIN_ADDR="+n.metrics,
			"DISPATCH_AUTH_SECRET="+c.secret,
			"DISPATCH_DATABASE_URL="+c.engines.database,
			"DISPATCH_REDIS_URL="+c.engines.redis.URL(),
			"DISPATCH_AMQP_URL="+c.engines.rabbitmq.URL,
			"DISPATCH_TRUSTED_PROXY=127.0.0.1/32",
			"DISPATCH_DRAIN=4s",
			"DISPATCH_SHUTDOWN_TIMEOUT=20s",
		)
		return cmd
	}
	n.Dispatch = testenv.StartDispatch(t, name, command)
	t.Cleanup(func() {
		if !n.Stop(stopPatience) {
			t.Errorf("%s did not stop within %s", name, stopPatience)
		}
	})
	return n
}

func (c *cluster) startBalancer(t testenv.T) {
	t.Helper()
	binary := testenv.Binary(t, "haproxy", "/usr/sbin/haproxy")
	config := filepath.Join(t.TempDir(), "haproxy.cfg")
	write(t, config, read(t, "haproxy/haproxy.cfg"))
	c.balancer = testenv.Start(t, "haproxy", func() *exec.Cmd {
		cmd := exec.Command(binary, "-db", "-f", config)
		cmd.Env = append(os.Environ(), "LISTEN="+c.public, "PRIVATE="+c.private, "CONNECTIONS=4000", "NODE_A="+c.nodes[0].Addr, "NODE_B="+c.nodes[1].Addr)
		return cmd
	})
	c.balancer.WaitFor("serving", func() error { return testenv.Asked("http://" + c.public + "/readyz") })
}

func (c *cluster) startPrometheus(t testenv.T) {
	t.Helper()
	binary, dir := testenv.Binary(t, "prometheus"), t.TempDir()
	settings := read(t, "prometheus/prometheus.yml")
	settings = bytes.ReplaceAll(settings, []byte("interval: 10s"), []byte("interval: 2s")) // who tries things out does not want to wait
	write(t, filepath.Join(dir, "prometheus.yml"), settings)
	write(t, filepath.Join(dir, "alerts.yml"), read(t, "prometheus/alerts.yml"))
	targets := map[string]string{
		"courier":    target(c.nodes[0].metrics, c.nodes[0].name) + target(c.nodes[1].metrics, c.nodes[1].name),
		"haproxy":    target(c.private, "balancer"),
		"rabbitmq":   target(c.engines.metrics, "rabbitmq"),
		"prometheus": target(c.watcher, "prometheus"),
	}
	if err := os.Mkdir(filepath.Join(dir, "targets"), 0o755); err != nil { //nolint:gosec // nothing secret
		t.Fatal(err)
	}
	for job, text := range targets {
		write(t, filepath.Join(dir, "targets", job+".yml"), []byte(text))
	}
	c.prometheus = testenv.Start(t, "prometheus", func() *exec.Cmd {
		return exec.Command(binary, "--config.file="+filepath.Join(dir, "prometheus.yml"), //nolint:gosec // ours
			"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+c.watcher)
	})
	c.prometheus.WaitFor("ready", func() error { return testenv.Asked("http://" + c.watcher + "/-/ready") })
}

// token is a signed token for a member of staff.
func (c *cluster) token(t testenv.T, role string) string {
	t.Helper()
	cmd := exec.Command(c.binary, "token", "--role", role, "--ttl", "720h") //nolint:gosec // ours
	cmd.Env = append(os.Environ(), "DISPATCH_AUTH_SECRET="+c.secret)
	said, err := cmd.Output()
	if err != nil {
		t.Fatalf("dispatch token: %v", err)
	}
	return strings.TrimSpace(string(said))
}

// url is where people come in.
func (c *cluster) url() string { return "http://" + c.public }

func target(address, node string) string {
	return fmt.Sprintf("- targets: [%q]\n  labels: {node: %s}\n", address, node)
}

func address(t testenv.T) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(testenv.FreePort(t)))
}

func secret(t testenv.T) string {
	t.Helper()
	raw := make([]byte, 32)
	if _, err := io.ReadFull(rand.Reader, raw); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(raw)
}

func lines(t testenv.T, path string) []string {
	t.Helper()
	all, err := deploy.Lines(path)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func read(t testenv.T, path string) []byte {
	t.Helper()
	raw, err := fs.ReadFile(deploy.Files, path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func write(t testenv.T, path string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, raw, 0o644); err != nil { //nolint:gosec // nothing secret
		t.Fatal(err)
	}
}
