//go:build unix

package ws

import (
	"errors"
	"net"
	"sync"
	"syscall"
)

// attempt is one try to write, kept for the next one.
type attempt struct {
	out []byte
	n   int
	err error
	try func(fd uintptr) bool
}

var attempts = sync.Pool{New: func() any {
	a := &attempt{}
	a.try = func(fd uintptr) bool {
		for {
			if a.n, a.err = syscall.Write(int(fd), a.out); !errors.Is(a.err, syscall.EINTR) {
				return true
			}
		}
	}
	return a
}}

// writeNow writes what the system takes without waiting: none of it, where the
// connection is not the system's own.
func writeNow(c net.Conn, out []byte) (n int, err error) {
	own, ok := c.(syscall.Conn)
	if !ok {
		return 0, nil
	}
	raw, err := own.SyscallConn()
	if err != nil {
		return 0, err
	}
	a, _ := attempts.Get().(*attempt)
	defer attempts.Put(a)
	a.out, a.n, a.err = out, 0, nil
	err = raw.Write(a.try)
	n, a.out = max(a.n, 0), nil
	if err == nil && !errors.Is(a.err, syscall.EAGAIN) {
		err = a.err
	}
	return n, err
}
