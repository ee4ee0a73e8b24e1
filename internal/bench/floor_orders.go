package bench

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	amqp "github.com/rabbitmq/amqp091-go"
)

// bareShop takes orders by net/http and does with them what cannot be left
// out: decoded; four rows (order, event, outbox, the answer under its key); one
// commit for all that wait; answered; told to RabbitMQ, if there is one, and
// taken out of the outbox once that has confirmed it. Nobody is checked,
// nothing counted, placed or matched.
type bareShop struct {
	write func(ctx context.Context, some []*bareOrder) error
	clear func(ctx context.Context, some []*bareOrder) error
	topic *amqp.Channel // nil: no broker

	jobs    chan *bareOrder
	written chan []*bareOrder
	last    atomic.Int64
}

// The writers, each with one commit at a time, and how much that holds at most.
const (
	shopWriters = 2
	shopCommit  = 256
)

type bareOrder struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	Created   time.Time `json:"created"`
	Reference string    `json:"reference"`
	Pickup    barePlace `json:"pickup"`
	Dropoff   barePlace `json:"dropoff"`
	ReadyAt   time.Time `json:"ready_at"`
	Size      int       `json:"size"`
	Items     string    `json:"items"`

	key         string
	body, event []byte
	done        chan error
}

type barePlace struct {
	Point struct {
		Lat float64 `json:"lat"`
		Lng float64 `json:"lng"`
	} `json:"point"`
	Address string `json:"address"`
	Contact struct {
		Name  string `json:"name"`
		Phone string `json:"phone"`
	} `json:"contact"`
	Note string `json:"note"`
}

type bareEvent struct {
	Order   string    `json:"order"`
	Version int       `json:"version"`
	Type    string    `json:"type"`
	Time    time.Time `json:"time"`
}

// openShop opens what the query names: a folder or a database, and a broker.
// All ends with the process.
func openShop(ctx context.Context, query url.Values) (*bareShop, error) {
	s := &bareShop{jobs: make(chan *bareOrder, 1024), written: make(chan []*bareOrder, 64)}
	var err error
	writers := shopWriters
	if at := query.Get("database"); at != "" {
		err = s.onPostgres(ctx, at)
	} else {
		writers, err = 1, s.onSQLite(ctx, query.Get("dir"))
	}
	if err != nil {
		return nil, err
	}
	if at := query.Get("amqp"); at != "" {
		if err := s.tell(at); err != nil {
			return nil, err
		}
	}
	for range writers {
		go s.writeAll(ctx)
	}
	go s.publishAll(ctx)
	return s, nil
}

// The tables, for both engines.
const shopTables = `CREATE TABLE floor_orders (id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE floor_events (id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (id, version));
CREATE TABLE floor_outbox (id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE floor_keys (id TEXT PRIMARY KEY, answer TEXT NOT NULL)`

func (s *bareShop) onPostgres(ctx context.Context, at string) error {
	db, err := sql.Open("pgx", at)
	if err != nil {
		return err
	}
	db.SetMaxIdleConns(shopWriters + 1)
	for _, table := range strings.Split(shopTables, ";") {
		if _, err := db.ExecContext(ctx, table); err != nil {
			return err
		}
	}
	s.write = func(ctx context.Context, some []*bareOrder) error {
		n := len(some)
		ids, bodies, events, keys := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
		for i, o := range some {
			ids[i], bodies[i], events[i], keys[i] = o.ID, string(o.body), string(o.event), o.key
		}
		_, err := db.ExecContext(ctx, `WITH orders AS (INSERT INTO floor_orders SELECT * FROM unnest($1::text[], $2::text[])),
events AS (INSERT INTO floor_events SELECT id, 1, body FROM unnest($1::text[], $3::text[]) AS e (id, body)),
keys AS (INSERT INTO floor_keys SELECT * FROM unnest($4::text[], $2::text[]))
INSERT INTO floor_outbox SELECT * FROM unnest($1::text[], $3::text[])`, ids, bodies, events, keys)
		return err
	}
	s.clear = func(ctx context.Context, some []*bareOrder) error {
		ids := make([]string, len(some))
		for i, o := range some {
			ids[i] = o.ID
		}
		_, err := db.ExecContext(ctx, "DELETE FROM floor_outbox WHERE id = ANY($1)", ids)
		return err
	}
	return nil
}

