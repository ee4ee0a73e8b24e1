package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"courier/dispatch"
)

// plan is how SQLite means to run a query: its steps that read a table.
func plan(t *testing.T, s *Store, query string, args ...any) (reads []string, sorts bool) {
	t.Helper()
	steps, err := collect(context.Background(), s.read, func(row scanner) (string, error) {
		var id, parent, unused int
		var detail string
		err := row.Scan(&id, &parent, &unused, &detail)
		return detail, err
	}, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		switch {
		case slices.Contains([]string{"json_each", "areas", "owners", "CONSTANT"}, strings.Fields(step + " .")[1]): // a parameter or a recursion
		case strings.HasPrefix(step, "SEARCH"), strings.HasPrefix(step, "SCAN"):
			reads = append(reads, step)
		case strings.Contains(step, "TEMP B-TREE"):
			sorts = true
		}
	}
	return slices.Compact(reads), sorts
}

// parameters is how many a query has.
func parameters(query string) (n int) {
	for ; strings.Contains(query, "$"+strconv.Itoa(n+1)); n++ {
	}
	return n
}

func TestOrderIndices(t *testing.T) {
	s := open(t, t.TempDir())
	now := time.Now()
	two := []dispatch.Status{dispatch.Searching, dispatch.Offered}
	cursor := writeCursor(orderCursor, "1", "x")
	for name, tt := range map[string]struct {
		query dispatch.OrderQuery
		want  string
	}{
		"all":                    {dispatch.OrderQuery{}, "orders_status (status=?)"},
		"the next page of all":   {dispatch.OrderQuery{Cursor: cursor}, "orders_status (status=? AND (placed_at,id)<(?,?))"},
		"statuses":               {dispatch.OrderQuery{Statuses: two}, "orders_status (status=?)"},
		"placed between":         {dispatch.OrderQuery{PlacedFrom: now, PlacedTo: now}, "orders_status (status=? AND placed_at>? AND placed_at<?)"},
		"a merchant's":           {dispatch.OrderQuery{Merchant: "m"}, "orders_merchant (merchant=? AND status=?)"},
		"a merchant's next page": {dispatch.OrderQuery{Merchant: "m", Cursor: cursor}, "orders_merchant (merchant=? AND status=? AND (placed_at,id)<(?,?))"},
		"a merchant's statuses":  {dispatch.OrderQuery{Merchant: "m", Statuses: two}, "orders_merchant (merchant=? AND status=?)"},
		"a merchant's open ones": {dispatch.OrderQuery{Merchant: "m", Open: true}, "orders_merchant (merchant=? AND status=?)"},
		"a courier's":            {dispatch.OrderQuery{Courier: "c"}, "orders_courier (courier=?)"},
		"a courier's open ones":  {dispatch.OrderQuery{Courier: "c", Open: true}, "orders_courier (courier=?)"},
		"a reference":            {dispatch.OrderQuery{Reference: "r"}, "orders_reference (reference=?)"},
		"a merchant's reference": {dispatch.OrderQuery{Reference: "r", Merchant: "m"}, "orders_reference (reference=?)"},
		"open":                   {dispatch.OrderQuery{Open: true}, "orders_open"},
		"changed":                {dispatch.OrderQuery{ChangedFrom: now}, "orders_changed (status=? AND changed_at>?)"},
		"changed to":             {dispatch.OrderQuery{ChangedTo: now}, "orders_changed (status=? AND changed_at<?)"},
		"changed between":        {dispatch.OrderQuery{ChangedFrom: now, ChangedTo: now, Statuses: two}, "orders_changed (status=? AND changed_at>? AND changed_at<?)"},
		"areas' waiting ones":    {dispatch.OrderQuery{Areas: []string{"a", "b"}, Statuses: two}, "orders_due (area=? AND status=?)"},
		"areas' that are due":    {dispatch.OrderQuery{Areas: []string{"a", "b"}, Statuses: two, ReadyBy: now}, "orders_due (area=? AND status=? AND ready_at<?)"},
		"an area's open ones":    {dispatch.OrderQuery{Areas: []string{"a"}, Open: true}, "orders_due (area=?)"},
		"areas, all":             {dispatch.OrderQuery{Areas: []string{"a", "b"}}, "orders_status (status=?)"},
		"areas, failed":          {dispatch.OrderQuery{Areas: []string{"a"}, Statuses: []dispatch.Status{dispatch.Failed}}, "orders_status (status=?)"},
		"changed, statuses":      {dispatch.OrderQuery{ChangedFrom: now, Statuses: two, Cursor: cursor}, "orders_changed (status=? AND changed_at>?)"},
	} {
		t.Run(name, func(t *testing.T) {
			query, args, err := s.dialect.ordersQuery(tt.query, 50)
			if err != nil {
				t.Fatal(err)
			}
			reads, sorts := plan(t, s, query, args...)
			for _, step := range reads {
				if !strings.HasSuffix(step, " USING INDEX "+tt.want) {
					t.Errorf("reads by %s, want %s", step, tt.want)
				}
			}
			if len(reads) == 0 || sorts != (tt.want[:len("orders_due")] == "orders_due" || !tt.query.ChangedFrom.IsZero() || !tt.query.ChangedTo.IsZero()) {
				t.Errorf("%d reads, sorts: %v", len(reads), sorts)
			}
			if l, err := s.dialect.ordersList(tt.query); err != nil {
				t.Error(err)
			} else if l.columns = "count(*)"; true {
				reads, _ := plan(t, s, l.whole(), l.args...)
				for _, step := range reads {
					if !strings.Contains(step, " INDEX "+strings.Fields(tt.want)[0]) {
						t.Errorf("counts by %s, want %s", step, tt.want)
					}
				}
			}
		})
	}
}

