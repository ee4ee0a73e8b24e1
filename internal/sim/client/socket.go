package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	jsonv1 "github.com/go-json-experiment/json/v1"
	"github.com/gorilla/websocket"
)

// Why a socket ended for good.
var (
	ErrCredential = errors.New("credential refused")   // 4401, 4403
	ErrTaken      = errors.New("signed in elsewhere")  // 4409
	ErrRevoked    = errors.New("credential revoked")   // 4410
	ErrNothing    = errors.New("nothing there")        // 4404
	ErrEnded      = errors.New("the stream has ended") // 1000
)

// Welcome is the server's first frame.
type Welcome struct {
	Now  time.Time `json:"now"`
	Rate float64   `json:"rate"`
	Role string    `json:"role"`
	ID   string    `json:"id"`
	Seq  int64     `json:"seq"`
}

// frame is any frame of the server; each type uses some of it.
type frame struct {
	Type string `json:"type"`
	Welcome

	// plan, offer, offer.closed, order
	Duty   string          `json:"duty"`
	Plan   Plan            `json:"plan"`
	Offer  json.RawMessage `json:"offer"`
	State  string          `json:"state"`
	Reason string          `json:"reason"`
	Order  string          `json:"order"`

	// ack, error
	OK         bool    `json:"ok"`
	Code       string  `json:"code"`
	Detail     string  `json:"detail"`
	Accepted   int     `json:"accepted"`
	Late       []int   `json:"late"`
	RetryAfter float64 `json:"retry_after"` // s
	Rejected   []struct {
		Index  int    `json:"index"`
		Reason string `json:"reason"`
	} `json:"rejected"`

	// snapshot, status, eta, position
	Status  string    `json:"status"`
	Time    time.Time `json:"time"`
	View    *View     `json:"view"`
	History []Seen    `json:"history"`
	Fix     *Fix      `json:"fix"`
	Alerts  []Alert   `json:"alerts"`

	// snapshot, orders, couriers of a dispatcher
	Orders   []FleetOrder   `json:"orders"`
	Couriers []FleetCourier `json:"couriers"`
	Removed  []string       `json:"removed"`
	Partial  bool           `json:"partial"`
}

// A silent server is taken for dead after this long; it pings every 25 s.
const silence = 70 * time.Second

// wire is one connection.
type wire struct {
	conn *websocket.Conn
	mu   sync.Mutex // writers
}

func (w *wire) send(v any) error {
	raw, ok := v.([]byte)
	if !ok {
		var err error
		if raw, err = json.Marshal(v); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.conn.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	return w.conn.WriteMessage(websocket.TextMessage, raw)
}

func (w *wire) read() (frame, error) {
	if err := w.conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return frame{}, err
	}
	var f frame
	_, raw, err := w.conn.ReadMessage()
	if err != nil {
		return f, err
	}
	if err := jsonv1.Unmarshal(raw, &f); err != nil {
		return f, fmt.Errorf("decode frame: %w", err)
	}
	return f, nil
}

// open dials, signs in by the first frame and says what is known already.
func (c *Client) open(ctx context.Context, path, credential string, seq int64) (*wire, Welcome, error) {
	conn, res, err := c.dialer.DialContext(ctx, c.ws+path, nil) //nolint:bodyclose // gorilla/websocket: needs no closing
	if err != nil {
		if res != nil && (res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden) {
			return nil, Welcome{}, ErrCredential
		}
		return nil, Welcome{}, err
	}
	w := &wire{conn: conn}
	conn.SetReadLimit(64 << 20)
	conn.SetPingHandler(func(data string) error {
		_ = conn.SetReadDeadline(time.Now().Add(silence))
		_ = conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(5*time.Second))
		return nil // a pong that cannot be sent shows in the next read or write
	})
	fail := func(err error) (*wire, Welcome, error) {
		_ = conn.Close()
		return nil, Welcome{}, verdict(err)
	}
	if err := w.send(map[string]string{"type": "auth", "token": credential}); err != nil {
		return fail(err)
	}
	var f frame
	for f.Type != "welcome" {
		if f, err = w.read(); err != nil {
			return fail(err)
		}
		if f.Type == "error" && f.Code == "unauthenticated" {
			return fail(ErrCredential)
		}
	}
	if err := w.send(map[string]any{"type": "resume", "seq": seq}); err != nil {
		return fail(err)
	}
	return w, f.Welcome, nil
}

// verdict turns the close codes after which coming back is no use into
// errors of ours.
func verdict(err error) error {
	var closed *websocket.CloseError
	if !errors.As(err, &closed) {
		return err
	}
	switch closed.Code {
	case websocket.CloseNormalClosure:
		return ErrEnded
	case 4401, 4403:
		return ErrCredential
	case 4404:
		return ErrNothing
	case 4409:
		return ErrTaken
	case 4410:
		return ErrRevoked
	}
	return err
}

func final(err error) bool {
	for _, end := range []error{ErrEnded, ErrCredential, ErrNothing, ErrTaken, ErrRevoked} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// follow keeps a socket open until ctx ends or the server says that there is
// nothing more to come. Both callbacks run on follow's own goroutine.
func (c *Client) follow(ctx context.Context, path, credential string, seq func() int64,
	opened func(*wire, Welcome), lost func(), each func(frame) error,
) error {
	for attempt := 0; ; attempt++ {
		w, hello, err := c.open(ctx, path, credential, seq())
		if err == nil {
			opened(w, hello)
			stop := context.AfterFunc(ctx, func() { _ = w.conn.Close() })
			var f frame
			for err == nil {
				if f, err = w.read(); err == nil {
					attempt = 0
					err = each(f)
				}
			}
			stop()
			_ = w.conn.Close()
			lost()
			err = verdict(err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if final(err) {
			return err
		}
		if err := c.pause(ctx, attempt, 0); err != nil {
			return err
		}
	}
}
