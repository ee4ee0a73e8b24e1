package dispatchtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"courier/dispatch"
)

// testModel runs random updates, each of several saves of which any may be
// stale or fail, against a map that does the same.
func testModel(t *testing.T, open Open) {
	s := open(t)
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		prefix := fmt.Sprintf("r%d-", round) // one store serves all rounds
		model := map[string][]dispatch.Order{}
		orders := rapid.SampledFrom([]string{prefix + "a", prefix + "b", prefix + "c"})
		for range rapid.IntRange(1, 8).Draw(r, "updates") {
			trial := maps.Clone(model)
			saves := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) save {
				return save{
					order:  orders.Draw(r, "order"),
					steps:  rapid.IntRange(1, 3).Draw(r, "steps"),
					behind: rapid.SampledFrom([]int{0, 0, 0, 0, 1}).Draw(r, "behind"),
				}
			}), 1, 4).Draw(r, "saves")
			fails := rapid.IntRange(0, 4).Draw(r, "fails") == 0
			want := error(nil)
			err := s.Update(t.Context(), func(tx dispatch.Tx) error {
				trial, want = maps.Clone(model), nil // it may run again
				for _, save := range saves {
					o, seen, events, known := save.next(trial)
					switch {
					case save.behind > 0 && len(trial[save.order]) > 0:
						want = dispatch.ErrConflict
					default:
						trial[save.order] = append(slices.Clone(trial[save.order]), known...)
					}
					if err := tx.SaveOrder(o, seen, events); err != nil || want != nil {
						return err
					}
				}
				if fails {
					want = errFails
					return errFails
				}
				return nil
			})
			if !errors.Is(err, want) {
				r.Fatalf("update says %v, want %v", err, want)
			}
			if want == nil {
				model = trial
			}
			compare(t, r, s, prefix, model)
		}
	})
}

var errFails = errors.New("fails")

// save is one SaveOrder of the model.
type save struct {
	order  string
	steps  int // events
	behind int // over 0: as if the newest version had not been seen
}

// next is what to save, and every version that comes of it.
func (s save) next(model map[string][]dispatch.Order) (o dispatch.Order, seen int64, events []dispatch.Event, known []dispatch.Order) {
	had := model[s.order]
	var e dispatch.Event
	if n := len(had) - s.behind; n > 0 {
		o = had[n-1]
		seen = o.Version
	}
	for i := range s.steps {
		if o.Version == 0 {
			o, e = newOrder(s.order, start)
		} else {
			o, e = next(o, dispatch.Statuses()[(int(o.Version)+i)%12])
		}
		events, known = append(events, e), append(known, o)
	}
	return o, seen, events, known
}

func compare(t *testing.T, r *rapid.T, s dispatch.Store, prefix string, model map[string][]dispatch.Order) {
	for _, name := range []string{"a", "b", "c"} {
		id := prefix + name
		versions := model[id]
		got, err := s.Order(t.Context(), id)
		if len(versions) == 0 {
			if !errors.Is(err, dispatch.ErrNotFound) {
				r.Fatalf("%s: %v, want none", id, err)
			}
			continue
		}
		want := versions[len(versions)-1]
		if err != nil || got.Version != want.Version || got.Status != want.Status {
			r.Fatalf("%s is %s, version %d (%v), want %s, version %d", id, got.Status, got.Version, err, want.Status, want.Version)
		}
		events, err := s.Events(t.Context(), id, 0)
		if err != nil || len(events) != len(versions) {
			r.Fatalf("%s has %d events (%v), want %d", id, len(events), err, len(versions))
		}
		for i, e := range events {
			if e.Version != versions[i].Version || e.Status != versions[i].Status {
				r.Fatalf("%s: event %d is %d, %s, want %d, %s", id, i, e.Version, e.Status, versions[i].Version, versions[i].Status)
			}
		}
	}
}
