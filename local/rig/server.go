package rig

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"tiffin/local/backing"
	"tiffin/local/process"
)

// endTimeout is how long the children of a killed server may take to end.
const endTimeout = 20 * time.Second

// Server is one server over all its lives.
type Server struct {
	// URL stays the same; it is empty for a program that nobody connects to.
	URL string

	server   backing.Server
	launcher *process.Launcher
	process  *process.Process
}

// Start starts the server on its data and returns when it serves.
func (s *Server) Start(ctx context.Context) error {
	p, err := backing.Start(ctx, s.server, s.launcher)
	if err != nil {
		return err
	}
	s.process = p
	return nil
}

// Name is the server's, as in its log.
func (s *Server) Name() string { return s.server.Name }

// Command is what runs, for tools that need the server's environment.
func (s *Server) Command() process.Command { return s.server.Command }

// PID is the process id of the current life.
func (s *Server) PID() int { return s.process.PID() }

// Running tells whether the current life has not ended.
func (s *Server) Running() bool {
	if s.process == nil {
		return false
	}
	select {
	case <-s.process.Done():
		return false
	default:
		return true
	}
}

// Stop ends the server as an operator would, and waits.
func (s *Server) Stop() { s.process.Stop() }

// Kill ends the server as SIGKILL does, and waits, also for its children: a
// PostgreSQL started beside the last backends of the killed one ends itself.
func (s *Server) Kill() error {
	if s.process == nil {
		return nil
	}
	family := process.Family(s.process.PID())
	s.process.Kill()
	<-s.process.Done()
	if err := process.AwaitEnd(context.Background(), family, endTimeout); err != nil {
		return fmt.Errorf("children of %s: %w", s.server.Name, err)
	}
	return nil
}

// Pause freezes the server: it keeps its connections and answers nothing.
func (s *Server) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (s *Server) Resume() error { return s.signal(syscall.SIGCONT) }

// signal reaches the whole family, for PostgreSQL's backends lead groups of
// their own.
func (s *Server) signal(sig syscall.Signal) error {
	for _, pid := range process.Family(s.process.PID()) {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("%v to %s: %w", sig, s.server.Name, err)
		}
	}
	return nil
}
