package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"courier/dispatch"
	"courier/internal/pressure"
	"courier/web"
	"courier/web/api"
)

// blocked is a Service whose placing of orders takes as long as the test wants.
type blocked struct {
	*company
	entered, release chan struct{}
}

func (b *blocked) Place(ctx context.Context, by dispatch.Actor, n dispatch.NewOrder, key string) (dispatch.Order, bool, error) {
	b.entered <- struct{}{}
	<-b.release
	return b.company.Place(ctx, by, n, key)
}

const soup = `{"pickup":{"point":{"lat":52,"lng":4}},"dropoff":{"point":{"lat":52.1,"lng":4.1}}}`

// One order is worked on and does not end; there is room for one.
func TestPastItsCapacityReadsAndOrdersAreTurnedAwayAndDecisionsNot(t *testing.T) {
	gate, err := pressure.New(pressure.Config{Slots: 1, Burst: time.Millisecond, Target: time.Millisecond, Hold: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	work := &blocked{entered: make(chan struct{}), release: make(chan struct{})}
	s := newSiteOn(t, func(d *web.Deps, c *company) {
		work.company, d.Dispatch, d.Pressure = c, work, gate
	})
	place := func(key string) request {
		return request{method: http.MethodPost, path: "/v1/orders", as: "merchant", body: soup, header: map[string]string{"Idempotency-Key": key}}
	}
	first := make(chan int)
	go func() { first <- s.do(place("k1")).Code }()
	<-work.entered

	wantLater := func(q request) {
		t.Helper()
		w := s.do(q)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s %s: %d, Retry-After %q; want 503 and a time", q.method, q.path, w.Code, w.Header().Get("Retry-After"))
		}
	}
	background := request{method: http.MethodPost, path: "/v1/background", as: "courier", body: `{"_type":"location","tst":1764000000,"lat":52,"lon":4}`}
	if w := s.do(background); w.Code != http.StatusOK {
		t.Errorf("a position while one order is worked on: %d", w.Code)
	}
	for !gate.Pressed() {
		wantLater(place("k2"))
	}
	wantLater(background)
	wantLater(request{path: "/v1/orders/o1", as: "merchant"})
	for _, q := range []request{
		{path: "/readyz"},
		{path: "/v1/time"},
		{method: http.MethodPost, path: "/v1/orders/o1/cancel", as: "merchant", body: `{"version":3,"reason":"customer called"}`},
		{method: http.MethodPost, path: "/v1/orders/o1/assign", as: "dispatcher", body: `{"version":3,"courier":"c1","reason":"near"}`},
	} {
		if w := s.do(q); w.Code != http.StatusOK {
			t.Errorf("%s %s: %d %s, want 200", q.method, q.path, w.Code, w.Body)
		}
	}

	close(work.release)
	if code := <-first; code != http.StatusCreated {
		t.Errorf("the order that was in: %d, want 201", code)
	}
	go func() { <-work.entered }()
	if w := s.do(place("k3")); w.Code != http.StatusCreated {
		t.Errorf("an order when there is room again: %d", w.Code)
	}
}

// Where the gate may answer, the document says so, and nowhere else.
func TestTheDocumentSaysWhereTooMuchToDoMayBeTheAnswer(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]yaml.Node
	}
	if err := yaml.Unmarshal(api.OpenAPI, &doc); err != nil {
		t.Fatal(err)
	}
	gate, err := pressure.New(pressure.Config{Slots: 1, Burst: time.Microsecond, Target: time.Microsecond, Hold: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for !gate.Pressed() {
		_ = gate.Enter(t.Context(), pressure.Order)
	}
	s := newSiteOn(t, func(d *web.Deps, _ *company) { d.Pressure = gate })
	turned := 0
	for _, rt := range web.Routes() {
		if strings.HasPrefix(rt.Path, "/v1/ws/") || rt.Path == "/readyz" {
			continue
		}
		q := good(rt)
		if len(rt.Roles) > 0 {
			q.as = string(rt.Roles[0])
		}
		w := s.do(q)
		busy := w.Code == http.StatusServiceUnavailable
		if busy {
			turned++
		}
		if busy && w.Header().Get("Retry-After") == "" {
			t.Errorf("%s %s: 503 without a time", rt.Method, rt.Path)
		}
		var said struct {
			Responses map[string]struct {
				Ref string `yaml:"$ref"`
			}
		}
		node := doc.Paths[rt.Path][strings.ToLower(rt.Method)]
		if err := node.Decode(&said); err != nil {
			t.Fatal(err)
		}
		if documented := said.Responses["503"].Ref == "#/components/responses/Busy"; documented != busy {
			t.Errorf("%s %s under overload: %d; the document has a 503: %v", rt.Method, rt.Path, w.Code, documented)
		}
	}
	if turned < 20 {
		t.Errorf("%d routes were turned away", turned)
	}
}
