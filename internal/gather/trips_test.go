package gather

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"
)

func TestTripsAreSharedAndGoOnWithoutWhoHasLeft(t *testing.T) {
	type ride struct{ seats int }
	begun, goOn := make(chan context.Context), make(chan bool)
	trips := NewTrips(1, 8, time.Hour, func(ctx context.Context, all []*ride) {
		begun <- ctx
		<-goOn
		for _, r := range all {
			r.seats = len(all)
		}
	})
	join := func(ctx context.Context, r *ride) chan error {
		done := make(chan error, 1)
		go func() { done <- trips.Join(ctx, r) }()
		return done
	}
	waiting := func(n int) {
		for trips.Waiting() != n {
			runtime.Gosched()
		}
	}
	gone, leave := context.WithCancel(t.Context())
	var alone, leaver, other ride
	first := join(t.Context(), &alone)
	<-begun
	second := join(gone, &leaver)
	waiting(1)
	third := join(t.Context(), &other)
	waiting(2)
	goOn <- true
	if err := <-first; err != nil || alone.seats != 1 {
		t.Errorf("the first: %v, %+v", err, alone)
	}
	shared := <-begun
	leave()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("who has left: %v", err)
	}
	if _, ends := shared.Deadline(); shared.Err() != nil || !ends {
		t.Errorf("the trip ends with who has left (%v), or never (%t)", shared.Err(), ends)
	}
	goOn <- true
	if err := <-third; err != nil || other.seats != 2 {
		t.Errorf("the other: %v, %+v", err, other)
	}
}
