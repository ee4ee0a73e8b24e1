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
	"github.com/gorilla/websocket"
	amqp "github.com/rabbitmq/amqp091-go"
)

// bareShop takes orders by net/http and does with them what cannot be left
// out: decoded; four rows (order, event, outbox, the answer under its key); one
// commit for all that wait; answered; told to RabbitMQ, if there is one, and
// taken out of the outbox once that has confirmed it. Nobody is checked,
// nothing counted, placed or matched. It changes them likewise: see change.
type bareShop struct {
	write func(ctx context.Context, some []*bareOrder) error // new orders
	alter func(ctx context.Context, some []*bareOrder) error // changed ones
	clear func(ctx context.Context, some []*bareOrder) error
	topic *amqp.Channel // nil: no broker

	jobs    chan *bareOrder
	changes chan *bareOrder
	written chan []*bareOrder
	last    atomic.Int64

	mu       sync.RWMutex
	watching map[string]*websocket.Conn // by order
}

// The writers, each with one commit at a time, and how much that holds at most.
const (
	shopWriters = 2
	shopCommit  = 256
)

type bareOrder struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	Version   int64     `json:"version"`
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
	Version int64     `json:"seq"`
	Type    string    `json:"type"`
	Time    time.Time `json:"time"`
}

// The topics of events.
const (
	barePlaced  = "order.placed"
	bareChanged = "order.changed"
)

// message names an order's event.
func (o *bareOrder) message() string { return o.ID + ":" + strconv.FormatInt(o.Version, 10) }

func (o *bareOrder) topic() string {
	if o.Version == 1 {
		return barePlaced
	}
	return bareChanged
}

// openShop opens what the query names: a folder or a database, and a broker.
// All ends with the process.
func openShop(ctx context.Context, query url.Values) (*bareShop, error) {
	s := &bareShop{
		jobs: make(chan *bareOrder, 1024), changes: make(chan *bareOrder, 1024), written: make(chan []*bareOrder, 64),
		watching: map[string]*websocket.Conn{},
	}
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
		if err := s.dial(at); err != nil {
			return nil, err
		}
	}
	for range writers {
		go s.writeAll(ctx, s.jobs, s.write)
		go s.writeAll(ctx, s.changes, s.alter)
	}
	go s.publishAll(ctx)
	return s, nil
}

// The tables, for both engines.
const shopTables = `CREATE TABLE floor_orders (id TEXT PRIMARY KEY, body TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'placed', version BIGINT NOT NULL DEFAULT 1);
CREATE TABLE floor_events (id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (id, version));
CREATE TABLE floor_outbox (id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE floor_keys (id TEXT PRIMARY KEY, answer TEXT NOT NULL)`

func (s *bareShop) onPostgres(ctx context.Context, at string) error {
	db, err := sql.Open("pgx", at)
	if err != nil {
		return err
	}
	db.SetMaxIdleConns(2*shopWriters + 1)
	for _, table := range strings.Split(shopTables, ";") {
		if _, err := db.ExecContext(ctx, table); err != nil {
			return err
		}
	}
	s.write = func(ctx context.Context, some []*bareOrder) error {
		n := len(some)
		ids, bodies, events, keys, messages := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
		for i, o := range some {
			ids[i], bodies[i], events[i], keys[i], messages[i] = o.ID, string(o.body), string(o.event), o.key, o.message()
		}
		_, err := db.ExecContext(ctx, `WITH orders AS (INSERT INTO floor_orders (id, body) SELECT * FROM unnest($1::text[], $2::text[])),
events AS (INSERT INTO floor_events SELECT id, 1, body FROM unnest($1::text[], $3::text[]) AS e (id, body)),
keys AS (INSERT INTO floor_keys SELECT * FROM unnest($4::text[], $2::text[]))
INSERT INTO floor_outbox SELECT * FROM unnest($5::text[], $3::text[])`, ids, bodies, events, keys, messages)
		return err
	}
	s.alter = func(ctx context.Context, some []*bareOrder) error {
		n := len(some)
		ids, statuses, events, messages, versions := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]int64, n)
		for i, o := range some {
			ids[i], statuses[i], events[i], messages[i], versions[i] = o.ID, o.Status, string(o.event), o.message(), o.Version
		}
		_, err := db.ExecContext(ctx, `WITH n AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) AS n (id, status, event, message, version)),
changed AS (UPDATE floor_orders o SET status = n.status, version = n.version FROM n WHERE o.id = n.id AND o.version = n.version - 1),
events AS (INSERT INTO floor_events SELECT id, version, event FROM n)
INSERT INTO floor_outbox SELECT message, event FROM n`, ids, statuses, events, messages, versions)
		return err
	}
	s.clear = func(ctx context.Context, some []*bareOrder) error {
		messages := make([]string, len(some))
		for i, o := range some {
			messages[i] = o.message()
		}
		_, err := db.ExecContext(ctx, "DELETE FROM floor_outbox WHERE id = ANY($1)", messages)
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
	orders := rows{"floor_orders (id, body)", "(?, ?)", func(o *bareOrder) []any { return []any{o.ID, o.body} }}
	events := rows{"floor_events", "(?, ?, ?)", func(o *bareOrder) []any { return []any{o.ID, o.Version, o.event} }}
	outbox := rows{"floor_outbox", "(?, ?)", func(o *bareOrder) []any { return []any{o.message(), o.event} }}
	keys := rows{"floor_keys", "(?, ?)", func(o *bareOrder) []any { return []any{o.key, o.body} }}
	s.write = func(ctx context.Context, some []*bareOrder) error {
		return inOne(ctx, db, func(tx *sql.Tx) error { return insert(ctx, tx, some, orders, events, outbox, keys) })
	}
	s.alter = func(ctx context.Context, some []*bareOrder) error {
		return inOne(ctx, db, func(tx *sql.Tx) error {
			for _, o := range some {
				_, err := tx.ExecContext(ctx, "UPDATE floor_orders SET status = ?, version = ? WHERE id = ? AND version = ?", o.Status, o.Version, o.ID, o.Version-1)
				if err != nil {
					return err
				}
			}
			return insert(ctx, tx, some, events, outbox)
		})
	}
	s.clear = func(ctx context.Context, some []*bareOrder) error {
		messages := make([]any, len(some))
		for i, o := range some {
			messages[i] = o.message()
		}
		_, err := db.ExecContext(ctx, "DELETE FROM floor_outbox WHERE id IN (?"+strings.Repeat(", ?", len(some)-1)+")", messages...) //nolint:gosec // marks alone
		return err
	}
	return nil
}

