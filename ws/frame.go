package ws

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gorilla/websocket"
)

// frame is a whole WebSocket frame as it goes over the wire, header and all.
// A server's frames are not masked, so that the same bytes go to every
// socket. It is shared and never changed.
type frame []byte

// maxHeader is the longest header of an unmasked frame.
const maxHeader = 10

// newFrame puts the header before the payload that starts at maxHeader.
func newFrame(opcode byte, room []byte) frame {
	const final = 0x80
	n := len(room) - maxHeader
	var head [maxHeader]byte
	head[0] = final | opcode
	size := 2
	switch {
	case n < 126:
		head[1] = byte(n)
	case n <= 0xffff:
		head[1], size = 126, 4
		binary.BigEndian.PutUint16(head[2:], uint16(n)) //nolint:gosec // checked
	default:
		head[1], size = 127, 10
		binary.BigEndian.PutUint64(head[2:], uint64(n)) //nolint:gosec // not negative
	}
	copy(room[maxHeader-size:], head[:size])
	return room[maxHeader-size:]
}

// payload is the frame without its header.
func (f frame) payload() []byte {
	switch f[1] {
	case 126:
		return f[4:]
	case 127:
		return f[10:]
	}
	return f[2:]
}

// scratch holds buffers for encoding and for writes of several frames.
type scratch struct{ pool sync.Pool }

// keepScratch is the largest buffer worth keeping.
const keepScratch = 64 << 10

func (s *scratch) get() *[]byte {
	if b, ok := s.pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 4<<10)
	return &b
}

func (s *scratch) put(b *[]byte) {
	if cap(*b) <= keepScratch {
		*b = (*b)[:0]
		s.pool.Put(b)
	}
}

// encode makes a text frame of what json makes of v.
func (s *scratch) encode(v any) (frame, error) {
	buf := s.get()
	defer s.put(buf)
	w := writer{(*buf)[:0]}
	w.b = append(w.b, make([]byte, maxHeader)...)
	if err := json.MarshalWrite(&w, v, jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	*buf = w.b
	return newFrame(websocket.TextMessage, append(make([]byte, 0, len(w.b)), w.b...)), nil
}

// writer appends.
type writer struct{ b []byte }

func (w *writer) Write(p []byte) (int, error) { w.b = append(w.b, p...); return len(p), nil }

// closing is a close frame. The reason is cut to what a control frame holds.
func closing(code int, reason string) frame {
	const most = 123
	if len(reason) > most {
		reason = reason[:most]
	}
	return control(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason))
}

func control(opcode byte, payload []byte) frame {
	return newFrame(opcode, append(make([]byte, maxHeader, maxHeader+len(payload)), payload...))
}
