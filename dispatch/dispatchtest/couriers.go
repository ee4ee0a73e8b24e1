package dispatchtest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"courier/dispatch"
	"courier/geo"
)

func testCouriers(t *testing.T, open Open) {
	t.Run("comes back with all its fields", func(t *testing.T) {
		s := open(t)
		want := fill[dispatch.Courier](t)
		want.Load = want.Capacity
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveCourier(want, 0) })
		got, err := s.Courier(t.Context(), want.ID)
		wantNo(t, err)
		wantSame(t, got, want)
		update(t, s, func(tx dispatch.Tx) error {
			got, err := tx.Courier(want.ID)
			if err != nil {
				return err
			}
			got.Plan, got.Shift, got.Version, got.Duty = dispatch.Plan{}, nil, got.Version+3, dispatch.Break
			want = got
			return tx.SaveCourier(got, got.Version-3)
		})
		got, err = s.Courier(t.Context(), want.ID)
		wantNo(t, err)
		wantSame(t, got, want)
	})
	t.Run("unknown is not found", func(t *testing.T) {
		s := open(t)
		_, err := s.Courier(t.Context(), "nobody")
		wantErr(t, err, dispatch.ErrNotFound)
		wantErr(t, s.Update(t.Context(), func(tx dispatch.Tx) error {
			_, err := tx.Courier("nobody")
			return err
		}), dispatch.ErrNotFound)
	})
	t.Run("another version is a conflict", func(t *testing.T) {
		s := open(t)
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveCourier(courier("c1"), 0) })
		for _, seen := range []int64{0, 2} {
			c := courier("c1")
			c.Version, c.Name = seen+1, "other"
			wantErr(t, s.Update(t.Context(), func(tx dispatch.Tx) error { return tx.SaveCourier(c, seen) }), dispatch.ErrConflict)
		}
		err := s.Update(t.Context(), func(tx dispatch.Tx) error { return tx.SaveCourier(courier("c1"), 1) })
		if err == nil {
			t.Error("a save that leaves the version where it was is taken")
		}
		got, err := s.Courier(t.Context(), "c1")
		wantNo(t, err)
		wantSame(t, got, courier("c1"))
	})
	t.Run("takes no more than the capacity", func(t *testing.T) {
		s := open(t)
		c := courier("c1")
		c.Load = c.Capacity
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveCourier(c, 0) })
		for name, change := range map[string]func(c *dispatch.Courier){
			"more load":     func(c *dispatch.Courier) { c.Load++ },
			"less capacity": func(c *dispatch.Courier) { c.Capacity-- },
		} {
			over := c
			over.Version = 2
			change(&over)
			err := s.Update(t.Context(), func(tx dispatch.Tx) error {
				return errors.Join(tx.SaveCourier(courier("beside"), 0), tx.SaveCourier(over, 1))
			})
			if !errors.Is(err, dispatch.ErrCapacity) {
				t.Errorf("%s: %v", name, err)
			}
			_, err = s.Courier(t.Context(), "beside")
			wantErr(t, err, dispatch.ErrNotFound)
		}
		got, err := s.Courier(t.Context(), "c1")
		wantNo(t, err)
		wantSame(t, got, c)
	})
	t.Run("are read by id, those that exist", func(t *testing.T) { testCouriersByID(t, open(t)) })
	t.Run("who start soon are listed", func(t *testing.T) { testStarting(t, open(t)) })
	t.Run("are listed by id and duty", func(t *testing.T) {
		s := open(t)
		duties := []dispatch.Duty{dispatch.Off, dispatch.Available, dispatch.Break}
		for i := range 30 {
			c := courier(fmt.Sprintf("c%02d", (i*7)%30))
			c.Duty = duties[i%3]
			update(t, s, func(tx dispatch.Tx) error { return tx.SaveCourier(c, 0) })
		}
		for _, q := range []dispatch.CourierQuery{{Limit: 4}, {Limit: 4, Duty: duties[:1]}, {Limit: 3, Duty: duties[1:]}, {Limit: 30, Duty: duties}} {
			var ids []string
			for {
				page, cursor, err := s.Couriers(t.Context(), q)
				wantNo(t, err)
				for _, c := range page {
					ids = append(ids, c.ID)
					if len(q.Duty) > 0 && !slices.Contains(q.Duty, c.Duty) {
						t.Errorf("%s is on %s", c.ID, c.Duty)
					}
				}
				if q.Cursor = cursor; cursor == "" {
					break
				}
			}
			want := 30
			if len(q.Duty) > 0 {
				want = 10 * len(q.Duty)
			}
			if len(ids) != want || !slices.IsSorted(ids) || len(slices.Compact(ids)) != want {
				t.Errorf("%v of %v, want %d", ids, q.Duty, want)
			}
		}
	})
}

func testCouriersByID(t *testing.T, s dispatch.Store) {
	for _, id := range []string{"c3", "c1", "c2"} {
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveCourier(courier(id), 0) })
	}
	got, err := s.CouriersByID(t.Context(), slices.Concat(slices.Repeat([]string{"nobody"}, 1500), []string{"c3", "c1", "c3"}))
	wantNo(t, err)
	wantSame(t, got, []dispatch.Courier{courier("c1"), courier("c3")})
	got, err = s.CouriersByID(t.Context(), nil)
	wantNo(t, err)
	if len(got) != 0 {
		t.Errorf("couriers of no id: %v", got)
	}
}

