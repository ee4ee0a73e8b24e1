package rabbitmq_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"courier/internal/bus"
	"courier/internal/bus/bustest"
	"courier/internal/rabbitmq"
	"courier/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

// TestRabbitMQ has one broker for all, since it takes seconds to start.
func TestRabbitMQ(t *testing.T) {
	broker := testenv.StartRabbitMQ(t)
	t.Run("contract", func(t *testing.T) {
		bustest.TestBus(t, func(t *testing.T) bus.Bus { return open(t, broker.URL) })
	})
	for name, test := range map[string]func(*testing.T, *testenv.RabbitMQ){
		"a slow reader is told and harms nobody":       testOverflow,
		"a slow link loses on the broker and is told":  testSlowLink,
		"only shards with watchers are bound":          testBound,
		"ended contexts and buses":                     testEnded,
		"broken exchanges are made again":              testReturned,
		"a queue deleted on the broker is made again":  testQueueDeleted,
		"a cut link is mended":                         testReset,
		"a silent link is noticed and mended":          testSilence,
		"under an alarm publishing fails, then works":  testAlarm,
		"kill -9 and a restart":                        testKill,
		"kill -9 and a restart on nothing":             testWipe,
		"a bus opens without a broker and finds it":    testOpenBefore,
		"subscriptions made without a broker find one": testSubscribeBefore,
	} {
		t.Run(name, func(t *testing.T) { test(t, broker) })
	}
}

func testOverflow(t *testing.T, broker *testenv.RabbitMQ) {
	b := openConfig(t, rabbitmq.Config{URL: broker.URL, Prefix: prefix(t), Buffer: 10})
	slow := watchAll(t, b)
	for i := range 100 {
		if err := b.Publish(t.Context(), batch(fmt.Sprint(i), 10)); err != nil {
			t.Fatal(err)
		}
	}
	wantLost(t, slow)
	for len(slow.Messages()) > 0 {
		<-slow.Messages()
	}
	wantHears(t, b, slow)
}

// A link of 1 MB/s to a node that watches what another node publishes: the
// broker keeps a few messages for it, drops the rest, and that is told.
func testSlowLink(t *testing.T, broker *testenv.RabbitMQ) {
	proxy, url := proxied(t, broker)
	c := rabbitmq.Config{URL: url, Prefix: prefix(t), Queue: 20, Heartbeat: time.Minute, Timeout: 20 * time.Second}
	s := watchAll(t, openConfig(t, c))
	if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(`{"type":"bandwidth","stream":"downstream","attributes":{"rate":1000}}`)); err != nil {
		t.Fatal(err)
	}
	c.URL = broker.URL
	fast := openConfig(t, c)
	messages := batch("large", 300)
	for i := range messages {
		messages[i].Body = make([]byte, 100_000)
	}
	if err := fast.Publish(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	wantLost(t, s)
	wantHears(t, fast, s)
}

