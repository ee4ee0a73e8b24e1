package planted

import "courier/internal/sim/ledger"

// bug is a mistake that a server like this one could well have.
type bug struct {
	edits []edit
	scene scene    // brings it to light
	kinds []string // of violations: any of them will do
	short bool     // runs with every test
}

var bugs = map[string]bug{
	"an order is answered before it is committed": {
		edits: []edit{
			{"internal/sqlstore/writer.go", `"runtime/debug"`, `"os"; "runtime/debug"; "time"`},
			{"internal/sqlstore/writer.go", `	if broken == nil {
		_, broken = w.exec("COMMIT")`, `	early := broken == nil && os.Getenv("` + starts + `") != "1" // who sets a company up finds what was made
	if early {
		for i, c := range group { c.answer(errs[i]) }
		time.Sleep(50 * time.Millisecond)
	}
	if broken == nil {
		_, broken = w.exec("COMMIT")`},
			{"internal/sqlstore/writer.go", `		c.answer(errs[i])
	}
	if broken == nil && rows > 0 {`, `		if !early { c.answer(errs[i]) }
	}
	if broken == nil && rows > 0 {`},
		},
		scene: killed, kinds: []string{ledger.Missing, ledger.LostAct, ledger.BadStream}, short: true,
	},
	"an order sent again is a second one": {
		edits: []edit{{"dispatch/place.go", `Key: key, Hash`, `Key: key + order.ID, Hash`}},
		scene: killed, kinds: []string{ledger.Doubled},
	},
	"customers see the courier from the assignment on": {
		edits: []edit{{"dispatch/customer.go", `		return s.EarlyPosition
`, `		return true
`}},
		scene: rush, kinds: []string{ledger.Exposed}, short: true,
	},
	"a status that was overtaken is not shown": {
		edits: []edit{{"ws/orderwatch.go", `			for i, e := range events {
				news`, `			for i, e := range events {
				if i < len(events)-1 { continue }
				news`}},
		scene: rush, kinds: []string{ledger.BadStream},
	},
	"a page that comes back misses a status": {
		edits: []edit{{"ws/orderwatch.go", `range events[seq:]`, `range events[min(seq+1, newest):]`}},
		scene: killed, kinds: []string{ledger.BadStream},
	},
	"offers never run out": {
		edits: []edit{{"dispatch/housekeeping.go", `range due {`, `range due[:0] {`}},
		scene: ignored, kinds: []string{ledger.Silent},
	},
	"a bag has no bottom": {
		edits: []edit{
			{"dispatch/plan.go", `return match.PeakLoad(p.onboard(), matchStops(p.Stops)) }`, `return 0 }`},
			{"dispatch/work.go", `Capacity: c.Capacity,`, `Capacity: 1000,`},
		},
		scene: crowded, kinds: []string{ledger.Overload},
	},
	"another order under a used key is taken for the first": {
		edits: []edit{{"dispatch/place.go", `!bytes.Equal(kept.Hash, hash)`, `!bytes.Equal(hash, hash)`}},
		scene: rush, kinds: []string{ledger.KeyReused},
	},
	"a silent courier gets work": {
		edits: []edit{
			{"dispatch/service.go", `return now.Sub(f.Received) <= s.StaleAfter && now.Sub(f.Time) <= s.StaleAfter+phoneSlow`, `return true`},
			{"cmd/dispatch/node.go", `StaleAfter: n.flags.StaleAfter, Stale`, `StaleAfter: 24 * time.Hour, Stale`},
		},
		scene: rush, kinds: []string{ledger.StaleWork},
	},
	"a merchant reads another's order": {
		edits: []edit{{"dispatch/requests.go", `return s.Merchant == "" || s.Merchant == o.Merchant`, `return true`}},
		scene: rush, kinds: []string{ledger.Leaked},
	},
	"a commit that failed is taken for done": {
		edits: []edit{
			{"internal/sqlstore/creator.go", `"sync/atomic"`, `"sync/atomic"; "time"`},
			{"internal/sqlstore/creator.go", `	_, err = conn.ExecContext`, `	time.Sleep(time.Second)
	_, err = conn.ExecContext`},
			{"internal/sqlstore/creator.go", `	return err, true
`, `	return nil, false
`},
		},
		scene: cluster("kill -9 of PostgreSQL,kill -9 of PostgreSQL"), kinds: []string{ledger.Missing},
	},
	"work is acknowledged before it is done": {
		edits: []edit{{"internal/rabbitmq/worker.go", `} else if err = w.try(held, m); err == nil {`,
			`} else if say(func() error { return d.Ack(false) }); err == nil {
		time.Sleep(2 * time.Second)
		_ = w.try(held, m)
		return`}},
		scene: cluster("kill -9 of node 1,kill -9 of node 2,kill -9 of node 3"), kinds: []string{ledger.LinkOpen},
	},
	"nobody waits for the broker's confirms": {
		edits: []edit{{"internal/rabbitmq/publisher.go", `	written()
	for _, c := range confirms {`, `	written()
	return nil
	for _, c := range confirms {`}},
		scene: cluster("node 1 ↔ RabbitMQ black-holed,node 3 ↔ RabbitMQ black-holed"), kinds: []string{ledger.LinkOpen},
	},
	"events are published by one growing number": {
		edits: []edit{{"internal/sqlstore/outbox.go", `	return rows, s.dialect.failed(err, "list pending outbox rows")
}`, `	var after []outbox.Row
	for _, row := range rows {
		if row.ID > cursor {
			after, cursor = append(after, row), row.ID
		}
	}
	return after, s.dialect.failed(err, "list pending outbox rows")
}

var cursor int64`}},
		scene: cluster("kill -9 of RabbitMQ, 5s"), kinds: []string{ledger.LinkOpen},
	},
	"a node that has lost its areas goes on with them": {
		edits: []edit{
			{"dispatch/snapshot.go", `err := w.tx.CheckLease(area, snap.areas[area]); err != nil`, `err := w.tx.CheckLease(area, snap.areas[area]); err != nil && area == ""`},
			{"dispatch/areas.go", `	if !now.Before(h.until) {
		return nil, false
	}
`, ``},
			{"dispatch/areas.go", `return ago >= ttl/renewals ||`, `return h.beaten.IsZero() || false &&`},
		},
		scene: cluster("SIGSTOP of node 1"), kinds: []string{ledger.TokenBack},
	},
}
