package dispatchtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"courier/dispatch"
	"courier/geo"
)

// town is the pickup of orders; each number's lies in another area.
func town(n int) geo.Point { return geo.Point{Lat: 50 + float64(n), Lng: 4} }

// area is that of a town.
func area(n int) string {
	return dispatch.Order{Pickup: dispatch.Place{Point: town(n)}}.Area()
}

// population stores orders of every status, three merchants, four areas, some
// couriers and references, several placed in the same microsecond.
func population(t *testing.T, s dispatch.Store) []dispatch.Order {
	t.Helper()
	var all []dispatch.Order
	for i := range 72 {
		o, e := newOrder(fmt.Sprintf("o%02d", (i*37)%72), start.Add(time.Duration(i/3)*time.Minute))
		o.Merchant = fmt.Sprintf("m%d", i%3)
		o.Pickup.Point = town(i % 4)
		if i%4 == 0 {
			o.Reference = fmt.Sprintf("r%d", i%8)
		}
		if i%5 == 0 {
			o.Courier = fmt.Sprintf("c%d", i%2)
		}
		events := []dispatch.Event{e}
		to := dispatch.Statuses()[i%12]
		if to == dispatch.Failed && i%24 > 12 {
			o, e = next(o, dispatch.PickedUp)
			events = append(events, e)
		}
		if to != dispatch.Placed {
			o, e = next(o, to)
			events = append(events, e)
		}
		update(t, s, func(tx dispatch.Tx) error { return tx.SaveOrder(o, 0, events) })
		all = append(all, o)
	}
	return all
}

// selects is what a query means, without a database.
func selects(q dispatch.OrderQuery, o dispatch.Order) bool {
	placed, changed := o.Times[dispatch.Placed], o.Times[o.Status]
	return (q.Merchant == "" || o.Merchant == q.Merchant) &&
		(q.Courier == "" || o.Courier == q.Courier) &&
		(q.Reference == "" || o.Reference == q.Reference) &&
		(len(q.Areas) == 0 || slices.Contains(q.Areas, o.Area())) &&
		(len(q.Statuses) == 0 || slices.Contains(q.Statuses, o.Status)) &&
		(q.PlacedFrom.IsZero() || !placed.Before(q.PlacedFrom)) &&
		(q.PlacedTo.IsZero() || placed.Before(q.PlacedTo)) &&
		(q.ReadyBy.IsZero() || !o.ReadyAt.After(q.ReadyBy)) &&
		(q.ChangedFrom.IsZero() || !changed.Before(q.ChangedFrom)) &&
		(q.ChangedTo.IsZero() || changed.Before(q.ChangedTo)) &&
		(!q.Open || !o.Terminal())
}

func newestFirst(a, b dispatch.Order) int {
	return cmp.Or(b.Times[dispatch.Placed].Compare(a.Times[dispatch.Placed]), cmp.Compare(b.ID, a.ID))
}

func testLists(t *testing.T, open Open) {
	s := open(t)
	all := population(t, s)
	middle := start.Add(11 * time.Minute)
	for name, q := range map[string]dispatch.OrderQuery{
		"all":                           {},
		"a merchant's":                  {Merchant: "m1"},
		"nobody's":                      {Merchant: "m9"},
		"one status":                    {Statuses: []dispatch.Status{dispatch.Searching}},
		"three statuses":                {Statuses: []dispatch.Status{dispatch.Delivered, dispatch.Failed, dispatch.Placed}},
		"a status twice":                {Statuses: []dispatch.Status{dispatch.Failed, dispatch.Failed}},
		"every status":                  {Statuses: dispatch.Statuses()},
		"a merchant's statuses":         {Merchant: "m2", Statuses: []dispatch.Status{dispatch.AtPickup, dispatch.Returned}},
		"a courier's":                   {Courier: "c1"},
		"a courier's open ones":         {Courier: "c0", Open: true},
		"a reference":                   {Reference: "r4"},
		"a merchant's reference":        {Merchant: "m0", Reference: "r0"},
		"open":                          {Open: true},
		"open and failed":               {Open: true, Statuses: []dispatch.Status{dispatch.Failed}},
		"a merchant's open ones":        {Merchant: "m0", Open: true},
		"an area's":                     {Areas: []string{area(1)}},
		"two areas' waiting ones":       {Areas: []string{area(0), area(3), area(0)}, Statuses: []dispatch.Status{dispatch.Placed, dispatch.Searching}},
		"an area's open ones":           {Areas: []string{area(2)}, Open: true},
		"areas' failed ones":            {Areas: []string{area(0), area(1), area(2)}, Statuses: []dispatch.Status{dispatch.Failed, dispatch.Assigned}},
		"an area's of a merchant":       {Areas: []string{area(0)}, Merchant: "m0", Open: true},
		"nobody's area":                 {Areas: []string{area(9)}, Open: true},
		"placed from":                   {PlacedFrom: middle},
		"placed to":                     {PlacedTo: middle},
		"placed between":                {PlacedFrom: middle, PlacedTo: middle.Add(3 * time.Minute)},
		"an area's that are due":        {Areas: []string{area(1)}, Statuses: []dispatch.Status{dispatch.Placed, dispatch.Searching}, ReadyBy: middle},
		"all that are due":              {ReadyBy: middle},
		"due and placed to":             {ReadyBy: middle.Add(-time.Minute), PlacedTo: middle, Statuses: []dispatch.Status{dispatch.Placed, dispatch.Failed}},
		"changed from":                  {ChangedFrom: middle.Add(time.Second)},
		"changed to":                    {ChangedTo: middle},
		"changed between":               {ChangedFrom: middle, ChangedTo: middle.Add(5 * time.Minute), Statuses: dispatch.Statuses()},
		"all conditions at once":        {Merchant: "m0", Courier: "c0", Statuses: dispatch.Statuses(), PlacedFrom: start, PlacedTo: start.Add(time.Hour), ChangedFrom: start, ChangedTo: start.Add(time.Hour), Open: true, Areas: []string{area(0)}},
		"statuses and placed, and open": {Statuses: []dispatch.Status{dispatch.Placed, dispatch.AtDropoff}, PlacedTo: middle, Open: true},
	} {
		t.Run(name, func(t *testing.T) {
			var want []dispatch.Order
			for _, o := range all {
				if selects(q, o) {
					want = append(want, o)
				}
			}
			slices.SortFunc(want, newestFirst)
			q.Limit = 1000
			got, cursor, err := s.Orders(t.Context(), q)
			wantNo(t, err)
			wantSame(t, got, want)
			if cursor != "" {
				t.Errorf("a cursor after the last page: %q", cursor)
			}
			n, err := s.CountOrders(t.Context(), q)
			wantNo(t, err)
			if n != len(want) {
				t.Errorf("counts %d, want %d", n, len(want))
			}
			var each []dispatch.Order
			wantNo(t, s.EachOrder(t.Context(), q, func(o dispatch.Order) error {
				each = append(each, o)
				return nil
			}))
			slices.SortFunc(each, newestFirst)
			wantSame(t, each, want)
			q.Limit = 4
			wantSame(t, walk(t, s, q, nil), want)
		})
	}
}

