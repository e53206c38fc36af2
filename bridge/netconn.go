package bridge

import (
	"net"
	"sync"
	"time"
)

const (
	dialTimeout = 5 * time.Second
	// writeTimeout ends a write that the broker does not take. amqp091 has no such limit, and a broker under an alarm
	// stops reading: publish and close would hang for as long as the alarm lasts.
	writeTimeout = 10 * time.Second
	// maxUnsent is how much may wait to be written before a writer has to wait too.
	maxUnsent = 256 << 10
)

// netConn is a connection that gathers writes. amqp091 flushes after every message; at thousands a second the system
// calls cost more than all else, so Write only appends and a goroutine writes what has come together. A failed write is
// reported by the next one, which is enough: an event counts as sent when it is confirmed, not when it was written.
type netConn struct {
	net.Conn

	mu     sync.Mutex
	ready  sync.Cond // unsent has become non-empty, or closed is set
	room   sync.Cond // unsent has become empty, or err is set
	unsent []byte
	spare  []byte // the buffer that is not being filled
	err    error
	closed bool
	done   chan struct{} // closed when the writing goroutine has ended
}

// dialTCP is amqp.Config.Dial.
func dialTCP(network, addr string) (net.Conn, error) {
	raw, err := net.DialTimeout(network, addr, dialTimeout)
	if err != nil {
		return nil, err
	}
	// The handshake has this long; amqp091 lifts the deadline when it is done.
	if err := raw.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
		return nil, err
	}
	c := &netConn{Conn: raw, done: make(chan struct{})}
	c.ready.L, c.room.L = &c.mu, &c.mu
	go c.writeLoop()
	return c, nil
}

// Write takes p for writing.
func (c *netConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.unsent) > maxUnsent && c.err == nil && !c.closed {
		c.room.Wait()
	}
	if c.err != nil {
		return 0, c.err
	}
	if c.closed {
		return 0, net.ErrClosed
	}
	c.unsent = append(c.unsent, p...)
	c.ready.Signal()
	return len(p), nil
}

// writeLoop writes what Write has gathered, until Close or a failure.
func (c *netConn) writeLoop() {
	defer close(c.done)
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil {
		for len(c.unsent) == 0 && !c.closed {
			c.ready.Wait()
		}
		if len(c.unsent) == 0 {
			return
		}
		batch := c.unsent
		c.unsent, c.spare = c.spare[:0], nil
		c.room.Broadcast()
		c.mu.Unlock()
		err := c.Conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if err == nil {
			_, err = c.Conn.Write(batch)
		}
		c.mu.Lock()
		c.spare = batch
		if err != nil {
			c.err = err
			c.room.Broadcast()
		}
	}
}

// Close writes what is left, within the time limit, and closes.
func (c *netConn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.ready.Signal()
	c.room.Broadcast()
	c.mu.Unlock()
	// The last frames say goodbye; a broker that does not take them at once has to do without.
	timer := time.AfterFunc(time.Second, func() {
		if err := c.Conn.SetWriteDeadline(time.Now()); err != nil {
			return // closed already
		}
	})
	<-c.done
	timer.Stop()
	return c.Conn.Close()
}