func testStarting(t *testing.T, s dispatch.Store) {
	now := start
	at := geo.Point{Lat: 52, Lng: 13}
	add := func(id string, duty dispatch.Duty, in time.Duration, start *geo.Point) {
		c := courier(id)
		c.Duty, c.Start = duty, start
		c.Shift = &dispatch.Window{From: now.Add(in), To: now.Add(in + time.Hour)}
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveCourier(c, 0) })
	}
	add("began", dispatch.Off, 0, &at)
	add("later", dispatch.Off, time.Hour, &at)
	add("soon", dispatch.Off, time.Minute, &at)
	add("too late", dispatch.Off, time.Hour+1e6, &at)
	add("here already", dispatch.Available, time.Minute, &at)
	add("somewhere", dispatch.Off, time.Minute, nil)
	update(t, s, func(tx dispatch.Tx) error {
		c := courier("no shift")
		c.Duty, c.Shift, c.Start = dispatch.Off, nil, &at
		return tx.SaveCourier(c, 0)
	})
	starting := func(limit int) (ids []string) {
		couriers, err := s.Starting(t.Context(), now, now.Add(time.Hour), limit)
		wantNo(t, err)
		for _, c := range couriers {
			ids = append(ids, c.ID)
		}
		return ids
	}
	wantSame(t, starting(10), []string{"soon", "later"})
	wantSame(t, starting(1), []string{"soon"})
	update(t, s, func(tx dispatch.Tx) error {
		c, err := tx.Courier("soon")
		if err != nil {
			return err
		}
		c.Duty, c.Version = dispatch.Available, c.Version+1
		return tx.SaveCourier(c, c.Version-1)
	})
	wantSame(t, starting(10), []string{"later"})
}

// testAssignments is invariant I3: an order has at most one active courier.
func testAssignments(t *testing.T, open Open) {
	a, b := courier("a"), courier("b")
	withBoth := func(t *testing.T) dispatch.Store {
		s := open(t)
		place(t, s, "o1", start)
		place(t, s, "o2", start)
		update(t, s, func(tx dispatch.Tx) error {
			return errors.Join(tx.SaveCourier(a, 0), tx.SaveCourier(b, 0))
		})
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveCourier(planned(a, "o1", "o2"), 1) })
		return s
	}
	t.Run("refuse a second plan", func(t *testing.T) {
		s := withBoth(t)
		wantErr(t, s.Update(t.Context(), func(tx dispatch.Tx) error { return tx.SaveCourier(planned(b, "o2"), 1) }), dispatch.ErrConflict)
		got, err := s.Courier(t.Context(), "b")
		wantNo(t, err)
		wantSame(t, got, b)
	})
	t.Run("refuse two plans in one update", func(t *testing.T) {
		s := open(t)
		wantErr(t, s.Update(t.Context(), func(tx dispatch.Tx) error {
			return errors.Join(tx.SaveCourier(planned(a, "o1"), 0), tx.SaveCourier(planned(b, "o1"), 0))
		}), dispatch.ErrConflict)
	})
	t.Run("move in one update, whoever is saved first", func(t *testing.T) {
		without, with := planned(planned(a), "o1"), planned(b, "o2")
		for name, saves := range map[string][]dispatch.Courier{"old first": {without, with}, "new first": {with, without}} {
			s := withBoth(t)
			err := s.Update(t.Context(), func(tx dispatch.Tx) error {
				for _, c := range saves {
					if err := tx.SaveCourier(c, c.Version-1); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("go by the last of several saves", func(t *testing.T) {
		s := withBoth(t)
		update(t, s, func(tx dispatch.Tx) error {
			one := planned(b, "o3")
			return errors.Join(tx.SaveCourier(one, 1), tx.SaveCourier(planned(one), 2),
				tx.SaveCourier(planned(planned(a), "o1", "o2", "o3"), 2))
		})
	})
	t.Run("go by the last of several saves of what was read", func(t *testing.T) {
		s := withBoth(t)
		update(t, s, func(tx dispatch.Tx) error {
			is, err := tx.Courier("a")
			if err != nil {
				return err
			}
			less := planned(is, "o1")
			return errors.Join(tx.SaveCourier(less, is.Version), tx.SaveCourier(planned(less, "o1", "o2"), less.Version))
		})
		for _, read := range []bool{false, true} {
			wantErr(t, s.Update(t.Context(), func(tx dispatch.Tx) error {
				if read {
					if _, err := tx.Courier("b"); err != nil {
						return err
					}
				}
				return tx.SaveCourier(planned(b, "o2"), 1)
			}), dispatch.ErrConflict)
		}
	})
	t.Run("are free once the plan is done", func(t *testing.T) {
		s := withBoth(t)
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveCourier(planned(planned(a)), 2) })
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveCourier(planned(b, "o1"), 1) })
	})
	t.Run("agree with the order", func(t *testing.T) {
		s := withBoth(t)
		o, err := s.Order(t.Context(), "o1")
		wantNo(t, err)
		n, e := next(o, dispatch.Assigned)
		for courier, want := range map[string]error{"b": dispatch.ErrConflict, "a": nil} {
			n.Courier = courier
			if err := s.Update(t.Context(), func(tx dispatch.Tx) error {
				return tx.SaveOrder(n, 1, []dispatch.Event{e})
			}); !errors.Is(err, want) {
				t.Errorf("order of plan a names %s: %v", courier, err)
			}
		}
		wantErr(t, s.Update(t.Context(), func(tx dispatch.Tx) error {
			return errors.Join(tx.SaveCourier(planned(planned(a)), 2), tx.SaveCourier(planned(b, "o1"), 1))
		}), dispatch.ErrConflict)
	})
}
