package socket

import (
	"errors"
	"os"
	"sync"
	"time"

	"tiffin/services/edge/realtime/ws"
)

const (
	// maxWrite is how much leaves in one write: enough to be worth a system call, little enough to be pooled.
	maxWrite = 16 << 10
	// writeTimeout is how long a client's TCP may stand still.
	writeTimeout = 8 * time.Second
	// goodbye is how long a client may take to answer a close frame.
	goodbye = 3 * time.Second
)

// writes are borrowed by drains to gather frames in.
var writes = sync.Pool{New: func() any { b := make([]byte, 0, maxWrite); return &b }}

// attempt writes b as far as it goes without waiting, and leaves what remains, and what was queued meanwhile, to a drain.
// The caller has set writing.
func (s *Socket) attempt(conn *ws.Conn, b []byte) {
	n, err := conn.TryWrite(b)
	s.mu.Lock()
	if err != nil {
		s.stopWriting()
		s.mu.Unlock()
		conn.Close()
		return
	}
	s.rest = b[n:] // shared bytes: read only
	if len(s.rest) == 0 && len(s.queue) == 0 && s.final == nil {
		s.stopWriting()
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	go s.drain(conn)
}

// drain writes until nothing is left, waiting for the client where it must.
func (s *Socket) drain(conn *ws.Conn) {
	buf, ok := writes.Get().(*[]byte)
	if !ok {
		buf = new([]byte)
	}
	defer writes.Put(buf)
	for {
		batch, last := s.gather((*buf)[:0])
		*buf = batch[:0]
		if len(batch) == 0 {
			return
		}
		if err := conn.Write(batch, writeTimeout); err != nil {
			s.abandon(conn, err)
			return
		}
		if last {
			conn.LimitRead(goodbye)
		}
	}
}

// gather moves what is to be written next into buf; last tells that the close frame is its end. With nothing to write,
// the drain is over.
func (s *Socket) gather(buf []byte) (batch []byte, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	buf = append(buf, s.rest...)
	s.rest = nil
	taken := 0
	for ; taken < len(s.queue) && len(buf) < maxWrite; taken++ {
		framed := s.queue[taken].frame.Framed(s.form)
		s.bytes -= len(s.queue[taken].frame.Packet(s.form))
		buf = append(buf, framed...)
	}
	s.forget(taken)
	if len(s.queue) == 0 && s.final != nil {
		buf, s.final, last = append(buf, s.final...), nil, true
	}
	if len(buf) == 0 {
		s.stopWriting()
	}
	return buf, last
}

// forget drops the first n queued frames. An empty queue gives its memory back: most sockets never queue. s.mu is held.
func (s *Socket) forget(n int) {
	if n == len(s.queue) {
		s.queue, s.bytes = nil, 0
		return
	}
	s.queue = append(s.queue[:0], s.queue[n:]...)
}

// abandon ends a socket whose client does not read, or is gone.
func (s *Socket) abandon(conn *ws.Conn, err error) {
	s.mu.Lock()
	s.closing, s.queue, s.bytes, s.rest, s.final = true, nil, 0, nil, nil
	s.mu.Unlock()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.tellShed()
	}
	conn.Close()
	s.mu.Lock()
	s.stopWriting() // last, so that Finish waits for all of this
	s.mu.Unlock()
}

// stopWriting notes that nobody writes. s.mu is held.
func (s *Socket) stopWriting() {
	s.writing = false
	if s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}
