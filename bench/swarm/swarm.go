package swarm

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Swarm reads many connections. It is used by one goroutine at a time.
type Swarm struct {
	epoll  int
	conns  map[int32]*Conn
	events []unix.EpollEvent
	buf    []byte
	fresh  []*Conn // with something that came before they were handed over
}

// New takes the connections over.
func New(conns []*Conn) (*Swarm, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	s := &Swarm{epoll: epoll, conns: make(map[int32]*Conn, len(conns)), events: make([]unix.EpollEvent, len(conns)), buf: make([]byte, 256<<10)}
	for _, c := range conns {
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)}
		err := errors.Join(unix.SetNonblock(c.fd, true), unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, c.fd, &event))
		if err != nil {
			s.Close()
			return nil, err
		}
		s.conns[event.Fd] = c
		if len(c.rest) > 0 {
			s.fresh = append(s.fresh, c)
		}
	}
	return s, nil
}

// Poll waits for data, at most for the given time, and hands over every
// message that has come. It fails when any connection does: nobody is to
// leave while a swarm is measured.
func (s *Swarm) Poll(wait time.Duration, on func(c *Conn, payload []byte)) error {
	for _, c := range s.fresh {
		if err := c.hand(nil, on); err != nil {
			return err
		}
	}
	s.fresh = nil
	n, err := unix.EpollWait(s.epoll, s.events, int(wait.Milliseconds()))
	if errors.Is(err, unix.EINTR) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, event := range s.events[:n] {
		c := s.conns[event.Fd]
		got, err := retry(c.fd, s.buf)
		if errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil {
			return fmt.Errorf("client %d: %w", c.ID, err)
		}
		if err := c.hand(s.buf[:got], on); err != nil {
			return err
		}
	}
	return nil
}

// hand hands over the messages that are complete with the chunk.
func (c *Conn) hand(chunk []byte, on func(c *Conn, payload []byte)) error {
	if err := c.frames(chunk, func(payload []byte) bool { on(c, payload); return true }); err != nil {
		return fmt.Errorf("client %d: %w", c.ID, err)
	}
	return nil
}

// Close closes the swarm and all its connections.
func (s *Swarm) Close() {
	_ = unix.Close(s.epoll) // as in Conn.Close
	for _, c := range s.conns {
		c.Close()
	}
}
