package main

import (
	"strings"
	"testing"
	"time"

	"courier/dispatch"
	"courier/internal/telemetry/tracetest"
	"courier/internal/testenv"
)

// way is one span's way from a trace's beginning, "node name" by "node name".
func way(all []tracetest.Span, s tracetest.Span, nodes map[string]string) string {
	step := nodes[s.Node] + " " + s.Name
	if s.Parent == "" {
		return step
	}
	for _, above := range all {
		if above.Trace == s.Trace && above.ID == s.Parent {
			return way(all, above, nodes) + " > " + step
		}
	}
	return "? > " + step
}

// An order is placed and carried on one node, and its customer looks on at
// another: all of it is one trace, which has the order's id, and a fix is
// followed from the phone to the customer too. The engines are real ones.
func TestAnOrderIsOneTraceOverTwoNodes(t *testing.T) {
	collector := tracetest.New(t)
	engines := testenv.StartEngines(t)
	node := func() *server {
		return newServer(t, func(f *serverFlags) {
			f.DatabaseURL, f.RedisURL, f.AMQPURL = engines.Database, []string{engines.Redis.URL()}, engines.RabbitMQ.URL
			f.AuthSecret = "two nodes share this key, 1f0c9a7be2"
			f.OfferTimeout, f.Interval = 20*time.Second, 200*time.Millisecond
			f.TraceTo, f.TraceShare, f.TraceFixShare = collector.URL, 1, 1
		})
	}
	a, b := node(), node()
	nodes := map[string]string{a.flags.node: "A", b.flags.node: "B"}

	_, token := a.hire("Ada Lovelace")
	key := a.merchant("soups")
	order := a.place(key, "A-1")
	customer := &page{server: b, secret: a.link(key, order)}
	customer.dial()
	customer.read(anyStatus)
	rider := a.phone(token, 0)
	rider.must("duty", obj{"duty": "available"})
	rider.fix(4.001, time.Now().Add(-30*time.Second))
	rider.must("offer.accept", obj{"offer": rider.offer()})
	customer.read(dispatch.Assigned)
	rider.must("stop.complete", obj{"order": order, "kind": "pickup"})
	customer.read(dispatch.PickedUp)
	for range 2 { // one may be shown before its node hears of it
		rider.fix(4.002, time.Now())
		customer.placed = false
		customer.readPosition()
	}

	trace := strings.ReplaceAll(order, "-", "")
	spans := collector.Wait(t, "whole trace", func(all []tracetest.Span) bool {
		have, fixes := map[string]bool{}, false
		for _, s := range all {
			if s.Trace == trace {
				have[way(all, s, nodes)] = true
			}
			fixes = fixes || way(all, s, nodes) == "A courier fixes > A publish fix > B process fix > B send position"
		}
		const assigned = "A POST /v1/orders > A order.assigned > A publish order.assigned > B process order.assigned"
		const picked = "A POST /v1/orders > A courier stop.complete > A order.picked_up > A publish order.picked_up > B process order.picked_up"
		for _, want := range []string{"A POST /v1/orders", "A POST /v1/orders > A order.placed > A publish order.placed", assigned, picked} {
			if !have[want] {
				return false
			}
		}
		// The sweep may have been faster than the broker, but not twice.
		if !have[assigned+" > B send status"] && !have[picked+" > B send status"] {
			return false
		}
		return fixes && have["A POST /v1/orders > A order.offered"] || fixes && have["A POST /v1/orders > B order.offered"] // whoever matched
	})
	for _, s := range spans {
		if s.Trace == trace && strings.HasPrefix(way(spans, s, nodes), "?") {
			t.Errorf("%s is under nothing", s.Name)
		}
		if s.Trace == trace && strings.HasPrefix(s.Name, "order.") && s.Attributes["order.id"] != order {
			t.Errorf("%s is of order %q", s.Name, s.Attributes["order.id"])
		}
	}
}
