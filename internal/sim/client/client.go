// Package client speaks Courier's public protocol, over HTTP and WebSocket,
// and keeps on speaking it while the server comes and goes.
//
//	call → request → retry while the server is away → answer
//	socket: dial → auth → welcome → resume → frames → lost → back-off → dial …
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	jsonv1 "github.com/go-json-experiment/json/v1"
	"github.com/gorilla/websocket"
)

// Config says where the server is.
type Config struct {
	Server     string        // base URL, http or https
	Timeout    time.Duration // of one attempt; default 15 s
	MaxBackoff time.Duration // between attempts; default 3 s
	Seed       uint64        // of the jitter
}

// Client is safe for concurrent use.
type Client struct {
	base       string
	ws         string
	http       *http.Client
	dialer     *websocket.Dialer
	maxBackoff time.Duration

	mu  sync.Mutex
	rng *rand.Rand
}

// New checks the Config and reports every fault.
func New(c Config) (*Client, error) {
	var errs []error
	u, err := url.Parse(c.Server)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		errs = append(errs, fmt.Errorf("Server: %q is no http or https URL", c.Server))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("Timeout: %v is under 0", c.Timeout))
	}
	if c.MaxBackoff < 0 {
		errs = append(errs, fmt.Errorf("MaxBackoff: %v is under 0", c.MaxBackoff))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if c.Timeout == 0 {
		c.Timeout = 15 * time.Second
	}
	if c.MaxBackoff == 0 {
		c.MaxBackoff = 3 * time.Second
	}
	base := strings.TrimRight(c.Server, "/")
	dial := (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	return &Client{
		base: base, ws: "ws" + strings.TrimPrefix(base, "http"), maxBackoff: c.MaxBackoff,
		http: &http.Client{Timeout: c.Timeout, Transport: &http.Transport{
			DialContext: dial, MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second,
		}},
		dialer: &websocket.Dialer{
			NetDialContext: dial, HandshakeTimeout: c.Timeout, Subprotocols: []string{"dispatch.v1"},
			ReadBufferSize: 2048, WriteBufferSize: 2048, WriteBufferPool: &sync.Pool{},
		},
		rng: rand.New(rand.NewPCG(c.Seed, 0xc11e)),
	}, nil
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Problem is a refusal by the server (RFC 9457).
type Problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Errors []struct {
		Field   string `json:"field"`
		Problem string `json:"problem"`
	} `json:"errors"`
}

func (p *Problem) Error() string {
	s := fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail)
	for _, e := range p.Errors {
		s += fmt.Sprintf("; %s %s", e.Field, e.Problem)
	}
	return s
}

// CodeOf is the code of the Problem that err wraps, or "".
func CodeOf(err error) string {
	var p *Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

// call is one request to the API.
type call struct {
	method, path string
	credential   string
	key          string // Idempotency-Key
	body         any
	into         any
}

// do sends the request until the server has answered it for good: while it is
// away, overloaded or still at it, the same request goes out again. It ends
// with a *Problem, or with ctx.
func (c *Client) do(ctx context.Context, r call) error {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return fmt.Errorf("encode %s %s: %w", r.method, r.path, err)
		}
	}
	for attempt := 0; ; attempt++ {
		wait, err := c.once(ctx, r, body)
		if err == nil {
			return nil
		}
		if wait < 0 || ctx.Err() != nil {
			return fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
		if err := c.pause(ctx, attempt, wait); err != nil {
			return fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
	}
}

// once is one attempt. A wait under 0 says that another is no use.
func (c *Client) once(ctx context.Context, r call, body []byte) (wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, bytes.NewReader(body))
	if err != nil {
		return -1, err
	}
	if r.credential != "" {
		req.Header.Set("Authorization", "Bearer "+r.credential)
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	if res.StatusCode/100 == 2 {
		if r.into == nil || len(raw) == 0 {
			return 0, nil
		}
		if err := jsonv1.Unmarshal(raw, r.into); err != nil {
			return -1, fmt.Errorf("decode the answer: %w", err)
		}
		return 0, nil
	}
	p := &Problem{Status: res.StatusCode}
	if jsonv1.Unmarshal(raw, p) != nil || p.Code == "" {
		p.Code, p.Detail = "", http.StatusText(res.StatusCode)
	}
	p.Status = res.StatusCode
	if p.Status >= 500 || p.Status == http.StatusTooManyRequests || p.Code == "in_progress" {
		after, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return min(time.Duration(max(after, 0))*time.Second, c.maxBackoff*3), p
	}
	return -1, p
}

// pause waits before the next attempt: at least as long as asked, and longer
// from attempt to attempt, with jitter so that not all come back at once.
func (c *Client) pause(ctx context.Context, attempt int, asked time.Duration) error {
	step := min(100*time.Millisecond<<min(attempt, 10), c.maxBackoff)
	c.mu.Lock()
	wait := asked + time.Duration((0.5+0.5*c.rng.Float64())*float64(step))
	c.mu.Unlock()
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
