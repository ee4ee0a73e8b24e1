package redis

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"courier/internal/testenv"
	"courier/tracking"
	"courier/tracking/trackingtest"
)

var prefixes atomic.Int64

// opener starts a topology once and opens databases on it that share nothing.
func opener(t testing.TB, cluster bool) func(t testing.TB) *DB {
	t.Helper()
	var urls []string
	if cluster {
		for _, n := range testenv.StartRedisCluster(t, 3) {
			urls = append(urls, n.URL())
		}
	} else {
		urls = []string{testenv.StartRedis(t).URL()}
	}
	return func(t testing.TB) *DB {
		return open(t, Config{URLs: urls, Prefix: fmt.Sprint("t", prefixes.Add(1))})
	}
}

func open(t testing.TB, config Config) *DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	db, err := Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// onBoth runs a test on a single server and on a cluster of three.
func onBoth(t *testing.T, test func(t *testing.T, open func(t testing.TB) *DB)) {
	t.Run("single", func(t *testing.T) { test(t, opener(t, false)) })
	t.Run("cluster", func(t *testing.T) { test(t, opener(t, true)) })
}

func TestIndex(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(t testing.TB) *DB) {
		trackingtest.TestIndex(t, func(t *testing.T) tracking.Index { return NewIndex(open(t)) })
	})
}
