package ws

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"courier/internal/auth"
)

// Kind is an endpoint.
type Kind uint8

// The endpoints.
const (
	KindCourier Kind = iota
	KindTrack
	KindFleet
	kinds
)

func (k Kind) String() string { return [...]string{"courier", "track", "fleet"}[k] }

// Hub is a node's live side: every socket, and what wakes them. Run must be
// running for anything live to be sent.
type Hub struct {
	Config
	Ports
	up        websocket.Upgrader
	upCourier websocket.Upgrader
	count     counters
	scratch   scratch
	pingFrame frame
	beatFrame frame
	interest  *interest
	regions   *regions
	held      held // sockets, by whom they are open for
	work      *work
	locator   *locator
	orders    orders
	couriers  couriers
	patients  patients
	fleet     *fleet
	sweepNow  chan struct{}

	ctx    context.Context // of all calls made for sockets
	cancel context.CancelFunc

	mu       sync.Mutex
	conns    crowd
	draining bool
	sockets  sync.WaitGroup // readers and writers; added to under mu, or by who holds one
}

// New checks configuration and ports and reports every fault.
func New(c Config, p Ports) (*Hub, error) {
	c, err := c.withDefaults()
	if err := errors.Join(err, p.validate()); err != nil {
		return nil, fmt.Errorf("ws: %w", err)
	}
	h := &Hub{
		Config: c, Ports: p,
		pingFrame: control(websocket.PingMessage, nil),
		interest:  newInterest(), regions: newRegions(), held: held{byID: map[string]int{}}, work: newWork(), locator: newLocator(),
		sweepNow: make(chan struct{}, 1),
	}
	if h.beatFrame, err = h.scratch.encode(&beat{Type: "beat"}); err != nil {
		return nil, fmt.Errorf("ws: %w", err)
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.orders = orders{hub: h, byID: map[string]*orderWatch{}, byCourier: map[string]map[*orderWatch]struct{}{}}
	h.couriers = couriers{byID: map[string][]*courierSession{}}
	h.fleet = newFleet(h)
	h.up, h.upCourier = h.upgrader(512), h.upgrader(4<<10)
	return h, nil
}

// credential is who a connection was opened for.
type credential struct {
	auth.Identity
	bearer  string
	checked time.Time // real time
}

// enter makes room for a connection; false once the hub is closing.
func (h *Hub) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.draining {
		return false
	}
	h.sockets.Add(1)
	return true
}

func (h *Hub) add(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns.add(c)
	h.count.open[c.kind].Add(1)
	if h.draining {
		c.close(codeGoingAway, "", "the server goes away")
	}
}

func (h *Hub) remove(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns.remove(c)
	for _, key := range c.keys {
		h.held.drop(key)
	}
	h.count.open[c.kind].Add(-1)
}

// all are the connections of now.
func (h *Hub) all() []*conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.conns.all()
}

// each calls f with every connection, outside the lock.
func (h *Hub) each(f func(*conn)) {
	for _, c := range h.all() {
		f(c)
	}
}

// Shutdown refuses new sockets, tells all clients to come back elsewhere
// (1001), Leave of them a second, and waits for the sockets' goroutines; when
// ctx ends it cuts what is left, waits for those too and returns ctx's error.
// http.Server.Shutdown does none of this.
func (h *Hub) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	h.draining = true
	h.mu.Unlock()
	h.sendAway(ctx)
	done := make(chan struct{})
	go func() { h.sockets.Wait(); close(done) }()
	select {
	case <-done:
		h.cancel()
		return nil
	case <-ctx.Done():
	}
	h.cancel()
	h.each(func(c *conn) { _ = c.net.Close() })
	<-done
	return fmt.Errorf("close sockets: %w", ctx.Err())
}

// sendAway tells one socket after the other: all at once would be a storm
// where they come back. It takes half of ctx's time at most; whoever has not
// been told is served as ever.
func (h *Hub) sendAway(ctx context.Context) {
	all := h.all()
	if len(all) == 0 {
		return
	}
	start, apart := time.Now(), time.Second/time.Duration(h.Leave)
	if until, ok := ctx.Deadline(); ok {
		apart = min(apart, until.Sub(start)/2/time.Duration(len(all)))
	}
	wait := time.NewTimer(0)
	defer wait.Stop()
	for i, c := range all {
		if early := time.Until(start.Add(time.Duration(i) * apart)); early > 0 {
			wait.Reset(early)
			select {
			case <-wait.C:
			case <-ctx.Done():
				return
			}
		}
		c.close(codeGoingAway, "", "the server goes away")
	}
}

// Revoked closes what a tracking link has open on this node. Other nodes
// hear of it by the bus (link.revoked), or at the next check.
func (h *Hub) Revoked(link string) {
	h.each(func(c *conn) {
		if s, cred := c.state(); s != nil && c.kind == KindTrack && cred.ID == link {
			s.revoked("revoked")
		}
	})
}

// CourierRevoked closes what a courier has open on this node.
func (h *Hub) CourierRevoked(courier string) {
	for _, s := range h.couriers.get(courier) {
		s.revoked("revoked")
	}
}

// CourierSignedIn closes a courier's sessions on this node that are older
// than epoch. Other nodes find them when the courier next changes, or at the
// next check.
func (h *Hub) CourierSignedIn(courier string, epoch int64) {
	for _, s := range h.couriers.get(courier) {
		if s.epoch < epoch {
			s.conn.close(errElsewhere.code, errElsewhere.fault, errElsewhere.detail)
		}
	}
}

func (c *conn) state() (session, credential) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session, c.cred
}

// counters are read by Counters.
type counters struct {
	open                                  [kinds]atomic.Int64
	in, out, writes                       atomic.Uint64
	overtaken, slow, badFrames, rejected  atomic.Uint64
	offDuty, fixes, delayed               atomic.Uint64
	busLost, healedOrders, healedCouriers atomic.Uint64
}

// Counters is what the hub has done since its start, for metrics.
type Counters struct {
	Open                                             map[string]int64 // connections by kind
	FramesIn, FramesOut                              uint64
	Writes                                           uint64 // system calls that carried FramesOut
	Overtaken                                        uint64 // frames dropped for newer ones
	TooSlow                                          uint64 // connections closed with 4408
	BadFrames                                        uint64
	Rejected                                         uint64 // handshakes refused
	OffDuty                                          uint64 // fixes refused because the courier was off duty
	Delayed                                          uint64 // frames that waited for their socket's limit
	FeedFixes                                        uint64 // fixes taken in from the feed
	BusLost                                          uint64 // signals that bus messages were lost
	HealedOrders, HealedCouriers                     uint64 // found behind by the sweeper
	WatchedOrders, WatchedCouriers, FleetSubscribers int
}

// Counters is safe to call at any time.
func (h *Hub) Counters() Counters {
	c := &h.count
	open := map[string]int64{}
	for k := range kinds {
		open[k.String()] = c.open[k].Load()
	}
	return Counters{
		Open: open, FramesIn: c.in.Load(), FramesOut: c.out.Load(), Writes: c.writes.Load(),
		Overtaken: c.overtaken.Load(), TooSlow: c.slow.Load(), BadFrames: c.badFrames.Load(), Rejected: c.rejected.Load(), OffDuty: c.offDuty.Load(),
		FeedFixes: c.fixes.Load(), Delayed: c.delayed.Load(),
		BusLost: c.busLost.Load(), HealedOrders: c.healedOrders.Load(), HealedCouriers: c.healedCouriers.Load(),
		WatchedOrders: h.orders.len(), WatchedCouriers: h.couriers.len(), FleetSubscribers: h.fleet.len(),
	}
}
