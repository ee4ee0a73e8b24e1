package bustest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"courier/internal/bus"
)

// Node is one node's end of a bus with work.
type Node interface {
	bus.Bus
	bus.Worker
	bus.Meter
}

// Jobs is the queue that TestWork works on; both nodes know it from the start.
var Jobs = bus.Queue{Name: "jobs", Topics: []string{"order.delivered", "courier.*", "zone.#"}}

// TestWork runs the contract of bus.Worker. Open gives two nodes of one bus,
// perhaps the same, which pause for milliseconds between tries.
func TestWork(t *testing.T, open func(t *testing.T) (a, b Node)) {
	for name, test := range map[string]func(t *testing.T, a, b Node){
		"each message goes to one of two workers":         testOne,
		"only the topics named are work":                  testTopics,
		"what fails comes again":                          testAgain,
		"a panic is a failure":                            testPanic,
		"what cannot be done is parked, and the rest not": testPoison,
		"a worker cut before its ack gives to another":    testCut,
		"what came before the first worker waits for it":  testBefore,
		"a handler may publish":                           testCascade,
		"a slow handler holds up no subscription":         testSlow,
		"Work ends with its context, and what it began":   testEnd,
		"a queue without a name or topics is refused":     testRefused,
	} {
		t.Run(name, func(t *testing.T) {
			a, b := open(t)
			test(t, a, b)
		})
	}
}

func testOne(t *testing.T, a, b Node) {
	got := newTally()
	work(t, a, got.note("a"))
	work(t, b, got.note("b"))
	for round := 0; round < 50 && (got.by("a") == 0 || got.by("b") == 0); round++ { // the second may still be on its way
		post(t, a, jobs(fmt.Sprint("one", round), 50)...)
	}
	last := jobs("last", 100)
	post(t, b, last...)
	got.want(t, last...)
	if twice := got.twice(); len(twice) > 0 {
		t.Errorf("done more than once, without a fault: %v", twice)
	}
	if got.by("a") == 0 || got.by("b") == 0 {
		t.Errorf("one worker did nothing: %d and %d", got.by("a"), got.by("b"))
	}
	wantStats(t, "done", func() bool { return a.Stats().WorkDone+doneBy(a, b) >= 100 })
}

func doneBy(a, b Node) uint64 {
	if a == b {
		return 0
	}
	return b.Stats().WorkDone
}

func testTopics(t *testing.T, a, _ Node) {
	got := newTally()
	work(t, a, got.note("a"))
	var sent, want []bus.Message
	for topic, yes := range map[string]bool{
		"order.delivered": true, "order.placed": false, "order": false, "order.delivered.twice": false, "courier.changed": true,
		"courier": false, "courier.a.b": false, "zone": true, "zone.a": true, "zone.a.b": true, "link.revoked": false,
	} {
		m := message("topic-"+topic, "k")
		m.Topic = topic
		if sent = append(sent, m); yes {
			want = append(want, m)
		}
	}
	post(t, a, sent...)
	got.want(t, want...)
	last := jobs("after", 1)
	post(t, a, last...)
	got.want(t, last...)
	if n := len(got.ids()); n != len(want)+1 {
		t.Errorf("work was done for %v", got.ids())
	}
}

func testAgain(t *testing.T, a, b Node) {
	got := newTally()
	fails := func(context.Context, bus.Message) error {
		if got.add("try") < 3 {
			return errors.New("not yet")
		}
		got.add("done")
		return nil
	}
	work(t, a, fails)
	work(t, b, fails)
	post(t, a, jobs("again", 1)...)
	got.wantCount(t, "done", 1)
	if n := got.by("try"); n != 3 {
		t.Errorf("tried %d times, want 3", n)
	}
}

func testPanic(t *testing.T, a, _ Node) {
	got := newTally()
	work(t, a, func(context.Context, bus.Message) error {
		if got.add("try") == 1 {
			panic("a handler's fault")
		}
		got.add("done")
		return nil
	})
	post(t, a, jobs("panic", 1)...)
	got.wantCount(t, "done", 1)
	wantStats(t, "failed once", func() bool { return a.Stats().WorkFailed == 1 })
}

func testPoison(t *testing.T, a, _ Node) {
	got := newTally()
	work(t, a, func(_ context.Context, m bus.Message) error {
		if m.ID == "poison-1" {
			got.add("poisoned")
			return errors.New("never")
		}
		got.add(m.ID)
		return nil
	})
	sent := jobs("poison", 5)
	post(t, a, sent...)
	after := jobs("after", 20)
	post(t, a, after...)
	got.want(t, append(after, sent[0], sent[2], sent[3], sent[4])...)
	wantStats(t, "parked", func() bool { return a.Stats().WorkParked == 1 })
	post(t, a, jobs("later", 1)...)
	got.wantCount(t, "later-0", 1)
	if n := got.by("poisoned"); n != bus.Tries {
		t.Errorf("the poisoned message was tried %d times, want %d", n, bus.Tries)
	}
}

// testCut stops a worker that has had its effect and has not said so.
func testCut(t *testing.T, a, b Node) {
	got := newTally()
	stop := work(t, a, func(ctx context.Context, _ bus.Message) error {
		got.add("a")
		<-ctx.Done()
		return ctx.Err()
	})
	posted := make(chan struct{})
	go func() {
		defer close(posted)
		post(t, b, jobs("cut", 1)...)
	}()
	got.wantCount(t, "a", 1)
	go stop()
	work(t, b, got.note("b"))
	got.wantCount(t, "b", 1)
	<-posted
}

