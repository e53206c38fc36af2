package socket

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"tiffin/services/edge/realtime/engineio"
	"tiffin/services/edge/realtime/frame"
	"tiffin/services/edge/realtime/ws"
)

// The bounds of a socket. Positions are replaced, so only answers and changes of orders can fill a queue.
const (
	maxQueued      = 256
	maxQueuedBytes = 128 << 10
	// maxWrite is how much leaves in one write: enough to be worth a system call, little enough to be pooled.
	maxWrite = 16 << 10
	// writeTimeout is how long a client's TCP may stand still.
	writeTimeout = 8 * time.Second
	// goodbye is how long a client may take to answer a close frame.
	goodbye = 3 * time.Second
)

// Socket is the outgoing side of one client. Make it with New.
type Socket struct {
	form     frame.Form
	onShed   func()      // told when the socket is closed for being too slow
	awaiting atomic.Bool // a ping was sent and nothing heard since

	mu        sync.Mutex
	conn      *ws.Conn // nil while the client polls
	queue     []item
	bytes     int
	rest      []byte // of a frame of which the kernel took only the beginning
	final     []byte // the close frame, once closing
	writing   bool
	closing   bool
	shedded   bool          // onShed was called
	upgrading bool          // a probe is under way: polls are ended with a noop
	polled    chan struct{} // of the waiting poll, nil without one; closed to wake it
	idle      chan struct{} // made while somebody writes, for those who wait; closed when they stop
}

// item is a queued frame. A frame with a slot is replaced by the next one with the same slot.
type item struct {
	frame *frame.Frame
	slot  any
}

// writes are borrowed by drains to gather frames in.
var writes = sync.Pool{New: func() any { b := make([]byte, 0, maxWrite); return &b }}

// New makes the socket of a client that takes the given form. conn is nil for a client that polls. onShed may be nil.
func New(form frame.Form, conn *ws.Conn, onShed func()) *Socket {
	return &Socket{form: form, conn: conn, onShed: onShed}
}

// Form tells how frames must look.
func (s *Socket) Form() frame.Form { return s.form }

// Send queues a frame whose form exists, or writes it at once when nothing is queued. With a slot other than nil it
// replaces what is queued with the same slot. Frames to a closing socket go nowhere.
func (s *Socket) Send(f *frame.Frame, slot any) {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return
	}
	if s.conn != nil && !s.writing {
		s.writing = true
		conn := s.conn
		s.mu.Unlock()
		s.attempt(conn, f.Framed(s.form))
		return
	}
	fits := s.enqueue(f, slot)
	s.wake()
	s.mu.Unlock()
	if !fits {
		s.shed()
	}
}

// enqueue adds a frame, false when there is no room. s.mu is held.
func (s *Socket) enqueue(f *frame.Frame, slot any) bool {
	size := len(f.Packet(s.form))
	if slot != nil {
		for i := range s.queue {
			if s.queue[i].slot == slot {
				s.bytes += size - len(s.queue[i].frame.Packet(s.form))
				s.queue[i].frame = f
				return true
			}
		}
	}
	if len(s.queue) >= maxQueued || s.bytes+size > maxQueuedBytes {
		return false
	}
	s.queue = append(s.queue, item{f, slot})
	s.bytes += size
	return true
}

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

// Closing reports whether the socket is closed or about to be.
func (s *Socket) Closing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// Polling reports whether the client polls.
func (s *Socket) Polling() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn == nil
}

// Drained reports whether nothing is queued.
func (s *Socket) Drained() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue) == 0
}

// Heard notes that the client lives.
func (s *Socket) Heard() {
	if s.awaiting.Load() { // most messages are not answers to a ping; a load is cheaper than a store
		s.awaiting.Store(false)
	}
}

// Beat sends a ping.
func (s *Socket) Beat(ping *frame.Frame) {
	s.awaiting.Store(true)
	s.Send(ping, beat{})
}

// beat is the slot of pings: one waiting in the queue is enough.
type beat struct{}

// Silent reports whether nothing was heard since the last ping.
func (s *Socket) Silent() bool { return s.awaiting.Load() }
