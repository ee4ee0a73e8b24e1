package ws_test

import (
	"strings"
	"testing"
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/ws"
	"courier/ws/wstest"
)

type fleetFrame struct {
	Seq      int64
	Partial  bool
	Orders   []dispatch.Order
	Couriers []dispatch.FleetCourier
	Removed  []string
	Alerts   []dispatch.Alert
	Alert    dispatch.Alert
	Cells    []struct {
		Cell           string
		Supply, Demand int
	}
}

func TestADispatcherSeesOrdersCouriersAlertsAndFigures(t *testing.T) {
	w := newWorld(t)
	w.hire("c1", dispatch.Available)
	w.place("o1")
	c := w.open(t, "fleet", "staff", 0)
	var snap fleetFrame
	c.Want("snapshot").Into(t, &snap)
	if snap.Partial || len(snap.Orders) != 1 || len(snap.Couriers) != 1 {
		t.Fatalf("snapshot %+v", snap)
	}
	last := snap.Seq
	next := func(typ string) (f fleetFrame) {
		t.Helper()
		got := c.Until(typ)
		if got.Into(t, &f); f.Seq < last {
			t.Errorf("seq %d after %d", f.Seq, last)
		}
		last = f.Seq
		return f
	}
	w.place("o2")
	w.step("o2", dispatch.Searching)
	for f := next("orders"); f.Orders[0].ID != "o2" || f.Orders[0].Status != dispatch.Searching; f = next("orders") {
	}
	w.drive("c1", kitchen)
	for f := next("couriers"); f.Couriers[0].Fix == nil; f = next("couriers") {
	}
	w.with(func() {
		w.alerts = []dispatch.Alert{{ID: "unassignable:o2", Kind: dispatch.AlertUnassignable, Order: "o2", Text: "No courier found", Active: true}}
	})
	if f := next("alert"); !f.Alert.Active {
		t.Error("the alert is not active")
	}
	w.with(func() { w.unheard = []string{"c1"} })
	for f := next("couriers"); f.Couriers[0].State != dispatch.StaleSignal; f = next("couriers") {
	}
	w.with(func() { w.unheard = nil })
	w.drive("c1", kitchen)
	for f := next("couriers"); f.Couriers[0].State != dispatch.Free; f = next("couriers") {
	}
	w.with(func() { w.alerts = nil })
	if f := next("alert"); f.Alert.Active || f.Alert.ID != "unassignable:o2" {
		t.Errorf("%+v", f.Alert)
	}
	w.with(func() { w.stats.Waiting = 7 })
	for !strings.Contains(string(c.Until("stats").Raw), `"waiting":7`) {
	}
	c.Send(map[string]any{"type": "view", "zoom": 13, "cells": true, "bounds": map[string]any{"south": 52, "west": 4, "north": 53, "east": 5}})
	f := next("cells")
	cell, _ := geo.CellOf(kitchen, geo.DemandResolution)
	if len(f.Cells) != 1 || f.Cells[0].Cell != cell.String() || f.Cells[0].Supply != 1 || f.Cells[0].Demand != 1 {
		t.Errorf("cells %+v", f.Cells)
	}
}

func TestOnlyCouriersInViewAreSent(t *testing.T) {
	// Far away the feed is not watched: what happens there comes by reading.
	w := newWorld(t, func(c *ws.Config) { c.View, c.Reload = time.Hour, 50*time.Millisecond })
	far := geo.Point{Lat: 48, Lng: 2}
	for _, id := range []string{"in", "out"} {
		w.hire(id, dispatch.Available)
	}
	w.drive("in", kitchen)
	w.drive("out", far)
	c := w.open(t, "fleet", "staff", 0)
	c.Want("snapshot")
	c.Send(map[string]any{"type": "view", "zoom": 13, "bounds": map[string]any{"south": 52, "west": 4, "north": 53, "east": 5}})
	// The new view shows who is in it, and the other one once more if it moves.
	see := func() map[string]dispatch.FleetCourier {
		var f fleetFrame
		c.Until("couriers").Into(t, &f)
		seen := map[string]dispatch.FleetCourier{}
		for _, v := range f.Couriers {
			seen[v.ID] = v
		}
		return seen
	}
	if got := see(); len(got) != 1 || got["in"].ID == "" {
		t.Errorf("the view shows %v", got)
	}
	w.drive("out", far.Offset(10, 0)) // it was in sight before the view: one last word
	for got := see(); got["out"].ID == ""; got = see() {
	}
	w.drive("out", far.Offset(20, 0))
	w.drive("in", far) // leaves: said once
	got := see()
	for ; got["in"].Fix == nil || got["in"].Fix.Lat != 48; got = see() {
		if got["out"].ID != "" {
			t.Error("a courier out of view was sent for its place")
		}
	}
	w.change("out", func(c *dispatch.Courier) { c.Duty = dispatch.Break }) // its state does matter
	for got := see(); got["out"].Duty != dispatch.Break; got = see() {
	}
}

