package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"courier/geo"
	"courier/internal/clock"
	"courier/internal/sim/client"
)

// fake is a server with one matcher's rule: the courier with the least to do
// gets an offer. Its memory stands for a durable store; drop cuts every
// connection, and loses answers.
type fake struct {
	*httptest.Server
	clock clock.Clock
	t     *testing.T

	mu       sync.Mutex
	down     bool
	lose     int    // every so many answers to a placed order are lost
	fault    string // a promise that is not kept
	conns    map[*websocket.Conn]bool
	orders   map[string]*fakeOrder
	keys     map[string]string // → order
	bodies   map[string]string // of keys
	couriers map[string]*fakeCourier
	made     int
}

type fakeOrder struct {
	client.Order
	pickup, dropoff client.End
	pin             bool
	events          []client.Event
	watchers        map[*websocket.Conn]bool
}

type fakeCourier struct {
	client.Courier
	seq   int64
	conn  *websocket.Conn
	acks  map[string]map[string]any
	offer map[string]string // open offers: id → order
	where client.Fix
	acts  []client.Action // of stops, as the phone dated them
}

func newFake(t *testing.T, rate float64) *fake {
	f := &fake{
		t: t, clock: clock.New(time.Now(), rate), conns: map[*websocket.Conn]bool{}, orders: map[string]*fakeOrder{},
		keys: map[string]string{}, bodies: map[string]string{}, couriers: map[string]*fakeCourier{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/time", f.json(func(*http.Request, []byte) (int, any) {
		return 200, map[string]any{"now": f.clock.Now(), "rate": f.clock.Rate()}
	}))
	mux.HandleFunc("POST /v1/api-keys", f.json(func(_ *http.Request, body []byte) (int, any) {
		var in struct{ Merchant string }
		_ = json.Unmarshal(body, &in)
		return 201, map[string]any{"key": "ck_" + in.Merchant}
	}))
	mux.HandleFunc("POST /v1/couriers", f.json(f.hire))
	mux.HandleFunc("GET /v1/couriers", f.json(func(*http.Request, []byte) (int, any) {
		out := []client.Courier{}
		for _, c := range f.couriers {
			out = append(out, c.Courier)
		}
		return 200, map[string]any{"couriers": out, "next": ""}
	}))
	mux.HandleFunc("POST /v1/couriers/{id}/sign-in-code", f.json(func(r *http.Request, _ []byte) (int, any) {
		return 201, map[string]any{"code": r.PathValue("id")}
	}))
	mux.HandleFunc("POST /v1/sign-in", f.json(func(_ *http.Request, body []byte) (int, any) {
		var in struct{ Code string }
		_ = json.Unmarshal(body, &in)
		return 200, map[string]any{"token": in.Code}
	}))
	mux.HandleFunc("POST /v1/orders", f.json(f.order))
	mux.HandleFunc("GET /v1/orders", f.json(f.list))
	mux.HandleFunc("GET /v1/orders/{id}", f.json(func(r *http.Request, _ []byte) (int, any) {
		rival := strings.HasSuffix(r.Header.Get("Authorization"), "-rival") && f.fault != "leak"
		if o := f.orders[r.PathValue("id")]; o != nil && !rival {
			return 200, o.Order
		}
		return 404, map[string]any{"code": "not_found"}
	}))
	mux.HandleFunc("GET /v1/orders/{id}/events", f.json(func(r *http.Request, _ []byte) (int, any) {
		return 200, map[string]any{"events": f.orders[r.PathValue("id")].events}
	}))
	mux.HandleFunc("GET /v1/orders/{id}/decisions", f.json(func(*http.Request, []byte) (int, any) { return 200, map[string]any{"decisions": []int{}} }))
	mux.HandleFunc("POST /v1/orders/{id}/cancel", f.json(func(*http.Request, []byte) (int, any) { return 409, map[string]any{"code": "conflict"} }))
	mux.HandleFunc("POST /v1/orders/{id}/tracking-links", f.json(func(r *http.Request, _ []byte) (int, any) {
		return 201, client.Link{ID: "l", Secret: r.PathValue("id")}
	}))
	mux.HandleFunc("/v1/ws/courier", f.socket(f.courierSocket))
	mux.HandleFunc("/v1/ws/track", f.socket(f.trackSocket))
	mux.HandleFunc("/v1/ws/fleet", f.socket(func(conn *websocket.Conn, _ string) func([]byte) {
		_ = conn.WriteJSON(map[string]any{"type": "snapshot", "alerts": []int{}})
		return func([]byte) {}
	}))
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

// drop makes the server unreachable, or lets it come back.
func (f *fake) drop(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
	if down {
		for c := range f.conns {
			_ = c.Close()
		}
	}
}

