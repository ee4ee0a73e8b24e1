package ws

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gorilla/websocket"
)

// subprotocol is what every client must offer.
const subprotocol = "dispatch.v1"

// upgrader has small buffers of its own, so that the HTTP server's are freed,
// and no compression: it costs memory for each connection and defeats the
// read limit. Couriers' frames come in bursts that should cost one read.
func (h *Hub) upgrader(readBuffer int) websocket.Upgrader {
	return websocket.Upgrader{
		HandshakeTimeout: h.AuthTimeout,
		ReadBufferSize:   readBuffer,
		WriteBufferSize:  512,
		WriteBufferPool:  &sync.Pool{}, // none is held by an idle connection
		Subprotocols:     []string{subprotocol},
		CheckOrigin:      h.allowed,
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			h.refuse(w, status, reason.Error())
		},
	}
}

// allowed keeps other sites' pages out. A browser always sends Origin here
// and no page can leave it out; a client without one is no browser. That is
// fine, because nothing the endpoints accept is sent by a browser on its own
// account: no cookie, only an Authorization header, which a page cannot set
// on a WebSocket, or a token in the first frame, which it must know.
func (h *Hub) allowed(r *http.Request) bool {
	origin := r.Header.Values("Origin")
	switch len(origin) {
	case 0:
		return true
	case 1:
		u, err := url.Parse(origin[0])
		if err != nil || u.Host == "" {
			return false
		}
		return strings.EqualFold(u.Host, r.Host) ||
			slices.ContainsFunc(h.Origins, func(o string) bool { return strings.EqualFold(o, origin[0]) })
	}
	return false
}

// Courier serves /v1/ws/courier.
func (h *Hub) Courier() http.Handler { return h.handler(KindCourier) }

// Track serves /v1/ws/track.
func (h *Hub) Track() http.Handler { return h.handler(KindTrack) }

// Fleet serves /v1/ws/fleet.
func (h *Hub) Fleet() http.Handler { return h.handler(KindFleet) }

func (h *Hub) handler(kind Kind) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, kind) })
}

// serve upgrades and returns: the connection lives on in a goroutine of the
// hub's, with a small stack and without the HTTP request.
func (h *Hub) serve(w http.ResponseWriter, r *http.Request, kind Kind) {
	if websocket.IsWebSocketUpgrade(r) && !slices.Contains(websocket.Subprotocols(r), subprotocol) {
		h.refuse(w, http.StatusBadRequest, "the subprotocol "+subprotocol+" is required")
		return
	}
	bearer := ""
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, value, _ := strings.Cut(header, " ")
		if bearer = strings.TrimSpace(value); !strings.EqualFold(scheme, "Bearer") || bearer == "" {
			w.Header().Set("WWW-Authenticate", "Bearer")
			h.refuse(w, http.StatusUnauthorized, "Authorization must be Bearer and a credential")
			return
		}
	}
	address := h.Address(r)
	wait := h.handshakeWait(r.Context(), "address/"+address, h.Limits.Handshakes)
	if wait == 0 && bearer != "" {
		wait = h.handshakeWait(r.Context(), credentialKey(bearer), h.Limits.Credential)
	}
	if wait > 0 {
		h.refuseFor(w, wait, "too many connections: come again later")
		return
	}
	if !h.enter() {
		w.Header().Set("Retry-After", "1")
		h.refuse(w, http.StatusServiceUnavailable, "the server goes away")
		return
	}
	address = "address/" + address
	if !h.held.take(address, h.Limits.PerAddress) {
		h.sockets.Done()
		h.refuseFor(w, fullWait, "too many sockets are open from this address")
		return
	}
	up := &h.up
	if kind == KindCourier {
		up = &h.upCourier
	}
	in := &source{}
	socket, err := up.Upgrade(hijacker{w, in}, r, nil)
	if err != nil { // answered
		h.held.drop(address)
		h.sockets.Done()
		return
	}
	c := newConn(h, kind, socket, in)
	c.keys = append(c.keys, address)
	h.add(c)
	go h.open(c, bearer)
}

// fullWait is when to come again where all sockets allowed are open.
const fullWait = 10 * time.Second

// refuse answers what never became a WebSocket, as RFC 9457.
func (h *Hub) refuse(w http.ResponseWriter, status int, detail string) {
	h.count.rejected.Add(1)
	code := map[int]string{
		http.StatusUnauthorized: "unauthenticated", http.StatusForbidden: "forbidden",
		http.StatusTooManyRequests: "rate_limited", http.StatusServiceUnavailable: "unavailable", http.StatusInternalServerError: "internal",
	}[status]
	if code == "" {
		code = "malformed"
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Sec-Websocket-Version", "13")
	w.WriteHeader(status)
	_ = json.MarshalWrite(w, struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}{"about:blank", http.StatusText(status), status, code, detail})
}
