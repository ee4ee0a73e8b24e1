package ws_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gorilla/websocket"

	"courier/dispatch"
	"courier/tracking"
	"courier/ws"
)

// rawClient opens a WebSocket and leaves the rest to the caller, so that the
// client's share of the two cores is small.
func rawClient(b testing.TB, server, path, bearer string) (net.Conn, *bufio.Reader) {
	b.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(server, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: dispatch.v1\r\nAuthorization: Bearer %s\r\n\r\n", path, bearer)
	if err != nil {
		b.Fatal(err)
	}
	r := bufio.NewReaderSize(c, 4096)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		if line == "\r\n" {
			return c, r
		}
	}
}

// masked is a client's frame with a mask of zeros.
func masked(payload string) []byte {
	head := []byte{0x81}
	if len(payload) < 126 {
		head = append(head, 0x80|byte(len(payload)))
	} else {
		head = append(head, 0x80|126, byte(len(payload)>>8), byte(len(payload)))
	}
	return append(append(head, 0, 0, 0, 0), payload...)
}

// skip reads one frame of the server's.
func skip(r *bufio.Reader) error {
	head, err := r.Peek(4)
	if err != nil {
		return err
	}
	n := 2 + int(head[1])
	if head[1] == 126 {
		n = 4 + int(head[2])<<8 + int(head[3])
	}
	_, err = io.CopyN(io.Discard, r, int64(n))
	return err
}

// crowd counts what comes in on many sockets.
func crowd(b *testing.B, n int, open func(i int) (net.Conn, *bufio.Reader)) (seen *atomic.Int64) {
	b.Helper()
	seen = &atomic.Int64{}
	var wg sync.WaitGroup
	sem := make(chan struct{}, 16)
	for i := range n {
		wg.Add(1)
		sem <- struct{}{}
		go func() {
			_, r := open(i)
			<-sem
			wg.Done()
			for skip(r) == nil {
				seen.Add(1)
			}
		}()
	}
	wg.Wait()
	return seen
}

func waitFor(seen *atomic.Int64, n int64) {
	for seen.Load() < n {
		runtime.Gosched()
		time.Sleep(50 * time.Microsecond)
	}
}

// One event to all who watch an order, until the last has read it; beside
// the bare loop that writes a prepared message to each.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1000, 9000} {
		b.Run(fmt.Sprintf("of=hub/connections=%d", n), func(b *testing.B) {
			w := newWorld(b, func(c *ws.Config) { c.Sweep, c.Queue = time.Hour, 1<<20 })
			w.place("o1")
			seen := crowd(b, n, func(int) (net.Conn, *bufio.Reader) {
				c, r := rawClient(b, w.server, "/v1/ws/track", "ct_o1")
				if _, err := c.Write(masked(`{"type":"resume","seq":0}`)); err != nil {
					b.Error(err)
				}
				_, _ = skip(r), skip(r)
				return c, r
			})
			eventually(b, "all are live", func() bool { return w.hub.Counters().Open["track"] == int64(n) })
			all := int64(0)
			for b.Loop() {
				w.step("o1", dispatch.Searching)
				all += int64(n)
				waitFor(seen, all)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(all), "ns/message")
		})
		b.Run(fmt.Sprintf("of=bare/connections=%d", n), func(b *testing.B) {
			var mu sync.Mutex
			var conns []*websocket.Conn
			server := bare(b, func(c *websocket.Conn) {
				mu.Lock()
				conns = append(conns, c)
				mu.Unlock()
				_, _, _ = c.ReadMessage()
			})
			seen := crowd(b, n, func(int) (net.Conn, *bufio.Reader) { return rawClient(b, server, "/", "") })
			eventually(b, "all are there", func() bool { mu.Lock(); defer mu.Unlock(); return len(conns) == n })
			pm, err := websocket.NewPreparedMessage(websocket.TextMessage, bytes.Repeat([]byte("x"), 400))
			if err != nil {
				b.Fatal(err)
			}
			all := int64(0)
			for b.Loop() {
				for _, c := range conns {
					if err := c.WritePreparedMessage(pm); err != nil {
						b.Fatal(err)
					}
				}
				all += int64(n)
				waitFor(seen, all)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(all), "ns/message")
		})
	}
}

