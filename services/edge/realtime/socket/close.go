package socket

import (
	"time"

	"tiffin/services/edge/realtime/engineio"
	"tiffin/services/edge/realtime/frame"
	"tiffin/services/edge/realtime/ws"
)

// shed closes a socket whose queue is full.
func (s *Socket) shed() {
	s.mu.Lock()
	s.queue, s.bytes = nil, 0
	s.mu.Unlock()
	if s.Shut(ws.CloseTooSlow, "too slow, come back") {
		s.tellShed()
	}
}

// tellShed tells, once, that the client was too slow.
func (s *Socket) tellShed() {
	s.mu.Lock()
	told := s.shedded
	s.shedded = true
	s.mu.Unlock()
	if !told && s.onShed != nil {
		s.onShed()
	}
}

// Shut ends the socket after what is queued, with the code; nothing can be sent any more. It reports whether the socket
// was open. The reader learns of the end by the client's answer, or goodbye later.
func (s *Socket) Shut(code int, reason string) bool {
	return s.ShutWith(ws.AppendClose(nil, code, reason))
}

// ShutWith is Shut with a close frame of the caller's.
func (s *Socket) ShutWith(final []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.closing = true
	if s.conn == nil {
		// Past the bound, but the last one: the client must learn of the end in its next poll.
		s.queue = append(s.queue, item{frame: closePacket})
		s.wake()
		return true
	}
	s.final = final
	if !s.writing {
		s.writing = true
		go s.drain(s.conn)
	}
	return true
}

// closePacket ends a client that polls.
var closePacket = frame.Text(frame.SocketIO, engineio.Append(nil, engineio.Packet{Type: engineio.Close}))

// Finish closes the connection, if there is one, and waits until nobody writes to it. It may be called more than once.
func (s *Socket) Finish() {
	s.Abort()
	if idle := s.whenIdle(); idle != nil {
		<-idle
	}
}

// Flush waits until nobody writes, at most for d.
func (s *Socket) Flush(d time.Duration) {
	idle := s.whenIdle()
	if idle == nil {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}

// whenIdle gives a channel that is closed when nobody writes any more, nil when nobody does.
func (s *Socket) whenIdle() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing && s.idle == nil {
		s.idle = make(chan struct{})
	}
	return s.idle
}

// Abort closes the connection at once, without a goodbye. The read loop ends, and a waiting poll.
func (s *Socket) Abort() {
	s.mu.Lock()
	s.closing = true
	conn := s.conn
	s.wake()
	s.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
}