// What no node watches goes to no node: the broker has a binding for each
// shard watched, and no other.
func testBound(t *testing.T, broker *testenv.RabbitMQ) {
	c := rabbitmq.Config{URL: broker.URL, Prefix: prefix(t)}
	b := openConfig(t, c)
	s := watch(t, b, nil)
	want := func(keys ...string) {
		t.Helper()
		var got []string
		for line := range strings.Lines(broker.Control("-q", "list_bindings", "--no-table-headers", "source_name", "routing_key")) {
			if exchange, key, _ := strings.Cut(strings.TrimSpace(line), "\t"); exchange == c.Prefix+".events" {
				got = append(got, key)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, keys) {
			t.Errorf("bound to %v, want %v", got, keys)
		}
	}
	want()
	for _, shards := range [][]uint8{{7, 200}, {7, 9}} {
		if err := s.Watch(t.Context(), shards); err != nil {
			t.Fatal(err)
		}
		want(fmt.Sprintf("%03d.#", shards[0]), fmt.Sprintf("%03d.#", shards[1]))
	}
	if err := s.Watch(t.Context(), bus.All()); err != nil {
		t.Fatal(err)
	}
	want("#")
}

func testEnded(t *testing.T, broker *testenv.RabbitMQ) {
	b := open(t, broker.URL)
	s := watchAll(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Publish(ctx, batch("x", 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("publish with an ended context: %v", err)
	}
	wantHears(t, b, s) // the others did not suffer
	if !b.Connected() {
		t.Error("not connected")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), batch("x", 1)); !errors.Is(err, rabbitmq.ErrClosed) {
		t.Errorf("publish after Close: %v", err)
	}
	if _, err := b.Subscribe(t.Context()); !errors.Is(err, rabbitmq.ErrClosed) {
		t.Errorf("subscribe after Close: %v", err)
	}
	if err := s.Watch(t.Context(), nil); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("watch after Close: %v", err)
	}
	for range s.Messages() { // is closed
	}
	if b.Connected() {
		t.Error("connected after Close")
	}
}

// An operator has deleted the exchange for what nobody watches: messages come
// back, Publish says so, and the next one works.
func testReturned(t *testing.T, broker *testenv.RabbitMQ) {
	c := rabbitmq.Config{URL: broker.URL, Prefix: prefix(t)}
	b := openConfig(t, c)
	admin(t, broker, func(ch *amqp.Channel) error { return ch.ExchangeDelete(c.Prefix+".unrouted", false, false) })
	if err := b.Publish(t.Context(), batch("x", 3)); err == nil {
		t.Error("messages that went nowhere were taken")
	}
	wantPublishes(t, b)
	if s := b.Stats(); s.Returned == 0 || s.Failed == 0 || s.Published == 0 || s.Reconnects == 0 {
		t.Errorf("figures: %+v", s)
	}
	admin(t, broker, func(ch *amqp.Channel) error { return ch.ExchangeDelete(c.Prefix+".events", false, false) })
	wantPublishes(t, b)
}

func testQueueDeleted(t *testing.T, broker *testenv.RabbitMQ) {
	b := open(t, broker.URL)
	s := watchAll(t, b)
	for name := range strings.Lines(broker.Control("-q", "list_queues", "--no-table-headers", "name")) {
		if name = strings.TrimSpace(name); strings.Contains(name, ".sub.") && !strings.HasSuffix(name, ".lost") {
			broker.Control("delete_queue", name)
		}
	}
	wantLost(t, s)
	wantHears(t, b, s)
}

func testReset(t *testing.T, broker *testenv.RabbitMQ) {
	proxy, url := proxied(t, broker)
	b := open(t, url)
	s := watchAll(t, b)
	wantHears(t, b, s)
	for range 3 {
		proxy.Stop()
		wantFails(t, b)
		if err := proxy.Start(); err != nil {
			t.Fatal(err)
		}
		wantLost(t, s)
		wantHears(t, b, s)
	}
}

// The link swallows everything: no reset, no answer.
func testSilence(t *testing.T, broker *testenv.RabbitMQ) {
	proxy, url := proxied(t, broker)
	b := open(t, url)
	s := watchAll(t, b)
	for _, stream := range []string{"upstream", "downstream"} {
		if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(`{"name":"` + stream + `","type":"timeout","stream":"` + stream + `","attributes":{"timeout":0}}`)); err != nil {
			t.Fatal(err)
		}
	}
	wantFails(t, b)
	began := time.Now()
	if err := s.Watch(t.Context(), []uint8{1}); err != nil {
		t.Errorf("watch: %v", err)
	}
	if err := s.Watch(t.Context(), bus.All()); err != nil {
		t.Errorf("watch: %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("watching took %s", took)
	}
	proxy.Toxics.ResetToxics(t.Context())
	wantLost(t, s)
	wantHears(t, b, s)
}

func testAlarm(t *testing.T, broker *testenv.RabbitMQ) {
	b := open(t, broker.URL)
	s := watchAll(t, b)
	broker.Control("set_vm_memory_high_watermark", "absolute", "1MB")
	large := batch("large", 200)
	for i := range large {
		large[i].Body = []byte(strings.Repeat("x", 100_000)) // more than sockets buffer
	}
	for range 3 {
		began := time.Now()
		if err := b.Publish(t.Context(), large); err == nil {
			t.Error("publishing works under the alarm")
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("it took %s to fail", took)
		}
	}
	if err := s.Watch(t.Context(), bus.All()); err != nil { // consuming goes on
		t.Error(err)
	}
	broker.Control("set_vm_memory_high_watermark", "0.8")
	wantHears(t, b, s)
}

func testKill(t *testing.T, broker *testenv.RabbitMQ) { kill(t, broker, func() {}) }
func testWipe(t *testing.T, broker *testenv.RabbitMQ) { kill(t, broker, broker.Wipe) }

func kill(t *testing.T, broker *testenv.RabbitMQ, meanwhile func()) {
	b := open(t, broker.URL)
	all, some := watchAll(t, b), watch(t, b, []uint8{bus.Shard("k1")})
	wantHears(t, b, all)
	broker.Kill()
	wantFails(t, b)
	meanwhile()
	began := time.Now()
	broker.Restart()
	broker.WaitUntilReady()
	up := time.Now()
	wantLost(t, all)
	wantLost(t, some)
	wantHears(t, b, all)
	wantHears(t, b, some)
	t.Logf("the broker took %s to start and the bus %s to go on", up.Sub(began).Round(time.Millisecond), time.Since(up).Round(time.Millisecond))
}

func testOpenBefore(t *testing.T, broker *testenv.RabbitMQ) {
	proxy, url := proxied(t, broker)
	proxy.Stop()
	b := open(t, url)
	if b.Connected() {
		t.Fatal("connected to nothing")
	}
	wantFails(t, b)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	wantPublishes(t, b)
}

func testSubscribeBefore(t *testing.T, broker *testenv.RabbitMQ) {
	proxy, url := proxied(t, broker)
	proxy.Stop()
	b := open(t, url)
	s := watchAll(t, b)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	wantLost(t, s)
	wantHears(t, b, s)
}

func TestConfig(t *testing.T) {
	for _, url := range []string{"http://user:secret@host", "amqp://user:secret@host:port", "amqp://user:%secret@host"} {
		_, err := rabbitmq.Open(t.Context(), rabbitmq.Config{
			URL: url, Buffer: -1, Heartbeat: time.Millisecond, BackoffMin: time.Hour, BackoffMax: time.Second,
		}, nil)
		if err == nil {
			t.Fatal("opened")
		}
		for _, fault := range []string{"URL", "Buffer", "Heartbeat", "BackoffMin", "log"} {
			if !strings.Contains(err.Error(), fault) {
				t.Errorf("%q does not name %s", err, fault)
			}
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q shows the password", err)
		}
	}
}

func open(t *testing.T, url string) *rabbitmq.Bus {
	t.Helper()
	return openConfig(t, rabbitmq.Config{URL: url, Prefix: prefix(t)})
}

func openConfig(t testing.TB, c rabbitmq.Config) *rabbitmq.Bus {
	t.Helper()
	if c.Timeout == 0 {
		c.Timeout = 2 * time.Second
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = time.Second
	}
	c.BackoffMax = 200 * time.Millisecond
	b, err := rabbitmq.Open(t.Context(), c, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

// prefix keeps tests on one broker apart.
func prefix(t testing.TB) string {
	return fmt.Sprintf("test%d", bus.Shard(t.Name())) + fmt.Sprint(time.Now().UnixNano())
}

func proxied(t *testing.T, broker *testenv.RabbitMQ) (*toxiproxy.Proxy, string) {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", testenv.FreePort(t))
	p := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "broker", address, broker.Address)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p, strings.Replace(broker.URL, broker.Address, address, 1)
}

func admin(t *testing.T, broker *testenv.RabbitMQ, do func(*amqp.Channel) error) {
	t.Helper()
	conn, err := amqp.Dial(broker.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err == nil {
		err = do(ch)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func watchAll(t testing.TB, b bus.Bus) bus.Subscription { return watch(t, b, bus.All()) }

func watch(t testing.TB, b bus.Bus, shards []uint8) bus.Subscription {
	t.Helper()
	s, err := b.Subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Watch(t.Context(), shards); err != nil {
		t.Fatal(err)
	}
	return s
}

func batch(id string, n int) []bus.Message {
	out := make([]bus.Message, n)
	for i := range out {
		out[i] = bus.Message{ID: fmt.Sprintf("%s-%d", id, i), Topic: "order.placed", Key: fmt.Sprintf("k%d", i), Version: 1, Time: time.Now(), Body: []byte(`{}`)}
	}
	return out
}

func wantFails(t *testing.T, b bus.Bus) {
	t.Helper()
	began := time.Now()
	if err := b.Publish(t.Context(), batch("lost", 10)); err == nil {
		t.Error("published without a broker")
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it took %s to fail", took)
	}
}

func wantPublishes(t *testing.T, b bus.Bus) {
	t.Helper()
	var err error
	for until := time.Now().Add(patience); time.Now().Before(until); {
		if err = b.Publish(t.Context(), batch("again", 2)); err == nil {
			return
		}
	}
	t.Fatalf("publishing does not come back: %v", err)
}

func wantLost(t *testing.T, s bus.Subscription) {
	t.Helper()
	select {
	case <-s.Lost():
	case <-time.After(patience):
		t.Fatal("no word of the loss")
	}
}

// wantHears publishes until something comes through.
func wantHears(t *testing.T, b bus.Bus, s bus.Subscription) {
	t.Helper()
	fresh := fmt.Sprint("fresh", time.Now().UnixNano())
	wait := time.After(patience)
	for {
		err := b.Publish(t.Context(), batch(fresh, 2))
		again := time.After(500 * time.Millisecond)
	reading:
		for {
			select {
			case m := <-s.Messages():
				if strings.HasPrefix(m.ID, fresh) {
					return
				}
			case <-again:
				break reading
			case <-wait:
				t.Fatalf("nothing comes through; publishing: %v", err)
			}
		}
	}
}