func TestADispatcherResumes(t *testing.T) {
	// At this rate the 5 s that a resume goes back, for clocks that differ,
	// are 5 ms.
	w := newWorldAt(t, 1000, func(c *ws.Config) { c.Reload = 50 * time.Millisecond })
	w.place("o1")
	w.hire("c1", dispatch.Available)
	w.hire("c2", dispatch.Available)
	keep := w.open(t, "fleet", "staff", 0) // the picture lives while anyone looks
	var first, snap, again fleetFrame
	keep.Want("snapshot").Into(t, &first)
	time.Sleep(30 * time.Millisecond)
	w.open(t, "fleet", "staff", 0).Want("snapshot").Into(t, &snap)
	time.Sleep(30 * time.Millisecond)
	w.with(func() { delete(w.couriers, "c2") })
	w.place("o2")
	w.step("o2", dispatch.Searching)
	keep.Until("orders")
	for len(again.Removed) == 0 {
		keep.Until("couriers").Into(t, &again)
	}
	c := w.open(t, "fleet", "staff", snap.Seq)
	c.Want("snapshot").Into(t, &again)
	if !again.Partial || len(again.Orders) != 1 || again.Orders[0].ID != "o2" || len(again.Couriers) != 0 {
		t.Errorf("resumed with %+v", again)
	}
	if c.Want("couriers").Into(t, &again); len(again.Removed) != 1 || again.Removed[0] != "c2" {
		t.Errorf("removed %v", again.Removed)
	}
	for name, seq := range map[string]int64{"older than the picture": first.Seq, "from the future": snap.Seq + 1e9} {
		if w.open(t, "fleet", "staff", seq).Want("snapshot").Into(t, &again); again.Partial {
			t.Errorf("a cursor %s got a part", name)
		}
	}
}

func TestLostMessagesReachDispatchersByReloading(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Reload = 50 * time.Millisecond })
	c := w.open(t, "fleet", "staff", 0)
	c.Want("snapshot")
	w.silent = true
	w.hire("c1", dispatch.Available)
	w.place("o1")
	c.Until("orders")
	c.Until("couriers")
	w.with(func() { delete(w.couriers, "c1") })
	for {
		var f fleetFrame
		if c.Until("couriers").Into(t, &f); len(f.Removed) == 1 {
			return
		}
	}
}

func TestTheFleetIsReadOnceForAllAndForgottenAfterwards(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Reload = time.Hour })
	var conns []*wstest.Conn
	for range 5 {
		c := w.open(t, "fleet", "staff", 0)
		c.Want("snapshot")
		conns = append(conns, c)
	}
	if n := w.called("Fleet"); n != 1 {
		t.Errorf("read %d times", n)
	}
	for _, c := range conns {
		c.Close()
	}
	eventually(t, "nobody looks", func() bool { return w.hub.Counters().FleetSubscribers == 0 })
	time.Sleep(50 * time.Millisecond)
	before := w.called("Watch")
	time.Sleep(100 * time.Millisecond)
	if n := w.called("Watch") - before; n > 0 {
		t.Errorf("%d readings for nobody", n)
	}
	w.open(t, "fleet", "staff", 0).Want("snapshot")
	if n := w.called("Fleet"); n != 2 {
		t.Errorf("read %d times", n)
	}
}
