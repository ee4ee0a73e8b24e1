package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"courier/deploy"
	"courier/internal/testenv"
)

// What `make cluster` starts answers through the balancer, goes on when a node
// is killed, and its metrics are those that the dashboards and alerts ask for.
func TestClusterServesThroughItsBalancer(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "dispatch")
	// With the race detector, as make check has compiled everything else.
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-race", "-o", binary, "courier/cmd/dispatch").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	c := start(t, binary)
	admin := c.token(t, "admin")
	var made struct{ Key string }
	call(t, c.url(), "/v1/api-keys", admin, `{"merchant":"soups"}`, "", 201, &made)
	place := func(reference string) (id string) {
		t.Helper()
		var order struct{ ID string }
		call(t, c.url(), "/v1/orders", made.Key, `{"reference":"`+reference+`",
			"pickup": {"point": {"lat": 52.0907, "lng": 5.1214}}, "dropoff": {"point": {"lat": 52.095, "lng": 5.13}}}`, reference, 201, &order)
		return order.ID
	}
	first := place("A-1")
	if again := place("A-1"); again != first {
		t.Errorf("the same key on another node: order %s, then %s", first, again)
	}

	exposed := map[string]bool{"up": true, "ALERTS": true} // Prometheus' own
	for _, address := range []string{c.nodes[0].metrics, c.nodes[1].metrics, c.private, c.engines.metrics} {
		for name := range metrics(t, address) {
			exposed[name] = true
		}
	}
	asked, err := deploy.Expressions()
	if err != nil {
		t.Fatal(err)
	}
	for _, alert := range regexp.MustCompile(`(?m)^ +expr: (.+(?:\n {10,}.+)*)`).FindAllStringSubmatch(string(read(t, "prometheus/alerts.yml")), -1) {
		asked = append(asked, deploy.Expression{Board: "alerts.yml", Text: strings.TrimPrefix(alert[1], "|")})
	}
	for _, e := range asked {
		for _, name := range deploy.Metrics(e.Text) {
			if !exposed[name] {
				t.Errorf("%s, %s: nobody has a metric %s", e.Board, e.Panel, name)
			}
		}
	}

	c.nodes[0].Kill()
	if second := place("A-2"); second == first {
		t.Error("two orders with one id")
	}
	c.prometheus.WaitFor("aware of the node that is away", func() error {
		return c.ask(t, `up{job="courier"} == 0 and on (node) up{node="node-a"}`)
	})
	if err := c.ask(t, `up{job=~"haproxy|rabbitmq|prometheus"} == 0`); err == nil {
		t.Error("Prometheus does not reach all that it should watch")
	}
}

// ask is nil if Prometheus finds something.
func (c *cluster) ask(t *testing.T, query string) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.watcher+"/api/v1/query", nil)
	if err != nil {
		t.Fatal(err)
	}
	q := req.URL.Query()
	q.Set("query", query)
	req.URL.RawQuery = q.Encode()
	var found struct {
		Data struct{ Result []any }
	}
	if err := json.Unmarshal(do(t, req, 200), &found); err != nil {
		t.Fatal(err)
	}
	if len(found.Data.Result) == 0 {
		return io.EOF
	}
	return nil
}

func call(t *testing.T, server, path, bearer, body, key string, want int, out any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	if err := json.Unmarshal(do(t, req, want), out); err != nil {
		t.Fatal(err)
	}
}

func do(t *testing.T, req *http.Request, want int) []byte {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != want {
		t.Fatalf("%s: %s: %s", req.URL.Path, resp.Status, raw)
	}
	return raw
}

// metrics are the names that an address exposes.
func metrics(t *testing.T, address string) map[string]bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for line := range bytes.Lines(do(t, req, 200)) {
		if name := bytes.TrimRight(bytes.SplitN(line, []byte("{"), 2)[0], "\n"); len(name) > 0 && name[0] != '#' {
			name, _, _ = bytes.Cut(name, []byte(" "))
			names[string(name)] = true
		}
	}
	return names
}

func TestAScopeStopsWhatItStartedWhateverHappens(t *testing.T) {
	for name, do := range map[string]func(s testenv.T){
		"it returns": func(testenv.T) {},
		"it fails":   func(s testenv.T) { s.Fatal("no") },
		"a part of it fails": func(s testenv.T) {
			testenv.Together(s, func(s testenv.T) { s.Fatalf("no %d", 1) }, func(testenv.T) {})
		},
		"its cleanup fails": func(s testenv.T) { s.Cleanup(func() { s.Fatal("no") }) },
	} {
		t.Run(name, func(t *testing.T) {
			var order []string
			var mu sync.Mutex
			done := func(what string) func() {
				return func() { mu.Lock(); defer mu.Unlock(); order = append(order, what) }
			}
			var out bytes.Buffer
			err := testenv.Whole(context.Background(), &out, func(s testenv.T) {
				s.Cleanup(done("first"))
				s.Cleanup(done("second"))
				if one, two := s.TempDir(), s.TempDir(); one == two {
					t.Error("one folder twice")
				}
				do(s)
			})
			if got := strings.Join(order, " "); got != "second first" {
				t.Errorf("cleaned up: %s", got)
			}
			if (err != nil) != (name != "it returns") {
				t.Errorf("%v", err)
			}
		})
	}
	before := time.Now()
	ctx, stop := context.WithCancel(t.Context())
	_ = testenv.Whole(ctx, io.Discard, func(s testenv.T) {
		stop()
		<-ctx.Done()
		if s.Context().Err() != nil {
			t.Error("what is stopped has no time left")
		}
	})
	if time.Since(before) > 10*time.Second {
		t.Error("it does not stop")
	}
}
