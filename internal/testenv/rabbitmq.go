package testenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// RabbitMQ is a private broker.
type RabbitMQ struct {
	*Process
	URL     string // amqp://guest:guest@127.0.0.1:<port>/
	Address string // 127.0.0.1:<port>
	t       T
	data    string
	env     []string
	as      *syscall.Credential
}

// StartRabbitMQ runs a broker until the test ends, and waits until it serves.
// That takes some seconds: share one where tests can. Lines of rabbitmq.conf
// come over those that it would have; with one of prometheus. it serves
// metrics too.
func StartRabbitMQ(t T, settings ...string) *RabbitMQ {
	t.Helper()
	server := Binary(t, "/usr/lib/rabbitmq/bin/rabbitmq-server") // the one on the PATH insists on the system's folders
	mapper := Binary(t, "epmd", "/usr/lib/erlang/erts-*/bin/epmd")
	as, dir := Nobody(t, "rabbitmq")
	port, dist, names := FreePort(t), FreePort(t), FreePort(t)
	r := &RabbitMQ{t: t, Address: fmt.Sprintf("127.0.0.1:%d", port), data: filepath.Join(dir, "mnesia"), as: as}
	r.URL = "amqp://guest:guest@" + r.Address + "/"
	plugins := ""
	if slices.ContainsFunc(settings, func(s string) bool { return strings.HasPrefix(s, "prometheus.") }) {
		plugins = "rabbitmq_prometheus"
	}
	for name, text := range map[string]string{
		".erlang.cookie":  "private",
		"enabled_plugins": "[" + plugins + "].",
		"rabbitmq.conf": fmt.Sprintf("listeners.tcp.1 = %s\nlog.console = true\nlog.console.level = warning\nlog.file = false\n"+
			"disk_free_limit.absolute = 1MB\n%s\n", r.Address, strings.Join(settings, "\n")),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
		if as != nil {
			if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.env = append(os.Environ(),
		"HOME="+dir,
		fmt.Sprintf("RABBITMQ_NODENAME=courier-%d@localhost", port),
		"RABBITMQ_MNESIA_BASE="+r.data,
		"RABBITMQ_LOG_BASE="+filepath.Join(dir, "log"),
		"RABBITMQ_ENABLED_PLUGINS_FILE="+filepath.Join(dir, "enabled_plugins"),
		"RABBITMQ_CONFIG_FILE="+filepath.Join(dir, "rabbitmq.conf"),
		"RABBITMQ_CONF_ENV_FILE=/dev/null",
		fmt.Sprintf("RABBITMQ_DIST_PORT=%d", dist),
		fmt.Sprintf("ERL_EPMD_PORT=%d", names),
		"ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_ALLOW_INPUT=1", // no shell between this process and the node
	)
	command := func(path string, arguments ...string) *exec.Cmd {
		cmd := exec.Command(path, arguments...)
		cmd.Dir, cmd.Env = dir, r.env
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
		return cmd
	}
	// The node would start a mapper of its own as a daemon, which nobody ends.
	Start(t, "epmd", func() *exec.Cmd { return command(mapper, "-port", fmt.Sprint(names), "-address", "127.0.0.1") }).
		WaitFor("listening", func() error { return dial(fmt.Sprintf("127.0.0.1:%d", names)) })
	r.Process = Start(t, "rabbitmq", func() *exec.Cmd { return command(server, "-noinput") })
	r.WaitUntilReady()
	return r
}

// WaitUntilReady waits until the broker greets.
func (r *RabbitMQ) WaitUntilReady() {
	r.t.Helper()
	r.WaitFor("serving", func() error { return greets(r.Address) })
}

// Wipe deletes all that a killed broker had.
func (r *RabbitMQ) Wipe() {
	r.t.Helper()
	if err := os.RemoveAll(r.data); err != nil {
		r.t.Fatal(err)
	}
}

// Control runs rabbitmqctl, which takes about a second, and returns what it
// says.
func (r *RabbitMQ) Control(arguments ...string) string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, Binary(r.t, "/usr/lib/rabbitmq/bin/rabbitmqctl"), arguments...)
	cmd.Env, cmd.Dir = r.env, filepath.Dir(r.data)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: r.as}
	said, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("rabbitmqctl %v: %v\n%s", arguments, err, said)
	}
	return string(said)
}

func dial(address string) error {
	c, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return err
	}
	return c.Close()
}

// greets sends AMQP's preamble: a node that still boots has its port closed
// or says nothing.
func greets(address string) error {
	c, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	answer := make([]byte, 1)
	_, err1 := c.Write([]byte("AMQP\x00\x00\x09\x01"))
	_, err2 := c.Read(answer)
	return errors.Join(err1, err2)
}
