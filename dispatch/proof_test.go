package dispatch_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"courier/dispatch"
)

// shot is a picture of its own for each number.
func shot(t testing.TB, n int) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 8, 8))
	img.Pix[n%64] = 255
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// atTheDoor is an order that wants proofs, picked up by its courier.
func atTheDoor(t *testing.T, change func(*dispatch.NewOrder)) (w *world, courier, order string) {
	t.Helper()
	w = newWorld(t, assignMode)
	courier, order = w.courier("Mia", 100, nil), w.place("k1", change)
	w.round()
	w.must(w.act(courier, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Pickup}))
	return w, courier, order
}

func (w *world) keep(courier string, n dispatch.NewProof) error {
	_, err := w.AddProof(w.Context(), courier, w.epoch(courier), n)
	return err
}

func wantField(t *testing.T, err error, field string) {
	t.Helper()
	var invalid *dispatch.Invalid
	if !errors.As(err, &invalid) || !strings.Contains(err.Error(), field) {
		t.Fatalf("got %v, want a fault of %s", err, field)
	}
}

func TestNothingIsDeliveredWithoutTheProofsThatItNeeds(t *testing.T) {
	w, courier, order := atTheDoor(t, func(n *dispatch.NewOrder) {
		n.PINRequired, n.PhotoRequired, n.SignatureRequired = true, true, true
	})
	stops := w.plan(courier).Stops
	if s := stops[0]; !s.PINRequired || !s.PhotoRequired || !s.SignatureRequired {
		t.Fatalf("the courier is asked for %+v", s)
	}
	deliver := func(pin, photo, signature string) error {
		return w.act(courier, dispatch.Action{
			Type: dispatch.ActComplete, Order: order, Kind: dispatch.Dropoff, PIN: pin, Photo: photo, Signature: signature,
		})
	}
	wantField(t, deliver("4711", "", ""), "proof.photo")
	wantField(t, deliver("4711", "p1", ""), "proof.photo has not been received")
	w.must(w.keep(courier, dispatch.NewProof{ID: "p1", Order: order, Kind: dispatch.Photo, Data: shot(t, 1)}))
	wantField(t, deliver("4711", "p1", ""), "proof.signature")
	wantField(t, deliver("4711", "p1", "p1"), "proof.signature has not been received") // a photo is no signature
	w.must(w.keep(courier, dispatch.NewProof{ID: "s1", Order: order, Kind: dispatch.Signature, Data: shot(t, 2)}))
	wantField(t, deliver("0000", "p1", "s1"), "proof.pin")
	w.wantStatus(order, dispatch.PickedUp)
	w.must(deliver("4711", "p1", "s1"))
	if p := w.order(order).Proof; p == nil || *p != (dispatch.Proof{PIN: true, Photo: "p1", Signature: "s1"}) {
		t.Fatalf("the proof is %+v", p)
	}
}

func TestAPictureIsKeptOnceAndForItsCourierAlone(t *testing.T) {
	w, courier, order := atTheDoor(t, nil)
	other := w.courier("Other", 200, nil)
	one := dispatch.NewProof{ID: "p1", Order: order, Kind: dispatch.Photo, Data: shot(t, 1)}
	wantIs(t, w.keep(other, one), dispatch.ErrNotFound)
	wantIs(t, w.keep(courier, dispatch.NewProof{ID: "p1", Order: "nothing", Kind: dispatch.Photo, Data: one.Data}), dispatch.ErrNotFound)
	if _, err := w.AddProof(t.Context(), courier, w.epoch(courier)-1, one); !errors.Is(err, dispatch.ErrStaleSession) {
		t.Errorf("kept for an old session: %v", err)
	}
	w.must(w.keep(courier, one))
	w.must(w.keep(courier, one)) // the answer was lost
	another := one
	another.Data = shot(t, 2)
	wantIs(t, w.keep(courier, another), dispatch.ErrConflict)
	for i := range 7 {
		w.must(w.keep(courier, dispatch.NewProof{ID: fmt.Sprintf("more%d", i), Order: order, Kind: dispatch.Photo, Data: shot(t, i)}))
	}
	wantIs(t, w.keep(courier, dispatch.NewProof{ID: "ninth", Order: order, Kind: dispatch.Photo, Data: one.Data}), dispatch.ErrConflict)

	w.must(w.act(courier, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Dropoff, Photo: "p1"}))
	w.must(w.keep(courier, one)) // and lost again
	wantIs(t, w.keep(courier, dispatch.NewProof{ID: "late", Order: order, Kind: dispatch.Photo, Data: one.Data}), dispatch.ErrNotFound)
}