func TestOtherIndices(t *testing.T) {
	s := open(t, t.TempDir())
	for query, want := range map[string]string{
		selectOrder:        "orders USING INDEX sqlite_autoindex_orders_1 (id=?)",
		selectEvents:       "events USING PRIMARY KEY (order_id=? AND version>?)",
		selectCourier:      "couriers USING INDEX sqlite_autoindex_couriers_1 (id=?)",
		selectOffer:        "offers USING INDEX sqlite_autoindex_offers_1 (id=?)",
		selectOpenOffers:   "offers USING INDEX offers_open (deadline<?)",
		selectDecisions:    "decisions USING INDEX sqlite_autoindex_decisions_1 (order_id=?)",
		selectNextDecision: "decisions USING COVERING INDEX sqlite_autoindex_decisions_1 (order_id=?)",
		selectAssigned:     "assignments USING COVERING INDEX assignments_courier (courier_id=?)",
		selectKeyByHash:    "api_keys USING INDEX api_keys_hash (hash=?)",
		selectLease:        "leases USING INDEX sqlite_autoindex_leases_1 (area=?)",
		selectLink:         "links USING INDEX links_hash (hash=?)",
		selectLinks:        "links USING INDEX links_order (order_id=?)",
		selectCode:         "codes USING INDEX sqlite_autoindex_codes_1 (hash=?)",
		selectTrail:        "trails USING INDEX trails_courier (courier=? AND to_at>?)",
		selectProof:        "proofs USING INDEX sqlite_autoindex_proofs_1 (order_id=? AND id=?)",
		selectProofs:       "proofs USING INDEX sqlite_autoindex_proofs_1 (order_id=?)",
	} {
		reads, sorts := plan(t, s, query, make([]any, parameters(query))...)
		if len(reads) != 1 || reads[0] != "SEARCH "+want || sorts && query != selectTrail {
			t.Errorf("%s\n\treads by %v, sorts: %v, want %s", query, reads, sorts, want)
		}
	}
	d := s.dialect
	for _, statement := range append(purges, fmt.Sprintf(selectEventsOf, d.anyOf("$1")), fmt.Sprintf(selectVersions, d.anyOf("$1")),
		fmt.Sprintf(selectOrders, d.anyOf("$1")), fmt.Sprintf(selectCouriers, d.anyOf("$1"))) {
		reads, sorts := plan(t, s, statement, make([]any, parameters(statement))...)
		fmt.Println(statement, reads, sorts)
	}
	for _, statement := range append(purges, purgeProofs, selectAgreed, selectPending, deleteDone, selectZones, selectAreas, selectDuties,
		fmt.Sprintf(selectDead, d.clock), fmt.Sprintf(giveBack, d.clock)+d.anyOf("$3"), fmt.Sprintf(selectAlive, d.clock)) {
		reads, sorts := plan(t, s, statement, make([]any, parameters(statement))...)
		for _, step := range reads {
			if strings.HasPrefix(step, "SCAN") && !strings.HasSuffix(step, "outbox") && !strings.Contains(step, "zones USING INDEX") || sorts {
				t.Errorf("%s\n\treads by %s, sorts: %v", statement, step, sorts)
			}
		}
	}
	for _, duty := range [][]dispatch.Duty{nil, {dispatch.Off}, {dispatch.Available, dispatch.Break}} {
		query, args, err := s.dialect.couriersQuery(dispatch.CourierQuery{Duty: duty}, 50)
		if err != nil {
			t.Fatal(err)
		}
		if reads, sorts := plan(t, s, query, args...); sorts || len(duty) > 0 && !strings.HasSuffix(fmt.Sprint(reads), "couriers_duty (duty=?)]") {
			t.Errorf("couriers on %v are read by %v, sorts: %v", duty, reads, sorts)
		}
	}
}

// Parameters must be first used in ascending order: SQLite numbers them so,
// whatever their names.
func TestParametersAscend(t *testing.T) {
	for _, query := range append(purges, purgeProofs, selectProof, selectTrail, selectEvents, selectDecisions, selectOpenOffers, selectPending, deleteDone, giveBack+" = $3", sqliteLease, saveBeat, selectDead) {
		wantAscending(t, query)
	}
	now := time.Now()
	d := sqliteDialect()
	query, args, err := d.ordersQuery(dispatch.OrderQuery{Merchant: "m", Courier: "c", Reference: "r", Open: true, PlacedFrom: now, PlacedTo: now,
		ChangedFrom: now, ChangedTo: now, Statuses: dispatch.Statuses(), Cursor: writeCursor(orderCursor, "1", "x")}, 5)
	if err != nil {
		t.Fatal(err)
	}
	if n := wantAscending(t, query); n != len(args) {
		t.Errorf("%d parameters, %d arguments", n, len(args))
	}
}

func wantAscending(t *testing.T, query string) (highest int) {
	t.Helper()
	for _, part := range strings.Split(query, "$")[1:] {
		var n int
		if _, err := fmt.Sscanf(part, "%d", &n); err != nil {
			t.Fatal(err)
		}
		if n > highest+1 {
			t.Errorf("$%d is used before $%d:\n%s", n, highest+1, query)
		}
		highest = max(highest, n)
	}
	return highest
}
