package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"courier/deploy"
	"courier/internal/testenv"
)

// Prometheus' own checker reads what a node says: names by its conventions,
// each with a help text.
func TestMetricsAreNamedAsPrometheusWants(t *testing.T) {
	s := newServer(t, nil)
	s.place(s.merchant("soups"), "A-1")
	w := httptest.NewRecorder()
	s.metrics.AdminHandler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))

	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is not installed: run scripts/deps")
	}
	cmd := exec.CommandContext(t.Context(), path, "check", "metrics")
	cmd.Stdin = bytes.NewReader(w.Body.Bytes())
	if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, said)
	}
}

func TestTheFlightRecorderNeedsAnAddress(t *testing.T) {
	code, _, stderr := dispatchCommand(t, "serve", "--data-dir", t.TempDir(), "--addr", "127.0.0.1:0", "--admin-addr", "", "--flight-recorder")
	if code != 2 || !strings.Contains(stderr, "flight-recorder") {
		t.Errorf("%d: %s", code, stderr)
	}
}

func TestANodeKeepsAFlightRecording(t *testing.T) {
	s := newServer(t, func(f *serverFlags) { f.FlightRecorder, f.AdminAddr = true, "127.0.0.1:0" })
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		w := httptest.NewRecorder()
		s.metrics.AdminHandler().ServeHTTP(w, httptest.NewRequest("GET", "/debug/flight", nil))
		if w.Code == 200 && strings.HasPrefix(w.Body.String(), "go 1.") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d: %.80q", w.Code, w.Body)
		}
	}
}

// What alerts and documents speak of is what a node on shared engines says:
// a misspelt name would never fire.
func TestAlertsAndDocumentsNameMetricsThatExist(t *testing.T) {
	database, redis := testenv.StartPostgres(t), testenv.StartRedis(t)
	s := newServer(t, func(f *serverFlags) {
		f.DatabaseURL, f.AuthSecret = database.Database(t), "one node has this key, 1f0c9a7be2d4"
		f.RedisURL = []string{redis.URL()}
	})
	s.place(s.merchant("soups"), "A-1")
	s.until(`courier_events_total{topic="order.placed"}`, "1")
	said := map[string]bool{}
	for name := range s.scrape() {
		name, _, _ = strings.Cut(name, "{")
		said[name] = true
	}
	alerts, err := deploy.Files.ReadFile("prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string][]byte{"alerts.yml": alerts}
	for _, path := range []string{"../../docs/operations.md", "../../docs/scaling.md"} {
		if texts[path], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	for where, text := range texts {
		for _, name := range regexp.MustCompile(`\bcourier_[a-z_]*[a-z]\b`).FindAllString(string(text), -1) {
			if !said[name] {
				t.Errorf("%s: no node says %s", where, name)
			}
		}
	}
}
