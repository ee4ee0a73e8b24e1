package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/gorilla/websocket"
	amqp "github.com/rabbitmq/amqp091-go"
)

// change gives an order another status, and does what cannot be left out: the
// request decoded; the order's row, an event and an outbox row; one commit for
// all that wait; answered; to RabbitMQ and back, if there is one; written to
// who watches the order. Who may do so is not asked, no courier has a plan.
func (s *bareShop) change(w http.ResponseWriter, r *http.Request, status string) {
	var said struct {
		Courier string `json:"courier"`
		Reason  string `json:"reason"`
		Version int64  `json:"version"`
	}
	if err := jsonv2.UnmarshalRead(r.Body, &said); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	o := &bareOrder{ID: r.PathValue("id"), Status: status, Version: said.Version + 1, done: make(chan error, 1)}
	s.do(w, o, s.changes, time.Now().UTC(), http.StatusOK)
}

// watch keeps the connection of who watches an order, whose id is the bearer.
func (s *bareShop) watch(w http.ResponseWriter, r *http.Request, up *websocket.Upgrader) {
	c, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	if _, _, err := c.ReadMessage(); err != nil { // from where to resume: from here
		return
	}
	if c.WriteMessage(websocket.TextMessage, []byte(`{"type":"snapshot"}`)) != nil {
		return
	}
	s.mu.Lock()
	s.watching[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")] = c
	s.mu.Unlock()
	_, _, _ = c.ReadMessage() // until the client hangs up
}

// tell writes an event to who watches its order. It is called by one
// goroutine.
func (s *bareShop) tell(event []byte) {
	var e bareEvent
	if jsonv2.Unmarshal(event, &e) != nil {
		return
	}
	s.mu.RLock()
	c := s.watching[e.Order]
	s.mu.RUnlock()
	if c != nil {
		_ = c.WriteMessage(websocket.TextMessage, event)
	}
}

// hear takes changes from the broker, by a channel of its own.
func (s *bareShop) hear(conn *amqp.Connection) error {
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	q, err := ch.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		return err
	}
	if err := ch.QueueBind(q.Name, bareChanged, "bench-floor", false, nil); err != nil {
		return err
	}
	events, err := ch.Consume(q.Name, "", true, true, false, false, nil)
	if err != nil {
		return err
	}
	go func() {
		for e := range events {
			s.tell(e.Body)
		}
	}()
	return nil
}

// bareChanges is the p99 of a status from its event to who watches the order,
// where a bare shop changes as many orders at the same rate. Nobody else is
// connected.
func (r *run) bareChanges(ctx context.Context, orders int, rate float64) (f Floor, err error) {
	bare, closed, err := r.openBareShop(ctx)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, closed()) }()
	p := &people{target: bare.Target, couriers: []*courier{{id: "nobody"}}}
	parcels := make([]parcel, orders)
	ready := time.Now().Add(2 * time.Hour).UTC().Format(time.RFC3339)
	err = each(ctx, orders, func(ctx context.Context, i int) error {
		c, err := newCaller(ctx, bare.address())
		if err != nil {
			return err
		}
		defer c.close()
		reference := "floor-" + strconv.Itoa(i)
		status, answer, err := c.call(http.MethodPost, "/v1/orders", "", reference, orderBody(reference, ready, int64(i)))
		if err != nil || status != http.StatusCreated {
			return errors.Join(err, fmt.Errorf("bare shop: %d %s", status, answer))
		}
		id := jsonText(answer, "id")
		parcels[i] = parcel{order: id, version: 1, secret: id}
		return nil
	})
	if err != nil {
		return f, err
	}
	var l *changes
	begun := make(chan struct{})
	err = p.watch(ctx, parcels, func(i int, raw []byte, at time.Time) { <-begun; l.see(i, raw, at) })
	defer p.hangUp()
	l = newChanges(p, parcels, changeClients, rate, newWindow(time.Now().Add(50*time.Millisecond), r.Warm/2, r.Measure/2), r)
	close(begun)
	if err != nil {
		return f, err
	}
	r.Told("%s: floor, %.0f status changes/s of a bare shop", r.scenario, rate)
	if err := l.run(ctx); err != nil {
		return f, fmt.Errorf("bare shop: %w", err)
	}
	quiet(ctx, l.seen.Load)
	if lost := l.asked.Load() - l.seen.Load(); lost != 0 {
		return f, fmt.Errorf("bare shop: %d changes were not seen", lost)
	}
	f = Floor{What: "net/http, decoded, 3 rows, a commit for all that wait, gorilla/websocket", Value: p99(l.sinceEvent)}
	if r.AMQPURL != "" {
		f.What = "net/http, decoded, 3 rows, a commit for all that wait, published, consumed, gorilla/websocket"
	}
	return f, nil
}
