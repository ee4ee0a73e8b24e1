package sqlstore

import (
	"context"
	"fmt"
	"time"

	"courier/dispatch"
)

const (
	selectProof  = "SELECT order_id, id, courier, kind, type, size, at, hash, data FROM proofs WHERE order_id = $1 AND id = $2"
	selectProofs = "SELECT order_id, id, courier, kind, type, size, at, hash FROM proofs WHERE order_id = $1 ORDER BY id"
	purgeProofs  = "DELETE FROM proofs WHERE (order_id, id) IN (SELECT order_id, id FROM proofs WHERE at < $1 ORDER BY at LIMIT $2)"
)

// purgeProofsStep is how many pictures one transaction deletes: each is
// spread over many pages.
const purgeProofsStep = 20

// ProofFile implements dispatch.OrderReader.
func (s *Store) ProofFile(ctx context.Context, order, id string) (dispatch.ProofFile, error) {
	f, err := scanProof(s.read.QueryRowContext(ctx, selectProof, order, id), true)
	return f, s.dialect.missing(err, "proof", order+" "+id)
}

// ProofFiles implements dispatch.Tx.
func (t *tx) ProofFiles(order string) ([]dispatch.ProofFile, error) {
	if err := t.use("order", order); err != nil {
		return nil, err
	}
	files, err := collect(context.Background(), t.q, func(row scanner) (dispatch.ProofFile, error) {
		return scanProof(row, false)
	}, selectProofs, order)
	return files, t.dialect.failed(err, fmt.Sprintf("list proofs of order %q", order))
}

// SaveProofFile implements dispatch.Tx.
func (t *tx) SaveProofFile(f dispatch.ProofFile) error {
	if err := t.use("order", f.Order); err != nil {
		return err
	}
	n, err := t.exec(fmt.Sprintf("save proof %q of order %q", f.ID, f.Order), `INSERT INTO proofs
		(order_id, id, courier, kind, type, size, at, hash, data)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (order_id, id) DO NOTHING`,
		f.Order, f.ID, f.Courier, string(f.Kind), f.Type, f.Size, micros(f.At), blob(f.Hash), blob(f.Data))
	if err == nil && n == 0 {
		return fmt.Errorf("proof %q of order %q exists: %w", f.ID, f.Order, dispatch.ErrConflict)
	}
	return err
}

// PurgeProofs implements dispatch.Store, in small steps as Purge does.
func (s *Store) PurgeProofs(ctx context.Context, before time.Time) error {
	for more := true; more; {
		err := s.update(ctx, func(t *tx) error {
			n, err := t.exec("purge proofs", purgeProofs, micros(before), purgeProofsStep)
			more = n == purgeProofsStep
			return err
		})
		if err != nil {
			return fmt.Errorf("purge proofs older than %s: %w", before.Format(time.RFC3339), err)
		}
	}
	return nil
}

func scanProof(row scanner, whole bool) (f dispatch.ProofFile, err error) {
	var at int64
	into := []any{&f.Order, &f.ID, &f.Courier, &f.Kind, &f.Type, &f.Size, &at, &f.Hash}
	if whole {
		into = append(into, &f.Data)
	}
	err = row.Scan(into...)
	f.At = fromMicros(at)
	return f, err
}
