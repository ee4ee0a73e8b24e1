package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"courier/dispatch"
	"courier/web/api"
	"courier/web/webtest"
	"courier/ws"
	"courier/ws/wstest"
)

// server is a whole node in this process, on a free port. What goes in and
// out is held to the API documents.
type server struct {
	*testing.T
	*node
	frames *wstest.Document
	http   http.Client
	admin  string
	stop   func()
}

func newServer(t *testing.T, change func(*serverFlags)) *server {
	t.Helper()
	var cli commands
	var wrong settings
	if _, err := parse(&cli, &wrong, []string{"serve"}, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	f := cli.Serve.serverFlags
	f.DataDir, f.Addr, f.AdminAddr, f.LogLevel = t.TempDir(), "127.0.0.1:0", "", "error"
	f.LimitWork = 0 // a slow machine is no overload
	if change != nil {
		change(&f)
	}
	f.check(&wrong)
	if err := wrong.err(); err != nil {
		t.Fatal(err)
	}
	n, err := newNode(t.Context(), f, extras{}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	s := &server{T: t, node: n}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- n.run(ctx, func() {}) }()
	s.stop = sync.OnceFunc(func() {
		stop()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("shut-down: %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("the node does not stop")
		}
	})
	t.Cleanup(s.stop)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	if s.frames, err = wstest.Parse(ws.AsyncAPI); err != nil {
		t.Fatal(err)
	}
	validator, err := webtest.New(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	s.http.Transport = validator.Transport(http.DefaultTransport, func(err error) { t.Error(err) })
	if s.admin, err = n.auth.MintStaff(dispatch.RoleAdmin, "test", 0); err != nil {
		t.Fatal(err)
	}
	return s
}

// call makes a request with a JSON body (nil: none) and decodes the answer,
// which must have the status, into out (nil: it is dropped).
func (s *server) call(method, path, bearer string, body any, status int, out any, header ...string) {
	s.Helper()
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			s.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(s.Context(), method, s.url()+path, in)
	if err != nil {
		s.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.http.Do(req)
	if err != nil {
		s.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	if resp.StatusCode != status {
		s.Fatalf("%s %s: %s: %s", method, path, resp.Status, raw)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			s.Fatalf("%s %s: %v: %s", method, path, err, raw)
		}
	}
}

type obj = map[string]any

// hire makes a courier and signs it in.
func (s *server) hire(name string) (id, token string) {
	s.Helper()
	var courier struct{ ID string }
	s.call("POST", "/v1/couriers", s.admin, obj{"name": name, "vehicle": "bicycle", "capacity": 3}, 201, &courier)
	return courier.ID, s.signIn(courier.ID)
}

func (s *server) signIn(courier string) (token string) {
	s.Helper()
	var code struct{ Code string }
	s.call("POST", "/v1/couriers/"+courier+"/sign-in-code", s.admin, nil, 201, &code)
	var session struct{ Token string }
	s.call("POST", "/v1/sign-in", "", obj{"code": code.Code}, 200, &session)
	return session.Token
}

// merchant makes an API key.
func (s *server) merchant(name string) (key string) {
	s.Helper()
	var made struct{ Key string }
	s.call("POST", "/v1/api-keys", s.admin, obj{"merchant": name}, 201, &made)
	return made.Key
}

// place is an order from the market to a door 1 km east of it.
func (s *server) place(key, reference string) (id string) {
	s.Helper()
	var order struct{ ID string }
	s.call("POST", "/v1/orders", key, obj{
		"reference":    reference,
		"pickup":       obj{"point": obj{"lat": 52.0, "lng": 4.0}, "address": "Market 1"},
		"dropoff":      obj{"point": obj{"lat": 52.0, "lng": 4.015}, "address": "East 1"},
		"pin_required": true,
	}, 201, &order, "Idempotency-Key", reference)
	return order.ID
}

// link makes a tracking link and returns its secret.
func (s *server) link(key, order string) (secret string) {
	s.Helper()
	var link struct{ Secret string }
	s.call("POST", "/v1/orders/"+order+"/tracking-links", key, obj{}, 201, &link)
	return link.Secret
}

// history is an order's events as the API tells them.
func (s *server) history(order string) (events []dispatch.Event) {
	s.Helper()
	var answer struct{ Events []dispatch.Event }
	s.call("GET", "/v1/orders/"+order+"/events", s.admin, nil, 200, &answer)
	return answer.Events
}

// newest is the last of an order's events.
func (s *server) newest(order string) dispatch.Event {
	s.Helper()
	events := s.history(order)
	return events[len(events)-1]
}
