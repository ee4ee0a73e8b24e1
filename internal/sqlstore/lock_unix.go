//go:build unix

package sqlstore

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lockDir takes the directory for this process. The kernel gives the lock
// back when the process ends, however it ends. The file stays: removing it
// would let two processes lock two files of one name.
func lockDir(dir string) (release func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, "courier.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		if errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EROFS) {
			return nil, fmt.Errorf("%w: %w", ErrReadOnly, err)
		}
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(f, 32)) // a courtesy in the message
		err = fmt.Errorf("lock it: %w", err)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("%w (pid %s)", ErrInUse, strings.TrimSpace(string(holder)))
		}
		return nil, errors.Join(err, f.Close())
	}
	if err := f.Truncate(0); err == nil {
		_, _ = fmt.Fprintln(f, os.Getpid()) // a courtesy too
	}
	return f.Close, nil
}