func TestWhoSeesAPicture(t *testing.T) {
	w, courier, order := atTheDoor(t, nil)
	picture := shot(t, 1)
	for _, id := range []string{"used", "not used"} {
		w.must(w.keep(courier, dispatch.NewProof{ID: id, Order: order, Kind: dispatch.Photo, Data: picture}))
	}
	customer := func(id string) error {
		f, err := w.CustomerProofFile(t.Context(), order, id)
		if err == nil && !bytes.Equal(f.Data, picture) {
			t.Errorf("the customer gets %d other bytes", len(f.Data))
		}
		return err
	}
	scoped := func(merchant, id string) error {
		_, err := w.ProofFile(t.Context(), dispatch.Scope{Merchant: merchant}, order, id)
		return err
	}
	wantIs(t, customer("used"), dispatch.ErrNotFound)
	wantIs(t, scoped("m1", "used"), dispatch.ErrNotFound)
	w.must(scoped("", "used"))
	w.must(w.act(courier, dispatch.Action{Type: dispatch.ActComplete, Order: order, Kind: dispatch.Dropoff, Photo: "used"}))
	w.must(errors.Join(customer("used"), scoped("m1", "used"), scoped("", "used"), scoped("", "not used")))
	for name, err := range map[string]error{
		"another merchant": scoped("m2", "used"), "the merchant, of what was not used": scoped("m1", "not used"),
		"the customer, of what was not used": customer("not used"), "anyone, of nothing": scoped("", "nothing"),
	} {
		if !errors.Is(err, dispatch.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsNoPictureIsRefused(t *testing.T) {
	w, courier, order := atTheDoor(t, nil)
	var wide bytes.Buffer
	if err := jpeg.Encode(&wide, image.NewGray(image.Rect(0, 0, 4097, 1)), nil); err != nil {
		t.Fatal(err)
	}
	good := dispatch.NewProof{ID: "p1", Order: order, Kind: dispatch.Photo, Data: shot(t, 1)}
	for name, tt := range map[string]struct {
		change func(*dispatch.NewProof)
		field  string
	}{
		"a page":        {func(n *dispatch.NewProof) { n.Data = []byte("<html><script>alert(1)</script>") }, "body"},
		"a drawing":     {func(n *dispatch.NewProof) { n.Data = []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`) }, "body"},
		"an empty body": {func(n *dispatch.NewProof) { n.Data = nil }, "body"},
		"too wide":      {func(n *dispatch.NewProof) { n.Data = wide.Bytes() }, "body"},
		"too large":     {func(n *dispatch.NewProof) { n.Data = append(n.Data, make([]byte, dispatch.MaxProofBytes)...) }, "body"},
		"no kind":       {func(n *dispatch.NewProof) { n.Kind = "video" }, "kind"},
		"no id":         {func(n *dispatch.NewProof) { n.ID = "" }, "id"},
		"a long id":     {func(n *dispatch.NewProof) { n.ID = strings.Repeat("x", 65) }, "id"},
	} {
		t.Run(name, func(t *testing.T) {
			n := good
			tt.change(&n)
			wantField(t, w.keep(courier, n), tt.field)
		})
	}
}
