package wstest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// patience bounds every wait.
const patience = 20 * time.Second

// Conn is a client's connection. Every frame that goes over it is checked
// against the document; what does not fit fails the test.
type Conn struct {
	*websocket.Conn
	t       testing.TB
	doc     *Document
	channel string
}

// Frame is one that came from the server.
type Frame struct {
	Type string
	Seq  int64
	Raw  json.RawMessage
}

// Into decodes the frame.
func (f Frame) Into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(f.Raw, v); err != nil {
		t.Fatalf("%s: %v", f.Raw, err)
	}
}

// Dial opens /v1/ws/<channel> of a server, http://host. A bearer goes into
// the header; without one, send auth first.
func Dial(t testing.TB, doc *Document, server, channel, bearer string) *Conn {
	t.Helper()
	header := http.Header{}
	if bearer != "" {
		header.Set("Authorization", "Bearer "+bearer)
	}
	dialer := websocket.Dialer{Subprotocols: []string{"dispatch.v1"}, HandshakeTimeout: patience}
	c, resp, err := dialer.Dial("ws"+strings.TrimPrefix(server, "http")+"/v1/ws/"+channel, header)
	if err != nil {
		t.Fatalf("dial %s: %v", channel, err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = c.Close() })
	return Wrap(t, doc, c, channel)
}

// Wrap checks the frames of a connection that was opened otherwise.
func Wrap(t testing.TB, doc *Document, c *websocket.Conn, channel string) *Conn {
	return &Conn{Conn: c, t: t, doc: doc, channel: channel}
}

// Open dials with a bearer and resumes.
func Open(t testing.TB, doc *Document, server, channel, bearer string, seq int64) *Conn {
	t.Helper()
	c := Dial(t, doc, server, channel, bearer)
	c.Want("welcome")
	c.Send(map[string]any{"type": "resume", "seq": seq})
	return c
}

// Send writes a frame that must fit the document.
func (c *Conn) Send(v any) {
	c.t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.doc.Check(c.channel, FromClient, raw); err != nil {
		c.t.Errorf("sent %v", err)
	}
	c.SendRaw(string(raw))
}

// SendRaw writes whatever it is given.
func (c *Conn) SendRaw(text string) {
	c.t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// Next waits for a frame and checks it. The error is the connection's end.
func (c *Conn) Next() (Frame, error) {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, raw, err := c.ReadMessage()
	if err != nil {
		return Frame{}, err
	}
	if err := c.doc.Check(c.channel, FromServer, raw); err != nil {
		c.t.Errorf("got %v", err)
	}
	f := Frame{Raw: raw}
	if err := json.Unmarshal(raw, &struct {
		Type *string `json:"type"`
		Seq  *int64  `json:"seq"`
	}{&f.Type, &f.Seq}); err != nil {
		c.t.Fatal(err)
	}
	return f, nil
}

// Want waits for a frame that must be of the type.
func (c *Conn) Want(typ string) Frame {
	c.t.Helper()
	f, err := c.Next()
	if err != nil {
		c.t.Fatalf("waiting for %s: %v", typ, err)
	}
	if f.Type != typ {
		c.t.Fatalf("got %s, want %s", f.Raw, typ)
	}
	return f
}

// Until skips frames of other types.
func (c *Conn) Until(typ string) Frame {
	c.t.Helper()
	for {
		f, err := c.Next()
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", typ, err)
		}
		if f.Type == typ {
			return f
		}
	}
}

// WantClose reads to the end and returns the frames that came before it.
func (c *Conn) WantClose(code int) []Frame {
	c.t.Helper()
	var frames []Frame
	for {
		f, err := c.Next()
		if err == nil {
			frames = append(frames, f)
			continue
		}
		var closed *websocket.CloseError
		if !errors.As(err, &closed) || closed.Code != code {
			c.t.Fatalf("ended with %v, want close %d", err, code)
		}
		return frames
	}
}
