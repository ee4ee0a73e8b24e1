package redis

import (
	"context"
	"syscall"
	"testing"
	"time"

	"courier/geo"
	"courier/internal/testenv"
	"courier/tracking"
)

// TestFeedAfterAClusterNodeRestarts kills each node of a cluster in turn.
func TestFeedAfterAClusterNodeRestarts(t *testing.T) {
	nodes := testenv.StartRedisCluster(t, 3)
	db := open(t, Config{URLs: []string{nodes[0].URL(), nodes[1].URL()}})
	from, to := newFeed(t, db), newFeed(t, db)
	at := geo.Point{Lat: 52.1, Lng: 4.3}
	region, err := geo.CellOf(at, geo.RegionResolution)
	if err != nil {
		t.Fatal(err)
	}
	some, all := to.Subscribe(), newFeed(t, db).Subscribe()
	some.Watch(region)
	all.Watch(0)
	for _, node := range nodes {
		flows(t, from, some, at)
		flows(t, from, all, at)
		node.Kill()
		time.Sleep(100 * time.Millisecond) // the feeds see the end of their connections
		node.Restart()
		node.WaitReady()
		drained(some)
		drained(all)
	}
	flows(t, from, some, at)
	flows(t, from, all, at)
}

// TestAServerThatHangs wants calls to end with their context, and everything
// to go on afterwards.
func TestAServerThatHangs(t *testing.T) {
	server := testenv.StartRedis(t)
	db := open(t, Config{URLs: []string{server.URL()}})
	x, l, from, to := NewIndex(db), NewLimiter(db, nil), newFeed(t, db), newFeed(t, db)
	at := geo.Point{Lat: 52.1, Lng: 4.3}
	fixes := []tracking.Fix{{Courier: "c1", Time: morning, Received: morning, Point: at}}
	if err := x.Move(t.Context(), fixes); err != nil {
		t.Fatal(err)
	}
	w := to.Subscribe()
	w.Watch(0)
	flows(t, from, w, at)

	server.Signal(syscall.SIGSTOP)
	for name, ask := range map[string]func(context.Context) error{
		"Move":    func(ctx context.Context) error { return x.Move(ctx, fixes) },
		"Near":    func(ctx context.Context) error { _, err := x.Near(ctx, at, 1000, 1); return err },
		"Publish": func(ctx context.Context) error { return from.Publish(ctx, fixes) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		begun := time.Now()
		if err := ask(ctx); err == nil {
			t.Errorf("%s is content with a server that hangs", name)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("%s took %v of 200 ms", name, took)
		}
		cancel()
	}
	begun := time.Now()
	for range 10 {
		take(t, l, "k", 100, 100)
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("10 requests waited %v for their limits", took)
	}
	time.Sleep(2*silence + time.Second) // the feed gives the connection up
	server.Signal(syscall.SIGCONT)
	drained(w)
	flows(t, from, w, at)
	if err := x.Move(t.Context(), fixes); err != nil {
		t.Error(err)
	}
}

// TestFeedMissesNothingInASwitch: a watcher of a region goes on undisturbed
// while another begins and ends to watch all.
func TestFeedMissesNothingInASwitch(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(t testing.TB) *DB) {
		db := open(t)
		from, to := newFeed(t, db), newFeed(t, db)
		at := geo.Point{Lat: 52.1, Lng: 4.3}
		region, err := geo.CellOf(at, geo.RegionResolution)
		if err != nil {
			t.Fatal(err)
		}
		w, other := to.Subscribe(), to.Subscribe()
		w.Watch(region)
		flows(t, from, w, at)
		drained(w)
		for i := range 60 {
			switch i {
			case 5, 40:
				other.Watch(0)
			case 20:
				other.Watch()
			}
			f := tracking.Fix{Courier: "c1", Point: at, Time: time.Now()}
			if err := from.Publish(t.Context(), []tracking.Fix{f}); err != nil {
				t.Fatal(err)
			}
			for came := false; !came; {
				select {
				case batch := <-w.Fixes():
					came = batch[len(batch)-1].Time.UnixMicro() == f.Time.UnixMicro()
				case <-time.After(5 * time.Second):
					t.Fatalf("fix %d never came", i)
				}
			}
			time.Sleep(60 * time.Millisecond) // the switches are some 20 fixes apart, and more than they linger
		}
	})
}