func testBefore(t *testing.T, a, b Node) {
	got, sent := newTally(), jobs("before", 20)
	posted := make(chan struct{})
	go func() {
		defer close(posted)
		post(t, a, sent...)
	}()
	select { // a publisher may have to wait, or not
	case <-posted:
	case <-time.After(100 * time.Millisecond):
	}
	work(t, b, got.note("b"))
	got.want(t, sent...)
	<-posted
}

func testCascade(t *testing.T, a, b Node) {
	got := newTally()
	do := func(ctx context.Context, m bus.Message) error {
		got.add(m.ID)
		if m.Version == 3 {
			return nil
		}
		m.ID, m.Version = m.ID+"+", m.Version+1
		return a.Publish(ctx, []bus.Message{m})
	}
	work(t, a, do)
	work(t, b, do)
	sent := jobs("c", 50)
	post(t, a, sent...)
	for _, m := range sent {
		got.wantCount(t, m.ID+"++", 1)
	}
}

func testSlow(t *testing.T, a, _ Node) {
	s := subscribe(t, a, bus.All())
	free := make(chan struct{})
	stop := work(t, a, func(ctx context.Context, _ bus.Message) error {
		select {
		case <-free:
		case <-ctx.Done():
		}
		return ctx.Err()
	})
	sent := append(jobs("slow", 3), message("quick", "k"))
	posted := make(chan struct{})
	go func() {
		defer close(posted)
		post(t, a, sent...)
	}()
	wantAll(t, s, sent) // while the handler waits
	close(free)
	<-posted
	stop()
}

func testEnd(t *testing.T, a, b Node) {
	stop := work(t, a, func(context.Context, bus.Message) error { return nil })
	stop() // idle
	got := newTally()
	free := make(chan struct{})
	stop = work(t, a, func(context.Context, bus.Message) error {
		got.add("begun")
		<-free
		got.add("done")
		return nil
	})
	go post(t, b, jobs("end", 1)...)
	got.wantCount(t, "begun", 1)
	ended := make(chan struct{})
	go func() { stop(); close(ended) }()
	select {
	case <-ended:
		t.Error("Work returned while its handler was at work")
	case <-time.After(50 * time.Millisecond):
	}
	close(free)
	<-ended
	work(t, b, got.note("b"))
	after := jobs("after", 1)
	post(t, b, after...)
	got.want(t, after...)
	if n := got.by("begun") + got.by("end-0"); n != 1 {
		t.Errorf("what was done at the end was given %d times", n)
	}
}

func testRefused(t *testing.T, a, _ Node) {
	for _, q := range []bus.Queue{{Name: "", Topics: []string{"a"}}, {Name: "No", Topics: []string{"a"}}, {Name: "a.b", Topics: []string{"a"}}, {Name: "a"}, {Name: "a", Topics: []string{"b..c"}}, {Name: "a", Topics: []string{""}}} {
		if err := a.Work(t.Context(), q.Name, q.Topics, func(context.Context, bus.Message) error { return nil }); err == nil {
			t.Errorf("%+v is taken", q)
		}
	}
}

// tally counts what handlers do.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
	done   map[string]int // by message
}

func newTally() *tally { return &tally{counts: map[string]int{}, done: map[string]int{}} }

func (c *tally) add(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[what]++
	return c.counts[what]
}

func (c *tally) by(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[what]
}

// note is a handler that counts for a worker and for each message.
func (c *tally) note(who string) bus.Handler {
	return func(_ context.Context, m bus.Message) error {
		c.add(who)
		c.add(m.ID)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.done[m.ID]++
		return nil
	}
}

func (c *tally) ids() (ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.done {
		ids = append(ids, id)
	}
	return ids
}

func (c *tally) twice() (ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, n := range c.done {
		if n > 1 {
			ids = append(ids, id)
		}
	}
	return ids
}

func (c *tally) want(t *testing.T, messages ...bus.Message) {
	t.Helper()
	for _, m := range messages {
		c.wantCount(t, m.ID, 1)
	}
}

func (c *tally) wantCount(t *testing.T, what string, n int) {
	t.Helper()
	for until := time.Now().Add(patience); c.by(what) < n; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%q happened %d times, want %d", what, c.by(what), n)
		}
	}
}

func wantStats(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("the figures never say: %s", what)
		}
	}
}

// work starts a worker of Jobs; stop ends it and waits.
func work(t *testing.T, n Node, do bus.Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- n.Work(ctx, Jobs.Name, Jobs.Topics, do) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("work: %v", err)
			}
		case <-time.After(patience):
			t.Error("Work does not end")
		}
	})
	t.Cleanup(stop)
	return stop
}

// post publishes as the outbox does: again until it is taken.
func post(t *testing.T, b bus.Bus, messages ...bus.Message) {
	t.Helper()
	var err error
	for until := time.Now().Add(patience); time.Now().Before(until); {
		if err = b.Publish(t.Context(), messages); err == nil {
			return
		}
	}
	t.Errorf("publish: %v", err)
}

func jobs(prefix string, n int) []bus.Message {
	out := batch(prefix, n)
	for i := range out {
		out[i].Topic = "order.delivered"
	}
	return out
}
