package redis

import (
	"context"
	"testing"
	"time"

	"courier/geo"
	"courier/internal/testenv"
	"courier/tracking"
	"courier/tracking/trackingtest"
)

// twoNodes publishes on one node and watches on another.
type twoNodes struct{ from, to *Feed }

func (n twoNodes) Publish(ctx context.Context, fixes []tracking.Fix) error {
	return n.from.Publish(ctx, fixes)
}
func (n twoNodes) Subscribe() tracking.Watcher { return n.to.Subscribe() }

func newFeed(t *testing.T, db *DB) *Feed {
	t.Helper()
	f := NewFeed(db)
	t.Cleanup(f.Close)
	return f
}

func TestFeed(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(t testing.TB) *DB) {
		t.Run("one node", func(t *testing.T) {
			trackingtest.TestFeed(t, func(t *testing.T) tracking.Feed { return newFeed(t, open(t)) })
		})
		t.Run("two nodes", func(t *testing.T) {
			trackingtest.TestFeed(t, func(t *testing.T) tracking.Feed {
				db := open(t)
				return twoNodes{newFeed(t, db), newFeed(t, db)}
			})
		})
		t.Run("two nodes, plain channels", func(t *testing.T) {
			trackingtest.TestFeed(t, func(t *testing.T) tracking.Feed {
				db := open(t)
				db.sharded = false // as of a server before 7
				return twoNodes{newFeed(t, db), newFeed(t, db)}
			})
		})
	})
}

// flows publishes newer and newer fixes until one arrives.
func flows(t *testing.T, from *Feed, w tracking.Watcher, at geo.Point) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for f := (tracking.Fix{Courier: "c1", Point: at, Time: time.Now()}); ; f.Time = time.Now() {
		brief, done := context.WithTimeout(ctx, time.Second)
		_ = from.Publish(brief, []tracking.Fix{f}) // may fail while the server is away
		done()
		select {
		case <-w.Fixes():
			return
		case <-again.C:
		case <-ctx.Done():
			t.Fatal("no fix arrived")
		}
	}
}

func drained(w tracking.Watcher) {
	for {
		select {
		case <-w.Fixes():
		case <-time.After(300 * time.Millisecond): // what was under way
			return
		}
	}
}

func TestFeedAfterARestart(t *testing.T) {
	server := testenv.StartRedis(t)
	db := open(t, Config{URLs: []string{server.URL()}})
	from, to := newFeed(t, db), newFeed(t, db)
	at := geo.Point{Lat: 52.1, Lng: 4.3}
	region, err := geo.CellOf(at, geo.RegionResolution)
	if err != nil {
		t.Fatal(err)
	}
	some, all := to.Subscribe(), newFeed(t, db).Subscribe()
	some.Watch(region)
	all.Watch(0)
	for range 3 {
		flows(t, from, some, at)
		flows(t, from, all, at)
		server.Kill()
		drained(some)
		drained(all)
		own := from.Subscribe() // a node's own fixes need no Redis
		own.Watch(region)
		flows(t, from, own, at)
		own.Close()
		server.Restart()
		server.WaitReady()
	}
	flows(t, from, some, at)
	flows(t, from, all, at)
	index := NewIndex(db) // a restarted server knows no script
	if err := index.Move(t.Context(), []tracking.Fix{{Courier: "c1", Point: at, Time: time.Now(), Received: time.Now()}}); err != nil {
		t.Error(err)
	}
}
