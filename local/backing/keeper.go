package backing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"tiffin/local/process"
)

var errEnded = errors.New("ended")

const (
	// startTimeout is how long a server may take until its probe succeeds. A
	// crashed database replays its log first.
	startTimeout = 60 * time.Second
	// startAttempts is how often the first start is tried before giving up:
	// more than once, because the remains of a killed predecessor may need a
	// moment to leave.
	startAttempts = 3
	// Delays between restarts grow from minDelay to maxDelay, and begin anew
	// after a run of healthyAfter.
	minDelay     = 100 * time.Millisecond
	maxDelay     = 3 * time.Second
	healthyAfter = 30 * time.Second
)

// Keeper starts a server, starts it again whenever it dies, and stops it.
type Keeper struct {
	server   Server
	launcher *process.Launcher
	log      *slog.Logger

	ready chan struct{}
	once  sync.Once

	mu      sync.Mutex
	current *process.Process
}

// NewKeeper does not start anything yet; Run does.
func NewKeeper(s Server, l *process.Launcher, log *slog.Logger) *Keeper {
	return &Keeper{server: s, launcher: l, log: log.With("server", s.Name), ready: make(chan struct{})}
}

// Server returns what is kept.
func (k *Keeper) Server() Server { return k.server }

// Ready is closed when the server first does its work.
func (k *Keeper) Ready() <-chan struct{} { return k.ready }

// PID is the running child's process id, or 0 between two runs.
func (k *Keeper) PID() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current == nil {
		return 0
	}
	return k.current.PID()
}

// Kill ends the running child at once, as a second Ctrl-C wants it.
func (k *Keeper) Kill() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current != nil {
		k.current.Kill()
	}
}

// Run keeps the server alive until ctx ends, then stops it cleanly and returns
// nil. It returns an error only when the server never became ready: what ran
// once is started again for ever.
func (k *Keeper) Run(ctx context.Context) error {
	delay := minDelay
	for attempt := 1; ; attempt++ {
		started := time.Now()
		err := k.runOnce(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if !k.wasReady() && attempt == startAttempts {
			return err
		}
		if time.Since(started) > healthyAfter {
			delay = minDelay
		}
		k.log.Warn("server ended, starting it again", "error", err, "delay", delay)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(delay):
		}
		delay = min(2*delay, maxDelay)
	}
}

func (k *Keeper) wasReady() bool {
	select {
	case <-k.ready:
		return true
	default:
		return false
	}
}

// runOnce is one life of the child, from its preparation to its end.
func (k *Keeper) runOnce(ctx context.Context) error {
	if k.server.Prepare != nil {
		if err := k.server.Prepare(ctx); err != nil {
			return fmt.Errorf("%s: %w", k.server.Name, err)
		}
	}
	p, err := k.launcher.Start(k.server.Command)
	if err != nil {
		return err
	}
	k.set(p)
	defer k.set(nil)
	defer p.Stop()
	if err := k.becomeReady(ctx, p); err != nil {
		p.Stop()
		return k.explain(err, p)
	}
	k.once.Do(func() { close(k.ready) })
	select {
	case <-ctx.Done():
		return nil
	case <-p.Done():
		return k.explain(errEnded, p)
	}
}

func (k *Keeper) becomeReady(ctx context.Context, p *process.Process) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("not ready within %s", startTimeout))
	defer cancel()
	if err := await(ctx, k.server.Probe, p.Done()); err != nil {
		return err
	}
	if k.server.Setup == nil {
		return nil
	}
	return k.server.Setup(ctx)
}

func (k *Keeper) set(p *process.Process) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current = p
}

// explain says in one line how the child ended and where to read more.
func (k *Keeper) explain(err error, p *process.Process) error {
	log := k.launcher.LogPath(k.server.Name)
	if !errors.Is(err, errEnded) {
		return fmt.Errorf("%s: %w; see %s", k.server.Name, err, log)
	}
	reason := "exit status 0"
	if p.Err() != nil {
		reason = p.Err().Error()
	}
	if last := lastLine(log); last != "" {
		reason += ": " + last
	}
	return fmt.Errorf("%s ended (%s); see %s", k.server.Name, reason, log)
}

// lastLine returns the last line of a log that says something, shortened to
// what fits on a terminal.
func lastLine(path string) string {
	const tail, width = 4096, 160
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > tail {
		if _, err := f.Seek(-tail, 2); err != nil {
			return ""
		}
	}
	buf := make([]byte, tail)
	n, err := f.Read(buf)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(buf[:n])), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if len(last) > width {
		last = last[:width] + "…"
	}
	return last
}
