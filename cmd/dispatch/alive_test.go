package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestNodesCountThoseThatLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var away error
		until := map[string]time.Time{"loop a": time.Now().Add(time.Hour)}
		beat := func(_ context.Context, node string, ttl time.Duration) (names []string, err error) {
			mu.Lock()
			defer mu.Unlock()
			until[node] = time.Now().Add(ttl)
			for name, at := range until {
				if at.After(time.Now()) {
					names = append(names, name)
				}
			}
			return names, away
		}
		nodes := make([]*alive, 3)
		leave := make([]context.CancelFunc, 3)
		var all sync.WaitGroup
		for i := range nodes {
			nodes[i] = &alive{name: string(rune('a' + i)), beat: beat, log: slog.New(slog.DiscardHandler)}
			if n := nodes[i].nodes(); n != 1 {
				t.Errorf("before the first beat: %d nodes", n)
			}
			var ctx context.Context
			ctx, leave[i] = context.WithCancel(t.Context())
			all.Go(func() { _ = nodes[i].run(ctx) })
		}
		want := func(n int) {
			t.Helper()
			time.Sleep(beatEvery + time.Second) // of a clock that waits for all
			if got := nodes[0].nodes(); got != n {
				t.Errorf("%d nodes, want %d", got, n)
			}
		}
		want(3)
		leave[2]()
		want(2)
		mu.Lock()
		away = errors.New("the database is away")
		mu.Unlock()
		want(2)
		leave[0]()
		leave[1]()
		all.Wait()
		if slices.ContainsFunc([]string{"edge a", "edge b", "edge c"}, func(n string) bool { return until[n].After(time.Now()) }) {
			t.Errorf("who has gone still lives: %v", until)
		}
	})
}