// rows are what one table takes of an order.
type rows struct {
	into, row string
	values    func(o *bareOrder) []any
}

func insert(ctx context.Context, tx *sql.Tx, some []*bareOrder, tables ...rows) error {
	for _, table := range tables {
		var values []any
		for _, o := range some {
			values = append(values, table.values(o)...)
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO "+table.into+" VALUES "+table.row+strings.Repeat(", "+table.row, len(some)-1), values...); err != nil { //nolint:gosec // names of this file
			return err
		}
	}
	return nil
}

// inOne does all in one commit.
func inOne(ctx context.Context, db *sql.DB, do func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func (s *bareShop) dial(at string) error {
	conn, err := amqp.Dial(at)
	if err != nil {
		return err
	}
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	s.topic = ch
	if err := errors.Join(ch.Confirm(false), ch.ExchangeDeclare("bench-floor", amqp.ExchangeTopic, false, true, false, false, nil)); err != nil {
		return err
	}
	return s.hear(conn)
}

// writeAll writes what waits in one commit after the other.
func (s *bareShop) writeAll(ctx context.Context, jobs chan *bareOrder, write func(ctx context.Context, some []*bareOrder) error) {
	for {
		some := []*bareOrder{<-jobs}
		for more := true; more && len(some) < shopCommit; {
			select {
			case o := <-jobs:
				some = append(some, o)
			default:
				more = false
			}
		}
		err := write(ctx, some)
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
				s.tell(o.event)
				continue
			}
			c, err := s.topic.PublishWithDeferredConfirm("bench-floor", o.topic(), false, false,
				amqp.Publishing{ContentType: "application/json", DeliveryMode: amqp.Persistent, MessageId: o.message(), Body: o.event})
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
	o.ID, o.Status, o.Version, o.Created = "order-"+strconv.FormatInt(s.last.Add(1), 10), "placed", 1, time.Now().UTC()
	s.do(w, o, s.jobs, o.Created, http.StatusCreated)
}

// do writes what happened to an order at a time, and answers.
func (s *bareShop) do(w http.ResponseWriter, o *bareOrder, jobs chan *bareOrder, at time.Time, status int) {
	var err error
	o.body, err = jsonv2.Marshal(o)
	if err == nil {
		o.event, err = jsonv2.Marshal(bareEvent{o.ID, o.Version, o.Status, at})
	}
	if err == nil {
		jobs <- o
		err = <-o.done
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
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

// openBareShop is a process with a shop on the run's engines.
func (r *run) openBareShop(ctx context.Context) (f *floor, closed func() error, err error) {
	w, err := r.openSQL(ctx) // and so what is removed afterwards
	if err != nil {
		return nil, nil, fmt.Errorf("bare shop: %w", err)
	}
	f, err = r.floor(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, w.close())
	}
	closed = func() error { return errors.Join(f.stop(), w.close()) }
	defer func() {
		if err != nil {
			err = errors.Join(err, closed())
		}
	}()
	at := url.Values{"dir": {w.dir}, "database": {w.at}, "amqp": {r.AMQPURL}}
	c, err := newCaller(ctx, f.address())
	if err != nil {
		return nil, nil, err
	}
	defer c.close()
	status, said, err := c.call(http.MethodPost, "/shop?"+at.Encode(), "", "", nil)
	if err != nil || status != http.StatusOK {
		return nil, nil, errors.Join(err, fmt.Errorf("bare shop: %d %s", status, bytes.TrimSpace(said)))
	}
	return f, closed, nil
}

// bareOrders is how many orders a second a bare shop takes from as many
// clients.
func (r *run) bareOrders(ctx context.Context, clients int) (f Floor, err error) {
	bare, closed, err := r.openBareShop(ctx)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, closed()) }()
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
