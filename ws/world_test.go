package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"courier/dispatch"
	"courier/geo"
	"courier/internal/auth"
	"courier/internal/bus"
	"courier/internal/clock"
	"courier/tracking"
	"courier/ws"
	"courier/ws/wstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// document is parsed once for all tests.
var document = sync.OnceValues(func() (*wstest.Document, error) { return wstest.Parse(ws.AsyncAPI) })

func doc(t testing.TB) *wstest.Document {
	t.Helper()
	d, err := document()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// world is a service without rules: what a test writes is what is true. It
// stands for dispatch.Service, tracking.Tracker and auth.
type world struct {
	*bus.Memory
	feed   *tracking.MemoryFeed
	hub    *ws.Hub
	server string
	silent bool                              // publish nothing: all messages are lost
	mangle func([]bus.Message) []bus.Message // what the bus makes of messages

	mu       sync.Mutex
	tokens   map[string]auth.Identity
	orders   map[string]*story
	couriers map[string]*dispatch.Courier
	offers   map[string]*dispatch.Offer
	fixes    map[string]tracking.Fix
	acts     []string // courier/id
	answers  map[string]error
	ingested int
	forgot   []string
	enter    []string // what Ingest says was entered
	arrived  []string
	alerts   []dispatch.Alert
	unheard  []string // couriers
	stats    dispatch.Stats
	held     map[string]chan struct{} // actions that are not done before their channel is closed
	calls    map[string]int
	taken    map[string]int // by key of the limiter
	broken   error
	onEvents func(after int64) // called while events are read
}

type story struct {
	dispatch.Order
	events []dispatch.Event
}

func quick(c *ws.Config) {
	none := ws.Limit{PerSecond: -1}
	c.Limits = ws.Limits{Handshakes: none, Credential: none, CourierFrames: none, OtherFrames: none, PerAddress: -1, PerCustomer: -1, PerStaff: -1}
	c.Sweep, c.Position, c.Orders, c.Couriers = 50*time.Millisecond, 20*time.Millisecond, 10*time.Millisecond, 20*time.Millisecond
	c.Stats, c.Cells, c.CloseWait, c.View = 20*time.Millisecond, 20*time.Millisecond, time.Second, time.Millisecond
}

// newWorld starts a hub behind a real HTTP server. Everything has ended when
// the test has.
func newWorld(t testing.TB, with ...func(*ws.Config)) *world {
	t.Helper()
	return newWorldAt(t, 1, with...)
}

// newWorldAt has a clock that runs at a rate.
func newWorldAt(t testing.TB, rate float64, with ...func(*ws.Config)) *world {
	t.Helper()
	w := &world{
		Memory: bus.NewMemory(bus.MemoryConfig{}), feed: tracking.NewMemoryFeed(),
		tokens: map[string]auth.Identity{
			"staff": {Role: dispatch.RoleDispatcher, ID: "d1"},
			"shop":  {Role: dispatch.RoleMerchant, ID: "m1"},
		},
		orders: map[string]*story{}, couriers: map[string]*dispatch.Courier{}, offers: map[string]*dispatch.Offer{},
		fixes: map[string]tracking.Fix{}, answers: map[string]error{}, calls: map[string]int{}, taken: map[string]int{},
	}
	c := ws.Config{Workers: 4}
	quick(&c)
	for _, f := range with {
		f(&c)
	}
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("WS_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	var err error
	w.hub, err = ws.New(c, ws.Ports{Auth: w, Service: w, Tracker: w, Feed: w.feed, Index: w, Limiter: w, Bus: w, Clock: clock.New(time.Now(), rate), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/ws/courier", w.hub.Courier())
	mux.Handle("/v1/ws/track", w.hub.Track())
	mux.Handle("/v1/ws/fleet", w.hub.Fleet())
	server := httptest.NewUnstartedServer(mux)
	server.Listener = narrow{server.Listener}
	server.Start()
	w.server = server.URL
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.hub.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		server.Close()
	})
	return w
}

// narrow has the kernel hold little of what a client does not read.
type narrow struct{ net.Listener }

func (l narrow) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		err = errors.Join(err, tcp.SetWriteBuffer(16<<10))
	}
	return c, err
}

