// Package authtest holds the contract that every auth.Store passes.
package authtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"courier/dispatch"
	"courier/internal/auth"
)

// Store is an auth.Store, and what writes couriers to it.
type Store interface {
	auth.Store
	Update(ctx context.Context, fn func(tx dispatch.Tx) error) error
}

// Open makes an empty store that closes with the test.
type Open = func(t *testing.T) Store

// TestStore runs the whole contract, on a new store for each part.
func TestStore(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Store){
		"keys":               keys,
		"a key is revoked":   revokedKey,
		"links":              links,
		"links that close":   shortened,
		"codes":              codes,
		"a code is for once": once,
		"epochs":             epochs,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

var start = time.Date(2026, 11, 23, 9, 0, 0, 123456000, time.UTC)

func wantNo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantMissing(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, dispatch.ErrNotFound) {
		t.Errorf("error is %v, want %v", err, dispatch.ErrNotFound)
	}
}

func wantSame(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func keys(t *testing.T, s Store) {
	b := auth.Key{ID: "b", Merchant: "m1", Name: "till", Hash: []byte{0, 1, 255}, CreatedAt: start}
	a := auth.Key{ID: "a", Merchant: "m2", Hash: []byte{0, 1, 254}, CreatedAt: start}
	wantNo(t, s.SaveKey(t.Context(), b))
	wantNo(t, s.SaveKey(t.Context(), a))
	all, err := s.Keys(t.Context())
	wantNo(t, err)
	wantSame(t, all, []auth.Key{a, b})

	revoked := start.Add(time.Hour)
	b.RevokedAt = &revoked
	wantNo(t, s.SaveKey(t.Context(), b))
	for _, want := range []auth.Key{a, b} {
		got, err := s.KeyByHash(t.Context(), want.Hash)
		wantNo(t, err)
		wantSame(t, got, want)
	}
	for _, hash := range [][]byte{nil, {}, {0}, {0, 1}, {0, 1, 255, 0}} {
		_, err := s.KeyByHash(t.Context(), hash)
		wantMissing(t, err)
	}
	if err := s.SaveKey(t.Context(), auth.Key{ID: "c", Merchant: "m3", Hash: a.Hash}); err == nil {
		t.Error("two keys share a hash")
	}
	if err := s.SaveKey(t.Context(), auth.Key{ID: "c", Merchant: "m3"}); err == nil {
		t.Error("a key without a hash is taken")
	}
}

// revokedKey is in use while it is revoked: whoever looks afterwards is told.
func revokedKey(t *testing.T, s Store) {
	for i := range 50 {
		k := auth.Key{ID: fmt.Sprint("k", i), Merchant: "m1", Hash: []byte{byte(i)}, CreatedAt: start}
		wantNo(t, s.SaveKey(t.Context(), k))
		stop := make(chan struct{})
		var looking sync.WaitGroup
		var looked atomic.Int64
		for range 4 {
			looking.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if _, err := s.KeyByHash(t.Context(), k.Hash); err != nil {
						t.Error(err)
						return
					}
					looked.Add(1)
				}
			})
		}
		for looked.Load() < 10 && !t.Failed() {
			time.Sleep(100 * time.Microsecond)
		}
		k.RevokedAt = &start
		wantNo(t, s.SaveKey(t.Context(), k))
		for range 20 {
			got, err := s.KeyByHash(t.Context(), k.Hash)
			wantNo(t, err)
			wantSame(t, got, k)
		}
		close(stop)
		looking.Wait()
	}
}

func links(t *testing.T, s Store) {
	b := auth.Link{ID: "b", Order: "o1", Hash: []byte{1}, CreatedAt: start, ExpiresAt: start.Add(time.Hour)}
	a := auth.Link{ID: "a", Order: "o1", Hash: []byte{2}, CreatedAt: start, ExpiresAt: start}
	other := auth.Link{ID: "c", Order: "o2", Hash: []byte{3}, CreatedAt: start, ExpiresAt: start}
	for _, l := range []auth.Link{b, a, other} {
		wantNo(t, s.SaveLink(t.Context(), l))
	}
	revoked := start.Add(time.Minute)
	b.RevokedAt = &revoked
	wantNo(t, s.SaveLink(t.Context(), b))
	all, err := s.Links(t.Context(), "o1")
	wantNo(t, err)
	wantSame(t, all, []auth.Link{a, b})
	all, err = s.Links(t.Context(), "o3")
	wantNo(t, err)
	if len(all) != 0 {
		t.Errorf("links of no order: %v", all)
	}
	for _, want := range []auth.Link{a, b, other} {
		got, err := s.LinkByHash(t.Context(), want.Hash)
		wantNo(t, err)
		wantSame(t, got, want)
	}
	_, err = s.LinkByHash(t.Context(), []byte{4})
	wantMissing(t, err)
}

