package backing

import (
	"context"
	"errors"
	"log/slog"
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
	startAttempts = 5
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
}

// NewKeeper does not start anything yet; Run does.
func NewKeeper(s Server, l *process.Launcher, log *slog.Logger) *Keeper {
	return &Keeper{server: s, launcher: l, log: log.With("server", s.Name), ready: make(chan struct{})}
}

// Server returns what is kept.
func (k *Keeper) Server() Server { return k.server }

// Ready is closed when the server first does its work.
func (k *Keeper) Ready() <-chan struct{} { return k.ready }

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
	p, err := Start(ctx, k.server, k.launcher)
	if err != nil {
		return err
	}
	defer p.Stop()
	k.once.Do(func() { close(k.ready) })
	select {
	case <-ctx.Done():
		return nil
	case <-p.Done():
		return explain(errEnded, k.server, k.launcher, p)
	}
}
