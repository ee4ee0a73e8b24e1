package sqlstore

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"courier/dispatch"
	"courier/dispatch/match"
	"courier/internal/testenv"
)

// counting is a way to a PostgreSQL server that counts what is sent there.
func counting(t *testing.T, database string) (through string, sent *atomic.Int64) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	server := u.Host
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	sent = &atomic.Int64{}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial("tcp", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() {
				defer up.Close()
				buf := make([]byte, 1<<20)
				for {
					n, err := client.Read(buf)
					if err != nil {
						return
					}
					sent.Add(1)
					if _, err := up.Write(buf[:n]); err != nil {
						return
					}
				}
			}()
			go func() {
				defer client.Close()
				_, _ = io.Copy(client, up)
			}()
		}
	}()
	u.Host = l.Addr().String()
	return u.String(), sent
}

// An update waits for the server once for each row that it reads, once for
// all that it writes, and once for the commit.
func TestWhatIsWrittenIsOneRoundTrip(t *testing.T) {
	through, sent := counting(t, testenv.Postgres(t))
	s, err := OpenPostgres(t.Context(), PostgresConfig{URL: through, Writers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	err = s.Update(t.Context(), func(tx dispatch.Tx) error {
		o := dispatch.Order{ID: "o", Merchant: "m", Version: 1, Status: dispatch.Searching, Times: map[dispatch.Status]time.Time{}}
		e := dispatch.Event{Order: "o", Version: 1, Time: at, Type: dispatch.EventSearching, Status: dispatch.Searching}
		return errors.Join(tx.SaveOrder(o, 0, []dispatch.Event{e}), tx.SaveCourier(dispatch.Courier{ID: "c", Capacity: 2, Version: 1}, 0))
	})
	if err != nil {
		t.Fatal(err)
	}
	turn := func(n int) {
		t.Helper()
		err := s.Update(t.Context(), func(tx dispatch.Tx) error {
			c, err1 := tx.Courier("c")
			o, err2 := tx.Order("o")
			_, err3 := tx.Answer("courier/c", fmt.Sprint("a", n))
			if err := errors.Join(err1, err2); err != nil || !errors.Is(err3, dispatch.ErrNotFound) {
				return errors.Join(err, err3)
			}
			o.Version++
			c.Version++
			e := dispatch.Event{Order: "o", Version: o.Version, Time: at}
			if o.Courier == "" {
				o.Status, o.Courier, e.Type = dispatch.Assigned, "c", dispatch.EventAssigned
				c.Plan.Stops = []dispatch.Stop{{Order: "o", Kind: match.Pickup}, {Order: "o", Kind: match.Dropoff}}
			} else {
				o.Status, o.Courier, e.Type, c.Plan = dispatch.Searching, "", dispatch.EventUnassigned, dispatch.Plan{}
			}
			e.Status = o.Status
			answer := dispatch.Answer{Scope: "courier/c", Key: fmt.Sprint("a", n), Hash: []byte{1}, Body: []byte("{}"), At: at}
			return errors.Join(tx.SaveCourier(c, c.Version-1), tx.SaveAnswer(answer), tx.SaveOrder(o, o.Version-1, []dispatch.Event{e}))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range 2 { // the server learns the statements
		turn(n)
	}
	const reads, writes, commits = 3, 1, 1
	for n := range 4 {
		before := sent.Load()
		turn(2 + n)
		if trips := sent.Load() - before; trips != reads+writes+commits {
			t.Errorf("turn %d took %d round trips, want %d", n, trips, reads+writes+commits)
		}
	}
	o, err := s.Order(t.Context(), "o")
	if err != nil || o.Version != 7 {
		t.Errorf("version %d, %v", o.Version, err)
	}
	events, err := s.Events(t.Context(), "o", 0)
	if err != nil || len(events) != 7 {
		t.Errorf("%d events, %v", len(events), err)
	}
}
