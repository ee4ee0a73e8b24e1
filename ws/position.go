package ws

import (
	"slices"
	"time"

	"courier/dispatch"
	"courier/geo"
)

// moved is called for each fix of the order's courier. The first one is
// looked at at once, others when the throttle allows.
func (w *orderWatch) moved() {
	looked, now := w.looked.Load(), time.Now().UnixNano()
	rest := w.hub.Position - time.Duration(now-looked)
	if rest <= 0 {
		// Whoever has looked meanwhile has seen this fix too.
		if w.looked.CompareAndSwap(looked, now) {
			w.hub.locator.add(w)
		}
		return
	}
	if w.armed.CompareAndSwap(false, true) {
		time.AfterFunc(rest, func() {
			w.armed.Store(false)
			w.moved() // a timer that is late may find that another has looked
		})
	}
}

// quiet looks where nothing has moved for a while.
func (w *orderWatch) quiet() {
	const periods = 10
	if time.Since(time.Unix(0, w.looked.Load())) > periods*w.hub.Position {
		w.moved()
	}
}

// show sends estimate and place, if they are new and the service lets the
// customer see them now (I9). Who is being told of a status hears of both with
// it, and who has not been told of it yet hears of it first.
func (w *orderWatch) show(view dispatch.View) error {
	if !w.mu.TryLock() {
		w.moved()
		return nil
	}
	defer w.mu.Unlock()
	switch version := w.version.Load(); {
	case len(w.viewers) == 0, view.Version < version:
		return nil
	case view.Version > version:
		w.hub.work.add(&w.catch)
		return nil
	}
	if eta := view.ETA; eta != nil && (!eta.From.Equal(w.eta.From) || !eta.To.Equal(w.eta.To) || view.StopsBefore != w.before) {
		w.eta, w.before = *eta, view.StopsBefore
		if err := w.broadcast(slotETA, nil, &trackETA{Type: "eta", ETA: eta, StopsBefore: view.StopsBefore}); err != nil {
			return err
		}
	}
	followed := w.shown(view)
	defer followed.end(nil)
	if view.Fix == nil || view.Fix.Time.Equal(w.fixed) {
		return nil
	}
	w.fixed = view.Fix.Time
	if geo.Distance(w.at, view.Fix.Point) > regionStep/4 {
		w.at = view.Fix.Point
		w.setRegions(regionsOf(view))
	}
	return w.broadcast(slotPosition, followed.of(view.Fix.Time.UnixNano()), w.positionOf(view))
}

func (w *orderWatch) positionOf(view dispatch.View) *trackPosition {
	seen := view.Fix.Received
	if seen.IsZero() {
		seen = view.Fix.Time
	}
	age := w.hub.Clock.Now().Sub(seen).Seconds()
	return &trackPosition{Type: "position", Fix: *view.Fix, Age: max(age, 0)}
}

// broadcast sends the newest of a slot to all; of is what is followed of it,
// or nil.
func (w *orderWatch) broadcast(s slot, of *heard, v any) error {
	f, err := w.hub.scratch.encode(v)
	if err != nil {
		return err
	}
	for _, viewer := range w.viewers {
		viewer.conn.together(func() { of.sendNewest(w.hub, viewer.conn, s, f, "position") })
	}
	return nil
}

// regionStep is a distance in metres at which no region between is missed:
// under the inner width of a cell of geo.RegionResolution.
const regionStep = 5000

// regionsOf are the regions in which the order's courier is likely to move:
// around it, around both ends and on the way between, as far as that is a
// city's distance.
func regionsOf(view dispatch.View) []geo.Cell {
	const steps = 12
	from, to := view.Pickup.Point, view.Dropoff.Point
	if view.Fix != nil {
		from = view.Fix.Point
	}
	var regions []geo.Cell
	n := min(int(geo.Distance(from, to)/regionStep)+1, steps)
	for i := range n + 1 {
		cell, err := geo.CellOf(geo.Lerp(from, to, float64(i)/float64(n)), geo.RegionResolution)
		if err != nil {
			continue
		}
		for _, c := range cell.Disk(1) {
			if !slices.Contains(regions, c) {
				regions = append(regions, c)
			}
		}
	}
	return slices.Clip(regions)
}

func (w *orderWatch) setRegions(regions []geo.Cell) {
	if len(w.regions) > 0 || len(regions) > 0 {
		w.hub.regions.replace(w.regions, regions)
	}
	w.regions = regions
}