func cut(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// json answers with what h says, all under one lock. Status 0: the answer is
// lost.
func (f *fake) json(h func(*http.Request, []byte) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var raw json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&raw)
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.down {
			cut(w)
			return
		}
		status, body := h(r, raw)
		if status == 0 {
			cut(w)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
}

func (f *fake) hire(_ *http.Request, body []byte) (int, any) {
	var n client.NewCourier
	_ = json.Unmarshal(body, &n)
	f.made++
	c := &fakeCourier{acks: map[string]map[string]any{}, offer: map[string]string{}}
	c.ID, c.Capacity, c.Duty = fmt.Sprintf("c%d", f.made), n.Capacity, "off"
	f.couriers[c.ID] = c
	return 201, c.Courier
}

func (f *fake) order(r *http.Request, body []byte) (int, any) {
	key := r.Header.Get("Idempotency-Key")
	if id, ok := f.keys[key]; ok && f.fault != "forget" {
		if f.bodies[key] != string(body) && f.fault != "reuse" {
			return 422, map[string]any{"code": "key_reused"}
		}
		return 201, f.orders[id].Order
	}
	f.bodies[key] = string(body)
	var n client.NewOrder
	_ = json.Unmarshal(body, &n)
	f.made++
	o := &fakeOrder{pickup: n.Pickup, dropoff: n.Dropoff, pin: n.PINRequired, watchers: map[*websocket.Conn]bool{}}
	o.ID, o.Reference, o.ReadyAt, o.Size, o.Times = fmt.Sprintf("o%d", f.made), n.Reference, *n.ReadyAt, n.Size, map[string]time.Time{}
	f.orders[o.ID], f.keys[key] = o, o.ID
	f.step(o, "placed", "placed", "", "")
	f.step(o, "searching", "searching", "", "")
	f.match(o)
	if f.lose > 0 && f.made%f.lose == 0 {
		return 0, nil
	}
	return 201, o.Order
}

func (f *fake) list(r *http.Request, _ []byte) (int, any) {
	statuses := strings.Split(r.URL.Query().Get("status"), ",")
	out := []client.Order{}
	for _, o := range f.orders {
		if statuses[0] == "" || slices.Contains(statuses, o.Status) {
			out = append(out, o.Order)
		}
	}
	return 200, map[string]any{"orders": out, "next": ""}
}

// step moves an order on and tells its watchers.
func (f *fake) step(o *fakeOrder, kind, status, courier, reason string) {
	o.Version++
	o.Status, o.Reason = status, cmp.Or(reason, o.Reason)
	e := client.Event{Order: o.ID, Version: o.Version, Type: kind, Status: status, Time: f.clock.Now()}
	e.Data.Courier = courier
	o.events = append(o.events, e)
	if o.Times[status].IsZero() {
		o.Times[status] = e.Time
	}
	for w := range o.watchers {
		_ = w.WriteJSON(map[string]any{"type": "status", "seq": o.Version, "status": shown(status), "time": e.Time, "view": o.view()})
		f.endFor(o, w)
	}
}

func shown(status string) string {
	if status == "offered" {
		return "searching"
	}
	return status
}

func (f *fake) endFor(o *fakeOrder, w *websocket.Conn) {
	if o.Status == "delivered" || o.Status == "returned" || o.Status == "cancelled" {
		_ = w.WriteJSON(map[string]any{"type": "ended", "reason": o.Status})
		_ = w.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(time.Second))
	}
}

func (o *fakeOrder) view() client.View {
	v := client.View{Reference: o.Reference, Status: shown(o.Status), Version: o.Version}
	if o.pin {
		v.PIN = "4711"
	}
	return v
}

// match offers an order to the available courier with the least to do.
func (f *fake) match(o *fakeOrder) {
	var best *fakeCourier
	for _, id := range slices.Sorted(maps.Keys(f.couriers)) {
		c := f.couriers[id]
		load := c.Load + o.Size
		for _, offered := range c.offer {
			load += f.orders[offered].Size
		}
		here := geo.Point{Lat: c.where.Lat, Lng: c.where.Lng}
		if c.where.Time.IsZero() || geo.Distance(here, o.pickup.Point) > 40_000 {
			continue // unknown, or in another city
		}
		if c.Duty == "available" && load <= c.Capacity && (best == nil || c.Load < best.Load) {
			best = c
		}
	}
	if best == nil {
		return
	}
	f.made++
	id := fmt.Sprintf("f%d", f.made)
	best.offer[id] = o.ID
	f.step(o, "offered", "offered", best.ID, "")
	best.seq++
	f.tell(best, map[string]any{"type": "offer", "seq": best.seq, "offer": client.Offer{ID: id, Deadline: f.clock.Now().Add(30 * time.Second), Orders: []string{o.ID}}})
}

// sweep lets offers expire and gives waiting orders another try.
func (f *fake) sweep() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.couriers {
		for id, order := range c.offer {
			if o := f.orders[order]; f.clock.Now().Sub(o.events[len(o.events)-1].Time) > 30*time.Second {
				f.closeOffer(c, id, "expired")
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.orders)) {
		if f.orders[id].Status == "searching" {
			f.match(f.orders[id])
		}
	}
}

func (f *fake) closeOffer(c *fakeCourier, id, state string) {
	o := f.orders[c.offer[id]]
	delete(c.offer, id)
	c.seq++
	f.tell(c, map[string]any{"type": "offer.closed", "seq": c.seq, "offer": id, "state": state})
	f.step(o, state, "searching", c.ID, "")
}

func (f *fake) tell(c *fakeCourier, v any) {
	if c.conn != nil {
		_ = c.conn.WriteJSON(v)
	}
}

func (f *fake) plan(c *fakeCourier) {
	c.seq++
	c.Plan.Version++
	f.tell(c, map[string]any{"type": "plan", "seq": c.seq, "duty": c.Duty, "plan": c.Plan})
}
