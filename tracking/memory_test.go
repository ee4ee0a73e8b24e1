package tracking_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"courier/geo"
	"courier/tracking"
	"courier/tracking/trackingtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	trackingtest.TestIndex(t, func(*testing.T) tracking.Index { return tracking.NewMemory() })
}

func TestMemoryFeed(t *testing.T) {
	trackingtest.TestFeed(t, func(*testing.T) tracking.Feed { return tracking.NewMemoryFeed() })
}

func TestMemoryFeedKeepsTheNewestOfWhatWaits(t *testing.T) {
	feed := tracking.NewMemoryFeed()
	w := feed.Subscribe()
	defer w.Close()
	w.Watch(0)
	now := time.Now()
	for _, after := range []time.Duration{time.Second, 3 * time.Second, 2 * time.Second} {
		f := tracking.Fix{Courier: "c1", Time: now.Add(after), Point: geo.Point{Lat: 52.1, Lng: 4.3}}
		if err := feed.Publish(t.Context(), []tracking.Fix{f}); err != nil {
			t.Fatal(err)
		}
	}
	if batch := <-w.Fixes(); len(batch) != 1 || !batch[0].Time.Equal(now.Add(3*time.Second)) {
		t.Errorf("got %v", batch)
	}
}
