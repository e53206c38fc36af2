package ws

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	readBuffer = 4 << 10
	// sendBuffer bounds what the kernel queues for one socket. A large buffer would hold seconds of old positions for a
	// client that reads slowly; in ours, a newer position replaces an older one.
	sendBuffer = 32 << 10
)

// buffers are shared by all sockets; each is held only while its content is being handled.
var buffers = sync.Pool{New: func() any { return new([readBuffer]byte) }}

// Conn is a connection that belongs to one socket. Reads come from one goroutine; writes from one at a time, which the
// caller sees to. Close may be called by anyone, any number of times.
type Conn struct {
	net    net.Conn
	raw    syscall.RawConn // nil when the connection is no plain socket, such as under TLS
	early  []byte          // what came with the handshake
	closed atomic.Bool

	in  attempt // of the reader
	out attempt // of the writer
}

// attempt is one system call on the raw connection. It lives in the Conn and its function is made once, because a
// closure made for each call would be the only allocation on the way of a broadcast.
type attempt struct {
	do  func(fd uintptr) bool
	buf []byte
	n   int
	err error
}

// NewConn takes the connection over. early is what was read from it already.
func NewConn(nc net.Conn, early []byte) *Conn {
	c := &Conn{net: nc, early: early}
	if tcp, ok := nc.(*net.TCPConn); ok {
		// Only a hint: without it old positions live longer in the kernel.
		_ = tcp.SetWriteBuffer(sendBuffer)
	}
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			c.raw, c.in.do, c.out.do = raw, c.tryRead, c.tryWrite
		}
	}
	return c
}

// Direct reports whether the connection is a plain socket, on which TryWrite works and a waiting reader holds no buffer.
func (c *Conn) Direct() bool { return c.raw != nil }

// ReadLoop calls on with each chunk of bytes until on or the connection fails, and returns that error; io.EOF when the
// client has closed. The chunk is valid, and may be overwritten, until on returns.
func (c *Conn) ReadLoop(on func(chunk []byte) error) error {
	if early := c.early; len(early) > 0 {
		c.early = nil
		if err := on(early); err != nil {
			return err
		}
	}
	for {
		chunk, err := c.read()
		if err == nil {
			err = on(chunk)
		}
		if chunk != nil {
			giveBack(chunk)
		}
		if err != nil {
			return err
		}
	}
}

// read waits for data and reads some into a borrowed buffer.
func (c *Conn) read() ([]byte, error) {
	if c.raw == nil {
		buf := borrow()
		n, err := c.net.Read(buf)
		return buf[:n], err
	}
	err := c.raw.Read(c.in.do)
	chunk := c.in.buf
	c.in.buf = nil
	switch {
	case err != nil:
		return chunk, err
	case c.in.err != nil:
		return chunk, c.in.err
	case c.in.n == 0:
		return chunk, io.EOF
	}
	return chunk[:c.in.n], nil
}

// tryRead borrows the buffer only for the attempt. While the socket waits it holds none: that is 4 KB less for each one
// that has nothing to say.
func (c *Conn) tryRead(fd uintptr) (done bool) {
	c.in.buf = borrow()
	c.in.n, c.in.err = retry(syscall.Read, fd, c.in.buf)
	if errors.Is(c.in.err, syscall.EAGAIN) {
		giveBack(c.in.buf)
		c.in.buf, c.in.err = nil, nil
		return false
	}
	return true
}

func borrow() []byte {
	if b, ok := buffers.Get().(*[readBuffer]byte); ok {
		return b[:]
	}
	return make([]byte, readBuffer)
}

func giveBack(b []byte) { buffers.Put((*[readBuffer]byte)(b[:readBuffer])) }

// TryWrite writes as much of b as the kernel takes at once and never waits. 0 and no error means try Write.
func (c *Conn) TryWrite(b []byte) (n int, err error) {
	if c.raw == nil {
		return 0, nil
	}
	c.out.buf = b
	err = c.raw.Write(c.out.do)
	c.out.buf = nil
	switch {
	case err != nil:
		return 0, err
	case errors.Is(c.out.err, syscall.EAGAIN):
		return 0, nil
	case c.out.err != nil:
		return 0, c.out.err
	}
	return c.out.n, nil
}

// tryWrite is done after one attempt, also when it would have to wait: waiting is what Write is for.
func (c *Conn) tryWrite(fd uintptr) (done bool) {
	c.out.n, c.out.err = retry(syscall.Write, fd, c.out.buf)
	return true
}

// retry repeats a call that a signal interrupted.
func retry(call func(int, []byte) (int, error), fd uintptr, b []byte) (int, error) {
	for {
		n, err := call(int(fd), b)
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}

// Write writes all of b, waiting for the client up to timeout.
func (c *Conn) Write(b []byte, timeout time.Duration) error {
	if err := c.net.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := c.net.Write(b); err != nil {
		return err
	}
	// A deadline that passes later would fail the next TryWrite, which does not wait at all.
	return c.net.SetWriteDeadline(time.Time{})
}

// LimitRead ends the read loop at the latest after d; 0 takes the limit away.
func (c *Conn) LimitRead(d time.Duration) {
	var deadline time.Time
	if d > 0 {
		deadline = time.Now().Add(d)
	}
	// An error means that the connection is closed, and then the read loop has ended anyway.
	_ = c.net.SetReadDeadline(deadline)
}

// Close closes the connection at once. The read loop ends.
func (c *Conn) Close() {
	if c.closed.CompareAndSwap(false, true) {
		// Nothing can be done about an error of closing; the descriptor is gone either way.
		_ = c.net.Close()
	}
}