func (w *world) open(t testing.TB, channel, bearer string, seq int64) *wstest.Conn {
	t.Helper()
	return wstest.Open(t, doc(t), w.server, channel, bearer, seq)
}

// post publishes as the outbox would.
func (w *world) post(messages ...bus.Message) {
	if w.silent {
		return
	}
	if w.mangle != nil {
		messages = w.mangle(messages)
	}
	if err := w.Publish(context.Background(), messages); err != nil {
		panic(err)
	}
}

var (
	kitchen = geo.Point{Lat: 52.10, Lng: 4.30}
	home    = geo.Point{Lat: 52.11, Lng: 4.32}
)

// place makes an order with its first event and a token for its customer.
func (w *world) place(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.orders[id] = &story{Order: dispatch.Order{
		ID: id, Merchant: "m1", Pickup: dispatch.Place{Point: kitchen}, Dropoff: dispatch.Place{Point: home},
		ReadyAt: time.Now().UTC(), Size: 1, Times: map[dispatch.Status]time.Time{},
	}}
	w.tokens["ct_"+id] = auth.Identity{Role: dispatch.RoleCustomer, ID: "link-" + id, Order: id}
	w.stepLocked(id, dispatch.EventPlaced, dispatch.Placed)
}

func (w *world) stepLocked(id string, typ dispatch.EventType, status dispatch.Status) bus.Message {
	o := w.orders[id]
	now := time.Now().UTC()
	o.Version++
	o.Status = status
	o.Times[status] = now
	e := dispatch.Event{Order: id, Version: o.Version, Type: typ, Status: status, Time: now}
	o.events = append(o.events, e)
	body, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return bus.Message{ID: fmt.Sprint(id, "/", o.Version), Topic: "order." + string(status), Key: id, Version: o.Version, Time: now, Body: body}
}

// step moves an order on and tells the bus.
func (w *world) step(id string, status dispatch.Status) {
	w.mu.Lock()
	m := w.stepLocked(id, dispatch.EventType(status), status)
	w.mu.Unlock()
	w.post(m)
}

// carry gives the order to a courier.
func (w *world) carry(id, courier string) {
	w.mu.Lock()
	w.orders[id].Courier = courier
	m := w.stepLocked(id, dispatch.EventAssigned, dispatch.Assigned)
	w.mu.Unlock()
	w.post(m)
}

// hire makes a courier with a token.
func (w *world) hire(id string, duty dispatch.Duty) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.couriers[id] = &dispatch.Courier{ID: id, Name: "Mia Berg", Vehicle: geo.Bicycle, Capacity: 3, Duty: duty, Version: 1, Epoch: 1, Plan: dispatch.Plan{Version: 1}}
	w.tokens["courier-"+id] = auth.Identity{Role: dispatch.RoleCourier, ID: id, Epoch: 1}
}

// change moves a courier on and tells the bus.
func (w *world) change(id string, f func(c *dispatch.Courier)) {
	w.mu.Lock()
	c := w.couriers[id]
	f(c)
	c.Version++
	m := bus.Message{ID: fmt.Sprint(id, "/", c.Version), Topic: "courier.changed", Key: id, Version: c.Version}
	w.mu.Unlock()
	w.post(m)
}

// drive reports a fix as the tracker's flush does.
func (w *world) drive(courier string, at geo.Point) {
	fix := tracking.Fix{Courier: courier, Time: time.Now().UTC(), Point: at, Accuracy: 5, Received: time.Now()}
	w.mu.Lock()
	w.fixes[courier] = fix
	w.mu.Unlock()
	if err := w.feed.Publish(context.Background(), []tracking.Fix{fix}); err != nil {
		panic(err)
	}
}

func (w *world) with(f func()) { w.mu.Lock(); defer w.mu.Unlock(); f() }

func (w *world) called(name string) int { w.mu.Lock(); defer w.mu.Unlock(); return w.calls[name] }

// The ports.

