package ws_test

import (
	"testing"
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/ws"
	"courier/ws/wstest"
)

var (
	hague = geo.Point{Lat: 52.08, Lng: 4.30}
	paris = geo.Point{Lat: 48.86, Lng: 2.35}
)

// town is a view of some kilometres around a place.
func town(at geo.Point) map[string]any {
	return map[string]any{"type": "view", "zoom": 13, "bounds": map[string]any{
		"south": at.Lat - 0.05, "west": at.Lng - 0.08, "north": at.Lat + 0.05, "east": at.Lng + 0.08}}
}

// patient waits for views and reads nothing in between.
func patient(c *ws.Config) { c.View, c.Reload = time.Hour, time.Hour }

// seen waits for a courier to be sent at a place.
func seen(t *testing.T, c *wstest.Conn, courier string, at geo.Point) {
	t.Helper()
	for {
		var f fleetFrame
		c.Until("couriers").Into(t, &f)
		for _, v := range f.Couriers {
			if v.ID == courier && v.Fix != nil && geo.Distance(v.Fix.Point, at) < 1 {
				return
			}
		}
	}
}

// flows drives a courier until the dispatcher sees it move: from then on the
// node takes in what is around it.
func flows(t *testing.T, w *world, c *wstest.Conn, courier string, at geo.Point) {
	t.Helper()
	before := w.hub.Counters().FeedFixes
	eventually(t, "the feed brings the map", func() bool {
		w.drive(courier, at)
		return w.hub.Counters().FeedFixes > before
	})
	seen(t, c, courier, at)
}

// quiet is how many fixes the node has taken in, once no more come.
func quiet(w *world) (n uint64) {
	for same := 0; same < 5; same++ {
		time.Sleep(5 * time.Millisecond)
		if now := w.hub.Counters().FeedFixes; now != n {
			n, same = now, 0
		}
	}
	return n
}

// takesIn drives couriers and says how many of their fixes the node took in.
// One more in a town that is looked at shows that it takes in anything.
func takesIn(t *testing.T, w *world, last geo.Point, fixes ...geo.Point) int {
	t.Helper()
	before := quiet(w)
	for _, at := range fixes {
		w.drive("c1", at)
		quiet(w) // so that none is overtaken by the next
	}
	w.drive("last", last)
	eventually(t, "the last fix is taken in", func() bool { return w.hub.Counters().FeedFixes > before })
	return int(quiet(w)-before) - 1
}

func TestANodeTakesInNoMoreThanItsDispatchersLookAt(t *testing.T) {
	w := newWorld(t, patient)
	for _, id := range []string{"c1", "last"} {
		w.hire(id, dispatch.Available)
	}
	w.drive("c1", paris)
	here, there := hague.Offset(100, 0), paris.Offset(100, 0)
	one := w.open(t, "fleet", "staff", 0)
	one.Want("snapshot")
	one.Send(town(hague))
	flows(t, w, one, "last", hague)
	if n := takesIn(t, w, hague, there, there, here, there); n != 1 {
		t.Errorf("one dispatcher in The Hague: %d of 4 fixes taken in, want the one there", n)
	}

	two := w.open(t, "fleet", "staff", 0)
	two.Want("snapshot")
	two.Send(town(paris))
	flows(t, w, two, "c1", there)
	if n := takesIn(t, w, hague, there, here, there); n != 3 {
		t.Errorf("two dispatchers: %d of 3 fixes taken in", n)
	}
	_ = two.Close()
	eventually(t, "the second leaves", func() bool { return w.hub.Counters().FleetSubscribers == 1 })
	eventually(t, "Paris is let go", func() bool { return takesIn(t, w, hague, there) == 0 })
	_ = one.Close()
	eventually(t, "nobody looks", func() bool { return w.hub.Counters().FleetSubscribers == 0 })
	eventually(t, "nothing is taken in", func() bool {
		before := quiet(w)
		w.drive("last", hague)
		return quiet(w) == before
	})
}

// A map that moves shows who is there at once, from the index: also who has
// come there, moved and left since the node last read the fleet.
func TestAMapThatMovesShowsWhoIsThere(t *testing.T) {
	w := newWorld(t, patient)
	for _, id := range []string{"came", "stood", "left", "last"} {
		w.hire(id, dispatch.Available)
	}
	w.drive("came", hague)
	w.drive("stood", paris)
	w.drive("left", paris)
	c := w.open(t, "fleet", "staff", 0)
	c.Want("snapshot")
	c.Send(town(hague))
	flows(t, w, c, "last", hague)
	eventually(t, "the map is read twice", func() bool { return w.called("Within") == 2 })
	c.Send(town(hague.Offset(50, 50))) // a step within what is watched already
	flows(t, w, c, "last", hague.Offset(10, 0))
	if n := w.called("Within"); n != 2 {
		t.Errorf("a small step read the index: %d readings", n)
	}
	far := hague.Offset(60_000, 0)
	w.with(func() { // what the node takes nothing of
		for id, at := range map[string]geo.Point{"came": paris.Offset(300, 0), "left": far} {
			f := w.fixes[id]
			f.Point, f.Time = at, f.Time.Add(time.Second)
			w.fixes[id] = f
		}
	})
	c.Send(town(paris))
	places := map[string]geo.Point{}
	for places["came"] != paris.Offset(300, 0) || places["stood"] != paris || places["left"] != far {
		var f fleetFrame
		c.Until("couriers").Into(t, &f)
		for _, v := range f.Couriers {
			if v.Fix != nil {
				places[v.ID] = v.Fix.Point
			}
		}
	}
	flows(t, w, c, "stood", paris.Offset(50, 0)) // and then deltas
	if n := w.called("Fleet"); n != 1 {
		t.Errorf("all of the fleet was read %d times", n)
	}
}

// Who looks at more than can be watched piece by piece, or at no map, gets
// everyone.
func TestAllAreFollowedForWhoShowsNoMapOrAHugeOne(t *testing.T) {
	for name, set := range map[string]func(*ws.Config){"no map": func(c *ws.Config) { c.Reload = time.Hour }, "a huge one": patient} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, set)
			for _, id := range []string{"c1", "last"} {
				w.hire(id, dispatch.Available)
			}
			c := w.open(t, "fleet", "staff", 0)
			c.Want("snapshot")
			if name == "a huge one" {
				c.Send(map[string]any{"type": "view", "zoom": 3, "bounds": map[string]any{"south": -60, "west": -170, "north": 70, "east": 170}})
			}
			flows(t, w, c, "last", hague)
			flows(t, w, c, "c1", paris)
		})
	}
}
