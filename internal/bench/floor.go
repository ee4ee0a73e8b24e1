package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/gorilla/websocket"
)

// bare is what a floor's process does, with gorilla/websocket and net/http and
// nothing else.
//
//	/read    frames of positions, read and decoded
//	/answer  the same, each answered
//	/fan     keeps the connection; POST /fan writes a message to each
//	/shop    opens a bareShop, which takes POST /v1/orders, …/assign and
//	         …/unassign, and who watches an order at /v1/ws/track
type bare struct {
	up    websocket.Upgrader
	taken atomic.Int64 // positions
	shop  shop

	mu    sync.Mutex
	conns []*websocket.Conn
}

// ServeFloor serves until ctx ends. It writes its URL to out.
func ServeFloor(ctx context.Context, out io.Writer) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve a floor: %w", err)
	}
	b := &bare{up: websocket.Upgrader{
		Subprotocols: []string{"dispatch.v1"}, ReadBufferSize: 4096, WriteBufferSize: 512, WriteBufferPool: &sync.Pool{},
	}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /read", func(w http.ResponseWriter, r *http.Request) { b.read(w, r, false) })
	mux.HandleFunc("GET /answer", func(w http.ResponseWriter, r *http.Request) { b.read(w, r, true) })
	mux.HandleFunc("GET /fan", b.join)
	mux.HandleFunc("POST /fan", b.fan)
	mux.HandleFunc("GET /figures", b.figures)
	mux.HandleFunc("POST /shop", func(w http.ResponseWriter, r *http.Request) { b.shop.open(ctx, w, r) })
	mux.HandleFunc("POST /v1/orders", func(w http.ResponseWriter, r *http.Request) { b.shop.bare.place(w, r) })
	for path, status := range map[string]string{"assign": "assigned", "unassign": "searching"} {
		mux.HandleFunc("POST /v1/orders/{id}/"+path, func(w http.ResponseWriter, r *http.Request) { b.shop.bare.change(w, r, status) })
	}
	mux.HandleFunc("GET /v1/ws/track", func(w http.ResponseWriter, r *http.Request) { b.shop.bare.watch(w, r, &b.up) })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if _, err := fmt.Fprintf(out, "http://%s\n", l.Addr()); err != nil {
		return fmt.Errorf("serve a floor: %w", err)
	}
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve a floor: %w", err)
	}
	return nil
}

// bareFix is a position as anybody would declare it.
type bareFix struct {
	Time     time.Time `json:"time"`
	Lat      float64   `json:"lat"`
	Lng      float64   `json:"lng"`
	Accuracy float64   `json:"accuracy"`
	Speed    *float64  `json:"speed"`
	Heading  *float64  `json:"heading"`
}

type bareFrame struct {
	Type  string    `json:"type"`
	ID    string    `json:"id"`
	Fixes []bareFix `json:"fixes"`
}

func (b *bare) read(w http.ResponseWriter, r *http.Request, answer bool) {
	c, err := b.up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	var ack []byte
	for {
		_, data, err := c.ReadMessage()
		if err != nil {
			return
		}
		var f bareFrame
		if err := jsonv2.Unmarshal(data, &f); err != nil {
			return
		}
		b.taken.Add(int64(len(f.Fixes)))
		if !answer {
			continue
		}
		ack = fmt.Appendf(ack[:0], `{"type":"ack","id":%q,"ok":true,"accepted":%d}`, f.ID, len(f.Fixes))
		if c.WriteMessage(websocket.TextMessage, ack) != nil {
			return
		}
	}
}

func (b *bare) join(w http.ResponseWriter, r *http.Request) {
	c, err := b.up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	b.mu.Lock()
	b.conns = append(b.conns, c)
	b.mu.Unlock()
	_, _, _ = c.ReadMessage() // until the client hangs up
}

// fan writes the body to every connection.
func (b *bare) fan(w http.ResponseWriter, r *http.Request) {
	message, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.conns {
		if err := c.WriteMessage(websocket.TextMessage, message); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
}

type bareFigures struct {
	Taken int64 `json:"taken"`
	Open  int   `json:"open"`
	InUse int64 `json:"in_use"` // bytes of heap and stacks after a collection
}

// figures says what has come in; with ?gc=1 after a collection.
func (b *bare) figures(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("gc") != "" {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = json.NewEncoder(w).Encode(bareFigures{b.taken.Load(), len(b.conns), int64(m.HeapInuse + m.StackInuse)})
}

// floor is a running process of ServeFloor.
type floor struct{ *Target }

func (r *run) floor(ctx context.Context) (*floor, error) {
	c, err := startChild(r.Floor())
	if err != nil {
		return nil, err
	}
	select {
	case url := <-c.first:
		f := &floor{&Target{URL: url, PID: c.cmd.Process.Pid, child: c}}
		f.taken = func(ctx context.Context) (int64, error) {
			said, err := f.figures(ctx, false)
			return said.Taken, err
		}
		return f, nil
	case <-c.done:
		return nil, c.fault()
	case <-ctx.Done():
		c.stop()
		return nil, ctx.Err()
	}
}

// figures asks a floor for its own.
func (f *floor) figures(ctx context.Context, gc bool) (out bareFigures, err error) {
	query := url.Values{}
	if gc {
		query.Set("gc", strconv.FormatBool(true))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL+"/figures?"+query.Encode(), nil)
	if err != nil {
		return out, fmt.Errorf("ask the floor: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return out, fmt.Errorf("ask the floor: %w", err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return out, fmt.Errorf("ask the floor: %w", err)
	}
	return out, nil
}

// open waits until so many have joined.
func (f *floor) open(ctx context.Context, n int) error {
	for {
		said, err := f.figures(ctx, false)
		if err != nil || said.Open == n {
			return err
		}
		if !sleep(ctx, time.Now().Add(10*time.Millisecond)) {
			return ctx.Err()
		}
	}
}