func (w *world) Check(_ context.Context, bearer string) (auth.Identity, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, ok := w.tokens[bearer]
	if !ok {
		return auth.Identity{}, fmt.Errorf("check: %w", auth.ErrUnauthenticated)
	}
	return id, nil
}

// Take never gives a token back.
func (w *world) Take(_ context.Context, key string, _ float64, burst int) (time.Duration, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.taken[key]++; w.taken[key] > burst {
		return 1500 * time.Millisecond, nil
	}
	return 0, w.broken
}

func (w *world) Ingest(_ context.Context, courier string, fixes []tracking.Fix, fences []tracking.Fence) (tracking.Result, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ingested += len(fixes)
	r := tracking.Result{Accepted: len(fixes)}
	for _, f := range fences {
		if slices.Contains(w.enter, f.ID) {
			r.Entered = append(r.Entered, f.ID)
		}
	}
	if len(fixes) > 0 && fixes[0].Lat > 90 {
		r = tracking.Result{Accepted: len(fixes) - 1, Late: []int{1}, Rejected: []tracking.Rejection{{Index: 0, Reason: tracking.OutOfRange}}}
	}
	return r, nil
}

func (w *world) Forget(_ context.Context, courier string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forgot = append(w.forgot, courier)
	return nil
}

func (w *world) Act(_ context.Context, courier string, epoch int64, id string, a dispatch.Action) error {
	w.mu.Lock()
	c := w.couriers[courier]
	if c.Epoch != epoch {
		w.mu.Unlock()
		return dispatch.ErrStaleSession
	}
	w.acts = append(w.acts, courier+"/"+id)
	err, held := w.answers[id], w.held[id]
	w.mu.Unlock()
	if held != nil {
		<-held
	}
	if err == nil && a.Type == dispatch.ActSetDuty {
		w.change(courier, func(c *dispatch.Courier) { c.Duty = a.Duty })
	}
	return err
}

func (w *world) GeofenceArrive(_ context.Context, courier, order string, kind dispatch.StopKind) error {
	w.mu.Lock()
	w.arrived = append(w.arrived, courier+"/"+order+"/"+string(kind))
	w.mu.Unlock()
	now := time.Now().UTC()
	w.change(courier, func(c *dispatch.Courier) {
		c.Plan.Stops = slices.Clone(c.Plan.Stops)
		for i := range c.Plan.Stops {
			if c.Plan.Stops[i].Order == order && c.Plan.Stops[i].Kind == kind {
				c.Plan.Stops[i].ArrivedAt = &now
			}
		}
	})
	return nil
}

func (w *world) CourierState(_ context.Context, id string) (dispatch.Courier, *dispatch.Offer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls["CourierState"]++
	c := w.couriers[id]
	if c == nil {
		return dispatch.Courier{}, nil, dispatch.ErrNotFound
	}
	if o := w.offers[c.Offer]; o != nil && o.State == dispatch.OfferOpen {
		open := *o
		return *c, &open, w.broken
	}
	return *c, nil, w.broken
}

func (w *world) Offer(_ context.Context, id string) (dispatch.Offer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if o := w.offers[id]; o != nil {
		return *o, nil
	}
	return dispatch.Offer{}, dispatch.ErrNotFound
}

func (w *world) Views(ctx context.Context, ids []string) (map[string]dispatch.View, error) {
	w.mu.Lock()
	w.calls["Views"]++
	w.mu.Unlock()
	views := map[string]dispatch.View{}
	for _, id := range ids {
		if v, err := w.View(ctx, id); err == nil {
			views[id] = v
		} else if !errors.Is(err, dispatch.ErrNotFound) {
			return nil, err
		}
	}
	return views, nil
}

