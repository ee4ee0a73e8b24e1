package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestPrometheusSettingsAndAlerts(t *testing.T) {
	mustTool(t, "prometheus", "promtool", "check", "config", "prometheus.yml")
	mustTool(t, "prometheus", "promtool", "test", "rules", "alerts.test.yml")
}

// An alert without a test may never fire, and one without a runbook leaves
// whoever is woken by it alone.
func TestEveryAlertIsTestedAndHasARunbook(t *testing.T) {
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert       string
				Annotations map[string]string
				Labels      map[string]string
			}
		}
	}
	raw, err := Files.ReadFile("prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, &rules); err != nil {
		t.Fatal(err)
	}
	tests, err := Files.ReadFile("prometheus/alerts.test.yml")
	if err != nil {
		t.Fatal(err)
	}
	runbook, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	fires := regexp.MustCompile(`(?m)alertname: (\w+)\n\s+exp_alerts:\n\s+- exp_labels`)
	var fired []string
	for _, m := range fires.FindAllStringSubmatch(string(tests), -1) {
		fired = append(fired, m[1])
	}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if !slices.Contains(fired, r.Alert) {
				t.Errorf("%s: no test in which it fires", r.Alert)
			}
			if s := r.Labels["severity"]; s != "warning" && s != "critical" {
				t.Errorf("%s: severity %q", r.Alert, s)
			}
			if got, want := r.Annotations["runbook"], "docs/operations.md#"+strings.ToLower(r.Alert); got != want {
				t.Errorf("%s: runbook %q, want %q", r.Alert, got, want)
			}
			if !regexp.MustCompile(`(?m)^#+ ` + r.Alert + `$`).Match(runbook) {
				t.Errorf("%s: docs/operations.md has no such heading", r.Alert)
			}
		}
	}
}

func TestDashboards(t *testing.T) {
	boards, err := Dashboards()
	if err != nil || len(boards) == 0 {
		t.Fatal(len(boards), err)
	}
	source, err := Files.ReadFile("grafana/provisioning/datasources/prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	uids := map[string]string{}
	for path, d := range boards {
		if other := uids[d.UID]; d.UID == "" || d.Title == "" || other != "" {
			t.Errorf("%s: uid %q, title %q; the same uid: %q", path, d.UID, d.Title, other)
		}
		uids[d.UID] = path
		ids, taken := map[int]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			if ids[p.ID] || p.Title == "" {
				t.Errorf("%s: panel %d, %q: no title, or the id of another", path, p.ID, p.Title)
			}
			ids[p.ID] = true
			if p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W == 0 || p.GridPos.H == 0 {
				t.Errorf("%s, %s: at %+v", path, p.Title, p.GridPos)
			}
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
					if taken[at] != "" {
						t.Fatalf("%s: %q lies on %q", path, p.Title, taken[at])
					}
					taken[at] = p.Title
				}
			}
			if p.Type == "row" {
				continue
			}
			if p.Description == "" || len(p.Targets) == 0 {
				t.Errorf("%s, %s: says nothing", path, p.Title)
			}
			if p.Datasource.UID == "" || !strings.Contains(string(source), "uid: "+p.Datasource.UID+" ") {
				t.Errorf("%s, %s: no data source %q", path, p.Title, p.Datasource.UID)
			}
		}
	}
}

// Prometheus' own parser reads what the dashboards ask.
func TestDashboardsAskWhatPrometheusUnderstands(t *testing.T) {
	all, err := Expressions()
	if err != nil {
		t.Fatal(err)
	}
	type rule struct {
		Record string            `yaml:"record"`
		Expr   string            `yaml:"expr"`
		Labels map[string]string `yaml:"labels"`
	}
	var rules []rule
	for i, e := range all {
		if len(Metrics(e.Text)) == 0 {
			t.Errorf("%s, %s: no metric in %s", e.Board, e.Panel, e.Text)
		}
		rules = append(rules, rule{fmt.Sprintf("courier:panel_%d", i), e.Text, map[string]string{"panel": e.Panel}})
	}
	raw, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboards", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "panels.yml")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	said := mustTool(t, ".", "promtool", "check", "rules", file)
	if !strings.Contains(said, fmt.Sprintf("%d rules found", len(all))) {
		t.Errorf("%d expressions, promtool: %s", len(all), said)
	}
}

func TestMetricsOfAnExpression(t *testing.T) {
	for expression, want := range map[string]string{
		`sum by (le, node) (rate(a_total{x=~"b|c", y="d"}[5m])) * 60`:    "a_total",
		`count(ALERTS{alertstate="firing"}) or vector(0)`:                "ALERTS",
		`topk(8, histogram_quantile(0.99, sum(rate(s_bucket[5m]))) > 0)`: "s_bucket",
		`a{} / on (node) group_left (v) b unless c`:                      "a b c",
	} {
		if got := strings.Join(Metrics(expression), " "); got != want {
			t.Errorf("%s: %s, want %s", expression, got, want)
		}
	}
}
