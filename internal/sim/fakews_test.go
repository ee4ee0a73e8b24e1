package sim

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/gorilla/websocket"

	"courier/internal/sim/client"
)

// socket signs a client in and then hands its frames to what open returns,
// all under the one lock.
func (f *fake) socket(open func(conn *websocket.Conn, token string) func([]byte)) http.HandlerFunc {
	up := websocket.Upgrader{Subprotocols: []string{"dispatch.v1"}}
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		down := f.down
		f.mu.Unlock()
		if down {
			cut(w)
			return
		}
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		var auth, resume struct {
			Token string
			Seq   int64
		}
		if conn.ReadJSON(&auth) != nil {
			return
		}
		f.mu.Lock()
		f.conns[conn] = true
		_ = conn.WriteJSON(map[string]any{"type": "welcome", "now": f.clock.Now(), "rate": f.clock.Rate()})
		f.mu.Unlock()
		if conn.ReadJSON(&resume) != nil {
			return
		}
		f.mu.Lock()
		each := open(conn, auth.Token)
		f.mu.Unlock()
		for {
			_, raw, err := conn.ReadMessage()
			f.mu.Lock()
			if err != nil {
				delete(f.conns, conn)
				for _, o := range f.orders {
					delete(o.watchers, conn)
				}
				for _, c := range f.couriers {
					if c.conn == conn {
						c.conn = nil
					}
				}
				f.mu.Unlock()
				return
			}
			each(raw)
			f.mu.Unlock()
		}
	}
}

func (f *fake) courierSocket(conn *websocket.Conn, token string) func([]byte) {
	c := f.couriers[token]
	c.conn = conn
	f.plan(c)
	return func(raw []byte) {
		var a client.Action
		if err := json.Unmarshal(raw, &a); err != nil {
			f.t.Error(err)
		}
		ack, known := c.acks[a.ID]
		if !known {
			code := f.act(c, a)
			ack = map[string]any{"type": "ack", "id": a.ID, "ok": code == "", "code": code, "accepted": len(a.Fixes)}
			c.acks[a.ID] = ack
		}
		_ = conn.WriteJSON(ack)
	}
}

// act does what a courier asks; it returns the code of a refusal.
func (f *fake) act(c *fakeCourier, a client.Action) string {
	switch a.Type {
	case "duty":
		c.Duty = a.Duty
	case "fixes":
		f.moved(c, a.Fixes[len(a.Fixes)-1])
	case "offer.accept":
		o := f.orders[c.offer[a.Offer]]
		if o == nil {
			return "conflict"
		}
		delete(c.offer, a.Offer)
		c.Load += o.Size
		if c.Load > c.Capacity {
			f.t.Error("the fake overloads a courier")
		}
		o.Courier = c.ID
		f.step(o, "assigned", "assigned", c.ID, "")
		c.Plan.Stops = append(c.Plan.Stops,
			client.Stop{Order: o.ID, Kind: "pickup", Point: o.pickup.Point, ReadyAt: o.ReadyAt},
			client.Stop{Order: o.ID, Kind: "dropoff", Point: o.dropoff.Point, PINRequired: o.pin})
		f.plan(c)
	case "offer.decline":
		if c.offer[a.Offer] == "" {
			return "conflict"
		}
		f.closeOffer(c, a.Offer, "declined")
	default:
		return f.stop(c, a)
	}
	return ""
}

func (f *fake) moved(c *fakeCourier, fix client.Fix) {
	c.where = fix
	for _, s := range c.Plan.Stops {
		if o := f.orders[s.Order]; o.Status == "picked_up" || o.Status == "at_dropoff" {
			for w := range o.watchers {
				_ = w.WriteJSON(map[string]any{"type": "position", "fix": fix})
			}
		}
	}
}

func (f *fake) stop(c *fakeCourier, a client.Action) string {
	i := slices.IndexFunc(c.Plan.Stops, func(s client.Stop) bool { return s.Order == a.Order && s.Kind == a.Kind })
	if i < 0 {
		return "conflict"
	}
	o := f.orders[a.Order]
	c.acts = append(c.acts, a)
	switch a.Type + " " + a.Kind {
	case "stop.arrive pickup", "stop.arrive dropoff":
		c.Plan.Stops[i].ArrivedAt = f.clock.Now()
		f.step(o, "at_"+a.Kind, "at_"+a.Kind, "", "")
		f.plan(c)
		return ""
	case "stop.arrive return":
		return ""
	case "stop.complete pickup":
		f.step(o, "picked_up", "picked_up", "", "")
	case "stop.complete dropoff":
		if o.pin && (a.Proof == nil || a.Proof.PIN != "4711") {
			return "invalid"
		}
		f.step(o, "delivered", "delivered", "", "")
		c.Load -= o.Size
	case "stop.complete return":
		f.step(o, "returned", "returned", "", "")
		c.Load -= o.Size
	case "stop.fail dropoff":
		f.step(o, "failed", "failed", "", a.Reason)
		c.Plan.Stops = append(c.Plan.Stops, client.Stop{Order: o.ID, Kind: "return", Point: o.pickup.Point})
	case "stop.fail pickup":
		if a.Reason == "courier_problem" {
			f.step(o, "unassigned", "searching", c.ID, "")
			o.Courier = ""
		} else {
			f.step(o, "failed", "failed", "", a.Reason)
		}
		c.Load -= o.Size
		c.Plan.Stops = slices.DeleteFunc(c.Plan.Stops, func(s client.Stop) bool { return s.Order == o.ID })
		f.plan(c)
		return ""
	}
	c.Plan.Stops = slices.Delete(c.Plan.Stops, i, i+1)
	f.plan(c)
	return ""
}

func (f *fake) trackSocket(conn *websocket.Conn, secret string) func([]byte) {
	o := f.orders[secret]
	var history []client.Seen
	for _, e := range o.events {
		history = append(history, client.Seen{Seq: e.Version, Status: shown(e.Status), Time: e.Time})
	}
	_ = conn.WriteJSON(map[string]any{"type": "snapshot", "seq": o.Version, "view": o.view(), "history": history})
	o.watchers[conn] = true
	f.endFor(o, conn)
	return func([]byte) {}
}
