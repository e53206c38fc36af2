package telemetry

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// gatherFor is how long lines wait for company: a write for each would cost a
	// busy edge more than making the line.
	gatherFor = 10 * time.Millisecond
	// maxPending bounds in bytes what a file or pipe that takes nothing may make us
	// keep: some ten thousand lines.
	maxPending = 4 << 20
)

// Sink writes a log in the background. Whoever logs waits neither for a busy
// disk nor for a pipe that nobody reads: lines beyond 4 MiB are dropped then,
// and a line that says how many is written in their place. A process that is
// killed loses the lines of its last ten milliseconds.
type Sink struct {
	out     io.Writer
	handler slog.Handler
	notice  slog.Handler // writes to out at once
	stop    func()       // ends run, once
	stopped chan struct{}
	done    chan struct{}
	wake    chan struct{} // holds a token while there is something to write

	mu      sync.Mutex
	pending []byte
	dropped int
	closed  bool
}

// NewSink starts writing to out what the handler that format makes is given.
func NewSink(out io.Writer, format func(io.Writer) slog.Handler) *Sink {
	s := &Sink{out: out, notice: format(out), stopped: make(chan struct{}), done: make(chan struct{}), wake: make(chan struct{}, 1)}
	s.handler = format(pen{s})
	s.stop = sync.OnceFunc(func() { close(s.stopped) })
	go s.run()
	return s
}

// Handler takes the records.
func (s *Sink) Handler() slog.Handler { return s.handler }

// Close writes what is left. Lines that come later are written at once.
func (s *Sink) Close() {
	s.stop()
	<-s.done
}

// pen is the side of a Sink that its handler writes to.
type pen struct{ sink *Sink }

// Write takes one line. It does not fail: nobody could do anything about it.
func (p pen) Write(line []byte) (int, error) {
	s := p.sink
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return s.out.Write(line)
	case len(s.pending)+len(line) > maxPending:
		s.dropped++
	default:
		s.pending = append(s.pending, line...)
	}
	select {
	case s.wake <- struct{}{}:
	default: // it has been told
	}
	return len(line), nil
}

// run writes what has come, until the sink is closed.
func (s *Sink) run() {
	defer close(s.done)
	var spare []byte
	for s.more() {
		spare = s.flush(spare)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.write(s.pending, s.dropped)
}

// more waits until there is something to write, and a little longer for what
// comes with it; false when the sink is closed.
func (s *Sink) more() bool {
	select {
	case <-s.wake:
	case <-s.stopped:
		return false
	}
	company := time.NewTimer(gatherFor)
	defer company.Stop()
	select {
	case <-company.C:
		return true
	case <-s.stopped:
		return false
	}
}

// flush writes what is pending, leaves spare for the next lines, and gives what
// it wrote as the next spare.
func (s *Sink) flush(spare []byte) []byte {
	s.mu.Lock()
	lines, dropped := s.pending, s.dropped
	s.pending, s.dropped = spare[:0], 0
	s.mu.Unlock()
	s.write(lines, dropped)
	return lines
}

// write ignores errors, as slog does: there is no log left to tell of them.
func (s *Sink) write(lines []byte, dropped int) {
	if len(lines) > 0 {
		_, _ = s.out.Write(lines)
	}
	if dropped > 0 {
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "log lines dropped: nobody took them in time", 0)
		r.AddAttrs(slog.Int("lines", dropped))
		_ = s.notice.Handle(context.Background(), r)
	}
}
