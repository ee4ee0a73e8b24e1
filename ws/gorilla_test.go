package ws

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gorilla/websocket"
)

// hijack gives a connection to an upgrader as an HTTP server does.
type hijack struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h hijack) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// skipHead drops the answer to the upgrade.
type skipHead struct {
	net.Conn
	skipped bool
}

func (s *skipHead) Write(p []byte) (int, error) {
	if !s.skipped {
		s.skipped = true
		return len(p), nil
	}
	return s.Conn.Write(p)
}

func serverConn(t *testing.T, c net.Conn) *websocket.Conn {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(k, v)
	}
	up := websocket.Upgrader{}
	ws, err := up.Upgrade(hijack{httptest.NewRecorder(), &skipHead{Conn: c}}, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ws
}
