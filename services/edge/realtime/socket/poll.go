package socket

import (
	"errors"
	"time"

	"tiffin/services/edge/realtime/engineio"
	"tiffin/services/edge/realtime/ws"
)

// The errors of Poll.
var (
	ErrOverlap = errors.New("socket: another poll is waiting")
	ErrClosed  = errors.New("socket: closed")
	ErrMoved   = errors.New("socket: the client has upgraded")
)

// noop ends a poll that has nothing to bring.
var noop = engineio.Append(nil, engineio.Packet{Type: engineio.Noop})

// Poll waits up to timeout for frames and gives all that are queued, as one payload; a noop when there are none. last
// tells that the socket is closed with it. It returns ErrOverlap while another poll waits, ErrMoved after an upgrade and
// ErrClosed after the end.
func (s *Socket) Poll(timeout time.Duration) (payload []byte, last bool, err error) {
	s.mu.Lock()
	switch {
	case s.conn != nil:
		s.mu.Unlock()
		return nil, false, ErrMoved
	case s.polled != nil:
		s.mu.Unlock()
		return nil, false, ErrOverlap
	case len(s.queue) == 0 && s.closing:
		s.mu.Unlock()
		return nil, true, ErrClosed
	case len(s.queue) == 0 && !s.upgrading:
		wake := make(chan struct{})
		s.polled = wake
		s.mu.Unlock()
		s.wait(wake, timeout)
		s.mu.Lock()
	}
	payload = s.payload()
	last = s.closing
	s.mu.Unlock()
	if len(payload) == 0 {
		return noop, last, nil
	}
	return payload, last, nil
}

func (s *Socket) wait(wake chan struct{}, timeout time.Duration) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-wake:
	case <-timer.C:
		s.mu.Lock()
		s.wake() // nobody waits any more
		s.mu.Unlock()
	}
}

// wake ends the waiting poll, if there is one. s.mu is held.
func (s *Socket) wake() {
	if s.polled != nil {
		close(s.polled)
		s.polled = nil
	}
}

// payload takes everything queued, unless the client has left for WebSocket while it was waiting: then the frames go
// there. s.mu is held.
func (s *Socket) payload() []byte {
	if s.conn != nil {
		return nil
	}
	var out []byte
	for _, it := range s.queue {
		if len(out) > 0 {
			out = append(out, engineio.Separator)
		}
		out = append(out, it.frame.Packet(s.form)...)
	}
	s.queue, s.bytes = nil, 0
	return out
}

// Probe begins an upgrade: the waiting poll ends, so that the client can stop polling. False when the socket is closing,
// has upgraded or is being upgraded by another connection.
func (s *Socket) Probe() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || s.conn != nil || s.upgrading {
		return false
	}
	s.upgrading = true
	s.wake()
	return true
}

// Unprobe ends an upgrade that came to nothing; the client goes on polling.
func (s *Socket) Unprobe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.upgrading = false
}

// Upgrade moves the probed socket to conn, with what was queued meanwhile. False when it is closing.
func (s *Socket) Upgrade(conn *ws.Conn) bool {
	s.mu.Lock()
	if s.closing || !s.upgrading {
		s.mu.Unlock()
		return false
	}
	s.conn, s.upgrading = conn, false
	s.wake()
	write := len(s.queue) > 0
	s.writing = write
	s.mu.Unlock()
	if write {
		go s.drain(conn)
	}
	return true
}
