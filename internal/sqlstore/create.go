package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"courier/dispatch"
)

// Create implements dispatch.Store. On PostgreSQL a context that ends does
// not end the commit, which is others' too.
func (s *Store) Create(ctx context.Context, c dispatch.Creation) (kept *dispatch.Answer, err error) {
	if s.creator != nil && c.Order.Courier == "" { // else there is more to compare
		kept, err = s.creator.create(ctx, c)
	} else {
		kept, err = s.createAlone(ctx, c)
	}
	if err != nil {
		return nil, fmt.Errorf("create order %q: %w", c.Order.ID, err)
	}
	return kept, nil
}

func (s *Store) createAlone(ctx context.Context, c dispatch.Creation) (kept *dispatch.Answer, err error) {
	err = s.update(ctx, func(t *tx) error {
		kept = nil
		a, err := t.Answer(c.Answer.Scope, c.Answer.Key)
		switch {
		case err == nil:
			kept = &a
			return nil
		case !errors.Is(err, dispatch.ErrNotFound):
			return err
		}
		if err := t.SaveAnswer(c.Answer); err != nil {
			return err
		}
		return t.SaveOrder(c.Order, 0, c.Events)
	})
	return kept, err
}
