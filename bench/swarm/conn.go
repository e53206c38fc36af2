// Package swarm is thousands of WebSocket clients on one thread. The load
// generator of live tracking has one core for all of them, and must not be
// what is measured: a client costs one read for each wake-up, no goroutine and
// no buffer of its own.
//
// Connections are plain sockets of the kernel that Go's runtime knows nothing
// of. They block until they are handed to a Swarm.
package swarm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"golang.org/x/sys/unix"
)

// handshakeSeconds bounds every wait of a connection that is not yet in a
// swarm.
const handshakeSeconds = 20

// Conn is one client. Make it with Open; it is used by one goroutine at a
// time.
type Conn struct {
	ID int // whatever the owner tells clients apart by

	fd   int
	rest []byte // of an incomplete frame
}

// Open connects and shakes hands for the path, such as "/ws?x=y". header is
// further lines of the request, each with its end.
func Open(addr, path, header string) (*Conn, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	c := &Conn{fd: fd}
	limit := unix.Timeval{Sec: handshakeSeconds}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit),
		connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}),
	)
	if err == nil {
		err = c.shake(addr, path, header)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("%s%s: %w", addr, path, err)
	}
	return c, nil
}

// connect waits for the connection also when a signal, of which Go's scheduler
// sends many, interrupts the call: the kernel goes on connecting meanwhile.
func connect(fd int, to unix.Sockaddr) error {
	for {
		err := unix.Connect(fd, to)
		switch {
		case errors.Is(err, unix.EISCONN):
			return nil
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EALREADY):
			wait := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
			if _, err := unix.Poll(wait, 1000); err != nil && !errors.Is(err, unix.EINTR) {
				return err
			}
		default:
			return err
		}
	}
}

// shake sends the handshake and reads its answer. What came with the answer is
// kept.
func (c *Conn) shake(addr, path, header string) error {
	request := "GET " + path + " HTTP/1.1\r\nHost: " + addr + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + header + "\r\n"
	if _, err := unix.Write(c.fd, []byte(request)); err != nil {
		return err
	}
	var answer []byte
	for buf := make([]byte, 4096); ; {
		n, err := retry(c.fd, buf)
		if err != nil {
			return err
		}
		answer = append(answer, buf[:n]...)
		if head, rest, done := bytes.Cut(answer, []byte("\r\n\r\n")); done {
			if !bytes.HasPrefix(head, []byte("HTTP/1.1 101")) {
				return fmt.Errorf("handshake refused: %.200s", answer)
			}
			c.rest = rest
			return nil
		}
	}
}

// Send writes a text message.
func (c *Conn) Send(payload []byte) error { return c.write(opText, payload) }

const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xA
)

// write sends one frame. Clients must mask, and a mask of zeros is one.
func (c *Conn) write(op byte, payload []byte) error {
	frame := make([]byte, 0, len(payload)+8)
	frame = append(frame, 0x80|op)
	if len(payload) < 126 {
		frame = append(frame, 0x80|byte(len(payload)))
	} else {
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(len(payload)))
	}
	frame = append(append(frame, 0, 0, 0, 0), payload...)
	n, err := unix.Write(c.fd, frame)
	if err == nil && n < len(frame) {
		err = io.ErrShortWrite
	}
	return err
}

// Next waits for the next text message.
func (c *Conn) Next() ([]byte, error) {
	buf := make([]byte, 4096)
	for {
		var message []byte
		err := c.frames(nil, func(payload []byte) bool {
			message = bytes.Clone(payload)
			return false
		})
		if err != nil || message != nil {
			return message, err
		}
		n, err := retry(c.fd, buf)
		if err != nil {
			return nil, err
		}
		c.rest = append(c.rest, buf[:n]...)
	}
}

// frames takes what is complete in what was kept and the chunk, until on says
// that it has enough; the rest is kept. Pings are answered.
func (c *Conn) frames(chunk []byte, on func(payload []byte) bool) error {
	data := chunk
	if len(c.rest) > 0 {
		data = append(c.rest, chunk...)
	}
	for more := true; more; {
		op, payload, rest, complete := cut(data)
		if !complete {
			break
		}
		data = rest
		switch op {
		case opText:
			more = on(payload)
		case opPing:
			if err := c.write(opPong, payload); err != nil {
				return err
			}
		case opClose:
			return fmt.Errorf("closed by the server: %q", payload)
		}
	}
	c.rest = append(c.rest[:0:0], data...)
	return nil
}

// cut takes one frame off; servers send theirs whole and without a mask.
func cut(b []byte) (op byte, payload, rest []byte, complete bool) {
	if len(b) < 2 {
		return 0, nil, b, false
	}
	size, length := 2, int(b[1])
	switch {
	case length == 126 && len(b) >= 4:
		size, length = 4, int(binary.BigEndian.Uint16(b[2:]))
	case length == 127 && len(b) >= 10:
		size, length = 10, int(binary.BigEndian.Uint64(b[2:]))
	case length > 125:
		return 0, nil, b, false
	}
	if len(b) < size+length {
		return 0, nil, b, false
	}
	return b[0] & 0x0F, b[size : size+length], b[size+length:], true
}

// Shrink leaves the kernel hardly any room for what the client has not read:
// a client that is to be slow would otherwise only be so after minutes.
func (c *Conn) Shrink() error {
	return unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<10)
}

// Close ends the connection without a goodbye.
func (c *Conn) Close() {
	// An error means that the descriptor is gone, and that is all that is wanted.
	_ = unix.Close(c.fd)
}

// retry reads, again when a signal interrupts.
func retry(fd int, buf []byte) (int, error) {
	for {
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}
