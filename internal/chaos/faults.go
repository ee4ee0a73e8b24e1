package chaos

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"courier/internal/testenv"
)

// Fault is something that goes wrong for a while.
type Fault struct {
	Name  string
	Lasts time.Duration
	Do    func(w *World)
	Undo  func(w *World) // the end of the fault, from which time is counted; nil: Do is all
	After func(w *World) // what is put right once all is normal in spite of it; nil: nothing
}

// Faults are all there are, for so many nodes; those of links last so long.
func Faults(nodes int, lasts time.Duration) []Fault {
	var all []Fault
	for i := range nodes {
		all = append(all, killNode(i))
	}
	all = append(
		all,
		killPostgres(time.Second),
		killRabbitMQ(5*time.Second), killRabbitMQ(40*time.Second), wipeRabbitMQ(),
		killRedis(time.Second), flushRedis(),
	)
	for i := range nodes {
		all = append(all, pauseNode(i, 30*time.Second))
	}
	for _, engine := range []struct {
		by   int
		name string
		of   func(links) *testenv.Link
	}{
		{postgresBy, "PostgreSQL", func(l links) *testenv.Link { return l.postgres }},
		{redisBy, "Redis", func(l links) *testenv.Link { return l.redis }},
		{rabbitMQBy, "RabbitMQ", func(l links) *testenv.Link { return l.rabbitmq }},
	} {
		all = append(all, linkFaults(engine.by%nodes, engine.name, engine.of, lasts)...)
	}
	all = append(all, clientFaults(nodes-1, lasts)...)
	return append(all, repeatBus(lasts))
}

// Select keeps the faults whose names hold any of the words, which stand
// between commas; all, where there are none.
func Select(all []Fault, words string) []Fault {
	if words == "" {
		return all
	}
	var some []Fault
	for _, word := range strings.Split(words, ",") {
		for _, f := range all {
			if strings.Contains(f.Name, strings.TrimSpace(word)) {
				some = append(some, f)
			}
		}
	}
	return some
}

func killNode(i int) Fault {
	return Fault{
		Name: fmt.Sprintf("kill -9 of node %d", i+1),
		Do:   func(w *World) { w.remember(); w.nodes[i].Kill() },
		After: func(w *World) {
			w.nodes[i].Restart()
			w.nodes[i].WaitReady()
		},
	}
}

func killPostgres(away time.Duration) Fault {
	return Fault{
		Name: "kill -9 of PostgreSQL", Lasts: away,
		Do:   func(w *World) { w.engines.Postgres.Kill() },
		Undo: func(w *World) { w.engines.Postgres.Restart() },
	}
}

func killRabbitMQ(away time.Duration) Fault {
	return Fault{
		Name: fmt.Sprintf("kill -9 of RabbitMQ, %s away", away), Lasts: away,
		Do:   func(w *World) { w.engines.RabbitMQ.Kill() },
		Undo: func(w *World) { w.engines.RabbitMQ.Restart(); w.engines.RabbitMQ.WaitUntilReady() },
	}
}

func wipeRabbitMQ() Fault {
	return Fault{
		Name: "RabbitMQ's data wiped",
		Do:   func(w *World) { w.engines.RabbitMQ.Kill(); w.engines.RabbitMQ.Wipe() },
		Undo: func(w *World) { w.engines.RabbitMQ.Restart(); w.engines.RabbitMQ.WaitUntilReady() },
	}
}

func killRedis(away time.Duration) Fault {
	return Fault{
		Name: "kill -9 of Redis", Lasts: away,
		Do:   func(w *World) { w.engines.Redis.Kill() },
		Undo: func(w *World) { w.engines.Redis.Restart(); w.engines.Redis.WaitReady() },
	}
}

func flushRedis() Fault {
	return Fault{Name: "FLUSHALL of Redis", Do: func(w *World) { w.engines.Redis.Flush() }}
}

func pauseNode(i int, lasts time.Duration) Fault {
	return Fault{
		Name: fmt.Sprintf("SIGSTOP of node %d", i+1), Lasts: lasts,
		Do:   func(w *World) { w.nodes[i].Signal(syscall.SIGSTOP) },
		Undo: func(w *World) { w.nodes[i].Signal(syscall.SIGCONT) },
	}
}

// slowBy is what a slow link adds to each way.
const slowBy = 100 * time.Millisecond

func linkFaults(node int, engine string, of func(links) *testenv.Link, lasts time.Duration) []Fault {
	link := func(w *World) *testenv.Link { return of(w.links) }
	between := fmt.Sprintf("node %d ↔ %s ", node+1, engine)
	heal := func(w *World) { link(w).Heal() }
	return []Fault{
		{Name: between + "cut", Lasts: lasts, Do: func(w *World) { link(w).Cut() }, Undo: func(w *World) { link(w).Join() }},
		{Name: between + "black-holed", Lasts: lasts, Do: func(w *World) { link(w).Swallow() }, Undo: heal},
		{Name: between + "slowed", Lasts: lasts, Do: func(w *World) { link(w).Slow(slowBy) }, Undo: heal},
	}
}

func clientFaults(node int, lasts time.Duration) []Fault {
	between := fmt.Sprintf("people ↔ node %d ", node+1)
	heal := func(w *World) { w.balancer.Heal(node) }
	return []Fault{
		{Name: between + "cut", Lasts: lasts, Do: func(w *World) { w.balancer.Cut(node) }, Undo: heal},
		{Name: between + "black-holed", Lasts: lasts, Do: func(w *World) { w.balancer.Swallow(node) }, Undo: heal},
		{Name: between + "slowed", Lasts: lasts, Do: func(w *World) { w.balancer.Slow(node, slowBy) }, Undo: heal},
	}
}
