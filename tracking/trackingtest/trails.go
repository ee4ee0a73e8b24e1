package trackingtest

import (
	"bytes"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"courier/tracking"
)

// TestTrailStore is the contract of a tracking.TrailStore. Open makes an
// empty one that closes with the test.
func TestTrailStore(t *testing.T, open func(t *testing.T) tracking.TrailStore) {
	nine := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	chunk := func(courier string, from, to time.Duration) tracking.Chunk {
		return tracking.Chunk{Courier: courier, From: nine.Add(from), To: nine.Add(to), Count: int(to-from)/1e9 + 1,
			Data: fmt.Appendf([]byte{0, 255}, "%s %s %s", courier, from, to)}
	}
	add := func(t *testing.T, s tracking.TrailStore, chunks ...tracking.Chunk) {
		t.Helper()
		if err := s.AppendTrail(t.Context(), chunks); err != nil {
			t.Fatal(err)
		}
	}
	want := func(t *testing.T, s tracking.TrailStore, courier string, from, to time.Duration, want ...tracking.Chunk) {
		t.Helper()
		got, err := s.Trail(t.Context(), courier, nine.Add(from), nine.Add(to))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("from %s to %s:\n\t%v\nwant\n\t%v", from, to, got, want)
		}
	}

	t.Run("gives back what overlaps, oldest first", func(t *testing.T) {
		s := open(t)
		a, b, c := chunk("c1", 0, 10*time.Second), chunk("c1", 20*time.Second, 30*time.Second), chunk("c1", 40*time.Second, 50*time.Second)
		add(t, s, c, chunk("c2", 0, time.Minute), a)
		add(t, s, b)
		want(t, s, "c1", 0, time.Hour, a, b, c)
		want(t, s, "c1", 5*time.Second, 25*time.Second, a, b)
		want(t, s, "c1", 22*time.Second, 24*time.Second, b)
		want(t, s, "c1", 31*time.Second, 39*time.Second)
		want(t, s, "c1", -time.Hour, 0)                     // up to, but without, its first fix
		want(t, s, "c1", 10*time.Second, 11*time.Second, a) // its last fix is at the start
		want(t, s, "c1", 10*time.Second+time.Millisecond, 20*time.Second)
		want(t, s, "c3", 0, time.Hour)
	})
	t.Run("finds a chunk that is longer than the time asked for", func(t *testing.T) {
		s := open(t)
		long, short := chunk("c1", 0, time.Hour), chunk("c1", 10*time.Minute, 11*time.Minute)
		add(t, s, short, long)
		want(t, s, "c1", 30*time.Minute, 31*time.Minute, long)
		want(t, s, "c1", 10*time.Minute, 31*time.Minute, long, short)
	})
	t.Run("keeps chunks of the same time", func(t *testing.T) {
		s := open(t)
		a, b := chunk("c1", 0, 0), chunk("c1", 0, 0)
		b.Data = []byte("a late one")
		add(t, s, a)
		add(t, s, b)
		want(t, s, "c1", 0, time.Second, a, b)
	})
	t.Run("takes none", func(t *testing.T) { add(t, open(t)) })
	t.Run("keeps no slice that it is given", func(t *testing.T) {
		s := open(t)
		a := chunk("c1", 0, time.Second)
		data := bytes.Clone(a.Data)
		add(t, s, a)
		clear(a.Data)
		a.Data = data
		want(t, s, "c1", 0, time.Hour, a)
	})
	t.Run("loses none of many at once", func(t *testing.T) {
		s := open(t)
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				for j := range 10 {
					d := time.Duration(i*10+j) * time.Second
					if err := s.AppendTrail(t.Context(), []tracking.Chunk{chunk("c1", d, d), chunk("c2", d, d)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		for _, courier := range []string{"c1", "c2"} {
			got, err := s.Trail(t.Context(), courier, nine, nine.Add(time.Hour))
			if err != nil || len(got) != 80 {
				t.Errorf("%d chunks of %s (%v), want 80", len(got), courier, err)
			}
		}
	})
}
