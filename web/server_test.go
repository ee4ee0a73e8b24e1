package web_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"courier/dispatch"
	"courier/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen serves a Server with a short RequestTimeout on a real socket.
func listen(t *testing.T, timeout time.Duration, socket http.Handler) (address string) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	s, err := web.New(web.Config{Mode: dispatch.ModeAssign, RequestTimeout: timeout}, web.Deps{
		Dispatch: newCompany(), Auth: newDesk(), Trails: &trails{}, Background: &background{}, Clock: frozen{}, NewID: func() string { return "r" }, Log: log,
		CourierSocket: socket, TrackSocket: socket, FleetSocket: socket,
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := web.NewHTTPServer(s, log)
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return l.Addr().String()
}

// A WebSocket outlives the deadlines that HTTP requests have.
func TestSocketsPassThrough(t *testing.T) {
	const timeout = 100 * time.Millisecond
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u := websocket.Upgrader{}
		conn, err := u.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		for {
			kind, message, err := conn.ReadMessage()
			if err != nil || conn.WriteMessage(kind, message) != nil {
				return
			}
		}
	})
	address := listen(t, timeout, echo)
	conn, response, err := websocket.DefaultDialer.Dial("ws://"+address+"/v1/ws/track", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = response.Body.Close()
	time.Sleep(5 * timeout) // past the read and the write deadline of a request
	if err := conn.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := conn.ReadMessage(); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
}

// Who sends a body too slowly does not hold a connection for ever.
func TestSlowBody(t *testing.T) {
	address := listen(t, 100*time.Millisecond, http.NotFoundHandler())
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = fmt.Fprintf(conn, "POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer merchant\r\nIdempotency-Key: k\r\nContent-Length: 100\r\n\r\n{")
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "did not arrive") {
		t.Errorf("got %d %s", response.StatusCode, body)
	}
}

// One connection serves many requests after each other, each with a deadline
// of its own.
func TestKeepAliveOutlivesDeadlines(t *testing.T) {
	const timeout = 100 * time.Millisecond
	address := listen(t, timeout, http.NotFoundHandler())
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for range 3 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/v1/time", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		time.Sleep(2 * timeout)
	}
}
