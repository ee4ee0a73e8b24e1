package sqlstore

import (
	"context"
	"fmt"

	"courier/dispatch"
)

// Answer implements dispatch.Tx.
func (t *tx) Answer(scope, key string) (dispatch.Answer, error) {
	if err := t.use("answer", scope+" "+key); err != nil {
		return dispatch.Answer{}, err
	}
	a := dispatch.Answer{Scope: scope, Key: key}
	var at int64
	err := t.q.QueryRowContext(context.Background(), "SELECT hash, body, at FROM answers WHERE scope = $1 AND key = $2", scope, key).Scan(&a.Hash, &a.Body, &at)
	if err != nil {
		return dispatch.Answer{}, t.missing(err, "answer", scope+" "+key)
	}
	a.At = fromMicros(at)
	return a, nil
}

// SaveAnswer implements dispatch.Tx. What was once answered stays:
// ErrConflict.
func (t *tx) SaveAnswer(a dispatch.Answer) error {
	if err := t.use("answer", a.Scope+" "+a.Key); err != nil {
		return err
	}
	w := write{
		attempted: fmt.Sprintf("save answer %q %q", a.Scope, a.Key),
		query:     "INSERT INTO answers (scope, key, hash, body, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (scope, key) DO NOTHING",
		args:      []any{a.Scope, a.Key, blob(a.Hash), blob(a.Body), micros(a.At)},
		none: func() error {
			t.exists("answer", a.Scope+" "+a.Key)
			return fmt.Errorf("answer %q %q exists: %w", a.Scope, a.Key, dispatch.ErrConflict)
		},
	}
	if t.absent[[2]string{"answer", a.Scope + " " + a.Key}] {
		return t.later(w)
	}
	return t.atOnce(w)
}
