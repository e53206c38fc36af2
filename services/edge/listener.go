package edge

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"tiffin/services/edge/inbound"
)

// Patience with clients that were refused. Without a bound they could hold the
// connection for ever by sending on.
const (
	// lingerTime and lingerBytes bound how long a refused client may go on
	// sending.
	lingerTime  = time.Second
	lingerBytes = 32 << 20
)

// counter counts open connections by address.
type counter struct {
	most  int
	free  inbound.Networks // proxies, behind which everybody is, and exempt networks
	mu    sync.Mutex
	conns map[netip.Addr]int
}

func newCounter(most int, free ...inbound.Networks) *counter {
	return &counter{most: most, free: slices.Concat(free...), conns: map[netip.Addr]int{}}
}

// enter counts a connection and reports whether it may stay.
func (c *counter) enter(addr netip.Addr) bool {
	if c.free.Contain(addr) {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conns[addr] >= c.most {
		return false
	}
	c.conns[addr]++
	return true
}

// leave ends a connection that was let in.
func (c *counter) leave(addr netip.Addr) {
	if c.free.Contain(addr) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conns[addr]--; c.conns[addr] <= 0 {
		delete(c.conns, addr)
	}
}

// listen opens a port. The error names the variable that sets it.
func listen(variable, address string, port int, secure *tls.Config, count *counter) (net.Listener, error) {
	ln, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", variable, err)
	}
	ln = lingerListener{ln, count}
	if secure != nil {
		ln = tls.NewListener(ln, secure)
	}
	return ln, nil
}

// lingerListener accepts connections that can linger, so many of one address. One
// too many is closed unread: answering it would cost more than it is worth.
type lingerListener struct {
	net.Listener
	count *counter
}

// Accept waits for a connection that may stay.
func (l lingerListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
		if !ok {
			return &lingerConn{Conn: conn, left: func() {}}, nil
		}
		addr := tcp.AddrPort().Addr().Unmap()
		if l.count.enter(addr) {
			return &lingerConn{Conn: conn, left: sync.OnceFunc(func() { l.count.leave(addr) })}, nil
		}
		_ = conn.Close() // whatever happens to it, it is not served
	}
}

// lingerConn can take in what a refused client is still sending before it
// closes. Closing at once would make the kernel answer that data with a reset,
// which often destroys the refusal before the client has read it.
type lingerConn struct {
	net.Conn
	refused atomic.Bool
	left    func() // gives its place back, once
}

// UnsafeConn gives the connection itself to whoever takes it over for good, as
// fasthttp's own wrapper does. Sockets need it: behind a wrapper they could
// neither write without waiting nor wait without a buffer. It is counted as a
// socket from then on, and not here: whoever has it closes it past us.
func (c *lingerConn) UnsafeConn() net.Conn {
	c.left()
	return c.Conn
}

// Close closes the connection, after a refusal not before the client has
// stopped sending or lingerTime is over.
func (c *lingerConn) Close() error {
	defer c.left()
	tcp, ok := c.Conn.(*net.TCPConn)
	if ok && c.refused.Swap(false) {
		if err := errors.Join(tcp.CloseWrite(), tcp.SetReadDeadline(time.Now().Add(lingerTime))); err == nil {
			// Whatever ends this, the end of the data, of the patience or an
			// error, the connection is closed next.
			_, _ = io.CopyN(io.Discard, tcp, lingerBytes)
		}
	}
	return c.Conn.Close()
}

// linger marks the connection of a request that was refused unread.
func linger(conn net.Conn) {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if l, ok := conn.(*lingerConn); ok {
		l.refused.Store(true)
	}
}
