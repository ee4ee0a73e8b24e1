package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"courier/geo"
	"courier/internal/sim/client"
	"courier/internal/testenv"
)

// What a fix and an order cost, on a node with everything inside and on one
// with the three engines: over the public protocol, and in processor time of
// each process, since all of them share this machine with who asks.
//
//	go test ./cmd/dispatch -run '^$' -bench Cost -benchtime 20000x
func BenchmarkCost(b *testing.B) {
	const key = "what things cost has this key, 4be01d7735"
	for _, size := range []string{"embedded", "engines"} {
		b.Run("size="+size, func(b *testing.B) {
			c := &cost{TB: b}
			args := []string{"--auth-secret", key}
			if size == "embedded" {
				args = append(args, "--data-dir", b.TempDir())
			} else {
				e := testenv.StartEngines(b)
				args = append(args, "--database-url", e.Database, "--redis-url", e.Redis.URL(), "--amqp-url", e.RabbitMQ.URL)
				c.parts = append(c.parts, part{"postgres", e.Postgres}, part{"redis", e.Redis}, part{"rabbitmq", e.RabbitMQ})
			}
			node := testenv.StartDispatch(b, "dispatch", asProcess, append(args, "--admin-addr", "", "--log-level", "error",
				"--limit-address", "off", "--limit-credential", "off", "--limit-courier-frames", "off")...)
			c.parts = append([]part{{"node", node}}, c.parts...)
			c.prepare(node.URL(), adminToken(b, "--auth-secret", key))
			b.Run("what=fix/frame=1", func(b *testing.B) { c.fixes(b, 1) })
			b.Run("what=fix/frame=10", func(b *testing.B) { c.fixes(b, 10) })
			b.Run("what=order", c.orders)
		})
	}
}

// cost is a server, and those who use it.
type cost struct {
	testing.TB
	parts   []part
	url     string
	client  *client.Client
	key     string
	sockets []*websocket.Conn
	began   time.Time            // of the first fixes
	times   [benchCouriers]int64 // fixes of each courier
	count   atomic.Int64
}

type part struct {
	name string
	of   interface{ CPU() time.Duration }
}

// couriers and merchants' machines that are at it at once.
const (
	benchCouriers = 100
	benchClients  = 64
)

func (c *cost) prepare(url, admin string) {
	c.url, c.began = url, time.Now().Add(-time.Minute)
	ctx := c.Context()
	var err error
	if c.client, err = client.New(client.Config{Server: url}); err != nil {
		c.Fatal(err)
	}
	c.Cleanup(c.client.Close)
	if c.key, err = c.client.NewAPIKey(ctx, admin, "bench", "bench"); err != nil {
		c.Fatal(err)
	}
	for i := range benchCouriers {
		socket, err := c.hire(ctx, admin, fmt.Sprint("Courier ", i))
		if err != nil {
			c.Fatal(err)
		}
		c.sockets = append(c.sockets, socket)
	}
}

// hire makes a courier, signs it in and brings it on duty.
func (c *cost) hire(ctx context.Context, admin, name string) (*websocket.Conn, error) {
	made, err := c.client.NewCourier(ctx, admin, client.NewCourier{Name: name, Vehicle: "bicycle", Capacity: 3})
	if err != nil {
		return nil, err
	}
	code, err := c.client.SignInCode(ctx, admin, made.ID)
	if err != nil {
		return nil, err
	}
	session, err := c.client.SignIn(ctx, code)
	if err != nil {
		return nil, err
	}
	dialer := websocket.Dialer{Subprotocols: []string{"dispatch.v1"}}
	socket, resp, err := dialer.DialContext(ctx, strings.Replace(c.url, "http", "ws", 1)+"/v1/ws/courier",
		http.Header{"Authorization": {"Bearer " + session.Token}})
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	c.Cleanup(func() { _ = socket.Close() })
	if err := socket.WriteJSON(map[string]any{"type": "resume", "seq": 0}); err != nil {
		return nil, err
	}
	return socket, c.ask(socket, "duty", map[string]any{"type": "duty", "id": "duty", "duty": "available"})
}

// ask sends a frame and waits for its answer.
func (c *cost) ask(socket *websocket.Conn, id string, frame any) error {
	if err := socket.WriteJSON(frame); err != nil {
		return err
	}
	for {
		_, raw, err := socket.ReadMessage()
		if err != nil {
			return err
		}
		var answer struct {
			Type, ID, Code, Detail string
			OK                     bool
			Rejected               json.RawMessage
		}
		if err := json.Unmarshal(raw, &answer); err != nil {
			return err
		}
		if answer.Type != "ack" || answer.ID != id {
			continue
		}
		if !answer.OK || len(answer.Rejected) > 4 {
			return fmt.Errorf("refused: %s", raw)
		}
		return nil
	}
}

// fixes has all couriers send frames, each after the answer to the last.
func (c *cost) fixes(b *testing.B, each int) {
	c.measure(b, each, benchCouriers, func(_ context.Context, courier int) error {
		at := geo.Point{Lat: 52 + float64(courier)/5000, Lng: 4.3}
		fixes := make([]map[string]any, each)
		for i := range fixes { // a millisecond newer each than the one before, and never of the future
			c.times[courier]++
			when := c.began.Add(time.Duration(c.times[courier]) * time.Millisecond)
			fixes[i] = map[string]any{"lat": at.Lat, "lng": at.Lng, "accuracy": 5, "time": when.UTC().Format(time.RFC3339Nano)}
		}
		id := fmt.Sprint("f", c.count.Add(1))
		return c.ask(c.sockets[courier], id, map[string]any{"type": "fixes", "id": id, "fixes": fixes})
	})
}

// orders has all clients place orders that nobody is near enough to carry.
func (c *cost) orders(b *testing.B) {
	far := client.End{Point: geo.Point{Lat: 48, Lng: 11}, Address: "Far away 1"}
	ready := time.Now().Add(2 * time.Hour) // none is matched yet: this is what placing costs
	c.measure(b, 1, benchClients, func(ctx context.Context, _ int) error {
		n := fmt.Sprint("B-", c.count.Add(1))
		_, err := c.client.Place(ctx, c.key, n, client.NewOrder{Reference: n, Pickup: far, Dropoff: far, ReadyAt: &ready, Size: 1})
		return err
	})
}

// measure shares b.N things out among so many at once and reports what one
// cost, in µs of each process.
func (c *cost) measure(b *testing.B, each, atOnce int, one func(ctx context.Context, who int) error) {
	before := make([]time.Duration, len(c.parts))
	for i, p := range c.parts {
		before[i] = p.of.CPU()
	}
	b.ResetTimer()
	g, ctx := errgroup.WithContext(b.Context())
	var begun atomic.Int64
	for who := range atOnce {
		g.Go(func() error {
			for begun.Add(int64(each)) <= int64(b.N)+int64(each)-1 {
				if err := one(ctx, who); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	time.Sleep(time.Second) // what follows, in the background, is part of the price
	for i, p := range c.parts {
		b.ReportMetric(float64((p.of.CPU()-before[i]).Microseconds())/float64(b.N), p.name+"-µs")
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "per-s")
}
