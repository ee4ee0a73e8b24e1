package tracking_test

import (
	"testing"

	"go.uber.org/goleak"

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