func (w *world) View(_ context.Context, id string) (dispatch.View, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls["View"]++
	o := w.orders[id]
	if o == nil {
		return dispatch.View{}, dispatch.ErrNotFound
	}
	v := dispatch.View{
		Status: dispatch.PublicStatus(o.Status), Version: o.Version, Steps: maps.Clone(o.Times), ReadyAt: o.ReadyAt,
		Pickup: dispatch.ViewPlace{Point: kitchen}, Dropoff: dispatch.ViewPlace{Point: home},
	}
	if c := w.couriers[o.Courier]; c != nil {
		v.Courier = &dispatch.ViewCourier{ID: c.ID, Name: "Mia", Vehicle: c.Vehicle}
		if fix, ok := w.fixes[c.ID]; ok {
			eta := fix.Time.Add(time.Duration(geo.Distance(fix.Point, home)) * time.Second).Truncate(time.Second)
			v.ETA = &dispatch.Window{From: eta, To: eta.Add(time.Minute)}
			if o.Status == dispatch.PickedUp || o.Status == dispatch.AtDropoff {
				v.Fix = &fix
			}
		}
	}
	return v, w.broken
}

func (w *world) Events(_ context.Context, _ dispatch.Scope, id string, after int64) ([]dispatch.Event, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls["Events"]++
	if w.onEvents != nil {
		w.onEvents(after)
	}
	o := w.orders[id]
	if o == nil {
		return nil, dispatch.ErrNotFound
	}
	return slices.Clone(o.events[after:]), w.broken
}

func (w *world) Order(_ context.Context, _ dispatch.Scope, id string) (dispatch.Order, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls["Order"]++
	o := w.orders[id]
	if o == nil {
		return dispatch.Order{}, dispatch.ErrNotFound
	}
	return clone(o.Order), w.broken
}

func clone(o dispatch.Order) dispatch.Order { o.Times = maps.Clone(o.Times); return o }

func (w *world) OrderVersions(_ context.Context, ids []string) (map[string]int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]int64{}
	for _, id := range ids {
		if o := w.orders[id]; o != nil {
			out[id] = o.Version
		}
	}
	return out, nil
}

func (w *world) CourierVersions(_ context.Context, ids []string) (map[string]int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]int64{}
	for _, id := range ids {
		if c := w.couriers[id]; c != nil {
			out[id] = c.Version
		}
	}
	return out, nil
}

func (w *world) Within(_ context.Context, box geo.Bounds, _ int) (out []tracking.Fix, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls["Within"]++
	for _, f := range w.fixes {
		if box.Contains(f.Point) {
			out = append(out, f)
		}
	}
	return out, w.broken
}

func (w *world) Fleet(context.Context) ([]dispatch.Order, []dispatch.CourierView, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls["Fleet"]++
	var orders []dispatch.Order
	for _, o := range w.orders {
		orders = append(orders, clone(o.Order))
	}
	return orders, w.viewsLocked(slices.Collect(maps.Keys(w.couriers))...), w.broken
}

func (w *world) FleetOrders(ctx context.Context, ids ...string) (out []dispatch.Order, err error) {
	for _, id := range ids {
		o, err := w.Order(ctx, dispatch.Scope{}, id)
		switch {
		case errors.Is(err, dispatch.ErrNotFound):
		case err != nil:
			return nil, err
		default:
			out = append(out, o)
		}
	}
	return out, nil
}

func (w *world) FleetCouriers(_ context.Context, ids ...string) ([]dispatch.CourierView, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.viewsLocked(ids...), w.broken
}

func (w *world) viewsLocked(ids ...string) []dispatch.CourierView {
	var out []dispatch.CourierView
	for _, id := range ids {
		c := w.couriers[id]
		if c == nil {
			continue
		}
		v := dispatch.CourierView{Courier: *c, State: dispatch.Free}
		if c.Duty == dispatch.Off {
			v.State = dispatch.Offline
		} else if slices.Contains(w.unheard, id) {
			v.State = dispatch.StaleSignal
		}
		if fix, ok := w.fixes[id]; ok {
			v.Fix = &fix
		}
		out = append(out, v)
	}
	return out
}

func (w *world) Watch(context.Context) (dispatch.Watched, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls["Watch"]++
	return dispatch.Watched{Alerts: slices.Clone(w.alerts), Stats: w.stats, Silent: slices.Clone(w.unheard)}, nil
}

// eventually waits for what must come true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(b))
}