func shortened(t *testing.T, s Store) {
	at := start.Add(time.Hour)
	earlier := auth.Link{ID: "a", Order: "o1", Hash: []byte{1}, CreatedAt: start, ExpiresAt: start.Add(time.Minute)}
	later := auth.Link{ID: "b", Order: "o1", Hash: []byte{2}, CreatedAt: start, ExpiresAt: start.Add(72 * time.Hour)}
	revoked := auth.Link{ID: "c", Order: "o1", Hash: []byte{3}, CreatedAt: start, ExpiresAt: start.Add(72 * time.Hour), RevokedAt: &start}
	other := auth.Link{ID: "d", Order: "o2", Hash: []byte{4}, CreatedAt: start, ExpiresAt: start.Add(72 * time.Hour)}
	for _, l := range []auth.Link{earlier, later, revoked, other} {
		wantNo(t, s.SaveLink(t.Context(), l))
	}
	later.ExpiresAt, revoked.ExpiresAt = at, at
	for _, when := range []time.Time{at, at, at.Add(time.Hour)} { // again and later changes nothing
		wantNo(t, s.ShortenLinks(t.Context(), "o1", when))
		all, err := s.Links(t.Context(), "o1")
		wantNo(t, err)
		wantSame(t, all, []auth.Link{earlier, later, revoked})
	}
	got, err := s.LinkByHash(t.Context(), other.Hash)
	wantNo(t, err)
	wantSame(t, got, other)
	wantNo(t, s.ShortenLinks(t.Context(), "none", at))
}

func codes(t *testing.T, s Store) {
	want := auth.Code{Hash: []byte{0, 7}, Courier: "c1", ExpiresAt: start}
	other := auth.Code{Hash: []byte{0, 8}, Courier: "c2", ExpiresAt: start}
	wantNo(t, s.SaveCode(t.Context(), want))
	wantNo(t, s.SaveCode(t.Context(), other))
	if err := s.SaveCode(t.Context(), auth.Code{Hash: want.Hash, Courier: "thief", ExpiresAt: start}); err == nil {
		t.Error("a code is another courier's too")
	}
	_, err := s.TakeCode(t.Context(), []byte{0})
	wantMissing(t, err)
	got, err := s.TakeCode(t.Context(), want.Hash)
	wantNo(t, err)
	wantSame(t, got, want)
	_, err = s.TakeCode(t.Context(), want.Hash)
	wantMissing(t, err)
	got, err = s.TakeCode(t.Context(), other.Hash)
	wantNo(t, err)
	wantSame(t, got, other)
}

func once(t *testing.T, s Store) {
	for i := range 20 {
		hash := fmt.Appendf(nil, "code %d", i)
		wantNo(t, s.SaveCode(t.Context(), auth.Code{Hash: hash, Courier: "c1", ExpiresAt: start}))
		var taken atomic.Int32
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				_, err := s.TakeCode(t.Context(), hash)
				switch {
				case err == nil:
					taken.Add(1)
				case !errors.Is(err, dispatch.ErrNotFound):
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n := taken.Load(); n != 1 {
			t.Fatalf("a code was taken %d times", n)
		}
	}
}

func epochs(t *testing.T, s Store) {
	_, err := s.Epoch(t.Context(), "nobody")
	wantMissing(t, err)
	for i, epoch := range []int64{0, 3} {
		c := dispatch.Courier{ID: "c1", Version: int64(i) + 1, Epoch: epoch}
		wantNo(t, s.Update(t.Context(), func(tx dispatch.Tx) error { return tx.SaveCourier(c, int64(i)) }))
		got, err := s.Epoch(t.Context(), "c1")
		wantNo(t, err)
		wantSame(t, got, epoch)
	}
}
