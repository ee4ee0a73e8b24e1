package dispatchtest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"courier/dispatch"
)

func testOffers(t *testing.T, open Open) {
	s := open(t)
	want := fill[dispatch.Offer](t)
	update(t, s, func(tx dispatch.Tx) error { return tx.SaveOffer(want) })
	got, err := s.Offer(t.Context(), want.ID)
	wantNo(t, err)
	wantSame(t, got, want)
	_, err = s.Offer(t.Context(), "nobody")
	wantErr(t, err, dispatch.ErrNotFound)

	for i := range 5 {
		o := dispatch.Offer{ID: fmt.Sprintf("f%d", i), State: dispatch.OfferOpen, Deadline: start.Add(time.Duration(5-i) * time.Second)}
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveOffer(o) })
	}
	update(t, s, func(tx dispatch.Tx) error {
		o, err := tx.Offer("f3")
		if err != nil {
			return err
		}
		o.State, o.Reason, o.ClosedAt = dispatch.OfferDeclined, "too_far", start
		return tx.SaveOffer(o)
	})
	for before, wanted := range map[time.Duration]string{0: "", time.Second: "", 4 * time.Second: "[f4 f2]", time.Hour: "[f4 f2 f1 f0]"} {
		offers, err := s.OpenOffers(t.Context(), start.Add(before))
		wantNo(t, err)
		var ids []string
		for _, o := range offers {
			ids = append(ids, o.ID)
		}
		if wanted == "" {
			wanted = "[]"
		}
		if fmt.Sprint(ids) != wanted {
			t.Errorf("open before %s: %v, want %s", before, ids, wanted)
		}
	}
}

func testDecisions(t *testing.T, open Open) {
	s := open(t)
	want := fill[dispatch.Decision](t)
	want.Time = start.Add(-time.Hour)
	update(t, s, func(tx dispatch.Tx) error { return tx.SaveDecision(want) })
	got, err := s.Decisions(t.Context(), want.Order, 10)
	wantNo(t, err)
	wantSame(t, got, []dispatch.Decision{want})

	for i := range 150 {
		var d dispatch.Decision
		d.ID, d.Order, d.Time = fmt.Sprintf("d%d", i), "o1", start.Add(time.Duration(i)*time.Second)
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveDecision(d) })
	}
	got, err = s.Decisions(t.Context(), "o1", 20)
	wantNo(t, err)
	if len(got) != 20 {
		t.Fatalf("%d decisions, want 20", len(got))
	}
	for i, d := range got {
		if d.ID != fmt.Sprintf("d%d", 149-i) {
			t.Errorf("decision %d is %s", i, d.ID)
		}
	}
	all, err := s.Decisions(t.Context(), "o1", 1000)
	wantNo(t, err)
	if len(all) >= 150 {
		t.Errorf("all %d decisions on one order are kept", len(all))
	}

	wantNo(t, s.Purge(t.Context(), start))
	for order, kept := range map[string]bool{want.Order: false, "o1": true} {
		got, err := s.Decisions(t.Context(), order, 10)
		wantNo(t, err)
		if (len(got) > 0) != kept {
			t.Errorf("%d decisions on %s after the purge", len(got), order)
		}
	}
}

func testZones(t *testing.T, open Open) {
	s := open(t)
	want := fill[dispatch.Zone](t)
	update(t, s, func(tx dispatch.Tx) error {
		return errors.Join(tx.SaveZone(want, 0), tx.SaveZone(dispatch.Zone{ID: "a", Version: 1}, 0))
	})
	zones, err := s.Zones(t.Context())
	wantNo(t, err)
	wantSame(t, zones, []dispatch.Zone{{ID: "a", Version: 1}, want})

	for _, seen := range []int64{0, 2} {
		wantErr(t, s.Update(t.Context(), func(tx dispatch.Tx) error {
			return tx.SaveZone(dispatch.Zone{ID: "a", Version: seen + 1}, seen)
		}), dispatch.ErrConflict)
	}
	update(t, s, func(tx dispatch.Tx) error {
		z, err := tx.Zone("a")
		if err != nil {
			return err
		}
		z.Name, z.Version = "Harbour", 2
		return errors.Join(tx.SaveZone(z, 1), tx.DeleteZone(want.ID))
	})
	update(t, s, func(tx dispatch.Tx) error {
		zones, err := tx.Zones()
		if len(zones) != 1 || zones[0].Name != "Harbour" {
			return fmt.Errorf("zones are %v", zones)
		}
		return err
	})
	for name, fn := range map[string]func(tx dispatch.Tx) error{
		"read":   func(tx dispatch.Tx) error { _, err := tx.Zone(want.ID); return err },
		"delete": func(tx dispatch.Tx) error { return tx.DeleteZone(want.ID) },
	} {
		if err := s.Update(t.Context(), fn); !errors.Is(err, dispatch.ErrNotFound) {
			t.Errorf("%s a zone that is gone: %v", name, err)
		}
	}
}

func testAnswers(t *testing.T, open Open) {
	s := open(t)
	want := dispatch.Answer{Scope: "orders/m", Key: "k|1", Hash: []byte{0, 1, 255}, Body: []byte(`{"a":1}`), At: start}
	elsewhere := want
	elsewhere.Scope, elsewhere.At = "courier/c", start.Add(-time.Hour)
	answer := func(scope string) (a dispatch.Answer, err error) {
		err = s.Update(t.Context(), func(tx dispatch.Tx) error {
			a, err = tx.Answer(scope, want.Key)
			return err
		})
		return a, err
	}
	_, err := answer(want.Scope)
	wantErr(t, err, dispatch.ErrNotFound)
	update(t, s, func(tx dispatch.Tx) error {
		return errors.Join(tx.SaveAnswer(want), tx.SaveAnswer(elsewhere))
	})
	got, err := answer(want.Scope)
	wantNo(t, err)
	wantSame(t, got, want)
	wantErr(t, s.Update(t.Context(), func(tx dispatch.Tx) error {
		return tx.SaveAnswer(dispatch.Answer{Scope: want.Scope, Key: want.Key, Body: []byte("other")})
	}), dispatch.ErrConflict)

	wantNo(t, s.Purge(t.Context(), start))
	got, err = answer(want.Scope)
	wantNo(t, err)
	wantSame(t, got, want)
	_, err = answer(elsewhere.Scope)
	wantErr(t, err, dispatch.ErrNotFound)
}
