package deploy

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// tool runs a program that checks a file, in a folder.
func tool(t *testing.T, dir, name string, args ...string) (said string, err error) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed: run scripts/deps", name)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.String(), err
}

func mustTool(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	said, err := tool(t, dir, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said)
	}
	return said
}

// secrets is an .env of its own.
func secrets(t *testing.T) (file string) {
	t.Helper()
	dir := t.TempDir()
	mustTool(t, ".", "../scripts/env", dir)
	return filepath.Join(dir, ".env")
}

func TestSecretsAreMadeOnceAndForTheOwnerAlone(t *testing.T) {
	file := secrets(t)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^[A-Z_]+=([0-9a-f]{64})$`).FindAllStringSubmatch(string(first), -1) {
		seen[m[1]] = true
	}
	if len(seen) != 5 {
		t.Errorf("%d different secrets", len(seen))
	}
	if said := mustTool(t, ".", "../scripts/env", filepath.Dir(file)); !strings.Contains(said, "stays as it is") {
		t.Errorf("a second time: %s", said)
	}
	if second, _ := os.ReadFile(file); !bytes.Equal(first, second) {
		t.Error("made a second time")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".env?*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	mustTool(t, "..", "git", "check-ignore", "-q", ".env")
}

// service is the part of docker-compose.yml that is looked at.
type service struct {
	Image       string
	Build       any
	Restart     string
	Environment map[string]any
	Healthcheck struct{ Test []string }
	MemLimit    string   `yaml:"mem_limit"`
	CPUs        float64  `yaml:"cpus"`
	StopGrace   string   `yaml:"stop_grace_period"`
	SecurityOpt []string `yaml:"security_opt"`
	Ports       []any
	Volumes     []string
	Networks    map[string]any
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
}

type composition struct {
	Services map[string]service
	Networks map[string]struct {
		Internal bool
		IPAM     struct{ Config []struct{ Subnet string } }
	}
}

func TestComposeRefusesToStartWithoutSecrets(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := tool(t, "..", "docker-compose", "--env-file", empty, "config", "-q")
	if err == nil || !strings.Contains(said, "run make env") {
		t.Errorf("%v: %s", err, said)
	}
}

func TestComposeFile(t *testing.T) {
	env := secrets(t)
	said := mustTool(t, "..", "docker-compose", "--env-file", env, "config")
	if _, err := tool(t, "..", "docker", "compose", "version"); err == nil { // the newer one has rules of its own
		mustTool(t, "..", "docker", "compose", "--env-file", env, "config", "-q")
	}
	var c composition
	if err := yaml.Unmarshal([]byte(said), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Services) < 8 {
		t.Fatalf("%d services", len(c.Services))
	}
	root, _ := filepath.Abs("..")
	pinned := regexp.MustCompile(`^[a-z/]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$`)
	for name, s := range c.Services {
		t.Run(name, func(t *testing.T) {
			once := s.Restart == "no" || s.Restart == "on-failure" // a job
			if !once && (s.Restart != "unless-stopped" || len(s.Healthcheck.Test) == 0) {
				t.Errorf("restart %q, health check %v", s.Restart, s.Healthcheck.Test)
			}
			if s.MemLimit == "" || s.CPUs == 0 || s.CPUs > 2 {
				t.Errorf("limits: memory %q, processors %v", s.MemLimit, s.CPUs)
			}
			if s.Build == nil && !pinned.MatchString(s.Image) {
				t.Errorf("image %q is not pinned", s.Image)
			}
			if len(s.SecurityOpt) == 0 {
				t.Error("may gain privileges")
			}
			if public := name == "balancer" || name == "grafana"; (len(s.Ports) > 0) != public {
				t.Errorf("published: %v", s.Ports)
			}
			for net := range s.Networks {
				if !c.Networks[net].Internal && len(s.Ports) == 0 {
					t.Errorf("on the network %s, which is not internal", net)
				}
			}
			for _, v := range s.Volumes {
				file, _, _ := strings.Cut(v, ":")
				if !strings.HasPrefix(file, root) {
					continue // a volume of the engine's
				}
				if _, err := os.Stat(file); err != nil {
					t.Error(err)
				}
				if !strings.HasSuffix(v, ":ro") {
					t.Errorf("%s may be written", v)
				}
			}
			for on, how := range s.DependsOn {
				if want := c.Services[on]; len(want.Healthcheck.Test) > 0 && how.Condition != "service_healthy" {
					t.Errorf("waits for %s until %s", on, how.Condition)
				}
			}
		})
	}
	for _, name := range []string{"node-a", "node-b"} {
		n := c.Services[name]
		grace, err1 := time.ParseDuration(n.StopGrace)
		shutdown, err2 := time.ParseDuration(fmt.Sprint(n.Environment["DISPATCH_SHUTDOWN_TIMEOUT"]))
		drain, err3 := time.ParseDuration(fmt.Sprint(n.Environment["DISPATCH_DRAIN"]))
		if errors.Join(err1, err2, err3) != nil || grace <= drain+shutdown {
			t.Errorf("%s: killed after %q, drains for %v, shuts down for %v", name, n.StopGrace, n.Environment["DISPATCH_DRAIN"], n.Environment["DISPATCH_SHUTDOWN_TIMEOUT"])
		}
		if got, want := n.Environment["DISPATCH_TRUSTED_PROXY"], c.Networks["inside"].IPAM.Config[0].Subnet; got != want {
			t.Errorf("%s trusts %v, the balancer is in %s", name, got, want)
		}
	}
}

func TestBalancersSettings(t *testing.T) {
	path := "/usr/sbin/haproxy"
	if found, err := exec.LookPath("haproxy"); err == nil {
		path = found
	}
	t.Setenv("NODE_A", "127.0.0.1:1") // else it asks for names that only the containers' network knows
	t.Setenv("NODE_B", "127.0.0.1:2")
	mustTool(t, "haproxy", path, "-c", "-f", "haproxy.cfg")
}
