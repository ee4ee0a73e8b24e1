package rabbitmq_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"courier/internal/bus"
	"courier/internal/bus/bustest"
	"courier/internal/rabbitmq"
	"courier/internal/testenv"
)

// TestWork has a broker of its own: its tests kill and wipe it.
func TestWork(t *testing.T) {
	broker := testenv.StartRabbitMQ(t)
	t.Run("contract", func(t *testing.T) {
		bustest.TestWork(t, func(t *testing.T) (a, b bustest.Node) {
			c := jobsConfig(t, broker.URL)
			return openConfig(t, c), openConfig(t, c)
		})
	})
	for name, test := range map[string]func(*testing.T, *testenv.RabbitMQ){
		"a link cut between effect and ack: again":              testCutAfterEffect,
		"workers that die of a message: parked by the broker":   testDeaths,
		"what is parked can be seen and given again":            testRetry,
		"a full parked queue loses nothing":                     testFull,
		"what is no message of ours is parked":                  testForeign,
		"under an alarm work goes on":                           testAlarmWork,
		"a queue deleted on the broker is made again":           testWorkQueueDeleted,
		"work in hand is bounded, also over connections":        testInHand,
		"kill -9 amid work: nothing acknowledged is lost":       testKillWork,
		"an empty broker: nothing published after is passed by": testWipeWork,
	} {
		t.Run(name, func(t *testing.T) { test(t, broker) })
	}
}

func jobsConfig(t *testing.T, url string) rabbitmq.Config {
	return rabbitmq.Config{
		URL: url, Prefix: prefix(t), Queues: []bus.Queue{bustest.Jobs}, Pause: time.Millisecond, Depths: 50 * time.Millisecond,
	}
}

// done counts effects by message.
type done struct {
	mu sync.Mutex
	of map[string]int
}

func (d *done) do(_ context.Context, m bus.Message) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of == nil {
		d.of = map[string]int{}
	}
	d.of[m.ID]++
	return nil
}

func (d *done) missing(ids []string) (out []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		if d.of[id] == 0 {
			out = append(out, id)
		}
	}
	return out
}

func (d *done) want(t *testing.T, ids ...string) {
	t.Helper()
	eventually(t, func() error {
		if left := d.missing(ids); len(left) > 0 {
			return fmt.Errorf("%d of %d not done, %s among them", len(left), len(ids), left[0])
		}
		return nil
	})
}

