// Package port hands out loopback ports to servers that can only be told a
// number, so that fleets and tests started at the same instant never get the
// same one.
//
// A port is taken when something listens on it or when another Book, in any
// process of any user, holds its lock. The lock closes the gap between choosing
// a port and the server's binding it, which may first have to make its data,
// and the gap while a server that died is started again.
package port

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
)

// ErrNone means that no port in the range tried is free.
var ErrNone = errors.New("no free port")

// span is how many ports Take tries from the first one on.
const span = 2000

// Book holds the ports taken through it.
//
// Its locks are listening sockets in Linux's abstract namespace: they exist
// exactly where ports do, in one network namespace and for all its users, and
// end with the process however it ends.
type Book struct {
	mu   sync.Mutex
	held map[int]net.Listener
}

// NewBook returns a book that holds nothing.
func NewBook() *Book { return &Book{held: map[int]net.Listener{}} }

// Take returns the first free port from first on and keeps it until Release or
// Close.
func (b *Book) Take(first int) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for p := first; p < first+span && p <= 65535; p++ {
		lock, err := net.Listen("unix", "@tiffin-port-"+strconv.Itoa(p))
		if err != nil {
			continue // somebody else's
		}
		if Check("127.0.0.1", p) != nil {
			if err := lock.Close(); err != nil {
				return 0, err
			}
			continue
		}
		b.held[p] = lock
		return p, nil
	}
	return 0, fmt.Errorf("%w from %d on", ErrNone, first)
}

// Release gives one port back.
func (b *Book) Release(p int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	lock := b.held[p]
	if lock == nil {
		return nil
	}
	delete(b.held, p)
	return lock.Close()
}

// Close gives all ports back.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for p, lock := range b.held {
		errs = append(errs, lock.Close())
		delete(b.held, p)
	}
	return errors.Join(errs...)
}

// Check returns nil when a TCP port of the host's address can be listened on
// now, and else the kernel's reason: EADDRINUSE, EACCES, EADDRNOTAVAIL.
func Check(host string, p int) error {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(p)))
	if err != nil {
		return err
	}
	return l.Close()
}
