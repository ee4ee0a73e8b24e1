package redis

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"courier/geo"
	"courier/internal/testenv"
	"courier/tracking"
)

// ends is when each key of a database ends.
func ends(t *testing.T, db *DB) map[string]time.Duration {
	t.Helper()
	var mu sync.Mutex
	out := map[string]time.Duration{}
	scan := func(ctx context.Context, c *redis.Client) error {
		keys := c.Scan(ctx, 0, db.config.Prefix+":*", 100).Iterator()
		for keys.Next(ctx) {
			ttl, err := c.PTTL(ctx, keys.Val()).Result()
			if err != nil {
				return err
			}
			if ttl != -2 { // ended just now
				mu.Lock()
				out[keys.Val()] = ttl
				mu.Unlock()
			}
		}
		return keys.Err()
	}
	var err error
	if c, ok := db.client.(*redis.ClusterClient); ok {
		err = c.ForEachMaster(t.Context(), scan)
	} else {
		err = scan(t.Context(), db.client.(*redis.Client))
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEveryKeyEnds looks at all that index, feed and limiter write: each key
// has an end, and what nobody renews is gone after it.
func TestEveryKeyEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(t testing.TB) *DB) {
		db := open(t)
		db.config.Retention = time.Second
		x, l, f := NewIndex(db), NewLimiter(db, nil), newFeed(t, db)
		w := f.Subscribe()
		defer w.Close()
		w.Watch(everywhere)
		at := geo.Point{Lat: 52.1, Lng: 4.3}
		for round := range 3 {
			var fixes []tracking.Fix
			for i := range 300 {
				when := morning.Add(time.Duration(round) * time.Second)
				fixes = append(fixes, tracking.Fix{
					Courier: fmt.Sprint("c", i), Time: when, Received: when, Point: at.Offset(float64(i*round)*400, float64(i)*300),
				})
			}
			if err := x.Move(t.Context(), fixes); err != nil {
				t.Fatal(err)
			}
			if err := f.Publish(t.Context(), fixes); err != nil {
				t.Fatal(err)
			}
			if err := x.Remove(t.Context(), fmt.Sprint("c", round), "nobody"); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 50 {
			take(t, l, fmt.Sprint("k", i), 100, 1+i)
		}
		written := ends(t, db)
		if len(written) < 150 {
			t.Fatalf("only %d keys", len(written))
		}
		for key, ttl := range written {
			if ttl <= 0 || ttl > 2*time.Second {
				t.Errorf("%s ends in %v", key, ttl)
			}
		}
		for until := time.Now().Add(10 * time.Second); len(ends(t, db)) > 0; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("never end: %v", ends(t, db))
			}
		}
	})
}

// TestWhoStaysIsKept: a courier that goes on and on in one region is not
// dropped from it for the age of its coming.
func TestWhoStaysIsKept(t *testing.T) {
	db := opener(t, false)(t)
	db.config.Retention = time.Second
	x, at := NewIndex(db), geo.Point{Lat: 52.1, Lng: 4.3}
	for begun := time.Now(); time.Since(begun) < 2500*time.Millisecond; time.Sleep(20 * time.Millisecond) {
		now := time.Now()
		if err := x.Move(t.Context(), []tracking.Fix{
			{Courier: "stays", Time: now, Received: now, Point: at},
			{Courier: "also", Time: now, Received: now, Point: at},
		}); err != nil {
			t.Fatal(err)
		}
		region, _ := geo.CellOf(at, geo.RegionResolution)
		for i, key := range x.regionKeys(region) {
			if n, err := db.client.ZCard(t.Context(), key).Result(); err != nil || n != 2 {
				t.Fatalf("after %v set %d of the region has %d couriers, %v", time.Since(begun), i, n, err)
			}
		}
	}
}

// TestFeedCountsListeners: everything goes to the channel for everything only
// while someone listens there, and the first to come misses nothing.
func TestFeedCountsListeners(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(t testing.TB) *DB) {
		db := open(t)
		from, to := newFeed(t, db), newFeed(t, db)
		fix := tracking.Fix{Courier: "c1", Point: geo.Point{Lat: 52.1, Lng: 4.3}, Time: morning}
		publish := func() {
			t.Helper()
			fix.Time = fix.Time.Add(time.Second)
			if err := from.Publish(t.Context(), []tracking.Fix{fix}); err != nil {
				t.Fatal(err)
			}
		}
		publish()
		publish()
		if !from.alone.Load() {
			t.Fatal("nobody listens, and everything is sent")
		}
		w := to.Subscribe()
		defer w.Close()
		w.Watch(everywhere)
		for to.lanes[lanes].heard.Load() == 0 || !subscribed(t, db, to.channel(everywhere)) {
			time.Sleep(time.Millisecond)
		}
		publish() // the first after the subscription
		select {
		case fixes := <-w.Fixes():
			if !fixes[0].Time.Equal(fix.Time) {
				t.Errorf("%v came", fixes)
			}
		case <-time.After(5 * time.Second):
			t.Error("the first fix after the subscription did not come")
		}
		if from.alone.Load() {
			t.Error("someone listens, and nothing would be sent")
		}
		w.Close()
		for !from.alone.Load() { // after it has lingered
			publish()
			time.Sleep(10 * time.Millisecond)
		}
	})
}

func subscribed(t *testing.T, db *DB, channel string) bool {
	t.Helper()
	n, err := db.client.SPublish(t.Context(), channel, "").Result()
	if err != nil {
		t.Fatal(err)
	}
	return n > 0
}

// TestStatsTellOfAnOutage is what metrics and pages know of it.
func TestStatsTellOfAnOutage(t *testing.T) {
	server := testenv.StartRedis(t)
	db := open(t, Config{URLs: []string{server.URL()}})
	x, from, to := NewIndex(db), newFeed(t, db), newFeed(t, db)
	at := geo.Point{Lat: 52.1, Lng: 4.3}
	w := to.Subscribe()
	defer w.Close()
	w.Watch(everywhere)
	flows(t, from, w, at)
	if s := to.Stats(); s.Away != 0 || s.Received == 0 || s.Channels != 1 || from.Stats().Sent == 0 {
		t.Errorf("%+v, %+v", s, from.Stats())
	}
	server.Kill()
	for until := time.Now().Add(10 * time.Second); to.Stats().Away < 200*time.Millisecond; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("does not know that Redis is away: %+v", to.Stats())
		}
	}
	if _, err := x.Last(t.Context(), "c1"); err == nil || x.Stats() != (CallStats{Calls: 1, Failures: 1}) {
		t.Errorf("%v, %+v", err, x.Stats())
	}
	server.Restart()
	server.WaitReady()
	drained(w)
	flows(t, from, w, at)
	if s := to.Stats(); s.Away != 0 || s.Broken == 0 {
		t.Errorf("Redis is back: %+v", s)
	}
}