func eventually(t *testing.T, is func() error) {
	t.Helper()
	err := is()
	for until := time.Now().Add(patience); err != nil; err = is() {
		if time.Now().After(until) {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func wantDepth(t *testing.T, b *rabbitmq.Bus, waiting, parked int) {
	t.Helper()
	eventually(t, func() error {
		if s := b.Stats(); s.WorkWaiting != waiting || s.ParkedDepth != parked {
			return fmt.Errorf("%d wait and %d are parked, want %d and %d", s.WorkWaiting, s.ParkedDepth, waiting, parked)
		}
		return nil
	})
}

// wantLeft asks the broker, once no worker has anything in hand.
func wantLeft(t *testing.T, broker *testenv.RabbitMQ, c rabbitmq.Config, waiting, parked int) {
	t.Helper()
	eventually(t, func() (err error) {
		admin(t, broker, func(ch *amqp.Channel) error {
			for name, want := range map[string]int{".work.jobs": waiting, ".parked.jobs": parked} {
				q, err1 := ch.QueueDeclarePassive(c.Prefix+name, true, false, false, false, nil)
				if err1 != nil {
					return err1
				}
				if q.Messages != want {
					err = errors.Join(err, fmt.Errorf("%d messages in %s, want %d", q.Messages, name, want))
				}
			}
			return nil
		})
		return err
	})
}

func work(t *testing.T, b *rabbitmq.Bus, do bus.Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- b.Work(ctx, bustest.Jobs.Name, bustest.Jobs.Topics, do) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, rabbitmq.ErrClosed) {
			t.Errorf("work: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// jobs publishes work and returns its ids.
func jobs(t *testing.T, b bus.Bus, name string, n int) (ids []string) {
	t.Helper()
	sent := batch(name, n)
	for i := range sent {
		sent[i].Topic = "order.delivered"
		ids = append(ids, sent[i].ID)
	}
	eventually(t, func() error { return b.Publish(t.Context(), sent) })
	return ids
}

func never(context.Context, bus.Message) error { return errors.New("never") }

func testCutAfterEffect(t *testing.T, broker *testenv.RabbitMQ) {
	proxy, url := proxied(t, broker)
	c := jobsConfig(t, url)
	b := openConfig(t, c)
	var d done
	var once sync.Once
	stop := work(t, b, func(ctx context.Context, m bus.Message) error {
		err := d.do(ctx, m)
		once.Do(func() {
			proxy.Stop()
			if err := proxy.Start(); err != nil {
				t.Error(err)
			}
		})
		return err
	})
	ids := jobs(t, b, "cut", 1)
	eventually(t, func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		if n := d.of[ids[0]]; n < 2 {
			return fmt.Errorf("done %d times; its ack was lost", n)
		}
		return nil
	})
	d.want(t, jobs(t, b, "after", 5)...)
	stop()
	wantLeft(t, broker, c, 0, 0)
}

// Nobody says that it failed: the process is gone each time.
func testDeaths(t *testing.T, broker *testenv.RabbitMQ) {
	c := jobsConfig(t, broker.URL)
	b := openConfig(t, c)
	jobs(t, b, "deadly", 1)
	for range bus.Tries {
		eventually(t, func() (err error) {
			admin(t, broker, func(ch *amqp.Channel) error { // ends the connection with the message in hand
				var taken bool
				if _, taken, err = ch.Get(c.Prefix+".work.jobs", false); err == nil && !taken {
					err = errors.New("the message does not come again")
				}
				return nil
			})
			return err
		})
	}
	work(t, b, func(_ context.Context, m bus.Message) error {
		if m.ID == "deadly-0" {
			t.Error("it came once more")
		}
		return nil
	})
	wantDepth(t, b, 0, 1)
	parked, err := b.Parked(t.Context(), "jobs", 10)
	if err != nil || len(parked) != 1 || parked[0].ID != "deadly-0" || parked[0].Reason != "delivery_limit" {
		t.Errorf("parked: %+v, %v", parked, err)
	}
}

func testRetry(t *testing.T, broker *testenv.RabbitMQ) {
	b := openConfig(t, jobsConfig(t, broker.URL))
	stop := work(t, b, never)
	ids := jobs(t, b, "bad", 200)
	wantDepth(t, b, 0, 200)
	for range 2 { // looking changes nothing
		parked, err := b.Parked(t.Context(), "jobs", 2)
		if err != nil || len(parked) != 2 {
			t.Fatalf("parked: %+v, %v", parked, err)
		}
		if p := parked[0]; p.Topic != "order.delivered" || p.Version != 1 || string(p.Body) != "{}" || p.Reason != "rejected" {
			t.Errorf("parked is %+v", p)
		}
	}
	if n, err := b.Retry(t.Context(), "jobs", 1000); n != 200 || err != nil {
		t.Fatalf("%d of 200 that fail anew meanwhile given again, %v", n, err)
	}
	wantDepth(t, b, 0, 200)
	stop()
	var d done
	work(t, b, d.do)
	if n, err := b.Retry(t.Context(), "jobs", 1000); n != 200 || err != nil {
		t.Fatalf("%d given again, %v", n, err)
	}
	d.want(t, ids...)
	wantDepth(t, b, 0, 0)
	if _, err := b.Parked(t.Context(), "none", 1); !errors.Is(err, rabbitmq.ErrNoQueue) {
		t.Errorf("parked of no queue: %v", err)
	}
	if n, err := b.Retry(t.Context(), "none", 1); n != 0 || !errors.Is(err, rabbitmq.ErrNoQueue) {
		t.Errorf("retry of no queue: %d, %v", n, err)
	}
}

// The parked queue takes one; a policy stands for its hundred thousand.
func testFull(t *testing.T, broker *testenv.RabbitMQ) {
	broker.Control("eval", "application:set_env(rabbit, dead_letter_worker_publisher_confirm_timeout, 200).") // it tries again after 3 minutes
	c := jobsConfig(t, broker.URL)
	b := openConfig(t, c)
	broker.Control("set_policy", "full", "^"+c.Prefix+`\.parked\.`, `{"max-length":1}`, "--apply-to", "queues")
	stop := work(t, b, never)
	jobs(t, b, "bad", 30)
	eventually(t, func() error {
		if s := b.Stats(); s.WorkParked != 30 || s.ParkedDepth < 1 {
			return fmt.Errorf("figures: %+v", s)
		}
		return nil
	})
	stop()
	admin(t, broker, func(ch *amqp.Channel) error {
		q, err := ch.QueueDeclarePassive(c.Prefix+".parked.jobs", true, false, false, false, nil)
		if q.Messages >= 30 {
			t.Errorf("%d are in a queue that is full at 1", q.Messages) // it stops late, but it stops
		}
		return err
	})
	broker.Control("clear_policy", "full")
	wantLeft(t, broker, c, 0, 30)
}

func testForeign(t *testing.T, broker *testenv.RabbitMQ) {
	c := jobsConfig(t, broker.URL)
	b := openConfig(t, c)
	var d done
	work(t, b, d.do)
	admin(t, broker, func(ch *amqp.Channel) error {
		return ch.PublishWithContext(t.Context(), "", c.Prefix+".work.jobs", false, false, amqp.Publishing{MessageId: "alien", Body: []byte("?")})
	})
	wantDepth(t, b, 0, 1)
	d.want(t, jobs(t, b, "ours", 5)...)
	parked, err := b.Parked(t.Context(), "jobs", 10)
	if err != nil || len(parked) != 1 || parked[0].ID != "alien" || string(parked[0].Body) != "?" {
		t.Errorf("parked: %+v, %v", parked, err)
	}
}

func testAlarmWork(t *testing.T, broker *testenv.RabbitMQ) {
	c := jobsConfig(t, broker.URL)
	b := openConfig(t, c)
	before := jobs(t, b, "before", 100)
	broker.Control("set_vm_memory_high_watermark", "absolute", "1MB")
	wantFails(t, b)
	if s := b.Stats(); s.Blocked == 0 || s.Failed == 0 || s.Connected {
		t.Errorf("figures under an alarm: %+v", s)
	}
	var d done
	stop := work(t, b, d.do) // begins under the alarm
	d.want(t, before...)
	stop()
	wantLeft(t, broker, c, 0, 0) // acks arrive too
	work(t, b, d.do)
	broker.Control("set_vm_memory_high_watermark", "0.8")
	d.want(t, jobs(t, b, "after", 10)...)
}

func testWorkQueueDeleted(t *testing.T, broker *testenv.RabbitMQ) {
	c := jobsConfig(t, broker.URL)
	b := openConfig(t, c)
	var d done
	work(t, b, d.do)
	d.want(t, jobs(t, b, "before", 3)...)
	for _, name := range []string{".work.jobs", ".parked.jobs"} {
		reconnects := b.Stats().Reconnects
		admin(t, broker, func(ch *amqp.Channel) error { _, err := ch.QueueDelete(c.Prefix+name, false, false, false); return err })
		eventually(t, func() error {
			if b.Stats().Reconnects == reconnects {
				return fmt.Errorf("nobody saw that %s is gone", name)
			}
			return nil
		})
		d.want(t, jobs(t, b, "after"+name, 3)...)
	}
}

func testInHand(t *testing.T, broker *testenv.RabbitMQ) {
	proxy, url := proxied(t, broker)
	c := jobsConfig(t, url)
	c.Prefetch = 3
	b := openConfig(t, c)
	var mu sync.Mutex
	now, most, all := 0, 0, 0
	free := make(chan struct{})
	work(t, b, func(context.Context, bus.Message) error {
		mu.Lock()
		now, all = now+1, all+1
		most = max(most, now)
		mu.Unlock()
		<-free
		mu.Lock()
		now--
		mu.Unlock()
		return nil
	})
	jobs(t, b, "many", 30)
	full := func() error {
		mu.Lock()
		defer mu.Unlock()
		if now < 3 {
			return fmt.Errorf("%d in hand", now)
		}
		return nil
	}
	eventually(t, full)
	reconnects := b.Stats().Reconnects
	proxy.Stop()
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if b.Stats().Reconnects < reconnects+3 {
			return errors.New("not connected again")
		}
		return nil
	})
	close(free)
	eventually(t, func() error {
		mu.Lock()
		defer mu.Unlock()
		if most != 3 || all < 30 {
			return fmt.Errorf("%d at once of %d, want 3 of 30", most, all)
		}
		return nil
	})
}

// Whatever Publish took is done in the end, through a broker that dies with
// its messages in all states.
func testKillWork(t *testing.T, broker *testenv.RabbitMQ) {
	c := jobsConfig(t, broker.URL)
	a, b := openConfig(t, c), openConfig(t, c)
	var d done
	slowly := func(ctx context.Context, m bus.Message) error {
		time.Sleep(2 * time.Millisecond) // so that there are some to die with
		return d.do(ctx, m)
	}
	stop := []func(){work(t, a, slowly), work(t, b, slowly)}
	d.want(t, jobs(t, a, "first", 1)...)
	// The broker writes the names of new queues down half a second later, and
	// one that it forgets is dead.
	broker.Control("eval", "[dets:sync(T) || T <- dets:all()].")
	var taken []string
	for round := range 60 {
		sent := batch(fmt.Sprint("kill", round), 20)
		for i := range sent {
			sent[i].Topic = "order.delivered"
		}
		if a.Publish(t.Context(), sent) == nil {
			for _, m := range sent {
				taken = append(taken, m.ID)
			}
		}
		if round == 30 {
			broker.Kill()
			wantFails(t, a)
			broker.Restart()
			broker.WaitUntilReady()
		}
	}
	if len(taken) < 600 {
		t.Fatalf("%d messages were taken, too few to say anything", len(taken))
	}
	d.want(t, taken...)
	stop[0]()
	stop[1]()
	wantLeft(t, broker, c, 0, 0)
}

// Nodes publish again before workers are back: they know the queue and make
// it first.
func testWipeWork(t *testing.T, broker *testenv.RabbitMQ) {
	c := jobsConfig(t, broker.URL)
	publisher, worker := openConfig(t, c), openConfig(t, c)
	var d done
	stop := work(t, worker, d.do)
	d.want(t, jobs(t, publisher, "before", 3)...)
	stop()
	broker.Kill()
	wantFails(t, publisher)
	broker.Wipe()
	broker.Restart()
	broker.WaitUntilReady()
	ids := jobs(t, publisher, "after", 20)
	wantLeft(t, broker, c, 20, 0)
	work(t, worker, d.do)
	d.want(t, ids...)
}
