package testenv

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"time"
)

// Dispatch is a node: a process of `dispatch serve`.
type Dispatch struct {
	*Process
	Addr string // host:port of HTTP and WebSocket, the same after a restart
}

// StartDispatch runs a node until the test ends and waits until it is ready;
// command makes the process of the binary with arguments.
func StartDispatch(t T, name string, command func(args ...string) *exec.Cmd, args ...string) *Dispatch {
	t.Helper()
	d := &Dispatch{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(t)))}
	args = append([]string{"serve", "--addr", d.Addr}, args...)
	d.Process = Start(t, name, func() *exec.Cmd { return command(args...) })
	d.WaitReady()
	return d
}

// URL is where it answers.
func (d *Dispatch) URL() string { return "http://" + d.Addr }

// WaitReady waits until it says that it can commit.
func (d *Dispatch) WaitReady() {
	d.t.Helper()
	d.WaitFor("ready", func() error { return Asked(d.URL() + "/readyz") })
}

// Asked wants a 200.
func Asked(url string) error {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}
