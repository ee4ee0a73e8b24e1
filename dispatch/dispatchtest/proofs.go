package dispatchtest

import (
	"fmt"
	"testing"
	"time"

	"courier/dispatch"
)

func testProofs(t *testing.T, open Open) {
	s := open(t)
	want := fill[dispatch.ProofFile](t)
	want.At, want.Data = start.Add(-time.Hour), make([]byte, dispatch.MaxProofBytes)
	for i := range want.Data {
		want.Data[i] = byte(i * i >> 7)
	}
	listed := want
	listed.Data = nil
	second := listed
	second.ID, second.At, second.Data = "z2", start, []byte{0, 1, 255}
	save := func(f dispatch.ProofFile) error {
		return s.Update(t.Context(), func(tx dispatch.Tx) error { return tx.SaveProofFile(f) })
	}
	wantNo(t, save(second))
	wantNo(t, save(want))
	update(t, s, func(tx dispatch.Tx) error {
		files, err := tx.ProofFiles(want.Order)
		if err != nil {
			return err
		}
		headers := []dispatch.ProofFile{listed, second}
		headers[1].Data = nil
		if fmt.Sprintf("%+v", files) != fmt.Sprintf("%+v", headers) {
			return fmt.Errorf("listed\n\t%+v\nwant\n\t%+v", files, headers)
		}
		none, err := tx.ProofFiles("nobody")
		if len(none) != 0 {
			return fmt.Errorf("another order has %v", none)
		}
		return err
	})
	got, err := s.ProofFile(t.Context(), want.Order, want.ID)
	wantNo(t, err)
	wantSame(t, got, want)
	for _, id := range [][2]string{{want.Order, "nobody"}, {"nobody", want.ID}} {
		_, err := s.ProofFile(t.Context(), id[0], id[1])
		wantErr(t, err, dispatch.ErrNotFound)
	}

	again := want
	again.Data = []byte("another")
	wantErr(t, save(again), dispatch.ErrConflict)
	elsewhere := again
	elsewhere.Order, elsewhere.At = "o2", start // ids are an order's own
	wantNo(t, save(elsewhere))

	wantNo(t, s.Purge(t.Context(), start.Add(time.Hour))) // answers' age is not theirs
	for i := range 50 {
		old := second
		old.ID, old.At = fmt.Sprintf("old%d", i), start.Add(-time.Minute)
		wantNo(t, save(old))
	}
	wantNo(t, s.PurgeProofs(t.Context(), start))
	for id, kept := range map[[2]string]bool{{want.Order, want.ID}: false, {want.Order, "old49"}: false, {want.Order, "z2"}: true, {"o2", want.ID}: true} {
		_, err := s.ProofFile(t.Context(), id[0], id[1])
		if (err == nil) != kept {
			t.Errorf("%v after the purge: %v", id, err)
		}
	}
}
