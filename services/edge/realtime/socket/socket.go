package socket

import (
	"sync"
	"sync/atomic"

	"tiffin/services/edge/realtime/frame"
	"tiffin/services/edge/realtime/ws"
)

// The bounds of a socket. Positions are replaced, so only answers and changes of orders can fill a queue.
const (
	maxQueued      = 256
	maxQueuedBytes = 128 << 10
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
