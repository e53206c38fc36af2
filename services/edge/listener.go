package edge

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"time"
)

// Patience with clients that were refused. Without a bound they could hold the
// connection for ever by sending on.
const (
	// lingerTime and lingerBytes bound how long a refused client may go on
	// sending.
	lingerTime  = time.Second
	lingerBytes = 32 << 20
)

// listen opens a port. The error names the variable that sets it.
func listen(variable, address string, port int, secure *tls.Config) (net.Listener, error) {
	ln, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", variable, err)
	}
	ln = lingerListener{ln}
	if secure != nil {
		ln = tls.NewListener(ln, secure)
	}
	return ln, nil
}

// lingerListener accepts connections that can linger.
type lingerListener struct{ net.Listener }

// Accept waits for a connection.
func (l lingerListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lingerConn{Conn: conn}, nil
}

// lingerConn can take in what a refused client is still sending before it
// closes. Closing at once would make the kernel answer that data with a reset,
// which often destroys the refusal before the client has read it.
type lingerConn struct {
	net.Conn
	refused atomic.Bool
}

// UnsafeConn gives the connection itself to whoever takes it over for good, as
// fasthttp's own wrapper does. Sockets need it: behind a wrapper they could
// neither write without waiting nor wait without a buffer.
func (c *lingerConn) UnsafeConn() net.Conn { return c.Conn }

// Close closes the connection, after a refusal not before the client has
// stopped sending or lingerTime is over.
func (c *lingerConn) Close() error {
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
