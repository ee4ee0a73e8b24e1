package deploy

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// Expression is what a panel, a variable or an annotation asks Prometheus.
type Expression struct {
	Board string // file
	Panel string // title
	Text  string // PromQL; Grafana's variables have been filled in
}

// Dashboard is the part of Grafana's JSON that this package looks at.
type Dashboard struct {
	UID    string  `json:"uid"`
	Title  string  `json:"title"`
	Panels []Panel `json:"panels"`

	Annotations struct {
		List []struct {
			Name string `json:"name"`
			Expr string `json:"expr"`
		} `json:"list"`
	} `json:"annotations"`
}

// Panel is one of a dashboard's.
type Panel struct {
	ID          int    `json:"id"`
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Datasource  struct {
		UID string `json:"uid"`
	} `json:"datasource"`
	GridPos struct{ X, Y, W, H int } `json:"gridPos"`
	Targets []struct {
		RefID string `json:"refId"`
		Expr  string `json:"expr"`
	} `json:"targets"`
}

// Dashboards reads them all, by file.
func Dashboards() (map[string]Dashboard, error) {
	paths, err := fs.Glob(Files, "grafana/dashboards/*.json")
	if err != nil {
		return nil, fmt.Errorf("list dashboards: %w", err)
	}
	all := map[string]Dashboard{}
	for _, path := range paths {
		raw, err := Files.ReadFile(path)
		if err != nil {
			return nil, err //nolint:wrapcheck // it names the path
		}
		var d Dashboard
		if err := json.Unmarshal(raw, &d); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all[path] = d
	}
	return all, nil
}

// Expressions are all that the dashboards ask for.
func Expressions() ([]Expression, error) {
	boards, err := Dashboards()
	if err != nil {
		return nil, err
	}
	filled := strings.NewReplacer("$__rate_interval", "1m", "$node", ".*")
	var all []Expression
	for path, d := range boards {
		for _, p := range d.Panels {
			for _, t := range p.Targets {
				all = append(all, Expression{path, p.Title, filled.Replace(t.Expr)})
			}
		}
		for _, a := range d.Annotations.List {
			all = append(all, Expression{path, a.Name, filled.Replace(a.Expr)})
		}
	}
	return all, nil
}

var (
	notNames = regexp.MustCompile(`"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)`)
	aName    = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\()?`)
)

// Metrics are the names of metrics in a PromQL expression, sorted.
func Metrics(expression string) []string {
	var names []string
	for _, m := range aName.FindAllStringSubmatch(notNames.ReplaceAllString(expression, " "), -1) {
		switch m[1] {
		case "and", "or", "unless", "bool", "offset", "inf", "nan", "by", "without", "on", "ignoring":
			continue
		}
		if m[2] == "" {
			names = append(names, m[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
