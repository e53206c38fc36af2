// Package port hands out loopback ports to servers that can only be told a
// number, so that fleets and tests started at the same instant never get the
// same one.
//
// A port is taken when something listens on it or when another Book holds its
// lock file; the lock closes the gap between choosing a port and the server's
// binding it, and the gap while a server that died is started again.
package port

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// ErrNone means that no port in the range tried is free.
var ErrNone = errors.New("no free port")

// span is how many ports Take tries from the first one on.
const span = 2000

// Book holds the ports taken through it. The locks are the kernel's, so they
// end with the process however it ends.
type Book struct {
	dir string

	mu   sync.Mutex
	held map[int]*os.File
}

// NewBook keeps its lock files in a folder that all processes of this user
// share; it is made when it is missing.
func NewBook() *Book {
	return &Book{
		dir:  filepath.Join(os.TempDir(), fmt.Sprintf("tiffin-ports-%d", os.Getuid())),
		held: map[int]*os.File{},
	}
}

// Take returns the first free port from first on and keeps it until Release or
// Close.
func (b *Book) Take(first int) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return 0, err
	}
	for p := first; p < first+span && p <= 65535; p++ {
		ok, err := b.take(p)
		if err != nil {
			return 0, err
		}
		if ok {
			return p, nil
		}
	}
	return 0, fmt.Errorf("%w from %d on", ErrNone, first)
}

func (b *Book) take(p int) (bool, error) {
	if b.held[p] != nil {
		return false, nil
	}
	f, err := os.OpenFile(filepath.Join(b.dir, strconv.Itoa(p)), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return false, err
	}
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil || !Free("127.0.0.1", p) {
		return false, f.Close()
	}
	b.held[p] = f
	return true, nil
}

// Release gives one port back.
func (b *Book) Release(p int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.held[p]
	if f == nil {
		return nil
	}
	delete(b.held, p)
	return f.Close()
}

// Close gives all ports back.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for p, f := range b.held {
		errs = append(errs, f.Close())
		delete(b.held, p)
	}
	return errors.Join(errs...)
}

// Free tells whether a TCP port of the host's address can be listened on now.
func Free(host string, p int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(p)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
