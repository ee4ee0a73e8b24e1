package ws

import (
	"context"
	"time"

	"courier/dispatch"
	"courier/geo"
)

// run ticks while anyone looks and sleeps otherwise.
func (f *fleet) run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-f.wake:
			f.watch(ctx)
		}
	}
}

// due fires once every d.
type due struct {
	every time.Duration
	next  time.Time
}

func (d *due) now(t time.Time) bool {
	if t.Before(d.next) {
		return false
	}
	d.next = t.Add(d.every)
	return true
}

func (f *fleet) watch(ctx context.Context) {
	h := f.hub
	tick := time.NewTicker(h.Orders)
	defer tick.Stop()
	start := time.Now()
	couriers, stats := due{h.Couriers, start}, due{h.Stats, start.Add(h.Stats)}
	cells, reload := due{h.Cells, start}, due{h.Reload, start.Add(h.Reload)}
	for f.len() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		case <-tick.C:
		}
		now := time.Now()
		f.mu.Lock()
		loaded, anew := f.loaded, f.stale
		f.mu.Unlock()
		if !loaded {
			continue // a joining viewer is at it
		}
		call, cancel := context.WithTimeout(ctx, h.CallTimeout)
		if reload.now(now) || anew {
			f.warn(ctx, f.load(call, true))
		}
		f.look(call)
		f.warn(ctx, f.refresh(call))
		figures := stats.now(now)
		if figures {
			f.warn(ctx, f.figures(call))
		}
		cancel()
		f.send(couriers.now(now), figures, cells.now(now))
	}
}

// send gives every viewer what is over its cursors. Viewers with the same
// cursor, as all of them usually are, share the bytes.
func (f *fleet) send(couriers, figures, cells bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	seq := f.nextLocked()
	orders, alerts := map[int64]frame{}, map[int64][]frame{}
	var stats, grid frame
	for v := range f.viewers {
		if !v.live {
			continue
		}
		if v.alerts < seq {
			if _, ok := alerts[v.alerts]; !ok {
				alerts[v.alerts] = f.alertFramesLocked(v.alerts, seq)
			}
			for _, a := range alerts[v.alerts] {
				v.conn.push(a)
			}
			v.alerts = seq
		}
		// What still waits for a slow socket is not added to: the cursor
		// stays, and the next frame holds it all.
		if !v.conn.waits(slotOrders) {
			if _, ok := orders[v.orders]; !ok {
				orders[v.orders] = f.orderFrameLocked(v.orders, seq)
			}
			if fr := orders[v.orders]; fr != nil {
				v.conn.pushSlot(slotOrders, fr)
			}
			v.orders = seq
		}
		if (couriers || v.looked) && !v.conn.waits(slotCouriers) {
			if fr := f.courierFrameLocked(v, seq); fr != nil {
				v.conn.pushSlot(slotCouriers, fr)
			}
		}
		if figures {
			if stats == nil {
				stats = f.encode(&fleetStats{Type: "stats", Seq: seq, Stats: f.stats})
			}
			v.conn.pushSlot(slotStats, stats)
		}
		if cells && v.cells {
			if grid == nil {
				grid = f.encode(f.cellsLocked(seq))
			}
			v.conn.pushSlot(slotCells, grid)
		}
	}
}

func (f *fleet) encode(v any) frame {
	fr, err := f.hub.scratch.encode(v)
	if err != nil { // NaN in a figure, at worst
		f.warn(f.hub.ctx, err)
		fr, _ = f.hub.scratch.encode(&fleetAlert{})
	}
	return fr
}

func (f *fleet) alertFramesLocked(cursor, seq int64) []frame {
	var frames []frame
	for _, a := range f.alerts {
		if a.seq > cursor {
			frames = append(frames, f.encode(&fleetAlert{Type: "alert", Seq: seq, Alert: a.Alert}))
		}
	}
	return frames
}

// cellsLocked counts free couriers and waiting orders by cell.
func (f *fleet) cellsLocked(seq int64) *fleetCells {
	type load struct{ supply, demand int }
	counts := map[geo.Cell]load{}
	for _, c := range f.couriers {
		if c.State == dispatch.Free && c.Fix != nil {
			if cell, err := geo.CellOf(c.Fix.Point, geo.DemandResolution); err == nil {
				n := counts[cell]
				n.supply++
				counts[cell] = n
			}
		}
	}
	for _, o := range f.orders {
		if o.waiting {
			if cell, err := geo.CellOf(o.pickup, geo.DemandResolution); err == nil {
				n := counts[cell]
				n.demand++
				counts[cell] = n
			}
		}
	}
	out := &fleetCells{Type: "cells", Seq: seq, Resolution: geo.DemandResolution, Cells: make([]cellLoad, 0, len(counts))}
	for cell, n := range counts {
		out.Cells = append(out.Cells, cellLoad{Cell: cell.String(), Supply: n.supply, Demand: n.demand})
	}
	return out
}
