// Package deploy holds the settings of what runs beside the nodes, as
// docker-compose.yml mounts them and as `make cluster` uses them.
//
//	docker-compose.yml ─► haproxy, postgres, redis, rabbitmq, prometheus, grafana ◄─ make cluster (all but grafana)
package deploy

import (
	"embed"
	"strings"
)

// Files are the settings, by their path under deploy/.
//
//go:embed haproxy postgres redis rabbitmq prometheus grafana
var Files embed.FS

// Lines returns the settings of a file of which each line is one, less
// comments: postgresql.conf, redis.conf, rabbitmq.conf.
func Lines(path string) ([]string, error) {
	raw, err := Files.ReadFile(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the path
	}
	var lines []string
	for line := range strings.Lines(string(raw)) {
		line, _, _ = strings.Cut(line, " #")
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines, nil
}
