package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"courier/dispatch"
	"courier/internal/testenv"
)

// crowd fills tables with enough rows for a plan to matter: a delivery
// company's orders are nearly all in the past.
const crowd = `
INSERT INTO orders SELECT 'o' || i, 'm' || i % 50, 'r' || i,
	CASE WHEN i % 100 < 3 THEN (ARRAY['placed','searching','offered'])[i % 100 + 1] WHEN i % 10 = 3 THEN 'cancelled' ELSE 'delivered' END,
	CASE WHEN i % 100 < 3 THEN 0 ELSE 1 END, 'c' || i % 200, 'a' || i % 300, 1, i * 1000, i * 1000 + 500, '{}' FROM generate_series(1, 20000) i;
INSERT INTO events SELECT 'o' || i, 1, 'placed', 'placed', i, 'merchant', 'm', '' FROM generate_series(1, 20000) i;
INSERT INTO couriers SELECT 'c' || i, (ARRAY['off','available','break'])[i % 3 + 1], 3, 0, 0, 1, '{}' FROM generate_series(1, 5000) i;
INSERT INTO assignments SELECT 'o' || i, 'c' || i % 2000 + 1 FROM generate_series(1, 5000) i;
INSERT INTO offers SELECT 'f' || i, 'c', CASE WHEN i % 100 = 0 THEN 'open' ELSE 'closed' END, i, '{}' FROM generate_series(1, 5000) i;
INSERT INTO decisions SELECT 'o' || i % 500, i, i, '{}' FROM generate_series(1, 5000) i;
INSERT INTO answers SELECT 's', 'k' || i, '', '', i FROM generate_series(1, 5000) i;
INSERT INTO outbox (message_id, topic, key, version, at, body, node) SELECT i, 't', 'k', i, i, '', 'n' || i % 5 FROM generate_series(1, 5000) i;
INSERT INTO api_keys SELECT 'k' || i, 'm', 'n', decode(md5(i::text), 'hex'), i FROM generate_series(1, 5000) i;
INSERT INTO links SELECT 'l' || i, 'o' || i, decode(md5(i::text), 'hex'), i, i FROM generate_series(1, 5000) i;
INSERT INTO codes SELECT decode(md5(i::text), 'hex'), 'c', i FROM generate_series(1, 5000) i;
INSERT INTO trails (courier, from_at, to_at, count, data) SELECT 'c' || i % 200, i, i + 10, 1, '' FROM generate_series(1, 20000) i;
INSERT INTO leases SELECT 'a' || i, 'h', 'r', 1, 1 FROM generate_series(1, 5000) i;
INSERT INTO nodes SELECT 'n' || i, i FROM generate_series(1, 5000) i;
INSERT INTO proofs SELECT 'o' || i, 'p', 'c', 'photo', 'image/jpeg', 1, i, '', '' FROM generate_series(1, 5000) i;
INSERT INTO zones SELECT 'z' || i, 1, '{}' FROM generate_series(1, 5000) i`

