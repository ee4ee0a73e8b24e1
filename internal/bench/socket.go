package bench

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// socket is a WebSocket's client that costs as little as can be, since it
// shares the machine with the server: text frames under a mask of zeros, one
// system call each, and a small buffer.
type socket struct {
	conn net.Conn
	in   *bufio.Reader
	big  []byte // a frame that the buffer has no room for

	mu  sync.Mutex // writes: the reader answers pings
	out []byte
}

// patience bounds a handshake and a write.
const patience = 30 * time.Second

// dial opens a socket of address host:port; without a bearer it says nothing
// of itself.
func dial(ctx context.Context, address, path, bearer string) (*socket, error) {
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("open a socket: %w", err)
	}
	s := &socket{conn: conn, in: bufio.NewReaderSize(conn, 1024)}
	if err := s.shake(address, path, bearer); err != nil {
		return nil, errors.Join(fmt.Errorf("open a socket: %w", err), conn.Close())
	}
	return s, nil
}

func (s *socket) shake(address, path, bearer string) error {
	if err := s.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	who := ""
	if bearer != "" {
		who = "Authorization: Bearer " + bearer + "\r\n"
	}
	_, err := fmt.Fprintf(s.conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: dispatch.v1\r\n%s\r\n", path, address, who)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		line, err := s.in.ReadString('\n')
		switch {
		case err != nil:
			return err
		case first && !strings.Contains(line, " 101 "):
			return fmt.Errorf("the server says %s", strings.TrimSpace(line))
		case line == "\r\n":
			return s.conn.SetDeadline(time.Time{})
		}
	}
}

const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

// send writes one text frame. It may be called from any goroutine.
func (s *socket) send(payload []byte) error { return s.write(opText, payload) }

func (s *socket) write(op byte, payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = append(s.out[:0], 0x80|op)
	switch n := len(payload); {
	case n < 126:
		s.out = append(s.out, 0x80|byte(n))
	case n < 1<<16:
		s.out = binary.BigEndian.AppendUint16(append(s.out, 0x80|126), uint16(n))
	default:
		s.out = binary.BigEndian.AppendUint64(append(s.out, 0x80|127), uint64(n))
	}
	s.out = append(append(s.out, 0, 0, 0, 0), payload...)
	_, err := s.conn.Write(s.out)
	return err
}

// next is the next text frame, good until the one after it.
func (s *socket) next() ([]byte, error) {
	for {
		op, payload, err := s.frame()
		switch {
		case err != nil:
			return nil, err
		case op == opText:
			return payload, nil
		case op == opPing:
			if err := s.write(opPong, payload); err != nil {
				return nil, err
			}
		case op == opClose:
			if len(payload) >= 2 {
				return nil, fmt.Errorf("closed by the server: %d %s", binary.BigEndian.Uint16(payload), payload[2:])
			}
			return nil, io.EOF
		}
	}
}

func (s *socket) frame() (op byte, payload []byte, err error) {
	head, err := s.in.Peek(2)
	if err != nil {
		return 0, nil, err
	}
	op, size, skip := head[0]&0xf, int(head[1]&0x7f), 2
	if size > 125 {
		skip = 4
		if size == 127 {
			skip = 10
		}
		if head, err = s.in.Peek(skip); err != nil {
			return 0, nil, err
		}
		if skip == 4 {
			size = int(binary.BigEndian.Uint16(head[2:]))
		} else {
			size = int(min(binary.BigEndian.Uint64(head[2:]), 1<<30))
		}
	}
	if _, err := s.in.Discard(skip); err != nil {
		return 0, nil, err
	}
	if size <= s.in.Size() {
		if payload, err = s.in.Peek(size); err == nil {
			_, err = s.in.Discard(size) // the bytes stay until the next read
		}
		return op, payload, err
	}
	if cap(s.big) < size {
		s.big = make([]byte, size)
	}
	payload = s.big[:size]
	_, err = io.ReadFull(s.in, payload)
	return op, payload, err
}

func (s *socket) close() { _ = s.conn.Close() }
