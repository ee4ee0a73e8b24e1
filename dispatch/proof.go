package dispatch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	_ "image/jpeg" // read
	_ "image/png"  // read
	"time"
)

// ProofKind is what a file shows.
type ProofKind string

// The kinds of file.
const (
	Photo     ProofKind = "photo"
	Signature ProofKind = "signature"
)

// Valid says whether k is a known kind.
func (k ProofKind) Valid() bool { return k == Photo || k == Signature }

// Limits of a proof's files.
const (
	MaxProofBytes = 1 << 20
	maxProofSide  = 4096 // pixels
	maxProofFiles = 8    // of one order: a courier may take a photo again
)

// ProofFile is a picture that a courier took for an order. It is kept apart
// from the order, which only names it.
type ProofFile struct {
	ID      string    `json:"id"` // made by the courier's phone, unique for the order
	Order   string    `json:"order"`
	Courier string    `json:"courier"`
	Kind    ProofKind `json:"kind"`
	Type    string    `json:"type"` // image/jpeg or image/png, by its bytes
	Size    int       `json:"size"` // bytes
	At      time.Time `json:"at"`   // when it was received
	Hash    []byte    `json:"-"`    // SHA-256
	Data    []byte    `json:"-"`
}

// pictureType is the media type of a picture by its bytes, whatever its
// sender says that it is.
func pictureType(data []byte) (string, error) {
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case err != nil:
		return "", &Invalid{[]FieldError{{"body", "is neither a JPEG nor a PNG picture"}}}
	case config.Width > maxProofSide || config.Height > maxProofSide:
		return "", &Invalid{[]FieldError{{"body", fmt.Sprintf("is larger than %d × %d pixels", maxProofSide, maxProofSide)}}}
	}
	return "image/" + format, nil
}

// NewProof is what it takes to keep a picture.
type NewProof struct {
	ID    string
	Order string
	Kind  ProofKind
	Data  []byte
}

func (n NewProof) validate() error {
	var f faults
	f.needed("id", n.ID, 64)
	if !n.Kind.Valid() {
		f.add("kind", "must be photo or signature")
	}
	if len(n.Data) > MaxProofBytes {
		f.add("body", "is larger than %d bytes", MaxProofBytes)
	}
	return f.err()
}

// AddProof keeps a picture for an order that the courier is to deliver. The
// same again is kept once, also when the order has been delivered since.
// ErrStaleSession: as Act.
func (s *Service) AddProof(ctx context.Context, courier string, epoch int64, n NewProof) (ProofFile, error) {
	if err := n.validate(); err != nil {
		return ProofFile{}, err
	}
	media, err := pictureType(n.Data)
	if err != nil {
		return ProofFile{}, err
	}
	sum := sha256.Sum256(n.Data)
	var file ProofFile
	err = s.update(ctx, nil, func(w *work) error {
		file = ProofFile{
			ID: n.ID, Order: n.Order, Courier: courier, Kind: n.Kind, Type: media, Size: len(n.Data), At: w.now, Hash: sum[:], Data: n.Data,
		}
		c, err := w.courier(courier)
		if err != nil {
			return err
		}
		if c.value.Epoch != epoch {
			return ErrStaleSession
		}
		kept, err := w.tx.ProofFiles(n.Order)
		if err != nil {
			return err
		}
		for _, k := range kept {
			if k.ID != n.ID || k.Courier != courier {
				continue
			}
			if k.Kind != n.Kind || !bytes.Equal(k.Hash, file.Hash) {
				return refuse("another picture is kept under this id")
			}
			file = k
			return nil
		}
		switch {
		case c.value.Plan.find(n.Order, Dropoff) < 0:
			return ErrNotFound
		case len(kept) >= maxProofFiles:
			return refuse("%d pictures are kept for the order already", len(kept))
		}
		return w.tx.SaveProofFile(file)
	})
	if err != nil {
		return ProofFile{}, fmt.Errorf("keep a proof: %w", err)
	}
	return file, nil
}

// ProofFile is a picture of an order within the scope. A merchant sees those
// that the order was delivered with; staff see all.
func (s *Service) ProofFile(ctx context.Context, scope Scope, order, id string) (ProofFile, error) {
	o, err := s.Store.Order(ctx, order)
	if err == nil && (!scope.Allows(o) || scope.Merchant != "" && !o.Proof.has(id)) {
		err = ErrNotFound
	}
	if err != nil {
		return ProofFile{}, fmt.Errorf("read a proof: %w", err)
	}
	return s.proofFile(ctx, order, id)
}

// CustomerProofFile is a picture that the customer's order was delivered with.
func (s *Service) CustomerProofFile(ctx context.Context, order, id string) (ProofFile, error) {
	o, err := s.Store.Order(ctx, order)
	if err == nil && !o.Proof.has(id) {
		err = ErrNotFound
	}
	if err != nil {
		return ProofFile{}, fmt.Errorf("read a proof: %w", err)
	}
	return s.proofFile(ctx, order, id)
}

func (s *Service) proofFile(ctx context.Context, order, id string) (ProofFile, error) {
	file, err := s.Store.ProofFile(ctx, order, id)
	if err != nil {
		return ProofFile{}, fmt.Errorf("read a proof: %w", err)
	}
	return file, nil
}

func (p *Proof) has(id string) bool {
	return p != nil && id != "" && (p.Photo == id || p.Signature == id)
}

// pictures checks that what an action names as its proof has been kept.
func (w *work) pictures(courier string, a Action) error {
	if a.Photo == "" && a.Signature == "" {
		return nil
	}
	kept, err := w.tx.ProofFiles(a.Order)
	if err != nil {
		return err
	}
	var f faults
	for kind, id := range map[ProofKind]string{Photo: a.Photo, Signature: a.Signature} {
		there := id == ""
		for _, k := range kept {
			there = there || k.ID == id && k.Kind == kind && k.Courier == courier
		}
		if !there {
			f.add("proof."+string(kind), "has not been received")
		}
	}
	return f.err()
}