// pgPlan is how PostgreSQL means to run a query: with these arguments, or
// without any as it would for all.
func pgPlan(t *testing.T, conn *sql.Conn, query string, args ...any) string {
	t.Helper()
	explain := "EXPLAIN (COSTS OFF) " + query
	if n := parameters(query); n > 0 && len(args) == 0 {
		if _, err := conn.ExecContext(t.Context(), "PREPARE p AS "+query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		defer func() {
			if _, err := conn.ExecContext(context.Background(), "DEALLOCATE p"); err != nil {
				t.Error(err)
			}
		}()
		if _, err := conn.ExecContext(t.Context(), "SET plan_cache_mode = force_generic_plan"); err != nil {
			t.Fatal(err)
		}
		explain = "EXPLAIN (COSTS OFF) EXECUTE p(NULL" + strings.Repeat(", NULL", n-1) + ")"
	}
	lines, err := collect(context.Background(), conn, func(row scanner) (line string, err error) {
		return line, row.Scan(&line)
	}, explain, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func TestPostgresIndices(t *testing.T) {
	s := openURL(t, testenv.Postgres(t))
	conn, err := s.pool.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, statement := range append(strings.Split(crowd, ";"), "ANALYZE", "SET enable_seqscan = off", "SET max_parallel_workers_per_gather = 0") {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	want := func(t *testing.T, index string, sorted bool, query string, args ...any) {
		t.Helper()
		plan := pgPlan(t, conn, query, args...)
		if !strings.Contains(plan, index) || strings.Contains(plan, "Seq Scan") || sorted && strings.Contains(plan[strings.Index(plan, "Append")+1:], "Sort\n") {
			t.Errorf("%s\nis planned as\n%s\nwant %s", query, plan, index)
		}
	}
	middle := time.UnixMicro(10_000_000)
	two := []dispatch.Status{dispatch.Searching, dispatch.Offered}
	cursor := writeCursor(orderCursor, "10000000", "x")
	ended := []dispatch.Status{dispatch.Delivered, dispatch.Returned}
	for name, tt := range map[string]struct {
		query dispatch.OrderQuery
		want  string
	}{
		"all":                    {dispatch.OrderQuery{}, "orders_ended"},
		"the next page of all":   {dispatch.OrderQuery{Cursor: cursor}, "orders_ended"},
		"the end's statuses":     {dispatch.OrderQuery{Statuses: ended}, "orders_ended"},
		"placed between":         {dispatch.OrderQuery{PlacedFrom: middle, PlacedTo: middle.Add(time.Second)}, "orders_ended"},
		"a merchant's":           {dispatch.OrderQuery{Merchant: "m7"}, "orders_ended_merchant"},
		"a merchant's next page": {dispatch.OrderQuery{Merchant: "m7", Cursor: cursor}, "orders_ended_merchant"},
		"a merchant's statuses":  {dispatch.OrderQuery{Merchant: "m7", Statuses: ended}, "orders_ended_merchant"},
		"a courier's":            {dispatch.OrderQuery{Courier: "c7"}, "orders_carried"},
		"a reference":            {dispatch.OrderQuery{Reference: "r7"}, "orders_reference"},
		"open":                   {dispatch.OrderQuery{Open: true}, "orders_open"},
		"statuses":               {dispatch.OrderQuery{Statuses: two}, "orders_"}, // any of those that have the open ones
		"a courier's open ones":  {dispatch.OrderQuery{Courier: "c7", Open: true}, "orders_"},
		"a merchant's open ones": {dispatch.OrderQuery{Merchant: "m7", Open: true}, "orders_merchant"},
		"changed":                {dispatch.OrderQuery{ChangedFrom: middle.Add(9900 * time.Millisecond)}, "orders_ended_at"},
		"changed between":        {dispatch.OrderQuery{ChangedFrom: middle, ChangedTo: middle.Add(100 * time.Millisecond), Statuses: ended}, "orders_ended_at"},
		"some areas' waiting":    {dispatch.OrderQuery{Areas: []string{"a1", "a2", "a101"}, Statuses: two}, "orders_due"},
		"some areas' due":        {dispatch.OrderQuery{Areas: []string{"a1", "a2", "a101"}, Statuses: two, ReadyBy: middle}, "orders_due"},
		"an area's open ones":    {dispatch.OrderQuery{Areas: []string{"a1"}, Open: true}, "orders_due"},
	} {
		t.Run(name, func(t *testing.T) {
			query, args, err := s.dialect.ordersQuery(tt.query, 50)
			if err != nil {
				t.Fatal(err)
			}
			// The open ones, a courier's and those of one reference may be sorted; a page
			// of all, or of a merchant's, may not be.
			want(t, tt.want, strings.HasPrefix(tt.want, "orders_ended") && tt.query.ChangedFrom.IsZero() && tt.query.ChangedTo.IsZero(), query, args...)
		})
	}
	for query, index := range map[string]string{
		selectEventsOf: "events_pkey",
		selectOrders:   "orders_pkey",
		selectVersions: "orders_pkey",
		selectCouriers: "couriers_pkey",
	} {
		want(t, index, false, fmt.Sprintf(query, s.dialect.anyOf("$1")))
	}
	for query, index := range map[string]string{
		selectOrder + s.dialect.lock:   "orders_pkey",
		selectEvents:                   "events_pkey",
		selectCourier + s.dialect.lock: "couriers_pkey",
		selectOffer + s.dialect.lock:   "offers_pkey",
		selectOpenOffers:               "offers_open",
		selectDecisions:                "decisions_pkey",
		selectNextDecision:             "decisions_pkey",
		selectAssigned:                 "assignments_courier",
		s.dialect.agreed():             "assignments_pkey",
		selectKeyByHash:                "api_keys_hash",
		selectKeysByHash:               "api_keys_hash",
		selectLink:                     "links_hash",
		selectLinks:                    "links_order",
		selectCode + s.dialect.lock:    "codes_pkey",
		selectTrail:                    "trails_courier",
		selectLease + s.dialect.share:  "leases_", // either index
		selectPending:                  "outbox_pkey",
		deleteDone:                     "outbox_pkey",
		selectAreas:                    "orders_due",
		selectZones:                    "zones_pkey",
		purges[0]:                      "answers_at",
		purges[1]:                      "decisions_at",
		purges[2]:                      "nodes_expiry",
		purges[3]:                      "codes_expiry",
		selectProof:                    "proofs_pkey",
		selectProofs:                   "proofs_pkey",
		purgeProofs:                    "proofs_at",
	} {
		want(t, index, false, query)
	}
	wantAll := func(statement string, indices ...string) {
		t.Helper()
		for _, index := range indices {
			want(t, index, false, statement)
		}
	}
	wantAll(fmt.Sprintf(selectDead, s.dialect.clock), "outbox_pkey", "nodes_pkey")
	wantAll(fmt.Sprintf(postgresLease, s.dialect.clock), "leases_") // either index
	wantAll(fmt.Sprintf(giveBack, s.dialect.clock)+s.dialect.anyOf("$3"), "leases_")
	wantAll(selectKept, "answers_pkey")
	wantAll(fmt.Sprintf(selectAlive, s.dialect.clock), "nodes_expiry")
	for duty, index := range map[dispatch.Duty]string{"": "couriers_pkey", dispatch.Off: "couriers_duty"} {
		q := dispatch.CourierQuery{}
		if duty != "" {
			q.Duty = []dispatch.Duty{duty, dispatch.Break}
		}
		query, args, err := s.dialect.couriersQuery(q, 50)
		if err != nil {
			t.Fatal(err)
		}
		want(t, index, true, query, args...)
	}
}
