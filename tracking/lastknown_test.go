package tracking_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"courier/geo"
	"courier/internal/clock"
	"courier/tracking"
)

// trails holds chunks and counts how often it is asked.
type trails struct {
	chunks []tracking.Chunk
	asked  int
}

func (s *trails) AppendTrail(_ context.Context, chunks []tracking.Chunk) error {
	s.chunks = append(s.chunks, chunks...)
	return nil
}

func (s *trails) Trail(_ context.Context, courier string, _, _ time.Time) (found []tracking.Chunk, _ error) {
	s.asked++
	for _, c := range s.chunks {
		if c.Courier == courier {
			found = append(found, c)
		}
	}
	return found, nil
}

func TestWhereASilentCourierWasIsStillKnown(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	fix := func(courier string, minute int, lat float64) tracking.Fix {
		when := at.Add(time.Duration(minute) * time.Minute)
		return tracking.Fix{Courier: courier, Time: when, Received: when, Point: geo.Point{Lat: lat, Lng: 4}, Accuracy: 5}
	}
	index, store := tracking.NewMemory(), &trails{}
	last := tracking.NewLastKnown(index, store, clock.NewManual(at.Add(time.Hour)))
	where := func(courier string) float64 {
		t.Helper()
		fixes, err := last.Last(t.Context(), courier)
		if err != nil {
			t.Fatal(err)
		}
		if len(fixes) == 0 {
			return 0
		}
		return fixes[0].Lat
	}

	if err := index.Move(t.Context(), []tracking.Fix{fix("swept", 1, 52)}); err != nil {
		t.Fatal(err)
	}
	if got := where("swept"); got != 52 {
		t.Fatalf("in the index: %v", got)
	}
	if err := index.Remove(t.Context(), "swept"); err != nil {
		t.Fatal(err)
	}
	if got := where("swept"); got != 52 {
		t.Errorf("after it left the index: %v", got)
	}

	// A new process knows only what the trail has.
	store.chunks = append(store.chunks,
		tracking.EncodeChunk("before", []tracking.Fix{fix("before", 1, 51), fix("before", 2, 53)}))
	for range 3 {
		if got := where("before"); got != 53 {
			t.Errorf("from the trail: %v", got)
		}
		if got := where("never"); got != 0 {
			t.Errorf("never heard of: %v", got)
		}
	}
	store.chunks = append(store.chunks, tracking.EncodeChunk("before", []tracking.Fix{fix("before", 3, 54)}))
	if got := where("before"); got != 53 {
		t.Errorf("read again without need: %v", got)
	}
	if store.asked != 2 {
		t.Errorf("the trail was read %d times for two couriers", store.asked)
	}
	last.Forget([]string{"before"})
	if got := where("before"); got != 54 {
		t.Errorf("after it went silent anew: %v", got)
	}
}

// away is an index that cannot be asked any more.
type away struct{ tracking.Index }

func (a *away) Last(ctx context.Context, couriers ...string) ([]tracking.Fix, error) {
	if a.Index == nil {
		return nil, errors.New("the index is away")
	}
	return a.Index.Last(ctx, couriers...)
}

func TestWithoutAnIndexWhatWasKnownLastIsShown(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	memory := tracking.NewMemory()
	if err := memory.Move(t.Context(), []tracking.Fix{{Courier: "c1", Time: at, Received: at, Point: geo.Point{Lat: 52, Lng: 4}}}); err != nil {
		t.Fatal(err)
	}
	index := &away{memory}
	last := tracking.NewLastKnown(index, &trails{}, clock.NewManual(at))
	if _, err := last.Last(t.Context(), "c1", "c2"); err != nil {
		t.Fatal(err)
	}
	index.Index = nil
	fixes, err := last.Last(t.Context(), "c1", "c2", "c3")
	if err == nil || len(fixes) != 1 || fixes[0].Courier != "c1" || !fixes[0].Received.Equal(at) {
		t.Errorf("%+v, %v", fixes, err)
	}
}