func bare(b testing.TB, serve func(*websocket.Conn)) string {
	up := websocket.Upgrader{Subprotocols: []string{"dispatch.v1"}, WriteBufferPool: &sync.Pool{}, WriteBufferSize: 512, ReadBufferSize: 4096}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		serve(c)
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// A fix a frame, from the socket to the tracker's door, with the ack; beside
// a loop that only reads and decodes. burst is how many frames arrive at
// once.
func BenchmarkFixes(b *testing.B) {
	const couriers = 50
	frameOf := func(i int) []byte {
		return masked(fmt.Sprintf(`{"type":"fixes","id":"f%d","fixes":[{"time":"2026-11-23T10:00:00.123Z","lat":52.101234,"lng":4.301234,"accuracy":8,"speed":6.1,"heading":90}]}`, i))
	}
	run := func(b *testing.B, burst int, conns []net.Conn, taken func() int64) {
		out := bytes.Repeat(frameOf(1), burst)
		sent, start := int64(0), taken()
		for i := 0; b.Loop(); i++ {
			if _, err := conns[i%couriers].Write(out); err != nil {
				b.Fatal(err)
			}
			sent += int64(burst)
			for sent-(taken()-start) > 2000 {
				runtime.Gosched()
			}
		}
		for taken()-start < sent {
			time.Sleep(50 * time.Microsecond)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(sent), "ns/fix")
	}
	for _, burst := range []int{1, 16} {
		b.Run(fmt.Sprintf("of=hub/burst=%d", burst), func(b *testing.B) {
			w := newWorld(b, func(c *ws.Config) { c.Sweep = time.Hour })
			var conns []net.Conn
			for i := range couriers {
				id := fmt.Sprint("c", i)
				w.hire(id, dispatch.Available)
				c, r := rawClient(b, w.server, "/v1/ws/courier", "courier-"+id)
				if _, err := c.Write(masked(`{"type":"resume","seq":0}`)); err != nil {
					b.Fatal(err)
				}
				go func() { _, _ = io.Copy(io.Discard, r) }()
				conns = append(conns, c)
			}
			eventually(b, "all are live", func() bool { return w.hub.Counters().WatchedCouriers == couriers })
			run(b, burst, conns, func() int64 { w.mu.Lock(); defer w.mu.Unlock(); return int64(w.ingested) })
			n := w.hub.Counters()
			b.ReportMetric(float64(n.FramesOut)/float64(n.Writes), "frames/write")
		})
		b.Run(fmt.Sprintf("of=bare/burst=%d", burst), func(b *testing.B) {
			var taken atomic.Int64
			server := bare(b, func(c *websocket.Conn) {
				for {
					_, data, err := c.ReadMessage()
					if err != nil {
						return
					}
					var f struct {
						Type  string         `json:"type"`
						ID    string         `json:"id"`
						Fixes []tracking.Fix `json:"fixes"`
					}
					if err := json.Unmarshal(data, &f); err != nil {
						b.Error(err)
					}
					taken.Add(int64(len(f.Fixes)))
				}
			})
			var conns []net.Conn
			for range couriers {
				c, _ := rawClient(b, server, "/", "")
				conns = append(conns, c)
			}
			run(b, burst, conns, taken.Load)
		})
	}
}

// What a customer costs who only waits: everything in, both ends of the
// socket in this process but for the kernel's share.
func BenchmarkIdleCustomer(b *testing.B) {
	const n = 4000
	var w *world
	var clients atomic.Int64
	for b.Loop() {
		w = newWorld(b, func(c *ws.Config) { c.Sweep = time.Hour })
		var before, after runtime.MemStats
		for i := range n {
			w.place(fmt.Sprint("o", i))
		}
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range n {
			c, r := rawClient(b, w.server, "/v1/ws/track", fmt.Sprint("ct_o", i))
			if _, err := c.Write(masked(`{"type":"resume","seq":0}`)); err != nil {
				b.Fatal(err)
			}
			_, _ = skip(r), skip(r)
			clients.Add(1)
		}
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&after)
		used := after.HeapInuse + after.StackInuse - before.HeapInuse - before.StackInuse
		b.ReportMetric(float64(used)/n/1024, "KiB/customer+client")
		b.ReportMetric(float64(after.StackInuse-before.StackInuse)/n/1024, "KiB-stack")
		b.ReportMetric(4096.0/1024, "KiB-client-buffer")
	}
}
