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
		want  []string // indices, each by what it is searched
	}{
		"all":                    {dispatch.OrderQuery{}, []string{"orders_open", "orders_ended (ended=?)"}},
		"the next page of all":   {dispatch.OrderQuery{Cursor: cursor}, []string{"orders_open ((placed_at,id)<(?,?))", "orders_ended (ended=? AND (placed_at,id)<(?,?))"}},
		"statuses":               {dispatch.OrderQuery{Statuses: two}, []string{"orders_open"}},
		"statuses of the end":    {dispatch.OrderQuery{Statuses: []dispatch.Status{dispatch.Delivered, dispatch.Returned}}, []string{"orders_ended (ended=?)"}},
		"failed":                 {dispatch.OrderQuery{Statuses: []dispatch.Status{dispatch.Failed}}, []string{"orders_open", "orders_ended (ended=?)"}},
		"placed between":         {dispatch.OrderQuery{PlacedFrom: now, PlacedTo: now}, []string{"orders_open (placed_at>? AND placed_at<?)", "orders_ended (ended=? AND placed_at>? AND placed_at<?)"}},
		"a merchant's":           {dispatch.OrderQuery{Merchant: "m"}, []string{"orders_merchant (merchant=?)", "orders_ended_merchant (merchant=? AND ended=?)"}},
		"a merchant's next page": {dispatch.OrderQuery{Merchant: "m", Cursor: cursor}, []string{"orders_merchant (merchant=? AND (placed_at,id)<(?,?))", "orders_ended_merchant (merchant=? AND ended=? AND (placed_at,id)<(?,?))"}},
		"a merchant's statuses":  {dispatch.OrderQuery{Merchant: "m", Statuses: two}, []string{"orders_merchant (merchant=?)"}},
		"a merchant's open ones": {dispatch.OrderQuery{Merchant: "m", Open: true}, []string{"orders_merchant (merchant=?)"}},
		"a courier's":            {dispatch.OrderQuery{Courier: "c"}, []string{"orders_open", "orders_carried (carried=?)"}},
		"a courier's open ones":  {dispatch.OrderQuery{Courier: "c", Open: true}, []string{"orders_open"}},
		"a courier's delivered":  {dispatch.OrderQuery{Courier: "c", Statuses: []dispatch.Status{dispatch.Delivered}, ChangedFrom: now}, []string{"orders_carried (carried=?)"}},
		"a reference":            {dispatch.OrderQuery{Reference: "r"}, []string{"orders_reference (reference=?)"}},
		"a merchant's reference": {dispatch.OrderQuery{Reference: "r", Merchant: "m"}, []string{"orders_reference (reference=?)"}},
		"an open reference":      {dispatch.OrderQuery{Reference: "r", Open: true, Statuses: two}, []string{"orders_reference (reference=?)"}},
		"open":                   {dispatch.OrderQuery{Open: true}, []string{"orders_open"}},
		"changed":                {dispatch.OrderQuery{ChangedFrom: now}, []string{"orders_open", "orders_ended_at (ended=? AND ended_at>?)"}},
		"changed to":             {dispatch.OrderQuery{ChangedTo: now}, []string{"orders_open", "orders_ended_at (ended=? AND ended_at<?)"}},
		"changed between":        {dispatch.OrderQuery{ChangedFrom: now, ChangedTo: now, Statuses: []dispatch.Status{dispatch.Cancelled}}, []string{"orders_ended_at (ended=? AND ended_at>? AND ended_at<?)"}},
		"changed and under way":  {dispatch.OrderQuery{ChangedFrom: now, Statuses: two, Cursor: cursor}, []string{"orders_open ((placed_at,id)<(?,?))"}},
		"areas' waiting ones":    {dispatch.OrderQuery{Areas: []string{"a", "b"}, Statuses: two}, []string{"orders_due (area=?)"}},
		"areas' that are due":    {dispatch.OrderQuery{Areas: []string{"a", "b"}, Statuses: two, ReadyBy: now}, []string{"orders_due (area=? AND ready_at<?)"}},
		"an area's open ones":    {dispatch.OrderQuery{Areas: []string{"a"}, Open: true}, []string{"orders_due (area=?)"}},
		"areas, all":             {dispatch.OrderQuery{Areas: []string{"a", "b"}}, []string{"orders_open", "orders_ended (ended=?)"}},
		"areas, failed":          {dispatch.OrderQuery{Areas: []string{"a"}, Statuses: []dispatch.Status{dispatch.Failed}}, []string{"orders_open", "orders_ended (ended=?)"}},
	} {
		t.Run(name, func(t *testing.T) {
			query, args, err := s.dialect.ordersQuery(tt.query, 50)
			if err != nil {
				t.Fatal(err)
			}
			reads, sorts := plan(t, s, query, args...)
			if got := indicesOf(reads); !slices.Equal(got, tt.want) {
				t.Errorf("reads by %q, want %q", got, tt.want)
			}
			// What is read for all of it, or by the time of its end, may be sorted.
			if may := strings.Contains(fmt.Sprint(tt.want), "orders_due") || strings.Contains(fmt.Sprint(tt.want), "ended_at"); sorts != may {
				t.Errorf("sorts: %v", sorts)
			}
			l, err := s.dialect.ordersList(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			l.columns = "1"
			counted, _ := plan(t, s, l.whole(), l.args...)
			for _, index := range indicesOf(counted) {
				if !slices.ContainsFunc(tt.want, func(want string) bool { return strings.Fields(want)[0] == strings.Fields(index)[0] }) {
					t.Errorf("counts by %q, want %q", index, tt.want)
				}
			}
		})
	}
}

// indicesOf are the indices of some reads, each once, and by what they are
// searched.
func indicesOf(reads []string) (all []string) {
	for _, step := range reads {
		if _, index, ok := strings.Cut(step, " INDEX "); !ok {
			all = append(all, step)
		} else if !slices.Contains(all, index) {
			all = append(all, index)
		}
	}
	return all
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
	for query, want := range map[string]string{
		selectEventsOf: "events USING PRIMARY KEY (order_id=?)",
		selectOrders:   "orders USING INDEX sqlite_autoindex_orders_1 (id=?)",
		selectVersions: "orders USING INDEX sqlite_autoindex_orders_1 (id=?)",
		selectCouriers: "couriers USING INDEX sqlite_autoindex_couriers_1 (id=?)",
	} {
		if reads, sorts := plan(t, s, fmt.Sprintf(query, d.anyOf("$1")), nil); len(reads) != 1 || reads[0] != "SEARCH "+want || sorts {
			t.Errorf("%s\n\treads by %v, sorts: %v, want %s", query, reads, sorts, want)
		}
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