func (s *bareShop) onSQLite(ctx context.Context, dir string) error {
	db, err := sql.Open("sqlite3", filepath.Join(dir, "shop.db")+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, shopTables); err != nil {
		return err
	}
	s.write = func(ctx context.Context, some []*bareOrder) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		for _, table := range []struct {
			into, row string
			values    func(o *bareOrder) []any
		}{
			{"floor_orders", "(?, ?)", func(o *bareOrder) []any { return []any{o.ID, o.body} }},
			{"floor_events", "(?, 1, ?)", func(o *bareOrder) []any { return []any{o.ID, o.event} }},
			{"floor_outbox", "(?, ?)", func(o *bareOrder) []any { return []any{o.ID, o.event} }},
			{"floor_keys", "(?, ?)", func(o *bareOrder) []any { return []any{o.key, o.body} }},
		} {
			var values []any
			for _, o := range some {
				values = append(values, table.values(o)...)
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO "+table.into+" VALUES "+table.row+strings.Repeat(", "+table.row, len(some)-1), values...); err != nil { //nolint:gosec // names of this file
				return err
			}
		}
		return tx.Commit()
	}
	s.clear = func(ctx context.Context, some []*bareOrder) error {
		ids := make([]any, len(some))
		for i, o := range some {
			ids[i] = o.ID
		}
		_, err := db.ExecContext(ctx, "DELETE FROM floor_outbox WHERE id IN (?"+strings.Repeat(", ?", len(some)-1)+")", ids...) //nolint:gosec // marks alone
		return err
	}
	return nil
}

func (s *bareShop) tell(at string) error {
	conn, err := amqp.Dial(at)
	if err != nil {
		return err
	}
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	s.topic = ch
	return errors.Join(ch.Confirm(false), ch.ExchangeDeclare("bench-floor", amqp.ExchangeTopic, false, true, false, false, nil))
}

// writeAll writes what waits in one commit after the other.
func (s *bareShop) writeAll(ctx context.Context) {
	for {
		some := []*bareOrder{<-s.jobs}
		for more := true; more && len(some) < shopCommit; {
			select {
			case o := <-s.jobs:
				some = append(some, o)
			default:
				more = false
			}
		}
		err := s.write(ctx, some)
		if err == nil {
			s.written <- some
		}
		for _, o := range some {
			o.done <- err
		}
	}
}

func (s *bareShop) publishAll(ctx context.Context) {
	for some := range s.written {
		var confirmed []*amqp.DeferredConfirmation
		for _, o := range some {
			if s.topic == nil {
				break
			}
			c, err := s.topic.PublishWithDeferredConfirm("bench-floor", "order.placed", false, false,
				amqp.Publishing{ContentType: "application/json", DeliveryMode: amqp.Persistent, MessageId: o.ID, Body: o.event})
			if err != nil {
				return // the outbox fills, and the load ends soon
			}
			confirmed = append(confirmed, c)
		}
		for _, c := range confirmed {
			c.Wait()
		}
		if s.clear(ctx, some) != nil {
			return
		}
	}
}

func (s *bareShop) place(w http.ResponseWriter, r *http.Request) {
	said, err := io.ReadAll(r.Body)
	o := &bareOrder{key: r.Header.Get("Idempotency-Key"), done: make(chan error, 1)}
	if err := errors.Join(err, jsonv2.Unmarshal(said, o)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	o.ID, o.Status, o.Created = "order-"+strconv.FormatInt(s.last.Add(1), 10), "placed", time.Now().UTC()
	o.body, err = jsonv2.Marshal(o)
	if err == nil {
		o.event, err = jsonv2.Marshal(bareEvent{o.ID, 1, "placed", o.Created})
	}
	if err == nil {
		s.jobs <- o
		err = <-o.done
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(o.body)
}

// shop is opened and called by a floor's process.
type shop struct {
	once sync.Once
	bare *bareShop
	err  error
}

func (s *shop) open(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	s.once.Do(func() { s.bare, s.err = openShop(ctx, r.URL.Query()) })
	if s.err != nil {
		http.Error(w, s.err.Error(), http.StatusInternalServerError)
	}
}

// bareOrders is how many orders a second a bare shop takes from as many
// clients.
func (r *run) bareOrders(ctx context.Context, clients int) (f Floor, err error) {
	w, err := r.openSQL(ctx) // and so what is removed afterwards
	if err != nil {
		return f, fmt.Errorf("bare shop: %w", err)
	}
	defer func() { err = errors.Join(err, w.close()) }()
	bare, err := r.floor(ctx)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	at := url.Values{"dir": {w.dir}, "database": {w.at}, "amqp": {r.AMQPURL}}
	c, err := newCaller(ctx, bare.address())
	if err != nil {
		return f, err
	}
	defer c.close()
	if status, said, err := c.call(http.MethodPost, "/shop?"+at.Encode(), "", "", nil); err != nil || status != http.StatusOK {
		return f, errors.Join(err, fmt.Errorf("bare shop: %d %s", status, bytes.TrimSpace(said)))
	}
	l := r.orderLoad(bare.address(), "", clients, 0)
	r.Told("%s: floor, as many as go for %s", r.scenario, r.Warm+r.Measure)
	l.window = newWindow(time.Now().Add(50*time.Millisecond), r.Warm, r.Measure)
	if err := l.run(ctx); err != nil {
		return f, fmt.Errorf("bare shop: %w", err)
	}
	f.What = "net/http, decoded, 4 rows, a commit for all that wait"
	if r.AMQPURL != "" {
		f.What += ", published"
	}
	f.Value = float64(l.counted.Load()) / l.window.seconds()
	return f, nil
}
