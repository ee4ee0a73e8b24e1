package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthCommand is what a container's health check runs: the image has no
// shell and no curl.
type healthCommand struct {
	Addr    string        `default:":8080" help:"Where the server on this machine listens."`
	Timeout time.Duration `default:"3s" help:"How long it may take to answer."`
}

// Run fails unless the server can commit now.
func (c healthCommand) Run(ctx context.Context, s *streams, wrong *settings) error {
	address(wrong, "addr", c.Addr)
	if c.Timeout <= 0 {
		wrong.add("timeout", "%s is not over 0", c.Timeout)
	}
	if err := wrong.err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+reachable(c.Addr)+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: it is this machine
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 1000))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s: %s", resp.Status, strings.TrimSpace(string(said)))
	}
	_, err = fmt.Fprintln(s.out, "ready")
	return err
}

// reachable is an address that can be dialled for one to listen on: who
// listens everywhere listens on loopback too.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