func testEach(t *testing.T, open Open) {
	s := open(t)
	population(t, s)
	enough, n := errors.New("enough"), 0
	err := s.EachOrder(t.Context(), dispatch.OrderQuery{Limit: 1, Cursor: "x"}, func(dispatch.Order) error {
		if n++; n == 60 {
			return enough
		}
		return nil
	})
	wantErr(t, err, enough)
	if n != 60 {
		t.Errorf("%d orders, want 60: a page's limit is none here", n)
	}
	place(t, s, "after", start) // the store is free again
}

// walk reads a list page by page and calls between before every page but
// the first.
func walk(t *testing.T, s dispatch.Store, q dispatch.OrderQuery, between func()) (all []dispatch.Order) {
	t.Helper()
	for range 1000 {
		page, cursor, err := s.Orders(t.Context(), q)
		wantNo(t, err)
		if len(page) > q.Limit {
			t.Fatalf("a page of %d, want at most %d", len(page), q.Limit)
		}
		all = append(all, page...)
		if cursor == "" {
			return all
		}
		if len(page) < q.Limit {
			t.Fatalf("a page of %d with a cursor, want %d", len(page), q.Limit)
		}
		q.Cursor = cursor
		if between != nil {
			between()
		}
	}
	t.Fatal("no end of pages")
	return nil
}

func testPages(t *testing.T, open Open) {
	t.Run("stay as they were while orders come in", func(t *testing.T) {
		s := open(t)
		want := population(t, s)
		slices.SortFunc(want, newestFirst)
		n := 0
		got := walk(t, s, dispatch.OrderQuery{Limit: 10}, func() {
			n++
			place(t, s, fmt.Sprintf("new%d", n), start.Add(time.Duration(n)*time.Hour))
		})
		wantSame(t, got, want)
	})
	t.Run("hold 50 unless asked", func(t *testing.T) {
		s := open(t)
		population(t, s)
		page, cursor, err := s.Orders(t.Context(), dispatch.OrderQuery{})
		wantNo(t, err)
		if len(page) != 50 || cursor == "" {
			t.Errorf("%d orders, cursor %q", len(page), cursor)
		}
		for _, limit := range []int{-1, 1001} {
			if _, _, err := s.Orders(t.Context(), dispatch.OrderQuery{Limit: limit}); err == nil {
				t.Errorf("limit %d is taken", limit)
			}
		}
	})
	t.Run("refuse foreign cursors", func(t *testing.T) {
		s := open(t)
		population(t, s)
		update(t, s, func(tx dispatch.Tx) error {
			if err := tx.SaveCourier(courier("c1"), 0); err != nil {
				return err
			}
			return tx.SaveCourier(courier("c2"), 0)
		})
		_, orders, err := s.Orders(t.Context(), dispatch.OrderQuery{Limit: 1})
		wantNo(t, err)
		_, couriers, err := s.Couriers(t.Context(), dispatch.CourierQuery{Limit: 1})
		wantNo(t, err)
		for _, cursor := range []string{"x", "!", "AAAA", "' OR 1=1 --", couriers, orders[1:], orders + "=", orders[:6]} {
			_, _, err := s.Orders(t.Context(), dispatch.OrderQuery{Cursor: cursor})
			wantErr(t, err, dispatch.ErrCursor)
		}
		_, _, err = s.Couriers(t.Context(), dispatch.CourierQuery{Cursor: orders})
		wantErr(t, err, dispatch.ErrCursor)
	})
}
