package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"courier/dispatch"
	"courier/internal/testenv"
)

// Three nodes share the matching. The rounds of all are far apart: an order
// placed on one is matched by another because that one is woken. Then the
// node that matches is killed, and another goes on.
func TestMatchingGoesOnWhenItsNodeIsKilled(t *testing.T) {
	engines := testenv.StartEngines(t)
	const key = "three nodes share the matching, 1f0c9a7be2"
	edge := newServer(t, func(f *serverFlags) {
		f.DatabaseURL, f.RedisURL, f.AMQPURL, f.AuthSecret = engines.Database, []string{engines.Redis.URL()}, engines.RabbitMQ.URL, key
		f.Interval, f.Mode = 5*time.Minute, "assign"
	})
	nodes := map[string]*testenv.Dispatch{}
	for range 2 {
		p := newProcess(t, "--auth-secret", key, "--database-url", engines.Database, "--redis-url", engines.Redis.URL(),
			"--amqp-url", engines.RabbitMQ.URL, "--interval", "5m", "--mode", "assign")
		nodes[nodeName(p.Addr)] = p
	}
	db, err := pgx.Connect(t.Context(), engines.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(t.Context())) }()
	within := func(limit time.Duration, what string, is func() bool) time.Duration {
		t.Helper()
		for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
			if is() {
				return time.Since(begun)
			}
			if time.Since(begun) > limit {
				t.Fatalf("after %v it is still not so that %s", limit, what)
			}
		}
	}
	within(30*time.Second, "all know of each other", func() bool { return edge.loop.Stats().Nodes == 3 })

	shop, orders := edge.merchant("soups"), 0
	place := func(lng float64) (id string) {
		orders++
		var order struct{ ID string }
		edge.call("POST", "/v1/orders", shop, obj{
			"pickup":  obj{"point": obj{"lat": 52.0, "lng": lng}},
			"dropoff": obj{"point": obj{"lat": 52.0, "lng": lng + 0.015}},
		}, 201, &order, "Idempotency-Key", fmt.Sprint("k", orders))
		return order.ID
	}
	holder := func(order string) (node string) {
		o, err := edge.service.Order(t.Context(), dispatch.Scope{}, order)
		if err != nil {
			t.Fatal(err)
		}
		err = db.QueryRow(t.Context(), "SELECT node FROM leases WHERE area = $1", o.Area()).Scan(&node)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			t.Fatal(err)
		}
		return node
	}

	// A town whose area falls to a node that can be killed.
	town, victim := 4.0, (*testenv.Dispatch)(nil)
	for victim == nil {
		if town += 1; town > 60 {
			t.Fatal("no town falls to another node")
		}
		order := place(town)
		within(20*time.Second, "somebody looks for a courier", func() bool { return edge.newest(order).Status == dispatch.Searching })
		victim = nodes[holder(order)]
	}
	_, token := edge.hire("Ada Lovelace")
	rider := edge.phone(token, 0)
	rider.must("duty", obj{"duty": "available"})
	rider.fix(town+0.001, time.Now())
	first := ""
	took := within(20*time.Second, "the courier has an order", func() bool {
		first = place(town) // it may have come before the mirror has the courier
		for begun := time.Now(); time.Since(begun) < 2*time.Second; time.Sleep(20 * time.Millisecond) {
			if edge.newest(first).Status == dispatch.Assigned {
				return true
			}
		}
		return false
	})
	t.Logf("matched by another node after %v", took)
	before := edge.newest(first).Data

	victim.Kill()
	rider.fix(town+0.002, time.Now())
	killed := time.Now()
	second := place(town)
	within(20*time.Second, "another node matches", func() bool { return edge.newest(second).Status == dispatch.Assigned })
	t.Logf("matched by a third node %v after the kill", time.Since(killed))
	if after := edge.newest(second).Data; after.Area != before.Area || after.Token <= before.Token {
		t.Errorf("assigned under %s %d, before the kill under %s %d", after.Area, after.Token, before.Area, before.Token)
	}
}
